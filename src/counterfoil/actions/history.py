"""Book what an order lived through before it came here.

The past is told by the very actions that would have made it, each at its own time, and comes out
as the one Change of a new order: no provider is asked, no letter written. [rulings 44]
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from counterfoil.actions.cancel import finish_cancellation
from counterfoil.actions.capture import capture
from counterfoil.actions.change_state import change_state
from counterfoil.actions.edit import edit
from counterfoil.actions.hold import WantedHold, hold
from counterfoil.actions.move_shipment import deliver_shipment, send_shipment
from counterfoil.actions.note import note
from counterfoil.actions.refund import WantedRefund, refund
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.actions.void import void
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.machine import TransitionNotAllowed
from counterfoil.order.cancellation import Cancellation
from counterfoil.order.change import Change
from counterfoil.order.config import ShipmentMethod
from counterfoil.order.draft import Draft
from counterfoil.order.folder import SECTIONS, Folder
from counterfoil.order.history import History, PastRefund, PastShipment
from counterfoil.order.intent import Asked, new_transaction
from counterfoil.order.moves import allocate, book
from counterfoil.order.shipment import ShipmentItem

Step = Callable[[], None]


def with_history(
    placed: Change, history: History, *, asked: Asked, methods: Sequence[ShipmentMethod] = ()
) -> Change:
    """Add a past to an order that is about to be placed; `asked` must be instant.

    Steps are told in the order of their times; what needs another one first is moved behind it.
    `methods` are the store's shipment methods. Raises what the actions raise.
    """
    assert asked.instant, "the past asks no provider"
    assert placed.seen == 0, "only a new order has a past to tell"
    telling = _Telling(placed, asked, tuple(methods))
    steps = [(at, rank, step) for rank, (at, step) in enumerate(telling.steps(history))]
    for at, _, step in sorted(steps, key=lambda one: one[:2]):
        telling.at(at)
        step()
    return telling.change(placed)


class _Telling:
    """The order while its past is told."""

    def __init__(self, placed: Change, asked: Asked, methods: tuple[ShipmentMethod, ...]) -> None:
        after = placed.after
        self.folder: Folder = msgspec.structs.replace(after, methods=methods)
        self.asked = asked
        self.facts = list(placed.facts)
        self._parcels: dict[int, str] = {}
        self._bags = [bag.id for bag in after.bags]
        self._lines = [
            [item.id for item in after.items if item.bag_id == bag.id] for bag in after.bags
        ]

    def at(self, at: datetime) -> None:
        """Let it be that time."""
        self.folder = msgspec.structs.replace(self.folder, at=at)

    def do(self, action: Callable[..., Change], **arguments: Any) -> Any:
        """Run an action and go on from what it left; returns its result."""
        change = action(self.folder, asked=self.asked, **arguments)
        self.facts += change.facts
        self.folder = change.after
        return change.result

    def steps(self, history: History) -> Iterator[tuple[datetime, Step]]:
        """List what happened and when; what comes first at the same moment is listed first."""
        begun = self.folder.at
        captured_at = max(history.captured_at or begun, begun)
        moments = [begun]
        paid = bool(self.folder.payments) and self.folder.payments[0].flow == "payment"
        if history.captured and not paid:
            yield captured_at, partial(self.do, capture, amount=history.captured)
            moments.append(captured_at)
        if history.voided:
            at = max(history.voided_at or begun, begun)
            yield at, partial(self.do, void, amount=history.voided)
            moments.append(at)
        for place, parcel in enumerate(history.shipments):
            at = max(parcel.shipped_at or begun, begun)
            yield at, partial(self._ship, place, parcel)
            if parcel.delivered_at is not None:
                at = max(parcel.delivered_at, at)
                yield at, partial(self._deliver, place)
            moments.append(at)
        for back in history.refunds:
            at = max(back.at or begun, captured_at if history.captured else begun)
            yield at, partial(self._refund, back)
        yield from self._endings(history, max(moments))

    def _endings(self, history: History, last: datetime) -> Iterator[tuple[datetime, Step]]:
        if history.invoice_number is not None:
            fields = {"invoice_number": history.invoice_number}
            yield last, partial(self.do, edit, fields=fields)
        canceled = history.canceled_at or (last if history.state == "canceled" else None)
        if canceled is not None:
            last = max(canceled, last)
            yield last, self._cancel
        elif history.state is not None:
            yield last, partial(self._go_to, history.state)
        for held in history.holds:
            wanted = WantedHold(
                handle=held.handle,
                reason_code=held.reason_code,
                note=held.note,
                blocks=tuple(held.blocks),
            )
            yield max(held.at or last, last), partial(self.do, hold, wanted=wanted)
        begun = self.folder.at
        for written in history.notes:
            told = {"body": written.body, "visibility": written.visibility}
            yield max(written.at or begun, begun), partial(self.do, note, **told)

    def _ship(self, place: int, parcel: PastShipment) -> None:
        """Pack a parcel, and send it where it left."""
        lines = self._lines[parcel.bag]
        units = Counter[str]()
        for item in parcel.items or ():
            units[lines[item.line]] += item.quantity
        wanted = WantedShipment(
            items=[ShipmentItem(item_id, quantity) for item_id, quantity in units.items()],
            method=parcel.method,
            carrier=parcel.carrier,
            tracking_number=parcel.tracking_number,
        )
        made = self.do(ship, bag_id=self._bags[parcel.bag], wanted=wanted)
        self._parcels[place] = made.id
        if parcel.shipped_at is not None:
            self.do(send_shipment, shipment_id=made.id)

    def _deliver(self, place: int) -> None:
        self.do(deliver_shipment, shipment_id=self._parcels[place])

    def _refund(self, back: PastRefund) -> None:
        wanted = WantedRefund(reference=back.reference, amount=back.amount, reason=back.reason)
        self.do(refund, wanted=wanted)

    def _go_to(self, state: str) -> None:
        """Reach a state, through Processing where it cannot be reached at once."""
        try:
            self.do(change_state, state=state)
        except TransitionNotAllowed:
            if self.folder.order.system_state != "NEW" or state == "processing":
                raise
            self.do(change_state, state="processing")
            self.do(change_state, state=state)

    def _cancel(self) -> None:
        """Cancel what has not left and give up what is open. [rulings 44]

        What was voided or refunded at this very moment was so because of it.
        """
        left = self.folder.order.open
        if left and self.folder.order.system_state != "CANCELED":
            self._give_up(left)
        if self.folder.order.system_state == "CANCELED":
            return
        draft = Draft(self.folder, self.asked.actor)
        plan = Cancellation(
            id=new_id(),
            order_id=draft.order.id,
            requested_by=self.asked.actor.told(),
            created_at=draft.at,
        )
        draft.add(plan)
        for row in draft.section("transactions"):
            if row.type in ("VOID", "REFUND") and row.created_at == draft.at:
                draft.put(msgspec.structs.replace(row, cancellation_id=plan.id))
        finish_cancellation(draft, plan)
        self.do(lambda folder, asked: draft.change(plan))

    def _give_up(self, amount: int) -> None:
        """Release what is open; goods that left without being paid do not keep it open."""
        draft = Draft(self.folder, self.asked.actor)
        (payment,) = draft.section("payments")
        shares = allocate(amount, [bag for bag in draft.section("bags") if bag.open > 0], "open")
        row = new_transaction(
            draft, payment, kind="VOID", amount=amount, allocations=shares, asked=self.asked
        )
        book(draft, row)
        draft.fact("payment.voided", row)
        self.do(lambda folder, asked: draft.change(row))

    def change(self, placed: Change) -> Change:
        """Make it one new order."""
        folder = self.folder
        found = {name: list(getattr(folder, name)) for name in SECTIONS if folder.opened(name)}
        return msgspec.structs.replace(
            placed,
            after=folder,
            inserts={name: nouns for name, nouns in found.items() if nouns},
            facts=self.facts,
            result=folder.order,
        )
