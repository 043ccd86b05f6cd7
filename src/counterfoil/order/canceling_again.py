"""Reckoning what a part that was cancelled still has to give back, so that it is tried again.

Pure. Tried again is what a step was refused of, or what came back to us after it had gone. What
somebody gave back by hand meanwhile, released or let an edit give back counts as given: nothing
goes back twice. Minor units. [rulings 27, faults R-3]
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from counterfoil.kernel.money import split
from counterfoil.kernel.problem import NotFound
from counterfoil.order.actor import Actor
from counterfoil.order.canceling import Part, of_bag, releasable
from counterfoil.order.cancellation import Cancellation, WantedCancel
from counterfoil.order.folder import Folder
from counterfoil.order.problems import InvalidState
from counterfoil.order.transaction import Allocation, Transaction

SHORT = ("FAILED", "PARTIALLY_CANCELED")
_LEFT_BY_OTHERS = ("VOID", "EXPIRE")


def tried(plans: Iterable[Cancellation], plan: Cancellation) -> list[Cancellation]:
    """List a plan with all that tried it again, the oldest first; `plans` are the order's."""
    root = plan.again_of or plan.id
    found = [one for one in plans if root in (one.id, one.again_of)]
    return sorted(found, key=lambda one: (one.created_at, one.id))


def unfinished(folder: Folder, actor: Actor) -> list[Cancellation]:
    """List the parts that did not give all of their money back, of bags that the actor may see."""
    own = {
        bag.id for bag in folder.bags if actor.merchants is None or bag.merchant in actor.merchants
    }
    return [
        plan
        for plan in folder.cancellations
        if plan.again_of is None
        and {part.bag_id for part in plan.allocations} <= own
        and left_of(folder, plan)
    ]


def reckon_again(folder: Folder, wanted: WantedCancel, actor: Actor) -> Part:
    """Find out what trying a part again would give back.

    Raises, in this order: NotFound, InvalidState (nothing is left to give back).
    """
    named = next((one for one in folder.cancellations if one.id == wanted.again), None)
    if named is None or named.whole:
        raise NotFound("The order has no such cancellation of a part.")
    plan = tried(folder.cancellations, named)[0]
    if actor.merchants is not None:
        merchants = {bag.id: bag.merchant for bag in folder.bags}
        if {merchants[part.bag_id] for part in plan.allocations} - actor.merchants:
            raise NotFound("The order has no such cancellation of a part.")
    back = left_of(folder, plan)
    if not back:
        raise InvalidState(
            "Nothing of this cancellation is left to give back.", cancellation_id=plan.id
        )
    bags = {bag.id: bag for bag in folder.bags}
    open_parts = {part.bag_id: min(part.amount, bags[part.bag_id].open) for part in back}
    return Part(
        bag_id=plan.bag_id,
        lines=plan.lines,
        units={},
        ending=frozenset(),
        ends_order=False,
        back=back,
        open=sum(open_parts.values()),
        released=releasable(folder, folder.payments, open_parts),
        again_of=plan.id,
    )


def last_of_bag(folder: Folder, bag_id: str) -> Cancellation | None:
    """Find the newest cancellation of all of a bag that did not give all of its money back."""
    found = [
        plan
        for plan in folder.cancellations
        if plan.bag_id == bag_id and plan.again_of is None and left_of(folder, plan)
    ]
    return found[-1] if found else None


def left_of(folder: Folder, plan: Cancellation) -> list[Allocation]:
    """Tell what of which bags a part has still to give back; nothing while it runs.

    Never more than is held and was taken beyond what the order is worth.
    """
    plans = tried(folder.cancellations, plan)
    if plan.whole or any(one.status == "PROCESSING" for one in plans):
        return []
    rows = _movements(folder, plans)
    since = _short_since(plans, rows)
    if since is None:
        return []
    short = _short(plans, rows)
    gone = sum(_of_others(folder, plans, bag.id, since) for bag in folder.bags)
    amounts = list(short.values())
    whole = min(sum(amounts) - gone, _too_much(folder))
    if whole <= 0:
        return []
    shares = dict(zip(short, split(min(whole, sum(amounts)), amounts), strict=True))
    return _possible(folder, shares)


