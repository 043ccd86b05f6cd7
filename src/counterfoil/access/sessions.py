"""Sessions of people who signed in. [faults H-15; rulings 4]

The cookie reads `<account>.<token>`; of the token, 256 random bits, only the SHA-256 is kept. A
session ends after some idle time, after half a day in any case, and with the sign-out.
"""

import hashlib
import re
import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from counterfoil.access.remembered import Remembered
from counterfoil.access.users import User
from counterfoil.kernel.db import Connection, Pool
from counterfoil.kernel.problem import Unauthenticated
from counterfoil.order.actor import Actor
from counterfoil.order.rights import rights_of

_COOKIE = re.compile(r"([0-9a-f]{32})\.([A-Za-z0-9_-]{43})\Z")
_SEEN_EVERY_S = 60


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A live session: who acts, the user behind it, the token that forms carry, when it ends."""

    actor: Actor
    user: User
    csrf: str
    expires_at: datetime


class NewSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session just begun. `cookie` is told this once."""

    cookie: str
    csrf: str
    user: User


async def begin_session(connection: Connection, user: User, max_s: int) -> NewSession:
    """Begin a session with a new token; `max_s` is its longest life."""
    token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    await connection.rows(
        "with gone as ("
        "  delete from sessions where account_id = $1 and user_id = $3 and expires_at < cf_now()),"
        " seen as ("
        "  update users set last_seen_at = cf_now() where account_id = $1 and id = $3)"
        " insert into sessions (account_id, id, user_id, csrf, created_at, seen_at, expires_at)"
        " values ($1, $2, $3, $4, cf_now(), cf_now(), cf_now() + make_interval(secs => $5))",
        connection.account,
        _hash(token),
        user.id,
        csrf,
        max_s,
    )
    return NewSession(cookie=f"{UUID(connection.account).hex}.{token}", csrf=csrf, user=user)


class SessionCheck:
    """Tells whose session a cookie belongs to: from memory, else with one statement."""

    def __init__(self, pool: Pool, *, remember_s: int = 5, idle_s: int = 1800) -> None:
        self._pool = pool
        self._idle_s = idle_s
        self._remembered = Remembered[Session](remember_s)

    async def authenticate(self, cookie: str | None) -> Session:
        """Return the session of a cookie. Raises Unauthenticated."""
        parts = _COOKIE.match(cookie or "")
        if parts is None:
            raise Unauthenticated("You are not signed in.")
        account_id, session_id = str(UUID(parts[1])), _hash(parts[2])
        session = self._remembered.recall(session_id.encode())
        if session is not None and session.actor.account_id == account_id:
            return session
        async with self._pool.connection(account_id) as connection:
            row = await connection.row(
                "with seen as ("
                "  update sessions set seen_at = cf_now() where account_id = $1 and id = $2"
                "    and seen_at > cf_now() - make_interval(secs => $3)"
                "    and seen_at < cf_now() - make_interval(secs => $4) returning user_id),"
                " here as ("
                "  update users u set last_seen_at = cf_now() from seen"
                "  where u.account_id = $1 and u.id = seen.user_id)"
                " select s.csrf, s.expires_at, r.permissions, r.limits,"
                "   (to_jsonb(u) - 'password_hash')::text as told"
                " from sessions s"
                " join users u on u.account_id = $1 and u.id = s.user_id"
                " join roles r on r.account_id = $1 and r.code = u.role"
                " where s.account_id = $1 and s.id = $2 and s.expires_at > cf_now()"
                " and s.seen_at > cf_now() - make_interval(secs => $3) and u.status = 'ACTIVE'",
                account_id,
                session_id,
                self._idle_s,
                _SEEN_EVERY_S,
            )
        if row is None:
            raise Unauthenticated("Your session has ended. Sign in again.")
        return self._remembered.keep(session_id.encode(), _session(account_id, row))

    async def sign_out(self, cookie: str | None) -> None:
        """End the session of a cookie, here at once and elsewhere in some seconds."""
        parts = _COOKIE.match(cookie or "")
        if parts is None:
            return
        account_id, session_id = str(UUID(parts[1])), _hash(parts[2])
        async with self._pool.connection(account_id) as connection:
            await connection.rows(
                "delete from sessions where account_id = $1 and id = $2", account_id, session_id
            )
        self._remembered.drop(session_id.encode())

    def forget(self, user_id: str) -> None:
        """Stop remembering the sessions of a user whom this process has just changed."""
        self._remembered.forget(lambda session: session.user.id == user_id)


def _session(account_id: str, row: Any) -> Session:
    user = msgspec.json.decode(row["told"], type=User)
    actor = Actor(
        kind="user",
        id=user.id,
        name=user.name,
        account_id=account_id,
        rights=rights_of(msgspec.json.decode(row["permissions"])),
        merchants=None if user.merchants is None else frozenset(user.merchants),
        stores=None if user.stores is None else frozenset(user.stores),
        limits=msgspec.json.decode(row["limits"]),
        credential=f"user:{user.id}",
    )
    return Session(actor=actor, user=user, csrf=row["csrf"], expires_at=row["expires_at"])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
