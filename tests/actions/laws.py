"""What is true of every folder, whatever happened to it."""

from collections import Counter

from counterfoil.order.amounts import AMOUNT_NAMES, summed
from counterfoil.order.bag import Bag
from counterfoil.order.folder import Folder
from counterfoil.order.item import Item
from counterfoil.order.ledger import CHART, LedgerEntry
from counterfoil.order.life import MACHINES
from counterfoil.order.order import OPEN_STATES, Order
from counterfoil.order.refund import given_back, status_by
from counterfoil.order.review import HANDLE
from counterfoil.order.shipment import LEFT
from counterfoil.order.status import Units, financial_status, fulfillment_status
from counterfoil.order.transaction import UNSETTLED

_DONE = {
    "AUTHORIZE": "authorized",
    "CAPTURE": "captured",
    "VOID": "voided",
    "REFUND": "refunded",
    "EXPIRE": "expired",
}
_WAITING = {"CAPTURE": "capture_pending", "VOID": "void_pending", "REFUND": "refund_pending"}


def assert_lawful(folder: Folder) -> None:
    """Check every law of money, goods and statuses on one folder."""
    _money_adds_up(folder)
    _movements_explain_amounts(folder)
    _statuses_follow(folder)
    _units_follow(folder)
    _holds_and_reviews_follow(folder)


def _holds_and_reviews_follow(folder: Folder) -> None:
    """What is blocked is what the open holds block; the order tells its newest review."""
    order = folder.order
    if folder.opened("holds"):
        blocked = {what for held in folder.open_holds for what in held.blocks}
        assert (order.hold_capture, order.hold_shipment) == (
            "capture" in blocked,
            "shipment" in blocked,
        )
        handles = [held.handle for held in folder.open_holds]
        assert len(handles) == len(set(handles))
        assert all(held.due_at == held.auto_release_at for held in folder.open_holds)
    if folder.opened("fraud_reviews") and folder.opened("holds"):
        waiting = [review for review in folder.fraud_reviews if review.waits]
        assert len(waiting) <= 1
        assert (order.fraud_status == "NOT_REQUIRED") == (not folder.fraud_reviews)
        if folder.review is not None:
            assert folder.review.status == order.fraud_status
            assert folder.review.waits == (folder.review.resolved_at is None)
            held = any(one.handle == HANDLE for one in folder.open_holds)
            assert folder.review.waits or not held


def assert_ledger(folder: Folder, entries: list[LedgerEntry]) -> None:
    """Hold the entries of an order's whole life against its amounts. [faults V1, V3]"""
    balances: Counter[tuple[str, str | None]] = Counter()
    for entry in entries:
        assert entry.amount > 0
        assert {entry.debit, entry.credit} <= CHART.keys()
        balances[entry.debit, entry.merchant] += entry.amount
        balances[entry.credit, entry.merchant] -= entry.amount
    assert sum(balances.values()) == 0
    order = folder.order
    assert balances["authorised", None] == order.outstanding
    assert balances["authorisations", None] == -order.outstanding
    owed = sum(amount for (name, _), amount in balances.items() if name == "receivable")
    kept = balances["fees", None]
    assert owed == order.captured - order.refunded - kept
    for merchant in {bag.merchant for bag in folder.bags}:
        bags = [bag for bag in folder.bags if bag.merchant == merchant]
        assert balances["payable", merchant] == -sum(bag.captured for bag in bags)
        assert balances["refunds", merchant] == sum(bag.refunded for bag in bags)
    places = [(entry.sequence, entry.line) for entry in entries]
    assert len(places) == len(set(places))
    assert all(entry.sequence <= order.version for entry in entries)


def _money_adds_up(folder: Folder) -> None:
    order = folder.order
    sums = {name: getattr(order, name) for name in AMOUNT_NAMES}
    assert summed(folder.bags) == sums
    assert summed(folder.payments) == sums
    for part in (order, *folder.bags, *folder.payments):
        assert all(getattr(part, name) >= 0 for name in AMOUNT_NAMES)
        assert part.open >= 0, part
        assert part.refundable >= 0, part
    assert order.total == sum(bag.total for bag in folder.bags)
    # A newer hold stands beside the one that it takes the place of until that is released.
    renewed = {payment.renews for payment in folder.payments if payment.authorized}
    held = [p.captured + p.outstanding for p in folder.payments if p.id not in renewed]
    # An edit may make shipping cheaper than what was authorised before it.
    assert sum(held) <= order.total or folder.edits


