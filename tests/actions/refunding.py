"""Orders that are paid by several payments, and people who may refund up to a limit."""

from typing import Any

import msgspec

from counterfoil.actions.capture import capture
from counterfoil.actions.refund import WantedLine, WantedRefund
from counterfoil.kernel.ids import new_id
from counterfoil.order.actor import Actor
from counterfoil.order.change import Change
from counterfoil.order.folder import Folder
from counterfoil.order.gateway import Outcome
from counterfoil.order.refund_plan import spread
from counterfoil.order.transaction import Transaction
from tests.actions.living import heard, held_money, lived, told, waiting
from tests.actions.making import ADMIN, later

CLERK = msgspec.structs.replace(
    ADMIN, id="carl", name="Carl", credential="user:carl", limits={"refund": {"EUR": 1000}}
)
CHIEF = msgspec.structs.replace(ADMIN, id="dina", name="Dina", credential="user:dina")


def paid(gateway: str = "manual", **more: Any) -> Folder:
    """An order of two bags, 3,000 and 2,000, with all of it taken."""
    order = lived(held_money(gateway, **more), capture)
    order = heard(order) if gateway != "manual" else order
    return msgspec.structs.replace(order, tasks=())


def paid_by(*parts: tuple[str, int], **more: Any) -> Folder:
    """The same, taken through several payments: each a gateway and how much."""
    order = paid("manual", **more)
    (whole,) = order.payments
    assert sum(amount for _, amount in parts) == whole.captured
    payments = tuple(
        msgspec.structs.replace(
            whole, id=f"p{place}", position=place, gateway=gateway, amount=amount,
            authorized=amount, captured=amount,
        )
        for place, (gateway, amount) in enumerate(parts, 1)
    )
    rows = tuple(
        msgspec.structs.replace(
            row, id=new_id(), payment_id=part.payment_id, amount=part.amount,
            allocations=part.allocations,
        )
        for row in order.transactions
        for part in spread(payments, row.allocations)
    )
    return msgspec.structs.replace(order, payments=payments, transactions=rows)


def back(reference: str = "R-1", **more: Any) -> dict[str, Any]:
    return {"wanted": WantedRefund(reference=reference, **more)}


def line(order: Folder, which: int, quantity: int, amount: int | None = None) -> WantedLine:
    return WantedLine(item_id=order.items[which].id, quantity=quantity, amount=amount)


def limited(limit: int, actor: Actor = CLERK) -> Actor:
    """Somebody who may refund so much alone."""
    return msgspec.structs.replace(actor, limits={"refund": {"EUR": limit}})


def through(order: Folder) -> list[tuple[str, int]]:
    """How much was wanted back through which payment, in the order it was asked for."""
    return [(row.payment_id, row.amount) for row in order.transactions if row.type == "REFUND"]


def of(order: Folder, payment_id: str) -> Transaction:
    """The movement of a refund through this payment that waits."""
    return next(row for row in waiting(order) if row.payment_id == payment_id)


def answered(order: Folder, payment_id: str, outcome: Outcome = Outcome.SUCCEEDED) -> Folder:
    """Let the provider of one payment answer."""
    return later(answer_of(order, payment_id, outcome).after)


def answer_of(order: Folder, payment_id: str, outcome: Outcome = Outcome.SUCCEEDED) -> Change:
    """What it changes when the provider of one payment answers."""
    return told(order, outcome, which=waiting(order).index(of(order, payment_id)))


