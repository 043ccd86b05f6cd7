"""The order's life, as api.md writes it."""

import pytest

from tests.api.server import code_of, wanted


@pytest.mark.proves("Z-6", "U-5")
def test_an_order_is_taken_in_as_the_example_says(shop):
    answer = shop.post("/v1/orders", wanted(external_id="web-1001"))
    order = answer.json()
    assert answer.status_code == 201
    assert answer.headers["etag"] == '"2"'
    assert answer.headers["location"] == f"/v1/orders/{order['id']}"
    assert (order["number"], order["version"], order["channel"]) == ("1001", 2, "api")
    assert order["state"] == {
        "code": "new", "name": "New", "system_state": "NEW", "colour": "blue"
    }
    assert order["display_status"] == "Authorised"
    assert (order["financial_status"], order["fulfillment_status"], order["fraud_status"]) == (
        "AUTHORIZED", "PROCESSING", "NOT_REQUIRED"
    )
    assert (order["sub_total"], order["shipping_total"], order["total"]) == (4500, 500, 5000)
    assert order["amounts"] == {
        "authorized": 5000, "captured": 0, "voided": 0, "expired": 0, "refunded": 0, "open": 5000,
        "refundable": 0, "pending": 0, "refund_pending": 0, "due": 0,
    }
    acme, zeta = order["bags"]
    assert (acme["merchant"], acme["total"], acme["status"]) == (
        {"code": "acme", "name": "acme"}, 3000, "ACCEPTED"
    )
    assert (zeta["merchant"]["code"], zeta["total"]) == ("zeta", 2000)
    (mug,) = acme["items"]
    assert (mug["sku"], mug["line_total"], mug["delivery_state"]) == ("MUG-1", 2500, "PENDING")
    assert order["payments"][0]["status"] == "AUTHORIZED"
    assert order["payments"][0]["expires_at"] is None
    assert order["allowed_actions"] == [
        {"action": "capture", "max_amount": 5000}, {"action": "void", "max_amount": 5000},
        {"action": "cancel"},
    ]
    assert (order["refunds"], order["returns"], order["notes"]) == ([], [], [])
    read = shop.get(f"/v1/orders/{order['id']}")
    assert (read.json(), read.headers["etag"]) == (order, '"2"')


@pytest.mark.proves("U-6", "U-25", "V-1", "V-12", "V-14", "V-16")
def test_money_and_goods_go_their_way_to_the_end(shop):
    order = shop.order()
    at = f"/v1/orders/{order['id']}"
    taken = shop.post(f"{at}/capture", {"amount": 2000}, if_match='"2"')
    assert taken.status_code == 201
    assert (taken.json()["type"], taken.json()["status"], taken.json()["amount"]) == (
        "CAPTURE", "SUCCEEDED", 2000
    )
    assert [part["amount"] for part in taken.json()["allocations"]] == [1200, 800]
    assert taken.json()["order"]["financial_status"] == "PARTIALLY_PAID"
    rest = shop.post(f"{at}/capture")
    assert (rest.status_code, rest.json()["amount"]) == (201, 3000)

    back = shop.post(f"{at}/refund", {
        "reference": "R-1", "amount": 700, "reason": "Chipped", "reason_code": "CUSTOMER"})
    assert (back.status_code, back.json()["status"]) == (201, "COMPLETED")
    assert sum(part["amount"] for part in back.json()["allocations"]) == 700

    for number, bag in enumerate(order["bags"]):
        parcel = shop.post(f"{at}/bags/{bag['id']}/shipments", {
            "items": [{"item_id": bag["items"][0]["id"],
                       "quantity": bag["items"][0]["quantity"]}],
            "method": "express", "carrier": "Posten", "tracking_number": f"PN-{number}"})
        assert (parcel.status_code, parcel.json()["status"]) == (201, "OPEN")
        there = f"/v1/shipments/{parcel.json()['id']}"
        changed = shop.patch(there, {"tracking_number": f"PN-{number}-B"})
        assert changed.json()["tracking_number"] == f"PN-{number}-B"
        assert shop.post(f"{there}/ship").json()["status"] == "SHIPPED"
        assert shop.post(f"{there}/deliver").json()["status"] == "DELIVERED"

    end = shop.read(order)
    assert end["state"]["code"] == "completed"
    assert (end["fulfillment_status"], end["financial_status"]) == (
        "DELIVERED", "PARTIALLY_REFUNDED"
    )
    assert end["amounts"]["refundable"] == 4300
    refunds = shop.get(f"{at}/refunds").json()
    assert [refund["reference"] for refund in refunds] == ["R-1"]
    assert shop.get(f"{at}/refunds/{refunds[0]['id']}").json()["amount"] == 700
    kinds = [row["type"] for row in shop.get(f"{at}/transactions").json()]
    assert kinds == ["AUTHORIZE", "CAPTURE", "CAPTURE", "REFUND"]
    row = shop.get(f"{at}/transactions").json()[1]
    assert shop.get(f"{at}/transactions/{row['id']}").json() == row


