"""Every code that a client may meet is met here, each at least once."""

import pytest

from tests.api.server import code_of, wanted

SOME_ID = "0199c000-0000-7000-8000-000000000001"


def test_addresses_and_methods_that_are_not_there(shop):
    for path in ("/v1", "/v1/nope", "/v2/orders", f"/v1/orders/{SOME_ID}/returns", "/v1/webhooks"):
        assert code_of(shop.get(path)) == (404, "not_found")
    answer = shop.call("DELETE", "/v1/orders/bulk")
    assert code_of(answer) == (405, "method_not_allowed")
    assert "POST" in answer.headers["allow"]
    for method in ("TRACE", "PUT", "PROPFIND"):
        assert code_of(shop.call(method, f"/v1/orders/{SOME_ID}"))[0] == 405
    assert shop.call("POST", f"/v1/orders/{SOME_ID}", **{"x-http-method-override": "PATCH"}
                     ).status_code == 405


def test_problems_carry_the_request_and_where_it_went(shop):
    answer = shop.get("/v1/nope", **{"x-request-id": "mine-7"})
    told = answer.json()
    assert answer.headers["x-request-id"] == told["trace_id"] == "mine-7"
    assert told["instance"] == "/v1/nope"
    assert told["type"] == "/docs/problems#not_found"
    made = shop.get("/v1/nope", **{"x-request-id": "no good: \x22"}).headers["x-request-id"]
    assert made not in ("", "no good: \x22")


def test_head_and_options_are_answered_sanely(shop):
    order = shop.order()
    at = f"/v1/orders/{order['id']}"
    head = shop.call("HEAD", at)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", '"2"')
    assert int(head.headers["content-length"]) == len(shop.get(at).content)
    assert shop.call("HEAD", "/v1/nope").status_code == 404
    options = shop.call("OPTIONS", at)
    assert options.status_code == 204
    assert {"GET", "PATCH"} <= set(options.headers["allow"].split(", "))


