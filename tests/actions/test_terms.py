"""What an order is found by."""

from counterfoil.actions.edit import edit
from counterfoil.actions.move_shipment import NewShipping, update_shipment
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.order.terms import terms_of_order
from tests.actions.living import act, lived
from tests.actions.making import folder, placed


def many_lines(count):
    """A bag of so many different things."""
    return [
        {
            "merchant": "acme",
            "items": [
                {"sku": f"SKU-{n}", "name": "Mug", "quantity": 1, "unit_price": 5}
                for n in range(count)
            ],
        }
    ]


def test_a_long_order_is_found_by_its_parcels_and_people_before_all_its_goods():
    order = folder("manual", bags=many_lines(200), external_id="web-1", tags=["VIP"])
    parcel = WantedShipment(tracking_number="T-1")
    change = act(order, ship, bag_id=order.bags[0].id, wanted=parcel)
    words = terms_of_order(change.after)
    assert {"w:t-1", "w:web-1", "w:1001", "w:kari", "t:vip", "w:sku-0"} <= set(words)
    assert len([word for word in words if word.startswith("w:")]) == 64
    assert "w:t-1" in change.terms()[0]


def test_every_merchant_of_an_order_finds_it():
    bags = [
        {"merchant": f"m{n}", "items": [{"name": "Mug", "quantity": 1, "unit_price": 5}]}
        for n in range(100)
    ]
    found = set(terms_of_order(placed(bags=bags, tags=[f"t{n}" for n in range(30)]).after))
    assert {f"m:m{n}" for n in range(100)} <= found
    assert {"s:main", "c:api", "w:1001", "w:kari@example.com", "t:t29"} <= found


def test_what_it_was_found_by_before_it_is_found_by_no_more():
    order = folder("manual", tags=["old"])
    change = act(order, edit, fields={"tags": ["new"], "customer": {"last_name": "Ødegård"}})
    assert change.terms() == (
        ["t:new", "w:ødegård"],
        ["t:old", "w:kari@example.com", "w:kari"],
    )
    order = lived(
        order, ship, bag_id=order.bags[0].id, wanted=WantedShipment(tracking_number="T-1")
    )
    wanted = NewShipping(tracking_number=None)
    change = act(order, update_shipment, shipment_id=order.shipments[0].id, wanted=wanted)
    assert change.terms() == ([], ["w:t-1"])