@pytest.mark.proves("V-1", "V-12", "V-13", "V-14", "V-15", "V-16")
def test_a_bag_is_refunded_in_either_set_of_words(shop):
    order = shop.captured()
    acme, zeta = order["bags"]
    at = f"/v1/orders/{order['id']}/bags"
    ours = shop.post(f"{at}/{acme['id']}/refunds", {
        "reference": "R-ours", "lines": [{"item_id": acme["items"][0]["id"], "quantity": 1}]})
    assert (ours.status_code, ours.json()["amount"], ours.json()["bag_id"]) == (
        201, 1250, acme["id"]
    )
    theirs = shop.post(f"{at}/{acme['id']}/refunds", {
        "skus": [{"order_sku_id": acme["items"][0]["id"], "quantity_refunded": 1,
                  "amount_refunded": 1000}],
        "shipping": {"amount": 500}, "reason": "Broken"})
    assert (theirs.status_code, theirs.json()["amount"]) == (201, 1500)
    assert theirs.json()["reference"]
    whole = shop.post(f"{at}/{zeta['id']}/refunds", {"amount_refunded": 2000})
    assert whole.json()["allocations"] == [{"bag_id": zeta["id"], "amount": 2000}]
    made = [one.json()["id"] for one in (ours, theirs, whole)]
    lists = (f"/v1/orders/{order['id']}", f"{at}/{acme['id']}", f"{at}/{zeta['id']}")
    listed = [[one["id"] for one in shop.get(f"{of}/refunds").json()] for of in lists]
    assert listed == [made, made[:2], made[2:]], "all of them, the oldest first"
    other = shop.order()["id"]
    assert shop.get(f"/v1/orders/{other}/refunds").json() == []
    assert code_of(shop.get(f"/v1/orders/{other}/refunds/{made[0]}")) == (404, "not_found")
    elsewhere = shop.get(f"/v1/orders/{other}/bags/{acme['id']}/refunds")
    assert code_of(elsewhere) == (404, "not_found")
    twice = shop.post(f"{at}/{zeta['id']}/refunds", {"amount": 1, "amount_refunded": 1})
    assert twice.status_code == 422


@pytest.mark.proves("Z-23", "Z-25")
def test_void_releases_a_part_and_then_all_of_it(shop):
    order = shop.order()
    at = f"/v1/orders/{order['id']}"
    part = shop.post(f"{at}/void", {"amount": 1000})
    assert (part.status_code, part.json()["order"]["financial_status"]) == (201, "AUTHORIZED")
    rest = shop.post(f"{at}/void")
    assert (rest.json()["amount"], rest.json()["order"]["financial_status"]) == (4000, "VOIDED")
    assert shop.read(order)["state"]["code"] == "canceled"


