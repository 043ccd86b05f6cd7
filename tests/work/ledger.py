"""Our ledger beside the sandbox's: after everything is settled they say the same. [faults V3]"""

from collections import Counter
from typing import Any

from counterfoil.order.folder import Folder
from counterfoil.order.transaction import UNSETTLED
from tests.actions.laws import assert_lawful
from tests.sandbox.server import Sandbox


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


def moved(folder: Folder) -> dict[str, int]:
    """The order's amounts that are not zero."""
    names = ("authorized", "captured", "voided", "expired", "refunded", "open", "pending")
    return {name: value for name in names if (value := getattr(folder.order, name))}
