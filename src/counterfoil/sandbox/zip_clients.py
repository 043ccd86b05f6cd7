"""Who may talk to the Zip shape: two clients, and the tokens that they were given.

`zip` may capture everything at once, `zip-partial` has the scope for parts. The secret of both is
the key of this process. Tokens are forgotten when it ends.
"""

import hmac
import secrets

from msgspec import Struct

SCOPES = {"zip": "read:me merchant", "zip-partial": "read:me merchant capture:partial"}
PARTIAL = "capture:partial"


class Given(Struct):
    """What somebody asked for with a token request."""

    client_id: str
    client_secret: str
    audience: str
    grant_type: str


class Tokens:
    """The tokens that are out. Times are milliseconds of the sandbox's clock."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.life_s = 86_400
        self.requests = 0
        self._out: dict[str, tuple[str, int]] = {}

    def grant(self, given: Given, now: int) -> dict[str, object] | None:
        """Give a token; None where the client, its secret or the request is wrong."""
        self.requests += 1
        known = hmac.compare_digest(given.client_secret.encode(), self.secret.encode())
        scope = SCOPES.get(given.client_id)
        if not known or scope is None or given.grant_type != "client_credentials":
            return None
        if not given.audience:
            return None
        token = secrets.token_urlsafe(24)
        self._out[token] = (given.client_id, now + self.life_s * 1000)
        return {
            "access_token": token,
            "expires_in": self.life_s,
            "scope": scope,
            "token_type": "Bearer",
        }

    def client(self, authorization: str, now: int) -> str | None:
        """Tell whose token this is; None where it is nobody's any more."""
        kind, _, token = authorization.partition(" ")
        client, ends_at = self._out.get(token, ("", 0))
        return client if kind == "Bearer" and now < ends_at else None

    def forget(self) -> None:
        """Let no token be good any more."""
        self._out.clear()
