"""Release what is authorised and not owed any more, since the order is worth less."""

import msgspec

from counterfoil.actions.send_back import release
from counterfoil.order.draft import Draft
from counterfoil.order.intent import Asked
from counterfoil.order.moves import share_open
from counterfoil.order.payment import Payment
from counterfoil.order.transaction import Transaction


def release_unowed(draft: Draft, asked: Asked) -> list[Transaction]:
    """Release all that is open where nothing is owed, payment by payment; the worker sends it.

    Nothing to do while a capture is on its way, which may fail: whoever settles it comes here
    again. Nor while a cancellation runs, which has its own to release and give back: what is owed
    is known when it ends. A payment that a person has to look at is left to them. Needs bags and
    payments opened. [rulings 25]
    """
    bags = draft.section("bags")
    settled = sum(bag.capture_pending for bag in bags) == 0
    if draft.owed or not settled or asked.instant or draft.order.system_state == "CANCELED":
        return []
    if draft.before.opened("cancellations") and _cancelling(draft):
        return []
    able = [one for one in draft.section("payments") if one.open > 0 and not one.attention]
    return [_release(draft, payment, asked) for payment in able]


def _cancelling(draft: Draft) -> bool:
    return any(plan.status == "PROCESSING" for plan in draft.section("cancellations"))


def _release(draft: Draft, payment: Payment, asked: Asked) -> Transaction:
    shares = share_open(payment.open, draft.section("bags"), None, first="spare")
    by_itself = msgspec.structs.replace(asked, key=None, lease=None)
    return release(draft, payment, shares, by_itself)