def test_who_asks_must_be_known_and_allowed(shop):
    order = shop.order()
    at = f"/v1/orders/{order['id']}"
    refused = shop.get(at, key="")
    assert code_of(refused) == (401, "unauthenticated")
    assert refused.headers["www-authenticate"] == "Bearer"
    reader = shop.make_key("orders:read")
    denied = shop.post(f"{at}/capture", key=reader)
    assert code_of(denied) == (403, "permission_denied")
    assert denied.json()["scope"] == "payments:capture"
    assert "payments:capture" in denied.json()["detail"]
    whole = shop.make_key("payments:capture")
    part = shop.post(f"{at}/capture", {"amount": 1}, key=whole)
    assert part.json()["scope"] == "payments:capture_partial"
    limited = shop.make_key("*", merchants=["acme"])
    assert code_of(shop.post(f"{at}/capture", key=limited)) == (403, "merchant_limited")


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"currency": "EURO"}, "validation_failed", "/currency"),
        ({"currency": "XQQ"}, "unknown_reference", None),
        ({"store": "nope"}, "unknown_reference", None),
        ({"payment": {"gateway": "nope"}}, "unknown_reference", None),
        ({"payment": {"gateway": "manual", "amount": 5001}}, "amount_invalid", None),
        ({"payment": {"gateway": "manual", "amount": 0}}, "validation_failed", "/payment/amount"),
        ({"total": 4999}, "totals_mismatch", None),
        ({"sub_total": 1}, "totals_mismatch", None),
        ({"bags": []}, "validation_failed", "/bags"),
        ({"bags": None}, "validation_failed", "/bags"),
        ({"items": [{"name": "x", "quantity": 1, "unit_price": 1}]}, "validation_failed", "/bags"),
        ({"placed_at": "yesterday"}, "validation_failed", "/placed_at"),
        ({"placed_at": "2026-11-20T10:15:00"}, "validation_failed", "/placed_at"),
        ({"tags": ["x"] * 31}, "validation_failed", "/tags"),
        ({"customer": {"mail": "x"}}, "validation_failed", "/customer/mail"),
        ({"financial_status": "PAID"}, "validation_failed", "/financial_status"),
        ({"bags": [{"items": [{"name": "x", "quantity": 0, "unit_price": 1}]}]},
         "validation_failed", "/bags/0/items/0/quantity"),
        ({"bags": [{"items": [{"name": "x", "quantity": 1, "unit_price": 10**12}]}]},
         "validation_failed", "/bags/0/items/0/unit_price"),
        ({"bags": [{"items": [{"name": "x", "quantity": 1, "unit_price": -5}]}]},
         "totals_mismatch", None),
    ],
)
def test_an_order_that_cannot_be_is_refused(shop, changes, code, pointer):
    answer = shop.post("/v1/orders", wanted(**changes))
    assert code_of(answer) == (422, code), answer.text
    if pointer is not None:
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.proves("Z-9")
def test_money_is_refused_with_both_amounts(shop):
    order = shop.order()
    at = f"/v1/orders/{order['id']}"
    refused = shop.post(f"{at}/capture", {"amount": 5001})
    assert code_of(refused) == (422, "amount_invalid")
    assert (refused.json()["asked"], refused.json()["open"]) == (5001, 5000)
    assert code_of(shop.post(f"{at}/refund", {"reference": "x"})) == (409, "invalid_state")
    shop.post(f"{at}/capture")
    assert code_of(shop.post(f"{at}/capture")) == (409, "invalid_state")
    assert code_of(shop.post(f"{at}/void")) == (409, "invalid_state")
    assert code_of(shop.post(f"{at}/refund", {"amount": 1})) == (422, "refund_reference_required")
    over = shop.post(f"{at}/refund", {"amount": 5001, "reference": "over"})
    assert (code_of(over), over.json()["refundable"]) == ((422, "amount_invalid"), 5000)
    first = shop.post(f"{at}/refund", {"amount": 100, "reference": f"same-{order['id']}"})
    again = shop.post(f"{at}/refund", {"amount": 100, "reference": f"same-{order['id']}"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    other = shop.post(f"{at}/refund", {"amount": 101, "reference": f"same-{order['id']}"})
    assert code_of(other) == (409, "refund_reference_conflict")
    wrong_parts = shop.post(f"{at}/refund", {
        "amount": 100, "reference": "parts",
        "allocations": [{"bag_id": order["bags"][0]["id"], "amount": 99}]})
    assert code_of(wrong_parts) == (422, "amount_invalid")
    assert code_of(shop.post(f"{at}/capture", {"payment_id": SOME_ID}))[0] == 409


@pytest.mark.proves("Z-18")
async def test_a_store_that_captures_in_full_says_so(api, api_pool):
    from tests.api.server import open_shop

    strict = await open_shop(api, api_pool, partial=False)
    order = strict.order()
    refused = strict.post(f"/v1/orders/{order['id']}/capture", {"amount": 2000})
    assert code_of(refused) == (403, "partial_capture_not_enabled")


def test_states_refuse_ways_that_are_not_there(shop):
    order = shop.order()
    at = f"/v1/orders/{order['id']}"
    refused = shop.post(f"{at}/state", {"state": "completed"})
    assert code_of(refused) == (409, "transition_not_allowed")
    assert code_of(shop.post(f"{at}/state", {"state": "nope"})) == (422, "unknown_reference")
    shop.post(f"{at}/cancel")
    assert code_of(shop.post(f"{at}/cancel")) == (409, "invalid_state")
    assert code_of(shop.post(f"{at}/state", {"state": "new"})) == (409, "transition_not_allowed")
    assert code_of(shop.post(f"{at}/cancel", {"bag_id": order["bags"][0]["id"]})) == (
        409, "invalid_state")


@pytest.mark.proves("U-16", "N-25")
def test_an_order_under_review_is_held(shop):
    order = shop.order(fraud_review=True)
    at = f"/v1/orders/{order['id']}"
    held = shop.post(f"{at}/capture")
    assert code_of(held) == (409, "order_on_hold")
    assert held.json()["holds"] == ["fraud-review"]
    shut = shop.post(f"{at}/bags/{order['bags'][0]['id']}/shipments", {})
    assert code_of(shut) == (409, "shipment_update_not_allowed")


@pytest.mark.proves("U-18", "U-25")
def test_parcels_refuse_what_cannot_be_sent(shop):
    order = shop.order()
    acme, zeta = order["bags"]
    at = f"/v1/orders/{order['id']}/bags"
    mug = acme["items"][0]["id"]
    many = shop.post(f"{at}/{acme['id']}/shipments", {"items": [{"item_id": mug, "quantity": 3}]})
    assert code_of(many) == (422, "amount_invalid")
    foreign = shop.post(f"{at}/{zeta['id']}/shipments",
                        {"items": [{"item_id": mug, "quantity": 1}]})
    assert code_of(foreign) == (422, "unknown_reference")
    assert code_of(shop.post(f"{at}/{acme['id']}/shipments", {"method": "rocket"})) == (
        422, "unknown_reference")
    assert code_of(shop.post(f"{at}/{SOME_ID}/shipments", {})) == (404, "not_found")
    parcel = shop.post(f"{at}/{acme['id']}/shipments", {"external_id": "wms-1"}).json()
    again = shop.post(f"{at}/{acme['id']}/shipments", {"external_id": "wms-1"})
    assert (again.status_code, again.json()["id"]) == (200, parcel["id"])
    early = shop.patch(f"/v1/shipments/{parcel['id']}", {"tracking_number": "T-1"})
    assert code_of(early) == (409, "tracking_not_allowed")
    shop.post(f"{at}/{zeta['id']}/shipments", {"tracking_number": "T-1"})
    other = shop.order()
    assert shop.post(f"/v1/orders/{other['id']}/bags/{other['bags'][0]['id']}/shipments",
                     {"tracking_number": "T-1"}).status_code == 201
    taken = shop.post(f"/v1/orders/{other['id']}/bags/{other['bags'][1]['id']}/shipments",
                      {"tracking_number": "T-1"})
    assert code_of(taken) == (409, "tracking_number_taken")
    assert code_of(shop.post(f"/v1/shipments/{parcel['id']}/deliver")) == (
        409, "transition_not_allowed")
    shop.post(f"/v1/shipments/{parcel['id']}/ship")
    assert code_of(shop.patch(f"/v1/shipments/{parcel['id']}", {"method": "express"})) == (
        409, "shipment_update_not_allowed")
    assert code_of(shop.post(f"/v1/shipments/{SOME_ID}/ship")) == (404, "not_found")


def test_a_version_that_moved_on_is_refused_with_who_moved_it(shop):
    order = shop.order()
    at = f"/v1/orders/{order['id']}"
    assert shop.post(f"{at}/notes", {"body": "first"}, if_match='"2"').status_code == 201
    for method, path, body in (
        ("POST", f"{at}/capture", {}), ("POST", f"{at}/void", {}), ("POST", f"{at}/cancel", {}),
        ("POST", f"{at}/notes", {"body": "x"}), ("POST", f"{at}/state", {"state": "processing"}),
        ("PATCH", at, {"tags": ["x"]}), ("POST", f"{at}/acknowledge", None),
        ("POST", f"{at}/bags/{order['bags'][0]['id']}/shipments", {}),
    ):
        stale = shop.call(method, path, body, if_match='"2"')
        assert code_of(stale) == (412, "version_conflict"), path
        assert stale.json()["version"] == 3
        assert stale.json()["changed_by"][0]["name"] == "ci"
    ahead = shop.post(f"{at}/capture", {}, if_match='"9"')
    assert code_of(ahead) == (412, "version_conflict")
    assert shop.post(f"{at}/capture", {}, if_match="*").status_code == 201


def test_set_up_refuses_what_cannot_be(shop):
    assert shop.post("/v1/merchants", {"code": "m1", "name": "One"}).status_code == 201
    assert code_of(shop.post("/v1/merchants", {"code": "m1", "name": "Two"})) == (
        409, "code_taken")
    assert code_of(shop.patch("/v1/merchants/nope", {"name": "x"})) == (404, "not_found")
    assert code_of(shop.post("/v1/merchants", {"code": "a b", "name": "x"}))[0] == 422
    assert code_of(shop.post("/v1/stores", {"code": "s", "name": "S", "currency": "XXQ"}))[0] == 422
    assert code_of(shop.post("/v1/gateways", {"code": "z", "kind": "bank"}))[0] == 422
    assert code_of(shop.post("/v1/gateways", {"code": "s", "kind": "sandbox"})) == (
        422, "gateway_misconfigured")
    for hold in ("x", 0, 10**12):
        body = {"code": "h", "kind": "manual", "settings": {"hold_seconds": hold}}
        assert code_of(shop.post("/v1/gateways", body))[0] == 422
    made = shop.post("/v1/gateways", {"code": "cash", "kind": "manual", "store": "main",
                                      "credentials": {"token": "CANARY-token"}})
    assert made.status_code == 201
    assert "CANARY" not in made.text + shop.get("/v1/gateways").text
    assert made.json()["has_credentials"] is True
    assert shop.patch("/v1/gateways/cash", {"credentials": None}).json()["has_credentials"] is False
    assert shop.post("/v1/gateways/cash/test").json()["ok"] is True
    assert code_of(shop.post("/v1/gateways/nope/test")) == (404, "not_found")
    beyond = shop.post("/v1/api-keys", {"name": "x", "scopes": ["orders:read"]},
                       key=shop.make_key("access:manage"))
    assert code_of(beyond) == (403, "permission_denied")
    assert code_of(shop.post("/v1/api-keys", {"name": "x", "scopes": ["everything"]}))[0] == 422


@pytest.mark.parametrize("path", ["/v1/stores", "/v1/merchants", "/v1/gateways", "/v1/api-keys"])
def test_lists_refuse_what_they_do_not_know(shop, path):
    for query in ("limit=0", "limit=101", "limit=x", "limit=5&limit=6", "cursor=%21",
                  "cursor=e30", "page=2", "limit="):
        assert code_of(shop.get(f"{path}?{query}")) == (422, "validation_failed"), query
    page = shop.get(f"{path}?limit=1").json()
    assert page.keys() == {"data", "next_cursor", "count"}
    assert page["count"]["at_least"] is False
    assert len(page["data"]) == 1
