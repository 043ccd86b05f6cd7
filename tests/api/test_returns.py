"""Goods that come back, over HTTP: with a refund, without one, in parts, and for something else."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.server import code_of

MUGS = [{"sku": "MUG-1", "name": "Mug", "quantity": 2, "unit_price": 1250}]


def at(order, tail=""):
    return f"/v1/orders/{order['id']}{tail}"


def delivered(shop, **changes):
    """A paid order of one bag, 3,000 in all, of which everything has arrived."""
    changes.setdefault("bags", [{"merchant": "acme", "shipping_total": 500, "items": MUGS}])
    changes.setdefault("payment", {"gateway": "manual", "flow": "payment"})
    order = shop.order(**changes)
    for bag in order["bags"]:
        parcel = shop.post(at(order, f"/bags/{bag['id']}/shipments"), {})
        assert parcel.status_code == 201, parcel.text
        for step in ("ship", "deliver"):
            moved = shop.post(f"/v1/shipments/{parcel.json()['id']}/{step}")
            assert moved.status_code == 200, moved.text
    return shop.read(order)


def announce(shop, order, **body):
    return shop.post(at(order, f"/bags/{order['bags'][0]['id']}/returns"), body)


def returned(shop, order, status=201, **body):
    told = announce(shop, order, **body)
    assert told.status_code == status, told.text
    return told.json()


def receive(shop, back, status=200, **body):
    told = shop.post(f"/v1/returns/{back['id']}/receive", body)
    assert told.status_code == status, told.text
    return told.json()


def stands(bag):
    """A bag in the words of V-8 and V-9."""
    names = ("id", "order_id", "fulfillment_status", "financial_status", "status")
    return {name: bag[name] for name in names}


def first_bag(shop, order):
    return shop.read(order)["bags"][0]


@pytest.mark.proves("V-7", "V-8", "V-10", "V-11")
def test_a_return_without_a_refund_leaves_the_bag_paid_and_completed(shop):
    order = delivered(shop)
    back = returned(shop, order, resolution="NONE")
    assert (back["status"], back["allowed_actions"]) == ("REQUESTED", [
        {"action": name} for name in ("approve", "reject", "receive")])
    receive(shop, back)
    bag = first_bag(shop, order)
    assert stands(bag) == {
        "id": bag["id"],
        "order_id": order["id"],
        "fulfillment_status": "RETURNED",
        "financial_status": "PAID",
        "status": "COMPLETED",
    }
    assert isinstance(bag["id"], str)
    assert isinstance(bag["order_id"], str)
    assert shop.get(at(order, "/refunds")).json() == []


@pytest.mark.proves("V-6", "V-9")
def test_a_return_with_a_refund_leaves_the_bag_refunded_and_completed(shop):
    order = delivered(shop)
    back = returned(
        shop, order, received=True, refund={"reference": "RMA-1", "shipping_amount": 500})
    assert (back["status"], back["refund_reference"]) == ("RECEIVED", "RMA-1")
    bag = first_bag(shop, order)
    assert stands(bag) == {
        "id": bag["id"],
        "order_id": order["id"],
        "fulfillment_status": "RETURNED",
        "financial_status": "REFUNDED",
        "status": "COMPLETED",
    }
    (refund,) = shop.get(at(order, "/refunds")).json()
    assert (refund["reference"], refund["amount"], refund["return_id"]) == (
        "RMA-1", 3000, back["id"])
    assert back["refund_id"] == refund["id"]


@pytest.mark.proves("V-6")
def test_a_part_comes_back_with_its_share_less_the_fee(shop):
    order = delivered(shop)
    mug = order["bags"][0]["items"][0]["id"]
    back = returned(shop, order, lines=[{"item_id": mug, "quantity": 2}], fee=200)
    first = receive(shop, back, lines=[{"item_id": mug, "quantity": 1, "condition": "DAMAGED"}])
    (line,) = first["lines"]
    assert (line["received"], line["restocked"], line["written_off"]) == (1, 0, 1)
    assert first_bag(shop, order)["fulfillment_status"] == "DELIVERED"
    second = receive(shop, back)
    assert second["lines"][0]["received"] == 2
    told = [(one["reference"], one["amount"], one["fee_amount"])
            for one in shop.get(at(order, "/refunds")).json()]
    reference = f"return-{back['id']}"
    assert told == [(reference, 1050, 200), (f"{reference}-2", 1250, 0)]
    bag = first_bag(shop, order)
    assert (bag["fulfillment_status"], bag["financial_status"], bag["status"]) == (
        "RETURNED", "PARTIALLY_REFUNDED", "COMPLETED")
    again = shop.post(f"/v1/returns/{back['id']}/receive")
    assert code_of(again) == (409, "invalid_state")


@pytest.mark.proves("V-7", "V-11")
def test_an_exchange_sends_a_linked_order_and_moves_no_money_on_the_first(shop):
    order = delivered(shop)
    mug = order["bags"][0]["items"][0]["id"]
    back = returned(
        shop, order, resolution="EXCHANGE", lines=[{"item_id": mug, "quantity": 1}],
        replacement=[{"sku": "MUG-2", "name": "Mug, blue", "quantity": 1, "unit_price": 1500}])
    assert back["exchange_order_id"] is None
    done = receive(shop, back)
    assert (done["credit"], done["worth"]) == (1250, 1250)
    other = shop.get(f"/v1/orders/{done['exchange_order_id']}").json()
    assert (other["exchange_for"], other["channel"], other["external_id"]) == (
        order["id"], "exchange", f"exchange-{back['id']}")
    assert (other["total"], other["amounts"]["due"]) == (250, 250)
    assert [held["reason_code"] for held in other["holds"]] == ["AWAITING_PAYMENT"]
    ship = shop.post(at(other, f"/bags/{other['bags'][0]['id']}/shipments"), {})
    assert code_of(ship) == (409, "shipment_update_not_allowed")
    paid = shop.post(at(other, "/payments"), {"gateway": "manual"})
    assert paid.status_code == 201, paid.text
    assert shop.read(other)["holds"] == []
    first = shop.read(order)
    assert (first["financial_status"], first["amounts"]["refunded"]) == ("PAID", 0)


def test_a_dry_run_tells_what_follows_in_sentences_and_writes_nothing(shop):
    order = delivered(shop)
    mug = order["bags"][0]["items"][0]["id"]
    told = announce(shop, order, lines=[{"item_id": mug, "quantity": 2}], fee=200, dry_run=True,
                    refund={"shipping_amount": 500})
    assert told.status_code == 200, told.text
    seen = told.json()
    assert (seen["status"], seen["worth_of_all"], seen["fee_kept"]) == ("REQUESTED", 3000, 200)
    assert (seen["refund"]["amount"], seen["exchange"], seen["approval"]) == (
        2800, None, "not_needed")
    assert seen["explanation"] == [
        "25.00 EUR was paid for 2 × Mug, net of discounts, and has not gone back.",
        "5.00 EUR is of the shipping that was charged.",
        "2.00 EUR is kept as a fee.",
        "28.00 EUR goes back through manual.",
    ]
    assert shop.read(order) == order
    back = returned(shop, order, fee=200)
    soon = receive(shop, back, dry_run=True)
    assert (soon["status"], soon["refund"]["amount"]) == ("RECEIVED", 2300)
    assert shop.get(f"/v1/returns/{back['id']}").json()["status"] == "REQUESTED"


def test_a_reference_that_a_return_keeps_is_refused_to_any_refund(shop):
    order, other = delivered(shop), delivered(shop)
    kept = f"RMA-{order['number']}"
    back = returned(shop, order, refund={"reference": kept})
    wish = {"reference": kept, "amount": 1}
    for one in (order, other):
        assert code_of(shop.post(at(one, "/refund"), wish)) == (409, "refund_reference_conflict")
    again = announce(shop, other, refund={"reference": kept})
    assert code_of(again) == (409, "refund_reference_conflict")
    done = shop.post(f"/v1/returns/{back['id']}/reject", {"note": "Worn."})
    assert (done.status_code, done.json()["status"]) == (200, "REJECTED")
    assert shop.post(at(other, "/refund"), wish).status_code == 201


def test_returns_are_listed_to_whom_they_concern(own_shop):
    bags = [{"merchant": name, "items": MUGS} for name in ("acme", "zeta")]
    order = delivered(own_shop, bags=bags)
    mine, theirs = (
        own_shop.post(at(order, f"/bags/{bag['id']}/returns"), {"resolution": "NONE"}).json()
        for bag in order["bags"]
    )
    own_shop.post(f"/v1/returns/{mine['id']}/approve", {"note": "Fine."})
    whole = own_shop.get("/v1/returns").json()
    assert [one["id"] for one in whole["data"]] == [theirs["id"], mine["id"]]
    assert whole["data"][0]["order_number"] == order["number"]
    one = own_shop.get("/v1/returns?limit=1").json()
    rest = own_shop.get(f"/v1/returns?limit=1&cursor={one['next_cursor']}").json()
    assert [one["data"][0]["id"], rest["data"][0]["id"], rest["next_cursor"]] == [
        theirs["id"], mine["id"], None]
    approved = own_shop.get(f"/v1/returns?status=APPROVED&order={order['id']}&store=main").json()
    assert ([one["id"] for one in approved["data"]], approved["count"]["value"]) == (
        [mine["id"]], 1)
    assert own_shop.get("/v1/returns?resolution=REFUND").json()["data"] == []
    limited = own_shop.make_key("orders:read", "returns:write", merchants=["acme"])
    seen = own_shop.get("/v1/returns", key=limited).json()
    assert [one["id"] for one in seen["data"]] == [mine["id"]]
    assert own_shop.get(f"/v1/returns/{theirs['id']}", key=limited).status_code == 404
    assert own_shop.get(f"/v1/returns/{mine['id']}", key=limited).status_code == 200
    listed = own_shop.get(at(order, "/returns"), key=limited).json()
    assert [one["id"] for one in listed] == [mine["id"]]


def test_of_two_who_take_in_or_announce_the_same_at_once_one_wins(shop):
    order = delivered(shop)
    back = returned(shop, order)
    with ThreadPoolExecutor(2) as both:
        told = list(both.map(lambda _: shop.post(f"/v1/returns/{back['id']}/receive"), range(2)))
    assert sorted(one.status_code for one in told) == [200, 409]
    assert first_bag(shop, order)["items"][0]["quantity_returned"] == 2
    assert len(shop.get(at(order, "/refunds")).json()) == 1
    order = delivered(shop)
    with ThreadPoolExecutor(2) as both:
        told = list(both.map(lambda _: announce(shop, order), range(2)))
    assert sorted(one.status_code for one in told) == [201, 409]


def test_a_repeat_under_its_key_is_the_first_answer(shop):
    order = delivered(shop)
    body = {"received": True}
    tail = f"/bags/{order['bags'][0]['id']}/returns"
    first, again = (
        shop.post(at(order, tail), body, idempotency_key=f"back-{order['id']}") for _ in range(2)
    )
    assert (first.status_code, first.text) == (201, again.text)
    assert again.headers["idempotent-replayed"] == "true"
    assert shop.read(order)["amounts"]["refunded"] == 2500
