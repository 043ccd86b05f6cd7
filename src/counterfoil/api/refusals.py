"""What Litestar refuses on its own, as our problems: unknown addresses, wrong methods, bad hosts.

Every problem is told by one function, so that an address under a prefix of pages gets a page.
"""

from collections.abc import Callable
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

from counterfoil.book.refusals import told_by_database
from counterfoil.kernel.log import log
from counterfoil.kernel.problem import (
    Internal,
    Malformed,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    PermissionDenied,
    Problem,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
    ValidationFailed,
)

_BY_STATUS: dict[int, type[Problem]] = {
    400: Malformed, 401: Unauthenticated, 403: PermissionDenied, 404: NotFound,
    405: MethodNotAllowed, 406: NotAcceptable, 413: TooLarge, 415: UnsupportedMediaType,
    422: ValidationFailed, 429: RateLimited, 503: Unavailable,
}


def to_problem(error: Exception) -> Problem:
    """Turn whatever was raised into the problem that is told of it; our mistakes are logged."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        return _from_http(error)
    problem = told_by_database(error) or Internal()
    if isinstance(problem, Internal):
        log.error("request_failed", exc_info=error)
    return problem


def _from_http(error: HTTPException) -> Problem:
    if error.status_code == 404:
        return NotFound("There is nothing at this address.")
    if error.status_code == 405:
        allowed = {k.lower(): v for k, v in (error.headers or {}).items()}.get("allow", "")
        names = sorted({*allowed.replace(" ", "").split(","), *_head(allowed)} - {""})
        return MethodNotAllowed(
            f"This address takes {', '.join(names)}.", headers={"Allow": ", ".join(names)}
        )
    kind = _BY_STATUS.get(error.status_code)
    if kind is None:
        return Malformed(error.detail) if error.status_code < 500 else Internal()
    return kind(error.detail)


def _head(allowed: str) -> tuple[str, ...]:
    return ("HEAD",) if "GET" in allowed else ()


def exception_handlers(
    tell: Callable[[Any, Problem], Any],
) -> dict[type[Exception] | int, Callable[[Any, Exception], Any]]:
    """Make the table of an application; `tell` is that of `watch.telling`."""

    def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        return Ready(tell(request.scope, to_problem(error)))

    return {Problem: answer, HTTPException: answer, Exception: answer}


class Ready(Response[Any]):
    """Hands Litestar an answer that is ready to be sent."""

    def __init__(self, app: Any) -> None:
        super().__init__(content=None)
        self._ready = app

    def to_asgi_response(self, *args: Any, **kwargs: Any) -> Any:
        """Give it as it is."""
        return self._ready