def _possible(folder: Folder, shares: Mapping[str, int]) -> list[Allocation]:
    """Keep what can be given back: what stays authorised in any case is not taken, that is all."""
    bags = {bag.id: bag for bag in folder.bags}
    held = {bag_id: min(part, bags[bag_id].open) for bag_id, part in shares.items()}
    freed = [one for part in releasable(folder, folder.payments, held) for one in part.allocations]
    found = []
    for bag_id, part in shares.items():
        amount = min(part - held[bag_id], bags[bag_id].refundable)
        amount += sum(one.amount for one in freed if one.bag_id == bag_id)
        if amount > 0:
            found.append(Allocation(bag_id, amount))
    return found


def _movements(folder: Folder, plans: Sequence[Cancellation]) -> list[Transaction]:
    """List the movements of these plans, and those that took one back."""
    ids = {plan.id for plan in plans}
    rows = [row for row in folder.transactions if row.cancellation_id in ids]
    refunds = {row.refund_id for row in rows if row.refund_id is not None}
    return rows + [
        row
        for row in folder.transactions
        if row.type == "REFUND_REVERSAL" and row.refund_id in refunds
    ]


def _short_since(
    plans: Sequence[Cancellation], rows: Iterable[Transaction]
) -> datetime | None:
    """Tell when money was first missing; None where it never was."""
    ended = [plan.finished_at for plan in plans if plan.status in SHORT]
    ended += [row.created_at for row in rows if row.type == "REFUND_REVERSAL"]
    return min((at for at in ended if at is not None), default=None)


def _short(plans: Sequence[Cancellation], rows: Sequence[Transaction]) -> dict[str, int]:
    """Tell what of each bag its movements did not give back.

    What stays authorised since a gateway cannot release it is not missing: where no step was
    refused, only what came back is.
    """
    first, *later = plans
    came_back = [row for row in rows if row.type == "REFUND_REVERSAL"]
    given = [row for row in rows if row.type != "REFUND_REVERSAL" and row.status != "FAILED"]
    refused = any(plan.status in SHORT for plan in plans)
    if not refused:
        ids = {plan.id for plan in later}
        given = [row for row in given if row.cancellation_id in ids]
    found = {}
    for part in first.allocations:
        bag_id = part.bag_id
        short = part.amount if refused else 0
        short += sum(of_bag(row, bag_id) for row in came_back)
        short -= sum(of_bag(row, bag_id) for row in given)
        found[bag_id] = max(0, short)
    return found


def _of_others(
    folder: Folder, plans: Sequence[Cancellation], bag_id: str, since: datetime
) -> int:
    """Tell what of a bag went back by other hands since then, and not for goods that are named."""
    ids = {plan.id for plan in plans}
    by_hand = {
        refund.id: refund
        for refund in folder.refunds
        if not (refund.for_less or refund.return_id or refund.lines or refund.shipping_amount)
        and refund.created_at >= since
    }
    found = sum(
        part.amount
        for refund in by_hand.values()
        if refund.waits_for_approval
        for part in refund.allocations
        if part.bag_id == bag_id
    )
    signs = {"REFUND": 1, "REFUND_REVERSAL": -1}
    for row in folder.transactions:
        if row.status == "FAILED" or row.cancellation_id in ids:
            continue
        if row.refund_id in by_hand:
            found += signs[row.type] * of_bag(row, bag_id)
        elif row.type in _LEFT_BY_OTHERS and row.created_at >= since:
            found += of_bag(row, bag_id)
    return found


def _too_much(folder: Folder) -> int:
    """Tell what is held or was taken beyond what the order is worth.

    A favour does not make it less: it was not given because the order is worth less.
    """
    order = folder.order
    return order.kept + order.open - order.worth


def with_again(wanted: WantedCancel, folder: Folder) -> WantedCancel:
    """Take a bag that is cancelled, and has money to give back, for trying that again."""
    bag = next((bag for bag in folder.bags if bag.id == wanted.bag_id), None)
    if bag is None or bag.live or wanted.lines:
        return wanted
    plan = last_of_bag(folder, bag.id)
    if plan is None:
        return wanted
    return msgspec.structs.replace(wanted, bag_id=None, again=plan.id)
