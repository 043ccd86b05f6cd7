"""Order configurations over the API: states, emptying one, and shipment methods.

[U-3, U-4, U-10, U-11; rulings 6, 37, 41]
"""

import pytest

from tests.api.server import code_of

PICKING = {"code": "picking", "name": "Picking", "system_state": "PROCESSING", "colour": "teal"}


def states_of(shop, **query):
    words = "&".join(f"{name}={value}" for name, value in query.items())
    return {one["code"]: one for one in shop.get(f"/v1/order-states?{words}").json()["data"]}


def test_a_state_is_made_used_kept_and_let_go(own_shop):
    """U-4: the listed states are examples, others are added. U-11: an order can go to them."""
    shop = own_shop
    made = shop.post("/v1/order-states", PICKING)
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["in_use"], told["orders"]) == (False, {"value": 0, "at_least": False})
    assert shop.get("/v1/order-states/picking").json() == told
    assert states_of(shop)["picking"] == told
    assert code_of(shop.post("/v1/order-states", PICKING)) == (409, "code_taken")
    order = shop.order()
    at = f"/v1/orders/{order['id']}"
    put = shop.post(f"{at}/state", {"state": "picking"}).json()
    assert put["state"] == {"code": "picking", "name": "Picking", "system_state": "PROCESSING",
                            "colour": "teal"}
    assert states_of(shop, store="main")["picking"]["orders"] == {"value": 1, "at_least": False}
    listed = shop.get("/v1/orders?state=picking").json()["data"]
    assert [one["id"] for one in listed] == [order["id"]]
    renamed = shop.patch("/v1/order-states/picking", {"name": "Packing"})
    assert code_of(renamed) == (409, "state_in_use")
    free = shop.patch("/v1/order-states/picking", {"description": "x", "position": 1})
    assert (free.json()["description"], free.json()["position"]) == ("x", 1)
    assert code_of(shop.call("DELETE", "/v1/order-states/picking")) == (409, "state_in_use")
    assert shop.post(f"{at}/state", {"state": "processing"}).status_code == 200
    gone = shop.call("DELETE", "/v1/order-states/picking", idempotency_key="gone")
    again = shop.call("DELETE", "/v1/order-states/picking", idempotency_key="gone")
    assert (gone.status_code, again.status_code, gone.content) == (204, 204, b"")
    assert code_of(shop.get("/v1/order-states/picking")) == (404, "not_found")


def test_a_store_has_its_own_names_for_delivery_states(own_shop):
    shop = own_shop
    states = shop.get("/v1/delivery-states").json()["data"]
    assert [one["code"] for one in states][:2] == ["PENDING", "PROCESSING"]
    assert {one["label"] for one in states} == {None}
    made = shop.patch("/v1/delivery-states/PENDING", {"label": "Waiting"})
    assert made.json() == {"code": "PENDING", "name": "Pending", "label": "Waiting"}
    item = shop.order()["bags"][0]["items"][0]
    assert (item["delivery_state"], item["delivery_label"]) == ("PENDING", "Waiting")
    assert shop.patch("/v1/delivery-states/PENDING", {"label": None}).status_code == 200
    assert shop.order()["bags"][0]["items"][0]["delivery_label"] == "Pending"
    assert code_of(shop.patch("/v1/delivery-states/LOST", {"label": "x"})) == (404, "not_found")
    for wrong in ("", " x", "x" * 61, "two\u0085lines", "to\u202euoy"):
        refused = shop.patch("/v1/delivery-states/READY", {"label": wrong})
        assert code_of(refused) == (422, "validation_failed")
    assert refused.json()["detail"].startswith("Write something in one line, without control")
    assert shop.patch("/v1/stores/main", {"delivery_labels": {}}).status_code == 422


def test_no_two_delivery_states_of_a_store_read_alike(own_shop):
    """U-15: they are chosen from a list, by these names."""
    shop = own_shop
    label = "/v1/delivery-states/{}".format
    refused = shop.patch(label("READY"), {"label": "shipped"})
    assert code_of(refused) == (422, "validation_failed")
    assert refused.json()["detail"] == "shipped is what Shipped is called already."
    assert shop.patch(label("SHIPPED"), {"label": "Gone"}).status_code == 200
    assert shop.patch(label("READY"), {"label": "Shipped"}).status_code == 200
    assert code_of(shop.patch(label("SHIPPED"), {"label": None})) == (422, "validation_failed")
    told = {one["code"]: one["label"] for one in shop.get("/v1/delivery-states").json()["data"]}
    assert (told["READY"], told["SHIPPED"]) == ("Shipped", "Gone")


@pytest.mark.parametrize("system_state", ["COMPLETED", "CANCELED", "CANCEL_REQUESTED", "nonsense"])
def test_what_a_state_cannot_count_as(shop, system_state):
    wrong = shop.post("/v1/order-states", {**PICKING, "system_state": system_state})
    assert code_of(wrong) == (422, "state_not_mappable")


def test_what_is_built_in_stays(shop):
    assert code_of(shop.call("DELETE", "/v1/order-states/new")) == (409, "state_in_use")
    assert code_of(shop.patch("/v1/order-states/new", {"name": "Neu"})) == (409, "state_in_use")
    assert shop.patch("/v1/order-states/new", {"description": "Just in"}).status_code == 200


