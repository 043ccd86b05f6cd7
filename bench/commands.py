"""What is measured: each command as HTTP requests, and as the program's own statements."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bench.load import request
from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.refund import WantedRefund, refund
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.actions.void import void
from counterfoil.book.filters import Filters
from counterfoil.book.lists import list_orders
from counterfoil.book.numbers import Numbers
from counterfoil.book.opening import Key, open_folder
from counterfoil.book.placing import Placer, Placing
from counterfoil.book.run import Action, Book, Command
from counterfoil.kernel import db
from counterfoil.kernel.db import Pool
from counterfoil.kernel.ids import new_id
from counterfoil.order.actor import Actor, system
from counterfoil.order.intake import WantedOrder
from counterfoil.order.intent import Asked
from counterfoil.order.telling import TOLD

BODY: dict[str, Any] = {
    "store": "main",
    "currency": "EUR",
    "customer": {"email": "kari@example.com", "first_name": "Kari", "last_name": "Nordmann"},
    "shipping_address": {
        "name": "Kari Nordmann",
        "line1": "Storgata 1",
        "city": "Oslo",
        "postal_code": "0155",
        "country": "NO",
    },
    "shipping_method": "standard",
    "bags": [
        {
            "merchant": "acme",
            "shipping_total": 500,
            "items": [
                {"sku": "MUG-1", "name": "Mug", "quantity": 2, "unit_price": 1250},
                {"sku": "POT-1", "name": "Pot", "quantity": 1, "unit_price": 3000},
            ],
        },
        {
            "merchant": "zeta",
            "items": [{"sku": "TEE-M", "name": "T-shirt, M", "quantity": 1, "unit_price": 2000}],
        },
    ],
    "payment": {"gateway": "manual", "flow": "auth"},
}
SETS = ("capture", "void", "void all", "refund", "ship", "cancel")
Recorded = list[list[tuple[str, tuple[Any, ...]]]]


@dataclass
class Orders:
    """Orders made for the commands, each command its own: (order id, first bag's id)."""

    by_command: dict[str, list[tuple[str, str]]] = field(default_factory=dict)


async def prepare(pool: Pool, account_id: str, count: int) -> Orders:
    """Place the orders that the commands will act on."""
    placer, actor = Placer(pool, Numbers(block=500)), system(account_id, "Bench")
    made = Orders()
    for name in SETS:
        body = {
            **BODY,
            "payment": {"gateway": "manual", "flow": "payment" if name == "refund" else "auth"},
        }
        wanted = msgspec.convert(body, WantedOrder)
        made.by_command[name] = []
        for _ in range(count):
            ran = await placer.place(
                Placing(asked=Asked(actor=actor), wanted=wanted, channel="api", fingerprint="-")
            )
            assert ran.change is not None
            after = ran.change.after
            made.by_command[name].append((after.order.id, after.bags[0].id))
    return made


def requests(orders: Orders, key: str, count: int) -> dict[str, list[bytes]]:
    """Write the HTTP requests of every command."""
    body = msgspec.json.encode(BODY)
    sets = orders.by_command

    def post(path: str, told: dict[str, Any]) -> bytes:
        return request("POST", f"/v1/orders/{path}", key, msgspec.json.encode(told))

    return {
        "create": [request("POST", "/v1/orders", key, body)] * count,
        "capture": [post(f"{order}/capture", {}) for order, _ in sets["capture"]],
        "void": [post(f"{order}/void", {"amount": 1000}) for order, _ in sets["void"]],
        "void all": [post(f"{order}/void", {}) for order, _ in sets["void all"]],
        "refund": [
            post(f"{order}/refund", {"reference": f"B-{n}", "amount": 700})
            for n, (order, _) in enumerate(sets["refund"])
        ],
        "ship": [
            post(f"{order}/bags/{bag}/shipments", {"tracking_number": f"TN{n}"})
            for n, (order, bag) in enumerate(sets["ship"])
        ],
        "cancel": [post(f"{order}/cancel", {}) for order, _ in sets["cancel"]],
    }


class Recorder:
    """Runs the commands in this process and keeps the statements of each operation."""

    def __init__(self, pool: Pool, account_id: str) -> None:
        self.pool = pool
        self.actor: Actor = system(account_id, "Bench")
        self.book = Book(pool)
        self.placer = Placer(pool, Numbers(block=100_000))

    def key(self) -> Key:
        """Make a key for one operation."""
        return Key(credential=self.actor.credential, key=new_id(), fingerprint="-")

    async def record(self, orders: Orders, count: int) -> dict[str, Recorded]:
        """Record every command over its orders."""
        sets = orders.by_command
        return {
            "create": await self._each(self._place, range(count)),
            "capture": await self._each(self._run(capture), sets["capture"]),
            "void": await self._each(self._run(void, amount=1000), sets["void"]),
            "void all": await self._each(self._run(void), sets["void all"]),
            "refund": await self._each(self._refund, list(enumerate(sets["refund"]))),
            "ship": await self._each(self._ship, list(enumerate(sets["ship"]))),
            "cancel": await self._each(self._run(cancel, wanted=WantedCancel()), sets["cancel"]),
        }

    async def record_details(self, orders: list[tuple[str, str]]) -> Recorded:
        """Record the reading of whole orders."""

        async def read(order: tuple[str, str]) -> None:
            async with self.pool.connection(self.actor.account_id) as connection:
                await open_folder(connection, order[0], frozenset(TOLD))

        return await self._each(read, orders)

    async def record_lists(self, count: int) -> dict[str, Recorded]:
        """Record the list's first page, and the page of the fifty oldest orders."""
        async with self.pool.connection(self.actor.account_id) as connection:
            oldest = await connection.value(
                "select placed_at from orders where account_id = $1 order by placed_at, id"
                " offset 49 limit 1",
                connection.account,
            )

        def reading(filters: Filters) -> Callable[[Any], Awaitable[None]]:
            async def read(_: int) -> None:
                async with self.pool.connection(self.actor.account_id) as connection:
                    await list_orders(connection, self.actor, filters, limit=50)

            return read

        return {
            "list": await self._each(reading(Filters()), range(count)),
            "list deep": await self._each(reading(Filters(placed_to=oldest)), range(count)),
        }

    async def _each(self, run: Callable[[Any], Awaitable[None]], over: Any) -> Recorded:
        kept: Recorded = []
        for one in over:
            db.recorder = []
            await run(one)
            kept.append(
                [
                    (sql, parameters)
                    for sql, parameters in db.recorder
                    if "set_config" not in sql and "into counters" not in sql
                ]
            )
            db.recorder = None
        return kept

    async def _place(self, _: int) -> None:
        wanted = msgspec.convert(BODY, WantedOrder)
        await self.placer.place(
            Placing(
                asked=Asked(actor=self.actor),
                wanted=wanted,
                channel="api",
                fingerprint="-",
                key=self.key(),
            )
        )

    def _run(self, action: Action, **arguments: Any) -> Callable[[Any], Awaitable[None]]:
        async def run(order: tuple[str, str]) -> None:
            command = Command(order_id=order[0], actor=self.actor, key=self.key())
            await self.book.run(command, action, asked=Asked(actor=self.actor), **arguments)

        return run

    async def _refund(self, numbered: tuple[int, tuple[str, str]]) -> None:
        n, (order, _) = numbered
        command = Command(order_id=order, actor=self.actor, key=self.key(), reference=f"B-{n}")
        wanted = WantedRefund(reference=f"B-{n}", amount=700)
        await self.book.run(command, refund, asked=Asked(actor=self.actor), wanted=wanted)

    async def _ship(self, numbered: tuple[int, tuple[str, str]]) -> None:
        n, (order, bag) = numbered
        command = Command(order_id=order, actor=self.actor, key=self.key())
        wanted = WantedShipment(tracking_number=f"TN{n}")
        await self.book.run(command, ship, asked=Asked(actor=self.actor), bag_id=bag, wanted=wanted)
