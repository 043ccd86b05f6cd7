"""A whole Counterfoil, as `make up` starts one: server, worker and sandbox as processes."""

import base64
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx2

from counterfoil.cli.up import _keep_login
from counterfoil.kernel.db import Pool
from counterfoil.kernel.secrets import KeyRing
from counterfoil.setup.accounts import create_account
from counterfoil.transfer.demo_loading import Demo, Login, load_demo
from tests.db import Database
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
SECRET = b"d" * 32
ORDERS = 40


class Installation:
    """The demo with a few of its orders, and everything that serves it."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        port, sandbox = free_port(), free_port()
        self.api = f"http://127.0.0.1:{port}"
        self.sandbox = f"http://127.0.0.1:{sandbox}"
        self.login: Login
        self.children: list[subprocess.Popen[bytes]] = []
        self.environment = {
            "COUNTERFOIL_DATABASE_URL": database.app_url,
            "COUNTERFOIL_DATA_DIR": str(folder / "var"),
            "COUNTERFOIL_PORT": str(port),
            "COUNTERFOIL_SECRET_KEY": base64.b64encode(SECRET).decode(),
        }
        self.words = (
            ["sandbox", "--port", str(sandbox), "--data", str(folder / "sandbox.db")],
            ["server"],
            ["work"],
        )

    async def start(self, pool: Pool) -> None:
        """Start the processes, make the demo, wait until all of it is ready."""
        for words in self.words:
            self.children.append(self._child(words))
        self._wait(f"{self.sandbox}/openapi.json")
        account = await create_account(pool, "Demo")
        demo = Demo(
            account_id=account.id, keys=KeyRing([SECRET]), sandbox_url=self.sandbox, count=ORDERS
        )

        async def follow(done: int, words: str) -> None:
            assert done <= ORDERS, words

        self.login = await load_demo(pool, demo, follow=follow)
        (self.folder / "var").mkdir()
        _keep_login(self.folder / "var", self.login)
        self._wait(f"{self.api}/readyz")

    def _child(self, words: list[str]) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{words[0]}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "counterfoil.cli.child", *words],
                env={**os.environ, **self.environment, "PYTHONPATH": str(ROOT / "src")},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )

    def _wait(self, url: str) -> None:
        until = time.monotonic() + 30
        with httpx2.Client(trust_env=False) as client:
            while True:
                with suppress(httpx2.HTTPError):
                    if client.get(url).status_code == 200:
                        return
                logs = [path.read_text()[-2000:] for path in sorted(self.folder.glob("*.log"))]
                assert time.monotonic() < until, "\n".join(logs)
                time.sleep(0.1)

    def stop(self) -> None:
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.wait(30)
            if child.stdin is not None:
                child.stdin.close()
