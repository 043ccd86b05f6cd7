"""The API's description at `/openapi.json`, and a page to read it and try it at `/docs/api`.

The page is three files of our own under a policy that lets nothing else run; a key that is typed
there stays in the tab.
"""

from functools import cache
from pathlib import Path

from counterfoil.api.ask import Ask
from counterfoil.api.door import OPEN, Door
from counterfoil.api.reply import Reply

_FOLDER = Path(__file__).parent / "static"
_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    b" base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFETY = (
    (b"content-security-policy", _POLICY),
    (b"referrer-policy", b"no-referrer"),
)
HTML, SCRIPT, STYLE = (b"text/html; charset=utf-8", b"text/javascript; charset=utf-8",
                       b"text/css; charset=utf-8")


@cache
def _file(name: str, media: bytes) -> Reply:
    return Reply(200, (_FOLDER / name).read_bytes(), media=media, headers=_SAFETY)


def explorer(document: bytes) -> Door:
    """Declare the addresses that show a document."""
    door = Door("Description")
    told = Reply(200, document, headers=((b"access-control-allow-origin", b"*"),))

    @door.get("/openapi.json", right=OPEN, answers={200: None})
    async def show_document(ask: Ask) -> Reply:
        """Tell every address of the API, OpenAPI 3.1."""
        return told

    @door.get("/docs/api", right=OPEN, answers={200: None}, media="text/html")
    async def show_explorer(ask: Ask) -> Reply:
        """Show the page."""
        return _file("explorer.html", HTML)

    @door.get("/docs/problems", right=OPEN, answers={200: None}, media="text/html")
    async def show_problems(ask: Ask) -> Reply:
        """Show the same page; it opens at the problems."""
        return _file("explorer.html", HTML)

    @door.get("/docs/explorer.js", right=OPEN, answers={200: None}, media="text/javascript")
    async def show_script(ask: Ask) -> Reply:
        """Give the page's script."""
        return _file("explorer.js", SCRIPT)

    @door.get("/docs/explorer.css", right=OPEN, answers={200: None}, media="text/css")
    async def show_style(ask: Ask) -> Reply:
        """Give the page's style."""
        return _file("explorer.css", STYLE)

    return door
