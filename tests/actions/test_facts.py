"""What facts say: what happened, whose it is, and nothing about the customer."""

import msgspec

from counterfoil.actions.acknowledge import acknowledge
from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.change_state import change_state
from counterfoil.actions.choose_method import choose_method
from counterfoil.actions.edit import edit
from counterfoil.actions.hold import WantedHold, hold, release
from counterfoil.actions.letter import letter_failed, letter_sent, resend_letter
from counterfoil.actions.move_shipment import (
    NewShipping,
    carry_shipment,
    deliver_shipment,
    fail_shipment,
    send_shipment,
    update_shipment,
)
from counterfoil.actions.note import note
from counterfoil.actions.rearrange import (
    WantedSplit,
    cancel_shipment,
    merge_shipments,
    split_shipment,
)
from counterfoil.actions.refund import WantedRefund, refund
from counterfoil.actions.set_delivery_state import set_delivery_state
from counterfoil.actions.settle import settle
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.actions.void import void
from counterfoil.order.fact import FACT_TYPES
from counterfoil.order.gateway import Answer, Outcome
from counterfoil.order.shipment import ShipmentItem
from tests.actions.living import waiting
from tests.actions.making import asked, later, placed

SECRET = "Geheim"
PERSON = {"first_name": SECRET, "email": f"{SECRET}@example.com", "phone": f"+47 {SECRET}"}
PLACE = {"name": SECRET, "line1": f"{SECRET} 1", "postal_code": SECRET}
OF_A_BAG = {"bag.status_changed", "item.state_changed"}


class Telling:
    """An order's life, and every fact of it."""

    def __init__(self, gateway="sandbox", **more):
        change = placed(
            gateway,
            customer=PERSON,
            billing_address=PLACE,
            shipping_address=PLACE,
            **more,
        )
        self.facts = list(change.facts)
        self.folder = later(change.after)

    def do(self, action, **arguments):
        change = action(self.folder, asked=asked(), **arguments)
        self.facts += change.facts
        self.folder = later(change.after)

    def hear(self, outcome=Outcome.SUCCEEDED):
        row = waiting(self.folder)[0]
        self.do(settle, transaction_id=row.id, lease="mine", answer=Answer(outcome=outcome))

    def last(self, section):
        return getattr(self.folder, section)[-1].id


def a_life():
    """Go through as much as one order can."""
    told = Telling()
    told.hear()
    told.do(acknowledge)
    told.hear()
    told.do(note, body=f"Call {SECRET}", visibility="customer")
    told.do(hold, wanted=WantedHold(handle="stock", note=f"Ask {SECRET} first"))
    told.do(release, handle="stock")
    private = {"customer": {"email": f"new-{SECRET}"}, "shipping_address": {"line1": SECRET}}
    told.do(edit, fields={**private, "tags": ["vip"], "invoice_number": "F-1"})
    told.do(void, amount=500)
    told.hear(Outcome.UNKNOWN)
    told.hear(Outcome.DECLINED)
    told.do(capture)
    told.hear()
    told.do(refund, wanted=WantedRefund(reference="R-1", amount=100, notify_customer=True))
    told.hear(Outcome.UNKNOWN)
    told.hear()
    told.do(letter_sent, letter_id=told.last("letters"), subject=f"Dear {SECRET}",
            text=f"Dear {SECRET}", lease="l")
    told.do(resend_letter, letter_id=told.last("letters"), recipient=f"{SECRET}@example.com")
    told.do(set_delivery_state, item_id=told.folder.items[0].id, state="READY")
    told.do(choose_method, method="bring", items=[told.folder.items[0].id])
    parcel = told.last("shipments")
    some = WantedSplit(items=[ShipmentItem(told.folder.items[0].id, 1)])
    told.do(split_shipment, shipment_id=parcel, wanted=some)
    told.do(merge_shipments, shipment_id=told.last("shipments"), shipment_ids=[parcel])
    told.do(cancel_shipment, shipment_id=told.last("shipments"))
    told.do(choose_method, method="bring")
    told.do(cancel_shipment, shipment_id=told.last("shipments"))
    told.do(cancel_shipment, shipment_id=told.folder.shipments[-2].id)
    for bag in told.folder.bags:
        told.do(ship, bag_id=bag.id, wanted=WantedShipment(tracking_number=f"T-{bag.position}"))
        parcel = told.last("shipments")
        told.do(update_shipment, shipment_id=parcel, wanted=NewShipping(carrier="Bring"))
        told.do(send_shipment, shipment_id=parcel)
        told.do(carry_shipment, shipment_id=parcel, carrier_status="Sorted")
        told.do(fail_shipment, shipment_id=parcel)
        told.do(deliver_shipment, shipment_id=parcel)
    mine = told.folder.bags[0].id
    why = f"{SECRET} was unhappy"
    told.do(refund, wanted=WantedRefund(reference="R-2", amount=100, bag_id=mine, reason=why))
    told.hear(Outcome.DECLINED)
    told.do(cancel, wanted=WantedCancel(reason=f"{SECRET} called", notify_customer=True))
    told.hear(Outcome.DECLINED)
    told.do(change_state, state="completed")
    told.do(cancel, wanted=WantedCancel(notify_customer=True))
    told.hear()
    told.do(letter_failed, letter_id=told.last("letters"), error=f"No {SECRET}", lease="l")
    return told


def test_no_fact_tells_who_the_customer_is_or_what_was_noted():
    for fact in a_life().facts:
        assert SECRET not in msgspec.json.encode(fact.data).decode(), fact.type


def test_what_is_of_one_bag_is_that_merchants_and_the_rest_is_nobodys():
    told = a_life()
    owners = {bag.id: bag.merchant for bag in told.folder.bags}
    for fact in told.facts:
        of_a_bag = fact.type in OF_A_BAG or fact.type.startswith("shipment.")
        data = msgspec.json.decode(msgspec.json.encode(fact.data))
        if fact.type.startswith("refund."):
            of_a_bag = (data.get("refund") or data["transaction"])["bag_id"] is not None
        assert (fact.merchant is not None) == of_a_bag, fact.type
        named = data.get("shipment") or data.get("refund") or data.get("transaction") or {}
        if of_a_bag and "bag_id" in named:
            assert fact.merchant == owners[named["bag_id"]]


def test_every_fact_names_the_version_it_makes_and_how_the_order_stands():
    told = a_life()
    assert [fact.sequence for fact in told.facts] == list(range(1, len(told.facts) + 1))
    for fact in told.facts:
        assert fact.type in FACT_TYPES
        order = fact.data["order"]
        assert order["version"] == fact.sequence
        assert {"id", "number", "financial_status", "fulfillment_status", "amounts"} <= set(order)
    assert told.folder.order.version == len(told.facts)
