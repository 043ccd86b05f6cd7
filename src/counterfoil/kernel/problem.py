"""Problems: what the system refuses, as RFC 9457 speaks of it."""

from typing import Any, ClassVar


class Problem(Exception):
    """A refusal that is a noun of the domain: raised where the rule lives, told at the door.

    `code` and `status` are the contract with clients; `title` is the same for every occurrence,
    `detail` says what happened this time and what to do; `facts` become extra members.
    """

    code: ClassVar[str] = "unavailable"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side."

    def __init__(
        self,
        detail: str = "",
        *,
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors or []
        self.headers = headers or {}
        self.facts = facts

    def body(self, *, instance: str = "", trace_id: str = "") -> dict[str, Any]:
        """Tell the problem as the members of application/problem+json."""
        told: dict[str, Any] = {
            "type": f"/docs/problems#{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if instance:
            told["instance"] = instance
        if self.errors:
            told["errors"] = self.errors
        if trace_id:
            told["trace_id"] = trace_id
        return {**self.facts, **told}


class Malformed(Problem):
    """The request is not what it claims to be: no JSON, a NUL, a duplicate key."""

    code, status = "malformed", 400
    title = "The request could not be read."


class Unauthenticated(Problem):
    """Nobody known is asking."""

    code, status = "unauthenticated", 401
    title = "Send a valid API key or sign in."


class PermissionDenied(Problem):
    """Who is asking lacks the right; it is named."""

    code, status = "permission_denied", 403
    title = "You lack the right for this."


class MerchantLimited(Problem):
    """Order-level money and state are not for who sees only some merchants' bags. [rulings 5]"""

    code, status = "merchant_limited", 403
    title = "This is closed to a credential that is limited to merchants."


class NotFound(Problem):
    """Not here, or not yours."""

    code, status = "not_found", 404
    title = "Not here, or not yours."


class MethodNotAllowed(Problem):
    """The address is right, the method is not."""

    code, status = "method_not_allowed", 405
    title = "This address does not take that method."


class NotAcceptable(Problem):
    """We cannot answer in what was asked for."""

    code, status = "not_acceptable", 406
    title = "We answer with application/json."


class TooLarge(Problem):
    """The body is larger than its limit."""

    code, status = "too_large", 413
    title = "The request body is too large."


class UnsupportedMediaType(Problem):
    """The body is of a kind we do not read."""

    code, status = "unsupported_media_type", 415
    title = "Send application/json."


class ValidationFailed(Problem):
    """The shape is wrong; each field is named."""

    code, status = "validation_failed", 422
    title = "The request has fields that are wrong."


class RateLimited(Problem):
    """Too many tries; Retry-After says when."""

    code, status = "rate_limited", 429
    title = "Too many requests."


class Internal(Problem):
    """Our mistake; the trace id finds it in the logs."""

    code, status = "internal", 500
    title = "Something went wrong on our side. Nothing was lost; quote the trace id."


class Unavailable(Problem):
    """The database or a resource is away for a moment; the same request may be sent again."""

    code, status = "unavailable", 503
    title = "Not available for a moment. Send the same request again."


def every_problem() -> list[type[Problem]]:
    """List every problem that is declared, by code; the reference is made from it."""
    found: dict[str, type[Problem]] = {}
    todo = list(Problem.__subclasses__())
    while todo:
        kind = todo.pop()
        todo.extend(kind.__subclasses__())
        found.setdefault(kind.code, kind)
    return [found[code] for code in sorted(found)]
