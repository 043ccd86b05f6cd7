"""Starts localstripe, an imitation of Stripe that others made, as the process it is.

`bin/install test` puts it into a folder of its own, because it comes as source, under another
licence, and nothing of it may be on our path.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venv" / "localstripe"


def why_not() -> str | None:
    """Why it cannot run here, if it cannot."""
    if not (FOLDER / "localstripe").is_dir():
        return "localstripe is not installed; bin/install test does it"
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind(("::", 0))
    except OSError:
        return "localstripe listens on IPv6 alone, and there is none here"
    return None


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run it and tell its address."""
    port = free_port()
    with (folder / "localstripe.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"],
            env={**os.environ, "PYTHONPATH": str(FOLDER)},
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        until = time.monotonic() + 20
        while True:
            with suppress(httpx2.TransportError):
                httpx2.get(f"http://127.0.0.1:{port}/", trust_env=False)
                break
            assert process.poll() is None, (folder / "localstripe.log").read_text()
            assert time.monotonic() < until, "localstripe does not answer"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
