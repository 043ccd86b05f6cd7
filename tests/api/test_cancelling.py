"""Cancelling an order, a bag and some units over HTTP; asking for it. [U-31…U-33, 4B.3]"""

import pytest

from tests.api.server import code_of

CANCEL = {"reason": "Out of stock", "reason_code": "INVENTORY"}


NOBODY = "01890000-0000-7000-8000-000000000000"


def at(order):
    return f"/v1/orders/{order['id']}"


def mug(order, quantity=1):
    return {"item_id": order["bags"][0]["items"][0]["id"], "quantity": quantity}


@pytest.mark.proves("U-33")
def test_a_bag_is_cancelled_and_the_other_stays(shop):
    order = shop.captured()
    done = shop.post(f"{at(order)}/cancel", {**CANCEL, "bag_id": order["bags"][0]["id"]})
    told = done.json()
    assert (done.status_code, told["status"]) == (200, "CANCELED")
    assert (told["refunded_amount"], told["reversed_amount"], told["amount"]) == (3000, 0, 3000)
    assert told["message"] == (
        "Captured amount 30.00 EUR has been refunded; authorized amount 0.00 EUR has been reversed."
    )
    after = told["order"]
    assert [bag["status"] for bag in after["bags"]] == ["CANCELED", "ACCEPTED"]
    assert after["state"]["system_state"] == "PROCESSING"
    assert after["financial_status"] == "PARTIALLY_REFUNDED"
    assert (after["total"], after["canceled_total"]) == (5000, 3000)
    assert [bag["canceled_total"] for bag in after["bags"]] == [3000, 0]
    assert after["bags"][0]["items"][0]["delivery_state"] == "CANCELED"
    assert [one["action"] for one in after["bags"][0]["allowed_actions"]] == []
    refund = after["refunds"][0]
    assert refund["reference"] == f"cancel-{told['id']}"
    assert refund["bag_id"] == order["bags"][0]["id"]


@pytest.mark.parametrize("named", ["order", "bag", "address"])
def test_units_are_cancelled_by_line_whichever_way_they_are_named(shop, named):
    order = shop.order()
    bag = order["bags"][0]["id"]
    body = {**CANCEL, "lines": [mug(order)]} | ({"bag_id": bag} if named == "bag" else {})
    way = f"/bags/{bag}" if named == "address" else ""
    told = shop.post(f"{at(order)}{way}/cancel", body).json()
    assert (told["bag_id"], told["lines"]) == (bag, [{**mug(order), "refunded": 0}])
    assert (told["refunded_amount"], told["reversed_amount"]) == (0, 1250)
    item = told["order"]["bags"][0]["items"][0]
    assert (item["quantity_canceled"], item["delivery_state"]) == (1, "PENDING")
    assert told["order"]["amounts"]["open"] == 3750
    assert told["order"]["state"]["code"] == "new"
    assert shop.post(f"{at(order)}/capture").json()["amount"] == 3750


def test_both_amounts_are_told_before_and_nothing_is_written(shop):
    order = shop.order()
    shop.post(f"{at(order)}/capture", {"amount": 4000})
    order = shop.read(order)
    dry = shop.post(f"{at(order)}/cancel", {"lines": [mug(order)], "dry_run": True})
    told = dry.json()
    assert (dry.status_code, told["status"]) == (200, "CANCELED")
    assert (told["refunded_amount"], told["reversed_amount"]) == (650, 600)
    assert [(one["type"], one["amount"]) for one in told["transactions"]] == [
        ("VOID", 600), ("REFUND", 650),
    ]
    assert shop.read(order) == order
    assert shop.get(f"{at(order)}/cancellations").json() == []


def test_cancellations_are_listed_with_what_became_of_the_money(shop):
    order = shop.captured()
    shop.post(f"{at(order)}/cancel", {**CANCEL, "lines": [mug(order)]})
    shop.post(f"{at(order)}/cancel", {"bag_id": order["bags"][1]["id"], "restock_items": False})
    shop.post(f"{at(order)}/cancel", {"notify_customer": True})
    told = shop.get(f"{at(order)}/cancellations").json()
    assert [(one["status"], one["refunded_amount"], one["amount"]) for one in told] == [
        ("CANCELED", 1250, 1250), ("CANCELED", 2000, 2000), ("CANCELED", 1750, None),
    ]
    assert [one["restock_items"] for one in told] == [True, False, True]
    assert [one["reason_code"] for one in told] == ["INVENTORY", "OTHER", "OTHER"]
    assert all(one["order"] is None and one["finished_at"] for one in told)
    assert [one["email"] for one in told] == ["not_asked", "not_asked", "queued"]
    assert shop.read(order)["state"]["code"] == "canceled"
    assert code_of(shop.get("/v1/orders/01890000-0000-7000-8000-000000000000/cancellations")) == (
        404, "not_found")


def test_the_last_live_bag_ends_the_order(shop):
    order = shop.order()
    for bag in order["bags"]:
        told = shop.post(f"{at(order)}/bags/{bag['id']}/cancel").json()
    assert told["order"]["state"]["code"] == "canceled"
    assert told["order"]["amounts"]["voided"] == 5000
    assert told["bag_id"] is None
    kinds = [one["type"] for one in shop.get(f"{at(order)}/facts").json()]
    assert kinds.count("order.canceled") == kinds.count("order.part_canceled") == 1


