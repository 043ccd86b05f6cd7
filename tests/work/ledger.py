"""Our ledger beside the sandbox's: after everything is settled they say the same. [faults V3]"""

from collections import Counter
from typing import Any

from counterfoil.order.folder import Folder
from counterfoil.order.transaction import UNSETTLED
from tests.actions.laws import assert_lawful
from tests.sandbox.server import Sandbox
from tests.work.shop import Shop


def assert_same(folder: Folder, sandbox: Sandbox) -> None:
    """Every settled movement of ours is one effect of theirs, by our reference, and no more."""
    assert_lawful(folder)
    waiting = [row for row in folder.transactions if row.status in UNSETTLED]
    assert waiting == [], "something is still to be settled"
    ours: Counter[Any] = Counter()
    for row in folder.transactions:
        if row.status == "SUCCEEDED" and row.type not in ("EXPIRE", "ACKNOWLEDGE"):
            ours[row.type, row.amount] += 1
    theirs: Counter[Any] = Counter()
    for payment in folder.payments:
        if payment.provider_reference is None:
            continue
        for entry in sandbox.ledger(payment=payment.provider_reference):
            if entry["kind"] not in ("expire", "acknowledge"):
                theirs[entry["kind"].upper(), entry["amount"]] += 1
        view = sandbox.payment(payment.provider_reference)
        told = ("authorized", "captured", "voided", "refunded", "expired")
        assert {n: view[n] for n in told} == {n: getattr(payment, n) for n in told}
    assert ours == theirs
    references = [
        entry["reference"]
        for row in folder.transactions
        for entry in sandbox.ledger(reference=row.id)
        if entry["kind"] == row.type.lower()
    ]
    assert len(references) == len(set(references)), "something happened twice"


async def settlement_of(shop: Shop, sandbox: Sandbox, *orders: str) -> bytes:
    """The sandbox's report of the days on which it moved money of some orders, of these alone."""
    ours, days = set(), set()
    for order_id in orders:
        folder = await shop.folder(order_id)
        ours |= {row.gateway_transaction_id for row in folder.transactions}
        days |= {
            entry["at"][:10]
            for one in folder.payments for entry in sandbox.ledger(payment=one.provider_reference)
        }
    head, found = b"", []
    for day in sorted(days):  # more than one around midnight
        head, *lines = sandbox.settlement(day).encode().splitlines(keepends=True)
        found += [line for line in lines if line.split(b",")[1].decode() in ours]
    return head + b"".join(found)


def moved(folder: Folder) -> dict[str, int]:
    """The order's amounts that are not zero."""
    names = ("authorized", "captured", "voided", "expired", "refunded", "open", "pending")
    return {name: value for name in names if (value := getattr(folder.order, name))}
