"""A shop as the doors use it: commands under keys, settled at once, and a worker beside it."""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from counterfoil.actions.acknowledge import acknowledge
from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.choose_method import choose_method
from counterfoil.actions.edit_lines import edit_lines
from counterfoil.actions.pay import pay
from counterfoil.actions.refund import WantedRefund, refund
from counterfoil.actions.renew import renew
from counterfoil.actions.return_goods import return_goods
from counterfoil.actions.set_delivery_state import set_delivery_state
from counterfoil.actions.void import void
from counterfoil.book.numbers import Numbers
from counterfoil.book.opening import Key, open_folder
from counterfoil.book.placing import Placer, Placing
from counterfoil.book.run import Book, Command, Ran
from counterfoil.kernel.db import Pool
from counterfoil.kernel.due import claim
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.secrets import KeyRing
from counterfoil.mail.send import Post
from counterfoil.order.actor import Actor
from counterfoil.order.change import Answered
from counterfoil.order.config import Account
from counterfoil.order.folder import SECTIONS, Folder
from counterfoil.order.intake import Person, WantedBag, WantedItem, WantedOrder, WantedPayment
from counterfoil.order.intent import Asked
from counterfoil.setup.gateways import NewGateway, create_gateway
from counterfoil.work.desk import Pace, Works
from counterfoil.work.lanes import open_lanes, run_row
from counterfoil.work.settle import settle_now
from tests.conftest import make_admin
from tests.sandbox.server import Sandbox

RING = [b"k" * 32]
QUICK = Pace(lease_s=1, deadline_s=0.8, propagation_s=1, mail_deadline_s=0.5)
EVERYTHING = frozenset(SECTIONS) | {"gateways", "merchants"}
CAPTURE, VOID, REFUND, CANCEL = "capture", "void", "refund", "cancel"
PAY, RENEW = "pay", "renew"
EDIT, STATE, METHOD, RETURN = "edit", "delivery state", "method", "return"
ACTIONS: dict[str, Any] = {
    CAPTURE: capture, VOID: void, REFUND: refund, CANCEL: cancel, "acknowledge": acknowledge,
    PAY: pay, RENEW: renew, EDIT: edit_lines, STATE: set_delivery_state, METHOD: choose_method,
    RETURN: return_goods,
}


@dataclass(frozen=True)
class Said:
    """An answer, with its body read."""

    answered: Answered

    @property
    def status(self) -> int:
        return self.answered.status

    @property
    def body(self) -> Any:
        return msgspec.json.decode(self.answered.body)

    @property
    def text(self) -> str:
        return self.answered.body


class Shop:
    """One account at its doors."""

    def __init__(self, works: Works, actor: Actor) -> None:
        self.works = works
        self.actor = actor
        self.placer = Placer(works.pool, Numbers(block=20))

    def key(self, key: str | None, what: str) -> Key:
        digest = hashlib.sha256(what.encode()).hexdigest()
        return Key(
            credential=self.actor.credential, key=key or f"own-{new_id()}", fingerprint=digest
        )

    async def place(
        self, total: int = 5000, *, gateway: str | None = "card", key: str | None = None,
        bags: int = 1, units: int = 1, **payment: Any,
    ) -> Said:
        """Place an order of a line in each bag, of so many pieces, and have its money held."""
        wanted = WantedOrder(
            store="main",
            currency="EUR",
            customer=Person(email="kari@example.com", first_name="Kari"),
            bags=[
                WantedBag(
                    merchant=f"m{n}",
                    items=[WantedItem(
                        sku=f"S-{n}", name="Mug", quantity=units, unit_price=part // units)],
                )
                for n, part in enumerate(_parts(total, bags))
            ],
            payment=WantedPayment(gateway=gateway, **payment),
        )
        its = self.key(key, f"place {total} {gateway} {payment}")
        asked = self.works.asked(self.actor, key=its.key)
        ran = await self.placer.place(
            Placing(asked=asked, wanted=wanted, channel="api", fingerprint="-", key=its)
        )
        return Said(await settle_now(self.works, asked, ran))

    async def order(self, total: int = 5000, **more: Any) -> str:
        """Place an order and return its id."""
        return str((await self.place(total, **more)).body["id"])

    async def run(
        self, kind: str, order_id: str, *, key: str | None = None, **wanted: Any
    ) -> Said:
        """Run a command as a door does."""
        asked, ran = await self.intend(kind, order_id, key=key, **wanted)
        return Said(await settle_now(self.works, asked, ran))

    async def intend(
        self, kind: str, order_id: str, *, key: str | None = None, leased: bool = True,
        **wanted: Any,
    ) -> tuple[Asked, Ran]:
        """Commit what a door wants, and go no further."""
        its = self.key(key, f"{kind} {order_id} {sorted(wanted.items())}")
        reference = None
        if kind == REFUND:
            reference = wanted.setdefault("reference", f"R-{its.key}")
            wanted = {"wanted": WantedRefund(**wanted)}
        elif kind == CANCEL:
            wanted = {"wanted": WantedCancel(**wanted)}
        elif kind == PAY:
            wanted = {"wanted": WantedPayment(**{"gateway": "card", **wanted})}
        asked = self.works.asked(self.actor, key=its.key)
        if not leased:
            asked = msgspec.structs.replace(asked, lease=None)
        command = Command(order_id=order_id, actor=self.actor, key=its, reference=reference)
        return asked, await self.works.book.run(command, ACTIONS[kind], asked=asked, **wanted)

    async def folder(self, order_id: str) -> Folder:
        """Everything about an order."""
        async with self.works.pool.connection(self.actor.account_id) as connection:
            opened = await open_folder(connection, order_id, EVERYTHING)
        assert opened.folder is not None
        return opened.folder

    async def calls(self, order_id: str) -> list[tuple[str, str]]:
        """Every exchange with a provider that was written down: purpose and outcome."""
        async with self.works.pool.connection(self.actor.account_id) as connection:
            rows = await connection.rows(
                "select purpose, outcome from gateway_calls where account_id = $1"
                " and order_id = $2 order by at, id", connection.account, order_id,
            )
        return [(row["purpose"], row["outcome"]) for row in rows]

    async def worked(self) -> int:
        """Let the worker do what is due now; tell how many rows that was.

        The database's clock may have been moved since: whatever a provider's mood was, it is over.
        """
        done = 0
        self.works.adapters._moods.clear()
        for lane in open_lanes(self.works):
            while True:
                rows = await claim(
                    self.works.pool, lane.name, lane.places, self.works.pace.lease_s
                )
                for row in rows:
                    await run_row(self.works, lane, row)
                done += len(rows)
                if not rows:
                    break
        return done


def _parts(total: int, bags: int) -> list[int]:
    return [total // bags] * (bags - 1) + [total - total // bags * (bags - 1)]


async def open_shop(
    pool: Pool, account: Account, sandbox: Sandbox | None, *,
    pace: Pace = QUICK, post: Post | None = None, **settings: Any,
) -> Shop:
    """Make the gateway `card` at the sandbox, and the works of one process."""
    admin = make_admin(account)
    ring = KeyRing(RING)
    async with pool.connection(account.id) as connection:
        await connection.rows(
            "update stores set scopes = '[\"partial_capture\"]'"
            " where account_id = $1", account.id,
        )
        if sandbox is not None:
            new = NewGateway(
                code="card", kind="sandbox", settings=sandbox.settings | settings,
                credentials=sandbox.credentials,
            )
            await create_gateway(connection, admin, new, ring)
    return Shop(Works(pool, Book(pool), keys=ring, pace=pace, post=post), admin)