def _movements_explain_amounts(folder: Folder) -> None:
    expected = dict.fromkeys(AMOUNT_NAMES, 0)
    for row in folder.transactions:
        if row.type == "REFUND_REVERSAL":
            expected["refunded"] -= row.amount
        elif row.status == "SUCCEEDED" and row.amount:
            expected[_DONE[row.type]] += row.amount
        elif row.status in UNSETTLED and row.type in _WAITING:
            expected[_WAITING[row.type]] += row.amount
        assert sum(part.amount for part in row.allocations) == row.amount
        assert (row.settled_at is None) == (row.status in UNSETTLED)
        assert (row.due_at is not None) == (row.status in UNSETTLED)
    for refund in folder.refunds:
        if refund.waits_for_approval:
            expected["refund_pending"] += refund.amount
    assert expected == {name: getattr(folder.order, name) for name in AMOUNT_NAMES}
    unknown = sum(row.amount for row in folder.transactions if row.status == "UNKNOWN")
    assert folder.order.unknown_pending == unknown
    _refunds_are_explained(folder)
    references = [refund.reference for refund in folder.refunds]
    assert len(references) == len(set(references))


def _refunds_are_explained(folder: Folder) -> None:
    given = 0
    for refund in folder.refunds:
        rows = [row for row in folder.transactions if row.refund_id == refund.id]
        given += given_back(rows)
        assert sum(part.amount for part in refund.allocations) == refund.amount
        if refund.status == "EXTERNAL":
            continue
        assert sum(part.amount for part in refund.plan) == refund.amount
        assert all(sum(a.amount for a in p.allocations) == p.amount for p in refund.plan)
        asked = [row.amount for row in rows if row.type == "REFUND"]
        undecided = refund.status in ("AWAITING_APPROVAL", "CANCELED")
        assert asked == ([] if undecided else [part.amount for part in refund.plan])
        assert undecided or refund.status == status_by(refund, rows)
    assert given == folder.order.refunded


def _statuses_follow(folder: Folder) -> None:
    order = folder.order
    asked = any(payment.status == "CREATED" for payment in folder.payments)
    parts: list[Order | Bag] = [order, *folder.bags]
    for part in parts:
        assert part.financial_status == financial_status(part, total=part.total, asked=asked)
    for bag in folder.bags:
        units = Units.of([item for item in folder.items if item.bag_id == bag.id])
        assert bag.fulfillment_status == fulfillment_status(units)
        assert bag.status not in ("REFUNDED", "PARTIALLY_REFUNDED")
    assert order.is_open == (order.system_state in OPEN_STATES)
    assert folder.state.code == order.state
    assert folder.state.system_state == order.system_state
    blocks = {what for hold in folder.open_holds for what in hold.blocks}
    assert order.hold_capture == ("capture" in blocks)
    assert order.hold_shipment == ("shipment" in blocks)
    if order.system_state == "CANCELED":
        called = any((one.kind, one.status) == ("compensation", "OPEN") for one in folder.tasks)
        assert order.open == 0 or called
        assert all(
            bag.status == "CANCELED" or bag.fulfillment_status != "PROCESSING"
            for bag in folder.bags
        )
    known = {name for machine in MACHINES for name in machine.statuses}
    assert {row.status for row in folder.transactions} <= known


def _units_follow(folder: Folder) -> None:
    for item in folder.items:
        gone = sum(
            part.quantity
            for shipment in folder.shipments
            if shipment.status not in ("OPEN", "CANCELED")
            for part in shipment.items
            if part.item_id == item.id
        )
        assert item.quantity_shipped == gone
        assert item.quantity_shipped + item.quantity_canceled <= item.quantity
        assert 0 <= item.quantity_refunded <= item.quantity
        assert item.quantity_refunded == _refunded_units(folder, item)
        if item.deliverable:
            assert (item.delivery_state == "CANCELED") == (item.live == 0)
            gone_all = 0 < item.live == item.quantity_shipped
            assert (item.delivery_state in LEFT) == gone_all
    alive = {bag.id for bag in folder.bags if bag.live} or {bag.id for bag in folder.bags}
    travel = [i for i in folder.items if i.bag_id in alive and i.deliverable and not i.digital]
    assert folder.order.unit_count == sum(item.live for item in travel)
    assert folder.order.shipped_count == sum(item.quantity_shipped for item in travel)
    if folder.order.system_state == "CANCELED":
        assert all(shipment.status != "OPEN" for shipment in folder.shipments)
    numbers = [s.tracking_number for s in folder.shipments if s.tracking_number]
    assert len(numbers) == len(set(numbers))


def _refunded_units(folder: Folder, item: Item) -> int:
    """Units of refunds that happened or still may."""
    return sum(
        line.quantity
        for refund in folder.refunds
        if refund.status not in ("FAILED", "CANCELED")
        for line in refund.lines
        if line.item_id == item.id
    )