def test_next_narrows_where_an_order_may_go_and_the_order_says_so(own_shop):
    """U-3: the state is chosen from those there are. U-10: Suspended is not reached from New."""
    shop = own_shop
    shop.post("/v1/order-states", {"code": "packed", "name": "Packed",
                                   "system_state": "PROCESSING"})
    made = shop.post("/v1/order-states", {**PICKING, "next": ["packed", "suspended"]})
    assert made.json()["next"] == ["packed", "suspended"]
    order = shop.order()
    at = f"/v1/orders/{order['id']}"

    def allowed():
        told = shop.get(f"{at}/states").json()
        assert all(one["allowed"] == (not one["current"] and one["why_not"] is None)
                   for one in told)
        return [one["code"] for one in told if one["allowed"]], {o["code"]: o for o in told}

    codes, told = allowed()
    assert codes == ["processing", "canceled", "cancel_requested", "fraud", "packed", "picking"]
    assert told["new"]["current"]
    assert "Only an order in work" in told["suspended"]["why_not"]
    shop.post(f"{at}/state", {"state": "picking"})
    codes, told = allowed()
    assert codes == ["canceled", "suspended", "packed"]
    assert told["fraud"]["why_not"] == "From Picking it may go to Suspended, Packed."
    refused = shop.post(f"{at}/state", {"state": "fraud"})
    assert code_of(refused) == (409, "transition_not_allowed")
    assert refused.json()["allowed"] == ["packed", "suspended"]
    assert shop.post(f"{at}/state", {"state": "packed"}).status_code == 200
    gone = shop.post(f"{at}/state", {"state": "canceled"})
    assert gone.status_code == 200, gone.text
    codes, told = allowed()
    assert (codes, told["canceled"]["current"]) == ([], True), "choosing it ran the cancellation"


def test_a_state_is_emptied_by_batches(own_shop):
    shop = own_shop
    shop.post("/v1/order-states", {"code": "intake", "name": "Intake", "system_state": "NEW"})
    orders = [shop.order() for _ in range(3)]
    for order in orders:
        shop.post(f"/v1/orders/{order['id']}/state", {"state": "intake"})
    at = "/v1/order-states/intake/migrate"
    dry = shop.post(at, {"to": "processing", "dry_run": True}).json()
    assert (dry["looked"], dry["moved"], dry["left"]["value"]) == (3, 3, 3)
    kept = shop.post(at, {"to": "completed", "dry_run": True}).json()["kept"]
    numbers = [order["number"] for order in orders]
    assert kept == [{"code": "transition_not_allowed", "why": "Not every item has been shipped.",
                     "count": 3, "numbers": numbers}]
    body = {"to": "processing", "limit": 2}
    first = shop.post(at, body, idempotency_key="m1")
    assert first.status_code == 200, first.text
    assert first.json()["moved"] == 2
    again = shop.post(at, body, idempotency_key="m1")
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    other = shop.post(at, {"to": "new"}, idempotency_key="m1")
    assert code_of(other) == (422, "idempotency_key_reused")
    rest = shop.post(at, {"to": "processing", "cursor": first.json()["next_cursor"]}).json()
    assert (rest["moved"], rest["next_cursor"]) == (1, None)
    facts = shop.get(f"/v1/orders/{orders[2]['id']}/facts").json()
    assert facts[-1]["type"] == "order.state_changed"
    assert code_of(shop.post(at, {"to": "intake"})) == (422, "validation_failed")
    assert code_of(shop.post(at, {"to": "nowhere"})) == (422, "unknown_reference")


def test_who_may(own_shop):
    shop = own_shop
    reader = shop.make_key("orders:read")
    assert shop.get("/v1/order-states", key=reader).status_code == 200
    assert shop.get("/v1/shipment-methods", key=reader).status_code == 200
    for method, path, body in (
        ("POST", "/v1/order-states", PICKING), ("PATCH", "/v1/order-states/new", {}),
        ("DELETE", "/v1/order-states/new", None),
        ("POST", "/v1/order-states/new/migrate", {"to": "processing"}),
        ("POST", "/v1/shipment-methods", {"code": "x", "name": "X"}),
        ("PATCH", "/v1/shipment-methods/express", {}),
    ):
        assert code_of(shop.call(method, path, body, key=reader)) == (403, "permission_denied")
        limited = shop.make_key("*", merchants=["main"])
        told = code_of(shop.call(method, path, body, key=limited))
        assert told == (403, "merchant_limited"), path


def test_shipment_methods(own_shop):
    shop = own_shop
    link = "https://track.example.com/{tracking_number}"
    made = shop.post("/v1/shipment-methods", {
        "code": "bike", "name": "Bike", "carrier": "Riders", "tracking_url": link})
    assert made.status_code == 201, made.text
    listed = shop.get("/v1/shipment-methods?store=main").json()
    assert [one["code"] for one in listed["data"]] == ["bike", "express", "standard"]
    told = shop.patch("/v1/shipment-methods/bike?store=main", {"enabled": False}).json()
    assert told == {**made.json(), "enabled": False}
    assert code_of(shop.post("/v1/shipment-methods", {"code": "bike", "name": "B"})) == (
        409, "code_taken")
    wrong = shop.post("/v1/shipment-methods", {"code": "x", "name": "X", "tracking_url": "ftp:"})
    assert code_of(wrong) == (422, "validation_failed")
    assert code_of(shop.patch("/v1/shipment-methods/x", {"name": "X"})) == (404, "not_found")


def test_where_there_are_several_stores_one_is_named(own_shop):
    shop = own_shop
    shop.post("/v1/stores", {"code": "oslo", "name": "Oslo", "currency": "NOK"})
    assert code_of(shop.post("/v1/order-states", PICKING)) == (422, "unknown_reference")
    assert shop.post("/v1/order-states", {**PICKING, "store": "oslo"}).status_code == 201
    assert code_of(shop.get("/v1/order-states/picking")) == (422, "unknown_reference")
    assert shop.get("/v1/order-states/picking?store=oslo").json()["store"] == "oslo"
    assert "picking" not in states_of(shop, store="main")
    moved = shop.post("/v1/order-states/picking/migrate?store=oslo", {"to": "new"})
    assert moved.json()["looked"] == 0
