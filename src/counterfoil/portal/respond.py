"""Answers of the portal: their headers, and what a request asked for, a page or a fragment.

A fragment is given only to htmx asking for a part; everything else gets the whole page, so that
Back, a bookmark and a browser without script all work. [design guide 3.0]
"""

import gzip
from collections.abc import Mapping
from typing import Any

from litestar import Request, Response
from litestar.datastructures import Cookie

Asking = Request[Any, Any, Any]

SESSION_COOKIE = "__Host-cf_session"
ZONE_COOKIE = "cf_zone"
HTML = "text/html; charset=utf-8"
SMALL = 1400
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
SAFETY = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def wants_part(request: Asking) -> bool:
    """Tell whether htmx asks for a fragment."""
    headers = request.headers
    return headers.get("hx-request") == "true" and headers.get("hx-request-type") == "partial"


def html(
    request: Asking,
    text: str,
    *,
    part: bool,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response[bytes]:
    """Answer with HTML under the strict policy, compressed where the browser takes that."""
    body = text.encode()
    keeping = "no-store" if part else "private, no-cache"
    said = {
        **SAFETY,
        "Cache-Control": keeping,
        "Vary": "HX-Request, HX-Request-Type, Cookie, Accept-Encoding",
        **(headers or {}),
    }
    if len(body) > SMALL and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 4, mtime=0)
        said["Content-Encoding"] = "gzip"
    return Response(body, status_code=status, media_type=HTML, headers=said)


def unchanged() -> Response[bytes]:
    """Answer a poll for which nothing changed: there is nothing that could need a policy."""
    return Response(b"", status_code=304, headers={"Cache-Control": "no-store"})


def go(path: str, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """Send the browser on to another page, as a GET; `path` is one of our own."""
    assert path.startswith("/portal"), path
    return Response(
        b"",
        status_code=303,
        headers={**SAFETY, "Location": path, "Cache-Control": "no-store", **(headers or {})},
    )


def own_path(path: str, otherwise: str = "/portal/orders/open") -> str:
    """Take a way back only where it stays within the portal."""
    inside = path.startswith("/portal/") and "\\" not in path and "\n" not in path
    return path if inside else otherwise


def session_cookie(value: str, *, ended: bool = False) -> Cookie:
    """Make the session's cookie: this host alone, no script, no foreign site."""
    return Cookie(
        key=SESSION_COOKIE,
        value=value,
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
        max_age=0 if ended else None,
    )
