"""Render every page of the portal with sample data, and look at it.

    python -m tests.portal.preview OUT [--only NAME] [--width 390] [--dark]

Writes OUT/*.html and, where Chromium is found, OUT/*.png at 1440 and 390 pixels, light and dark.
The pages are served on loopback under the portal's own Content-Security-Policy.
"""

import argparse
import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from counterfoil.portal import pages
from counterfoil.portal.respond import POLICY
from tests.portal.shots import SHOTS, Shot

#: The folders of templates that open above a page.
DIALOGS = ("money", "goods", "returns", "edits", "problems", "access")
OPEN_DIALOG = """html => {
  const dialog = document.querySelector('#dialog')
  dialog.innerHTML = html
  dialog.showModal()
}"""


def write(out: Path, shots: tuple[Shot, ...] = SHOTS) -> None:
    """Render pages, and dialogs also as the fragment that a page would show above itself."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.copytree(pages.STATIC, out / "static", dirs_exist_ok=True)
    for shot in shots:
        (out / f"{shot.name}.html").write_text(
            pages.render(shot.template, shot.frame, **shot.context())
        )
        if shot.template.split("/")[0] in DIALOGS and shot.frame.person:
            partial = msgspec.structs.replace(shot.frame, partial=True)
            (out / f"{shot.name}.fragment.html").write_text(
                pages.render(shot.template, partial, **shot.context())
            )


class _Served(http.server.SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def served(out: Path) -> Iterator[str]:
    """Serve the rendered pages on loopback."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(_Served, directory=out)
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def browser() -> Iterator[Any]:
    """Start Debian's Chromium, which looks for nothing outside."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield started
        started.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--width", type=int, action="append")
    parser.add_argument("--scheme", action="append")
    parser.add_argument("--fragment", action="store_true", help="dialogs above the list")
    given = parser.parse_args()
    shots = tuple(
        shot
        for shot in SHOTS
        if given.only in ("", shot.name) or shot.name in given.only.split(",")
    )
    write(given.out, shots)
    if given.fragment:
        write(given.out, tuple(shot for shot in SHOTS if shot.name == "list"))
    with served(given.out) as base, browser() as started:
        for scheme in given.scheme or ["light", "dark"]:
            for width in given.width or [1440, 390]:
                tab = started.new_page(
                    viewport={"width": width, "height": 900 if width > 800 else 844},
                    color_scheme=scheme,
                )
                tab.on(
                    "console",
                    lambda said: (
                        print("console:", said.text) if said.type in ("error", "warning") else None
                    ),
                )
                tab.on("pageerror", lambda fault: print("error:", fault))
                for shot in shots:
                    if given.fragment:
                        tab.goto(f"{base}/list.html")
                        fragment = (given.out / f"{shot.name}.fragment.html").read_text()
                        tab.evaluate(
                            OPEN_DIALOG,
                            fragment,
                        )
                    else:
                        tab.goto(f"{base}/{shot.name}.html")
                    tab.screenshot(
                        path=given.out / f"{shot.name}-{width}-{scheme}.png",
                        full_page=not given.fragment,
                    )
                tab.close()


if __name__ == "__main__":
    main()
