"""A whole Counterfoil, as `make up` starts one: server, worker and sandbox as processes."""

import base64
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2

from counterfoil.access.keys import NewKey, create_key
from counterfoil.access.users import NewUser, create_user
from counterfoil.kernel.db import Pool
from counterfoil.kernel.secrets import KeyRing
from counterfoil.order.actor import system
from counterfoil.setup.accounts import create_account
from counterfoil.setup.gateways import NewGateway, create_gateway
from counterfoil.setup.merchants import NewMerchant, create_merchant
from counterfoil.setup.stores import StoreChange, change_store
from tests.db import Database

ROOT = Path(__file__).parents[2]
SECRET = b"d" * 32
EMAIL, PASSWORD = "admin@example.com", "a-password-for-docs"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


class Installation:
    """The demo's account without its orders, and everything that serves it."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        port, sandbox = free_port(), free_port()
        self.api = f"http://127.0.0.1:{port}"
        self.sandbox = f"http://127.0.0.1:{sandbox}"
        self.key = ""
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
        """Make the account, start the processes, wait until all of it is ready."""
        for words in self.words:
            self.children.append(self._child(words))
        await self._make_account(pool)
        self._wait()

    async def _make_account(self, pool: Pool) -> None:
        account = await create_account(pool, "Demo")
        actor = system(account.id)
        async with pool.connection(account.id) as connection:
            await create_merchant(
                connection, actor, NewMerchant(code="atelier-brume", name="Atelier Brume")
            )
            await change_store(connection, actor, "main", StoreChange(scopes=["partial_capture"]))
            settings = {"base_url": self.sandbox, "magic_amounts": True}
            gateway = NewGateway(
                code="sandbox", kind="sandbox", settings=settings,
                credentials={"api_key": "sandbox"},
            )
            await create_gateway(connection, actor, gateway, KeyRing([SECRET]))
            made = await create_key(connection, actor, NewKey(name="docs", scopes=["*"]))
            self.key = made.key
            user = NewUser(email=EMAIL, name="Ada Admin", role="admin", password=PASSWORD)
            await create_user(connection, actor, user)

    def _child(self, words: list[str]) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{words[0]}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "counterfoil.cli.child", *words],
                env={**os.environ, **self.environment, "PYTHONPATH": str(ROOT / "src")},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )

    def _wait(self) -> None:
        until = time.monotonic() + 30
        with httpx2.Client(trust_env=False) as client:
            while not self._ready(client):
                logs = "\n".join(
                    path.read_text()[-2000:] for path in sorted(self.folder.glob("*.log"))
                )
                assert time.monotonic() < until, logs
                time.sleep(0.1)

    def _ready(self, client: Any) -> bool:
        try:
            ready: bool = client.get(f"{self.api}/readyz").status_code == 200
            return ready and bool(client.get(f"{self.sandbox}/openapi.json").status_code == 200)
        except httpx2.HTTPError:
            return False

    def stop(self) -> None:
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.wait(30)
            if child.stdin is not None:
                child.stdin.close()
