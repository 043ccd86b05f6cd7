"""The hashed files of `static/`, from memory, compressed once and kept by browsers for a year."""

import gzip
from functools import cache

from litestar import Response, get

from counterfoil.kernel.problem import NotFound
from counterfoil.portal import pages, respond
from counterfoil.portal.respond import Asking

MEDIA = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml; charset=utf-8",
}
FOR_EVER = "public, max-age=31536000, immutable"


@cache
def files() -> dict[str, tuple[str, bytes, bytes]]:
    """Read every file of the manifest: its kind, its bytes, and those compressed."""
    found = {}
    for name in pages.manifest().values():
        content = (pages.STATIC / name).read_bytes()
        found[name] = (MEDIA[name.rpartition(".")[2]], content, gzip.compress(content, 9, mtime=0))
    return found


@get("/static/{name:str}", sync_to_thread=False)
def static_file(request: Asking, name: str) -> Response[bytes]:
    """Serve a file whose name has the hash of its content, so that it never changes."""
    if name not in files():
        raise NotFound("There is no such file.")
    media, plain, packed = files()[name]
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    headers = {
        "Cache-Control": FOR_EVER,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        **({"Content-Encoding": "gzip"} if zipped else {}),
        **({"Content-Security-Policy": respond.POLICY} if media.startswith("image/svg") else {}),
    }
    return Response(packed if zipped else plain, media_type=media, headers=headers)
