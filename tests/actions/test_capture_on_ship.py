"""Money that is taken as goods leave, where the store wants that. [faults C-2, S-3; rulings 46]"""

import msgspec
import pytest

from counterfoil.actions.capture import capture
from counterfoil.actions.hold import WantedHold, hold
from counterfoil.actions.move_shipment import fail_shipment, send_shipment
from counterfoil.actions.refund import WantedRefund, refund
from counterfoil.actions.set_delivery_state import set_delivery_state
from counterfoil.actions.void import void
from counterfoil.order.gateway import Outcome
from tests.actions.laws import assert_lawful
from tests.actions.living import act, heard, lived, types, waiting
from tests.actions.making import GATEWAYS, asked, folder, later, store
from tests.actions.packing import line, packed, two_lines

PRICED = [
    {
        "merchant": "acme",
        "shipping_total": 401,
        "tax_total": 333,
        "discount_total": 100,
        "items": [
            {"sku": "PEN-1", "name": "Pen", "quantity": 3, "unit_price": 333},
            {"sku": "INK-1", "name": "Ink", "quantity": 1, "unit_price": 700},
        ],
    },
    {
        "merchant": "zeta",
        "items": [{"sku": "TEE-M", "name": "T-shirt", "quantity": 1, "unit_price": 2000}],
    },
]


def paid(gateway="sandbox", **more):
    """An order whose money is held, in a store that takes it as goods leave."""
    given = {"capture_on_ship": True, **more}
    order = two_lines(gateway)
    order = msgspec.structs.replace(order, store=store(**given))
    return heard(order) if waiting(order) else order


def leaves(order, parts=None, *, bag=0):
    """Pack and send; the change of the sending."""
    order = packed(order, parts, bag=bag)
    return act(order, send_shipment, shipment_id=order.shipments[-1].id)


def taken(order):
    """List the captures of shipments: amount, status, and which shipment it goes with."""
    places = {parcel.id: parcel.position for parcel in order.shipments}
    return [
        (row.amount, row.status, places[row.shipment_id])
        for row in order.transactions
        if row.type == "CAPTURE" and row.shipment_id
    ]


def test_what_leaves_asks_for_its_money_in_the_same_change():
    change = leaves(paid(), {"Pen": 1})
    assert types(change) == [
        "shipment.shipped",
        "payment.capture_requested",
        "order.state_changed",
    ]
    (row,) = change.inserts["transactions"]
    assert (row.type, row.status, row.amount) == ("CAPTURE", "PENDING", 300 + 400)
    assert (row.lease_token, row.idempotency_key, row.due_at) == (None, None, row.created_at)
    assert row.shipment_id == change.after.shipments[0].id
    assert [part.amount for part in row.allocations] == [700]
    assert change.after.order.capture_pending == 700
    assert heard(later(change.after)).order.captured == 700


def test_shipping_goes_with_the_first_goods_and_the_last_take_all_that_is_owed():
    order = paid()
    for parts, bag in (({"Pen": 1}, 0), ({"Ink": 1}, 0), (None, 1), ({"Pen": 2}, 0)):
        order = heard(later(leaves(order, parts, bag=bag).after))
        assert_lawful(order)
    assert [one[0] for one in taken(order)] == [700, 700, 2000, 600]
    assert (order.order.captured, order.order.open) == (4000, 0)
    assert (order.order.system_state, order.order.financial_status) == ("COMPLETED", "PAID")
    assert [bag.captured for bag in order.bags] == [2000, 2000]


def test_shares_of_discount_and_tax_add_up_to_the_last_minor_unit():
    order = folder("manual", bags=PRICED)
    order = msgspec.structs.replace(order, store=store(capture_on_ship=True))
    for parts, bag in ((None, 1), ({"Pen": 1}, 0), ({"Pen": 1}, 0), ({"Ink": 1}, 0)):
        order = later(leaves(order, parts, bag=bag).after)
        assert order.order.open > 0
    order = later(leaves(order, {"Pen": 1}).after)
    first = 313 + 52 + 401 + 67  # a pen, its tax, shipping, its tax
    assert [one[0] for one in taken(order)] == [2000, first, 313 + 52, 659 + 110, 314 + 52]
    assert (order.order.captured, order.order.total) == (4333, 4333)
    assert all(bag.open == 0 for bag in order.bags)


def test_what_was_taken_for_it_already_is_not_taken_twice():
    order = heard(lived(paid(), capture, amount=700))
    first = order.bags[0].captured
    change = leaves(order, {"Pen": 1})
    (row,) = change.inserts["transactions"]
    assert row.amount == 700 - first
    order = heard(lived(paid(), capture))
    done = leaves(order)
    assert "transactions" not in done.inserts
    assert "payment.capture_requested" not in types(done)


