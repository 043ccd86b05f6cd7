"""What an edit makes of the money: less to capture, something back, or something due."""

from collections.abc import Mapping

import msgspec

from counterfoil.actions.hold import hold_until_paid, release_if_paid
from counterfoil.actions.refund import promise_refund, promised
from counterfoil.actions.unowed import release_unowed
from counterfoil.kernel.money import split, to_decimal
from counterfoil.order.draft import Draft
from counterfoil.order.editing import WantedEdit, taken_too_much
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.order_edit import OrderEdit
from counterfoil.order.problems import InvalidState
from counterfoil.order.refund import WantedRefund
from counterfoil.order.refund_plan import needs_approval, plan_refund
from counterfoil.order.refunding import reckon
from counterfoil.order.transaction import Allocation


def reference_of(made: OrderEdit) -> str:
    """Name the refund of what an edit gives back."""
    return f"edit-{made.id}"


def settle_difference(draft: Draft, asked: Asked, wanted: WantedEdit, made: OrderEdit) -> None:
    """Give back what was taken too much, release what is not owed, and hold for what is due.

    The worker sends it: the edit's own answer waits for no provider. Raises InvalidState,
    PermissionDenied, AttentionRequired.
    """
    folder = draft.before
    back = taken_too_much(folder, draft.section("bags"))
    if made.after.total < made.before.total:
        _check_captures(folder, made)
    if back.amount:
        _check_back(folder, asked, wanted, back.amount)
        _give_back(draft, asked, made, amount=back.amount, cheaper=back.cheaper)
    release_unowed(draft, asked)
    _ask_again(draft, made)
    if wanted.hold_until_paid and draft.due > folder.order.due:
        hold_until_paid(draft)
    release_if_paid(draft)


def _check_captures(folder: Folder, made: OrderEdit) -> None:
    """Refuse to go below what may be taken any moment; what it is worth is known then."""
    coming = folder.order.capture_pending
    kept = folder.order.captured - folder.order.worth_refunded
    if coming and kept + coming > made.after.total:
        raise InvalidState(
            f"A capture of {_told(folder, coming)} is on its way. Wait until it is known: the order"
            " would be worth less than is taken then.",
            capture_pending=coming,
            headers={"Retry-After": "5"},
        )


def _check_back(folder: Folder, asked: Asked, wanted: WantedEdit, amount: int) -> None:
    if not wanted.refund_difference:
        raise InvalidState(
            f"{_told(folder, amount)} more was taken than the order would be worth. Let it go back"
            " with refund_difference, or leave the order as it is.",
            give_back=amount,
        )
    asked.actor.require("payments.refund")


def _give_back(
    draft: Draft, asked: Asked, made: OrderEdit, *, amount: int, cheaper: Mapping[str, int]
) -> None:
    """Promise it under the edit's own reference; above the actor's limit it waits for approval."""
    folder = draft.before
    wanted = WantedRefund(
        reference=reference_of(made),
        amount=amount,
        reason=made.note,
        allocations=_shares(folder, amount, cheaper),
    )
    reckoned = reckon(folder, wanted)
    plan = plan_refund(folder, wanted, reckoned.allocations)
    waits = needs_approval(asked.actor, amount, folder.order.currency)
    nobody = msgspec.structs.replace(asked, key=None, lease=None)
    promise = promised(draft, wanted, reckoned, plan)
    promise = msgspec.structs.replace(promise, edit_id=made.id)
    promise_refund(draft, nobody, promise, waits=waits)


def _ask_again(draft: Draft, made: OrderEdit) -> None:
    """Let be due again what went back while the order was worth less, as far as it is wanted now.

    What it is worth more is covered by what is kept or held; what of it is neither that nor due
    by itself was authorised once, and released or given back since.
    """
    folder = draft.before
    order, bags = folder.order, draft.section("bags")
    more = made.after.total - made.before.total
    kept = order.captured - sum(bag.worth_refunded for bag in bags)
    covered = kept + order.open + order.capture_pending
    dearer = draft.due - order.due
    gap = min(more - dearer, made.after.total - covered - draft.due)
    if more <= 0 or gap <= 0:
        return
    need = draft.due + gap - sum(bag.lacking for bag in bags)
    below = [max(0, -bag.lacking) for bag in bags]
    worth = {bag.id: bag.worth for bag in folder.bags}
    up = [max(0, bag.worth - worth[bag.id]) for bag in bags]
    first = split(min(need, sum(below)), below)
    rest = split(need - sum(first), up)
    for bag, one, other in zip(bags, first, rest, strict=True):
        draft.put(msgspec.structs.replace(bag, reopened=bag.reopened + one + other))
    draft.set_order(reopened=sum(bag.reopened for bag in draft.section("bags")))


def _shares(folder: Folder, amount: int, cheaper: Mapping[str, int]) -> list[Allocation]:
    """Share it among the bags that got cheaper; where they took less, among all that can."""
    able = [bag for bag in folder.bags if bag.refundable > 0]
    own = [min(bag.refundable, cheaper.get(bag.id, 0)) for bag in able]
    rest = [bag.refundable - part for bag, part in zip(able, own, strict=True)]
    first = min(amount, sum(own))
    shares = split(first, own)
    more = split(amount - first, rest)
    return [
        Allocation(bag.id, one + other)
        for bag, one, other in zip(able, shares, more, strict=True)
        if one + other
    ]


def _told(folder: Folder, minor: int) -> str:
    currency = folder.order.currency
    return f"{to_decimal(minor, currency)} {currency}"