def test_the_same_request_again_is_the_same_answer(shop):
    order = shop.captured()
    body = {"lines": [mug(order)]}
    first = shop.post(f"{at(order)}/cancel", body, idempotency_key="one-mug")
    again = shop.post(f"{at(order)}/cancel", body, idempotency_key="one-mug")
    assert again.headers["idempotent-replayed"] == "true"
    assert again.text == first.text
    assert len(shop.get(f"{at(order)}/cancellations").json()) == 1


def test_what_has_left_is_refused_and_the_waiting_rest_completes_the_order(shop):
    order = shop.order()
    bag = order["bags"][0]
    made = shop.post(f"{at(order)}/bags/{bag['id']}/shipments", {"items": [mug(order)]}).json()
    shop.post(f"/v1/shipments/{made['id']}/ship")
    whole = shop.post(f"{at(order)}/cancel", {"bag_id": bag["id"]})
    assert code_of(whole) == (409, "invalid_state")
    two = shop.post(f"{at(order)}/cancel", {"lines": [mug(order, 2)]})
    assert (code_of(two), two.json()["left"]) == ((409, "invalid_state"), 1)
    shop.post(f"{at(order)}/cancel", {"bag_id": order["bags"][1]["id"]})
    done = shop.post(f"{at(order)}/cancel", {"lines": [mug(order)]}).json()
    assert done["order"]["state"]["code"] == "completed"
    assert done["order"]["fulfillment_status"] == "SHIPPED"


@pytest.mark.parametrize(("body", "code"), [
    ({"lines": []}, (422, "validation_failed")),
    ({"lines": [{"item_id": "x"}]}, (422, "validation_failed")),
    ({"lines": [{"item_id": "x", "quantity": 1}]}, (422, "unknown_reference")),
    ({"bag_id": "01890000-0000-7000-8000-000000000000"}, (404, "not_found")),
    ({"items": []}, (422, "validation_failed")),
    ({"cancellation_id": NOBODY}, (404, "not_found")),
    ({"cancellation_id": NOBODY, "bag_id": NOBODY}, (422, "validation_failed")),
    ({"cancellation_id": NOBODY, "lines": [{"item_id": NOBODY, "quantity": 1}]},
     (422, "validation_failed")),
])  # fmt: skip
def test_what_makes_no_sense_is_named(shop, body, code):
    assert code_of(shop.post(f"{at(shop.order())}/cancel", body)) == code


def test_a_merchant_cancels_what_is_its_own_and_hears_of_its_own(shop):
    order = shop.captured()
    key = shop.make_key("*", merchants=["acme"])
    assert code_of(shop.post(f"{at(order)}/cancel", key=key)) == (403, "merchant_limited")
    other = shop.post(f"{at(order)}/cancel", {"bag_id": order["bags"][1]["id"]}, key=key)
    assert code_of(other) == (404, "not_found")
    shop.post(f"{at(order)}/cancel", {"bag_id": order["bags"][1]["id"]})
    half = shop.post(f"{at(order)}/cancel", {"lines": [mug(order)]}, key=key).json()
    assert (half["refunded_amount"], half["order"]["total"]) == (1250, 3000)
    (seen,) = shop.get(f"{at(order)}/cancellations", key=key).json()
    assert seen["id"] == half["id"]
    assert code_of(shop.post(f"{at(order)}/cancel-request", key=key)) == (403, "merchant_limited")
    last = shop.post(f"{at(order)}/cancel", {"bag_id": order["bags"][0]["id"]}, key=key).json()
    assert (last["refunded_amount"], last["order"]["state"]["code"]) == (1750, "canceled")


@pytest.mark.proves("U-7")
def test_a_cancellation_is_asked_for_and_declined(shop):
    order = shop.order()
    asked = shop.post(f"{at(order)}/cancel-request",
                      {"reason": "Ordered twice", "reason_code": "CUSTOMER"})
    assert (asked.status_code, asked.json()["state"]["code"]) == (200, "cancel_requested")
    assert asked.json()["notes"][0]["body"] == "Ordered twice"
    names = [one["action"] for one in asked.json()["allowed_actions"]]
    assert {"cancel", "decline_cancel"} <= set(names)
    assert shop.post(f"{at(order)}/cancel-request").status_code == 200
    assert code_of(shop.post(f"{at(order)}/capture")) == (409, "invalid_state")
    assert code_of(shop.post(f"{at(order)}/cancel", {"lines": [mug(order)]})) == (
        409, "invalid_state")
    back = shop.post(f"{at(order)}/cancel-request/decline", {"note": "It is packed."})
    assert (back.status_code, back.json()["state"]["code"]) == (200, "new")
    assert code_of(shop.post(f"{at(order)}/cancel-request/decline")) == (409, "invalid_state")
    facts = shop.get(f"{at(order)}/facts").json()
    kinds = [one["type"] for one in facts]
    assert kinds[-4:] == ["order.state_changed", "order.cancel_requested",
                          "order.state_changed", "order.cancel_declined"]
    assert "Ordered twice" not in str(facts)
    assert shop.get(f"{at(order)}/cancellations").json() == []
    shop.post(f"{at(order)}/cancel-request")
    assert shop.post(f"{at(order)}/cancel").json()["order"]["state"]["code"] == "canceled"