def test_a_capture_that_was_refused_is_made_up_by_the_last_goods():
    order = heard(later(leaves(paid(), {"Pen": 3}).after), Outcome.DECLINED)
    assert (order.order.captured, order.order.capture_pending) == (0, 0)
    order = heard(later(leaves(order, bag=1).after))
    order = heard(later(leaves(order).after))
    assert [one[:2] for one in taken(order)] == [
        (1300, "FAILED"),
        (2000, "SUCCEEDED"),
        (2000, "SUCCEEDED"),
    ]
    assert order.order.open == 0


def test_sent_again_after_it_came_back_it_takes_nothing_more():
    order = heard(later(leaves(paid(), {"Pen": 1}).after))
    at = order.shipments[0].id
    order = lived(order, fail_shipment, shipment_id=at)
    again = act(order, send_shipment, shipment_id=at)
    assert types(again) == ["shipment.shipped"]
    assert "transactions" not in again.inserts


@pytest.mark.parametrize(
    "prepare",
    [
        lambda order: lived(order, hold, wanted=WantedHold(handle="bank", blocks=("capture",))),
        lambda order: later(order, 8 * 24 * 3600),
        lambda order: msgspec.structs.replace(
            order,
            payments=(msgspec.structs.replace(order.payments[0], attention={"reason": "unknown"}),),
        ),
        lambda order: msgspec.structs.replace(order, store=store()),
    ],
    ids=["held", "expired", "looked at", "not wanted"],
)
def test_goods_leave_without_money_where_none_can_be_taken(prepare):
    order = prepare(paid())
    change = leaves(order, {"Pen": 2})
    assert "transactions" not in change.inserts
    assert (change.after.shipments[0].status, change.after.order.open) == ("SHIPPED", 4000)


def test_no_more_is_taken_than_the_bag_has_open():
    order = heard(lived(paid(), void, amount=3000))
    change = leaves(order, {"Pen": 2})
    assert [row.amount for row in change.inserts["transactions"]] == [500]
    after = heard(later(change.after))
    assert [bag.open for bag in after.bags] == [0, 500]
    assert_lawful(after)


def test_an_unpaid_order_leaves_as_it_is():
    order = msgspec.structs.replace(two_lines(None), store=store(capture_on_ship=True))
    assert types(leaves(order, {"Pen": 3})) == ["shipment.shipped", "order.state_changed"]


@pytest.mark.parametrize("scopes", [(), ("partial_capture",)])
@pytest.mark.parametrize("gateway", ["sandbox", "once"])
def test_where_money_is_taken_once_it_is_with_the_last_goods(scopes, gateway):
    order = paid(scopes=scopes)
    if gateway == "once":
        once = tuple(
            msgspec.structs.replace(one, settings={"multi_capture": False}) for one in GATEWAYS
        )
        order = msgspec.structs.replace(order, gateways=once)
    takes_parts = scopes and gateway == "sandbox"

    def sent(order, parts=None, *, bag=0):
        kept = order.gateways
        packed_ = msgspec.structs.replace(packed(order, parts, bag=bag), gateways=kept)
        change = act(packed_, send_shipment, shipment_id=packed_.shipments[-1].id)
        return msgspec.structs.replace(later(change.after), gateways=kept)

    order = sent(order)
    assert len(taken(order)) == (1 if takes_parts else 0)
    order = sent(order, bag=1)
    assert [one[0] for one in taken(order)] == ([2000, 2000] if takes_parts else [4000])


def test_several_parcels_of_one_line_ask_each_for_its_own():
    order = packed(packed(paid(), {"Pen": 1}), {"Pen": 2})
    pen = line(order, "Pen").id
    order = lived(order, set_delivery_state, item_id=pen, state="SHIPPED")
    assert [(one[0], one[2]) for one in taken(order)] == [(700, 1), (600, 2)]
    assert_lawful(order)


def test_what_is_told_of_the_past_moves_no_money():
    order = packed(paid())
    change = act(
        order,
        send_shipment,
        shipment_id=order.shipments[0].id,
        asked=msgspec.structs.replace(asked(), instant=True),
    )
    assert "transactions" not in change.inserts


def test_a_manual_payment_is_taken_at_once():
    change = leaves(paid("manual"), {"Ink": 1})
    (row,) = change.inserts["transactions"]
    assert (row.status, row.amount) == ("SUCCEEDED", 1100)
    assert types(change) == ["shipment.shipped", "payment.captured", "order.state_changed"]
    back = lived(later(change.after), refund, wanted=WantedRefund(reference="R", amount=1100))
    rest = leaves(back, {"Pen": 3})
    assert [row.amount for row in rest.inserts["transactions"]] == [900]
