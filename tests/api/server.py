"""Counterfoil as it runs, over real HTTP: one server for all stories, a shop for each file."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from counterfoil.access.keys import NewKey, create_key
from counterfoil.kernel.db import Pool
from counterfoil.order.actor import system
from counterfoil.setup.accounts import create_account
from counterfoil.setup.stores import StoreChange, change_store
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
SECRET = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
START = (
    "from counterfoil.app import serve_with; from counterfoil.settings import read_settings;"
    " serve_with(read_settings())"
)


class Server:
    """A Granian process of its own."""

    def __init__(self, database_url: str, folder: Path, **settings: Any) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"server-{self.port}.log"
        self.client = httpx2.Client(base_url=self.url, trust_env=False, timeout=30)
        told = {"database_url": database_url, "port": self.port, "secret_key": SECRET,
                "testing": "true", "data_dir": folder, **settings}
        environment = {k: v for k, v in os.environ.items() if not k.startswith("COUNTERFOIL_")}
        environment |= {f"COUNTERFOIL_{name.upper()}": str(v) for name, v in told.items()}
        environment["PYTHONPATH"] = str(ROOT / "src")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START], env=environment, stderr=log,
                stdout=subprocess.DEVNULL,
            )
        until = time.monotonic() + 20
        while True:
            try:
                self.client.get("/healthz")
                return
            except httpx2.TransportError:
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() < until, self.log.read_text()
                time.sleep(0.05)

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line[:1] == "{"]

    def stop(self) -> int:
        """End it politely; returns the exit code."""
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@dataclass
class Shop:
    """An account, and a client that speaks with one of its keys."""

    server: Server
    pool: Pool
    account_id: str
    key: str
    count: int = 0
    more: dict[str, Any] = field(default_factory=dict)

    def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str
    ) -> httpx2.Response:
        """Send a request; `if_match` and `idempotency_key` are headers."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        token = self.key if key is None else key
        if token and "authorization" not in named:
            named["authorization"] = f"Bearer {token}"
        if isinstance(body, bytes):
            return self.server.client.request(method, path, content=body, headers=named)
        return self.server.client.request(method, path, json=body, headers=named)

    def get(self, path: str, **more: Any) -> httpx2.Response:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> httpx2.Response:
        return self.call("POST", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> httpx2.Response:
        return self.call("PATCH", path, body, **more)

    def order(self, **changes: Any) -> dict[str, Any]:
        """Place api.md's order, and return it."""
        answer = self.post("/v1/orders", wanted(**changes))
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def captured(self, **changes: Any) -> dict[str, Any]:
        """Place an order and take all of its money."""
        order = self.order(**changes)
        assert self.post(f"/v1/orders/{order['id']}/capture").status_code == 201
        return self.read(order)

    def read(self, order: dict[str, Any]) -> dict[str, Any]:
        """Read an order again."""
        found: dict[str, Any] = self.get(f"/v1/orders/{order['id']}").json()
        return found

    def make_key(self, *scopes: str, merchants: list[str] | None = None) -> str:
        """Make another key of the account."""
        body = {"name": "another", "scopes": list(scopes), "merchants": merchants}
        answer = self.post("/v1/api-keys", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["key"])


async def open_shop(server: Server, pool: Pool, *, partial: bool = True) -> Shop:
    """Make an account with a key that may do everything."""
    account = await create_account(pool, "Shop")
    actor = system(account.id)
    async with pool.connection(account.id) as connection:
        if partial:
            await change_store(connection, actor, "main", StoreChange(scopes=["partial_capture"]))
        made = await create_key(connection, actor, NewKey(name="ci", scopes=["*"]))
    return Shop(server, pool, account.id, made.key)


def wanted(**changes: Any) -> dict[str, Any]:
    """api.md's order; without an external id unless one is given."""
    return {
        "store": "main",
        "currency": "EUR",
        "placed_at": "2026-11-20T10:15:00Z",
        "customer": {"email": "kari@example.com", "first_name": "Kari", "last_name": "Nordmann",
                     "phone": "+4791234567"},
        "billing_address": {"line1": "Storgata 1", "city": "Oslo", "postal_code": "0155",
                            "country": "NO"},
        "shipping_address": {"name": "Kari Nordmann", "line1": "Storgata 1", "line2": None,
                             "city": "Oslo", "region": None, "postal_code": "0155",
                             "country": "NO"},
        "shipping_method": "standard",
        "bags": [
            {"merchant": "acme", "shipping_total": 500, "tax_total": 0, "discount_total": 0,
             "items": [{"sku": "MUG-1", "name": "Mug", "quantity": 2, "unit_price": 1250}]},
            {"merchant": "zeta",
             "items": [{"sku": "TEE-M", "name": "T-shirt, M", "quantity": 1,
                        "unit_price": 2000}]},
        ],
        "payment": {"gateway": "manual", "flow": "auth", "amount": 5000, "reference": "auth-77"},
        "fraud_review": False,
        "tags": ["vip"],
        "is_test": False,
        "merchant_reference": None,
        **changes,
    }


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    """The status and code of a refusal, which must be a problem as RFC 9457 has it."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told = answer.json()
    assert told["status"] == answer.status_code
    assert {"type", "title", "detail", "code"} <= told.keys()
    return answer.status_code, told["code"]