@pytest.mark.proves("U-7", "U-33")
def test_cancel_settles_the_money_and_says_both_amounts(shop):
    order = shop.order()
    at = f"/v1/orders/{order['id']}"
    shop.post(f"{at}/capture", {"amount": 2000})
    done = shop.post(f"{at}/cancel", {"reason": "Changed their mind", "reason_code": "CUSTOMER",
                                      "notify_customer": True})
    told = done.json()
    assert (done.status_code, told["status"], told["email"]) == (200, "CANCELED", "queued")
    assert (told["refunded_amount"], told["reversed_amount"]) == (2000, 3000)
    assert told["message"] == (
        "Captured amount 20.00 EUR has been refunded;"
        " authorized amount 30.00 EUR has been reversed."
    )
    assert told["order"]["state"]["code"] == "canceled"


@pytest.mark.proves("U-7", "U-9")
def test_the_state_is_changed_and_canceled_runs_the_cancellation(shop):
    order = shop.order()
    at = f"/v1/orders/{order['id']}"
    moved = shop.post(f"{at}/state", {"state": "processing"})
    assert moved.json()["state"]["code"] == "processing"
    assert shop.post(f"{at}/state", {"state": "processing"}).status_code == 200
    ended = shop.post(f"{at}/state", {"state": "canceled"})
    assert (ended.status_code, ended.json()["id"]) == (200, order["id"])
    assert ended.json()["state"]["code"] == "canceled"
    assert ended.json()["amounts"]["voided"] == 5000


@pytest.mark.proves("U-12", "U-13")
def test_an_order_is_edited_and_annotated(shop):
    order = shop.order()
    at = f"/v1/orders/{order['id']}"
    edited = shop.patch(at, {"invoice_number": "F-1", "tags": ["vip", "late", "vip"],
                             "customer": {"email": "k@example.com"}, "billing_address": None})
    told = edited.json()
    assert edited.headers["etag"] == '"4"'
    assert (told["invoice_number"], told["tags"], told["billing_address"]) == (
        "F-1", ["vip", "late"], None
    )
    assert told["customer"] == {"email": "k@example.com"}
    assert told["shipping_address"]["city"] == "Oslo"
    assert shop.patch(at, {"invoice_number": "F-1"}).headers["etag"] == '"4"'
    note = shop.post(f"{at}/notes", {"body": "Rang twice", "visibility": "customer"})
    assert (note.status_code, note.json()["visibility"]) == (201, "customer")
    assert [one["body"] for one in shop.read(order)["notes"]] == ["Rang twice"]


def test_the_same_order_again_is_the_order_and_another_is_refused(shop):
    first = shop.post("/v1/orders", wanted(external_id="twice"))
    again = shop.post("/v1/orders", wanted(external_id="twice"))
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    other = shop.post("/v1/orders", wanted(external_id="twice", tags=[]))
    assert (other.status_code, other.json()["code"]) == (409, "duplicate_external_id")
    assert other.json()["order_id"] == first.json()["id"]


def test_items_make_one_bag_of_the_stores_own_merchant(shop):
    body = wanted(items=[{"name": "Mug", "quantity": 1, "unit_price": 900}], payment=None)
    del body["bags"]
    order = shop.post("/v1/orders", body).json()
    assert [bag["merchant"]["code"] for bag in order["bags"]] == ["main"]
    assert (order["financial_status"], order["amounts"]["due"]) == ("UNPAID", 900)


@pytest.mark.proves("Z-3", "Z-5")
def test_a_payment_taken_at_once_is_captured(shop):
    order = shop.order(payment={"gateway": "manual", "flow": "payment"})
    assert (order["version"], order["financial_status"], order["display_status"]) == (
        3, "PAID", "Approved"
    )


def test_a_dry_run_tells_and_writes_nothing(shop):
    order = shop.captured()
    at = f"/v1/orders/{order['id']}"
    told = shop.post(f"{at}/refund", {"reference": "dry", "amount": 100, "dry_run": True})
    assert (told.status_code, told.json()["amount"]) == (200, 100)
    assert shop.post(f"{at}/cancel", {"dry_run": True}).json()["refunded_amount"] == 5000
    assert shop.post(f"{at}/refund", {"reference": "dry", "amount": 9999, "dry_run": True}
                     ).status_code == 422
    assert shop.read(order) == order
