"""Shipments over HTTP: rearranged, under several numbers, followed; lines on their way."""

import pytest

from tests.api.server import code_of, wanted

PENS = {"sku": "PEN-1", "name": "Pen", "quantity": 3, "unit_price": 1000}
INK = {"sku": "INK-1", "name": "Ink", "quantity": 1, "unit_price": 1500}
SHIRT = {"sku": "TEE-M", "name": "T-shirt", "quantity": 1, "unit_price": 500}
SOME_ID = "0199c000-0000-7000-8000-000000000001"


@pytest.fixture
def order(shop):
    """An order of pens and ink in one bag, and a shirt in another."""
    return shop.order(bags=[
        {"merchant": "acme", "items": [PENS, INK]}, {"merchant": "zeta", "items": [SHIRT]},
    ])


def item(order, name):
    found = (one for bag in order["bags"] for one in bag["items"] if one["name"] == name)
    return next(found)


def part(order, name, quantity):
    return {"item_id": item(order, name)["id"], "quantity": quantity}


def pack(shop, order, bag=0, **body):
    """Make up a parcel, and return it."""
    at = f"/v1/orders/{order['id']}/bags/{order['bags'][bag]['id']}/shipments"
    answer = shop.post(at, body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def parcels(shop, order, *, bag=0):
    """List the parcels of a bag as they are now: status, method, number, units by line."""
    now = shop.read(order)
    names = {one["id"]: one["name"] for one in now["bags"][bag]["items"]}
    return [
        (one["status"], one["method"], one["tracking_number"],
         {names[each["item_id"]]: each["quantity"] for each in one["items"]})
        for one in now["bags"][bag]["shipments"]
    ]


def put(shop, order, name, state, **more):
    at = f"/v1/orders/{order['id']}/items/{item(order, name)['id']}"
    return shop.patch(at, {"delivery_state": state}, **more)


def offered(thing):
    return [one["action"] for one in thing["allowed_actions"]]


@pytest.mark.proves("U-14", "U-17")
def test_a_line_is_put_in_a_delivery_state(shop, order):
    told = put(shop, order, "Pen", "READY")
    assert (told.status_code, item(told.json(), "Pen")["delivery_state"]) == (200, "READY")
    assert item(told.json(), "Ink")["delivery_state"] == "PENDING"
    version = told.json()["version"]
    assert told.headers["etag"] == f'"{version}"'
    assert put(shop, order, "Pen", "READY").json()["version"] == version
    stale = put(shop, order, "Pen", "PROCESSING", if_match=f'"{order["version"]}"')
    assert code_of(stale) == (412, "version_conflict")
    assert put(shop, order, "Pen", "SHIPPED").json()["fulfillment_status"] == "PARTIALLY_SHIPPED"
    assert put(shop, order, "Pen", "DELIVERED").status_code == 200
    assert parcels(shop, order) == [("DELIVERED", "standard", None, {"Pen": 3})]
    for state, why in (("RETURNED", "Record a return"), ("CANCELED", "Cancel the line")):
        problem = put(shop, order, "Ink", state)
        assert code_of(problem) == (409, "transition_not_allowed")
        assert problem.json()["detail"].startswith(why)
    assert code_of(put(shop, order, "Ink", "DELIVERED")) == (409, "transition_not_allowed")
    assert code_of(put(shop, order, "Ink", "GONE")) == (422, "validation_failed")
    nobody = f"/v1/orders/{order['id']}/items/{SOME_ID}"
    assert code_of(shop.patch(nobody, {"delivery_state": "READY"})) == (404, "not_found")
    changes = [fact for fact in shop.get(f"/v1/orders/{order['id']}/facts").json()
               if fact["type"] == "item.state_changed"]
    assert [(one["data"]["name"], one["data"]["from"], one["data"]["to"]) for one in changes] == [
        ("Pen", "PENDING", "READY"), ("Pen", "READY", "SHIPPED"), ("Pen", "SHIPPED", "DELIVERED")]


@pytest.mark.proves("U-16", "U-17")
def test_lines_stay_where_they_are_while_shipping_is_locked(shop, order):
    at = f"/v1/orders/{order['id']}"
    shop.post(f"{at}/holds", {"handle": "stock", "blocks": ["shipment"]})
    for problem in (
        put(shop, order, "Pen", "READY"),
        shop.post(f"{at}/shipment-method", {"items": "all", "method": "express"}),
    ):
        assert code_of(problem) == (409, "shipment_update_not_allowed")
        assert problem.json()["detail"] == "Shipping is locked: held by stock."


@pytest.mark.proves("U-19", "U-24", "U-25")
def test_the_method_is_chosen_for_all_lines_and_then_for_one(shop, order):
    at = f"/v1/orders/{order['id']}"
    told = shop.post(f"{at}/shipment-method", {"items": "all", "method": "express"})
    assert (told.status_code, told.json()["shipping_method"]) == (200, "express")
    assert parcels(shop, order) == [("OPEN", "express", None, {"Pen": 3, "Ink": 1})]
    assert parcels(shop, order, bag=1) == [("OPEN", "express", None, {"T-shirt": 1})]
    first = told.json()["bags"][0]["shipments"][0]["id"]
    for name in ("Pen", "Ink"):
        assert put(shop, order, name, "READY").status_code == 200
    assert shop.patch(f"/v1/shipments/{first}", {"tracking_number": "E-1"}).status_code == 200
    ink = item(order, "Ink")["id"]
    shop.post(f"{at}/shipment-method", {"items": [ink], "method": "standard"})
    assert parcels(shop, order) == [
        ("OPEN", "express", "E-1", {"Pen": 3}), ("OPEN", "standard", None, {"Ink": 1})]
    second = shop.read(order)["bags"][0]["shipments"][1]["id"]
    taken = shop.patch(f"/v1/shipments/{second}", {"tracking_number": "E-1"})
    assert code_of(taken) == (409, "tracking_number_taken")
    assert shop.patch(f"/v1/shipments/{second}", {"tracking_number": "S-1"}).status_code == 200
    for body, code in (
        ({"items": "all", "method": "dragon"}, (422, "unknown_reference")),
        ({"items": [SOME_ID], "method": "express"}, (422, "unknown_reference")),
        ({"items": [], "method": "express"}, (422, "validation_failed")),
        ({"items": "some", "method": "express"}, (422, "validation_failed")),
    ):
        assert code_of(shop.post(f"{at}/shipment-method", body)) == code
    shop.post(f"/v1/shipments/{second}/ship")
    gone = shop.post(f"{at}/shipment-method", {"items": [ink], "method": "express"})
    assert code_of(gone) == (409, "shipment_update_not_allowed")
    assert gone.json()["detail"] == "Ink has left: its method cannot change any more."


@pytest.mark.proves("U-25")
def test_a_parcel_is_split_merged_and_called_off(shop, order):
    first = pack(shop, order, tracking_number="T-1")
    at = f"/v1/shipments/{first['id']}"
    split = shop.post(f"{at}/split", {"items": [part(order, "Pen", 2)], "tracking_number": "T-2"})
    assert split.status_code == 201
    second = split.json()
    assert (second["tracking_number"], second["status"]) == ("T-2", "OPEN")
    assert parcels(shop, order) == [
        ("OPEN", "standard", "T-1", {"Pen": 1, "Ink": 1}), ("OPEN", "standard", "T-2", {"Pen": 2})]
    merged = shop.post(f"{at}/merge", {"shipment_ids": [second["id"]]})
    assert merged.status_code == 200
    assert {one["quantity"] for one in merged.json()["items"]} == {3, 1}
    called_off = shop.post(f"{at}/cancel")
    assert (called_off.status_code, called_off.json()["status"]) == (200, "CANCELED")
    assert called_off.json()["allowed_actions"] == []
    assert "ship" in offered(shop.read(order)["bags"][0])
    again = pack(shop, order, tracking_number="T-1")
    assert len(again["items"]) == 2
    assert code_of(shop.post(f"{at}/cancel")) == (409, "transition_not_allowed")
    assert code_of(shop.post(f"{at}/split", {"items": [part(order, "Pen", 1)]})) == (
        409, "invalid_state")
    there = f"/v1/shipments/{again['id']}"
    for body, code in (
        ({"items": []}, (422, "validation_failed")),
        ({"items": [part(order, "Pen", 3), part(order, "Ink", 1)]}, (422, "amount_invalid")),
        ({"items": [part(order, "T-shirt", 1)]}, (422, "unknown_reference")),
        ({"items": [part(order, "Pen", 1)], "tracking_number": "T-1"},
         (409, "tracking_number_taken")),
    ):
        assert code_of(shop.post(f"{there}/split", body)) == code
    other = pack(shop, order, bag=1)
    foreign = shop.post(f"{there}/merge", {"shipment_ids": [other["id"]]})
    assert code_of(foreign) == (409, "invalid_state")
    assert code_of(shop.post(f"{there}/merge", {"shipment_ids": [SOME_ID]})) == (
        422, "unknown_reference")


@pytest.mark.proves("U-25")
def test_a_shipment_of_several_parcels_is_tracked_by_each(shop, order):
    made = pack(shop, order, carrier="Royal Mail", parcels=[
        {"tracking_number": "RM 1", "weight_g": 750}, {"tracking_number": "RM2"}])
    assert made["parcels"] == [
        {"tracking_number": "RM 1", "weight_g": 750, "tracking_url":
         "https://www.royalmail.com/track-your-item#/tracking-results/RM%201"},
        {"tracking_number": "RM2", "weight_g": None, "tracking_url":
         "https://www.royalmail.com/track-your-item#/tracking-results/RM2"},
    ]
    at = f"/v1/shipments/{made['id']}"
    fewer = shop.patch(at, {"parcels": [{"tracking_number": "RM3"}], "carrier": "nobody"})
    assert fewer.json()["parcels"] == [
        {"tracking_number": "RM3", "weight_g": None, "tracking_url": None}]
    at_other = f"/v1/orders/{order['id']}/bags/{order['bags'][1]['id']}/shipments"
    taken = shop.post(at_other, {"tracking_number": "RM3"})
    assert code_of(taken) == (409, "tracking_number_taken")
    assert [one["id"] for one in shop.get("/v1/orders?q=rm3").json()["data"]] == [order["id"]]
    assert code_of(shop.patch(at, {"parcels": [{"tracking_number": ""}]})) == (
        422, "validation_failed")
    assert code_of(shop.patch(at, {"parcels": [{"tracking_number": "X", "weight_g": 0}]})) == (
        422, "validation_failed")


def test_the_carrier_says_where_it_is(shop, order):
    made = pack(shop, order)
    at = f"/v1/shipments/{made['id']}"
    assert code_of(shop.post(f"{at}/in-transit")) == (409, "transition_not_allowed")
    shop.post(f"{at}/ship")
    told = shop.post(f"{at}/in-transit", {"carrier_status": "Sorted in Oslo"}).json()
    assert (told["status"], told["carrier_status"]) == ("IN_TRANSIT", "Sorted in Oslo")
    assert offered(told) == ["deliver", "fail", "return", "update"]
    assert item(shop.read(order), "Pen")["delivery_state"] == "IN_TRANSIT"
    kinds = [fact["type"] for fact in shop.get(f"/v1/orders/{order['id']}/facts").json()]
    assert "shipment.in_transit" in kinds


def test_what_may_be_done_with_a_parcel_is_told(shop, order):
    one = pack(shop, order, items=[part(order, "Ink", 1)])
    assert offered(one) == ["ship", "update", "merge", "cancel"]
    many = pack(shop, order)
    assert offered(many) == ["ship", "update", "split", "merge", "cancel"]
    gone = shop.post(f"/v1/shipments/{many['id']}/ship").json()
    assert offered(gone) == ["in_transit", "deliver", "fail", "return", "update"]
    reader = shop.make_key("orders:read")
    seen = shop.get(f"/v1/orders/{order['id']}", key=reader).json()
    assert [offered(each) for each in seen["bags"][0]["shipments"]] == [[], []]


def test_the_carriers_that_are_known_are_told(shop):
    carriers = {one["name"]: one for one in shop.get("/v1/carriers").json()}
    assert {"UPS", "USPS", "FedEx", "DHL", "OnTrac", "Royal Mail", "Sendle", "PostNord", "Bring",
            "Posten", "GLS", "DPD"} <= carriers.keys()
    assert all("{tracking_number}" in one["tracking_url"] for one in carriers.values())
    reader = shop.make_key("orders:read")
    assert shop.get("/v1/carriers", key=reader).status_code == 200


def test_a_methods_own_pattern_comes_before_its_carriers(shop, order):
    shop.post("/v1/shipment-methods", {
        "code": "dhl-own", "name": "DHL", "carrier": "DHL",
        "tracking_url": "https://track.example.com/{tracking_number}"})
    shop.post("/v1/shipment-methods", {"code": "dhl-plain", "name": "DHL", "carrier": "dhl"})
    first = pack(shop, order, method="dhl-own", tracking_number="1", items=[part(order, "Pen", 1)])
    second = pack(shop, order, method="dhl-plain", tracking_number="2",
                  items=[part(order, "Pen", 1)])
    shop.post("/v1/shipment-methods", {"code": "named", "name": "PostNord MyPack"})
    fourth = pack(shop, order, bag=1, method="named", tracking_number="4")
    assert fourth["tracking_url"] == "https://tracking.postnord.com/en/?id=4"
    third = pack(shop, order, carrier="My cousin", tracking_number="3",
                 items=[part(order, "Pen", 1)])
    assert first["tracking_url"] == "https://track.example.com/1"
    assert second["tracking_url"].startswith("https://www.dhl.com/")
    assert third["tracking_url"] is None


def test_a_merchant_rearranges_its_own_parcels_only(shop, order):
    key = shop.make_key("*", merchants=["acme"])
    mine, theirs = pack(shop, order), pack(shop, order, bag=1)
    at = f"/v1/shipments/{mine['id']}"
    split = shop.post(f"{at}/split", {"items": [part(order, "Pen", 1)]}, key=key)
    assert split.status_code == 201
    assert shop.post(f"{at}/merge", {"shipment_ids": [split.json()["id"]]}, key=key
                     ).status_code == 200
    for verb, body in (("split", {"items": [part(order, "T-shirt", 1)]}),
                       ("merge", {"shipment_ids": [mine["id"]]}), ("cancel", None),
                       ("in-transit", None)):
        refused = shop.post(f"/v1/shipments/{theirs['id']}/{verb}", body, key=key)
        assert code_of(refused) == (404, "not_found")
    assert put(shop, order, "Ink", "READY", key=key).status_code == 200
    assert code_of(put(shop, order, "T-shirt", "READY", key=key)) == (404, "not_found")
    chosen = shop.post(f"/v1/orders/{order['id']}/shipment-method",
                       {"items": "all", "method": "express"}, key=key)
    assert [bag["merchant"]["code"] for bag in chosen.json()["bags"]] == ["acme"]
    assert shop.read(order)["shipping_method"] == wanted()["shipping_method"]
    assert parcels(shop, order, bag=1) == [("OPEN", "standard", None, {"T-shirt": 1})]
