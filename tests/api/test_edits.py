"""Edits over HTTP: looked at first, done once, read again, and kept from who may not."""

import asyncio
import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.server import code_of

CAP = {"sku": "CAP-1", "name": "Cap", "quantity": 1, "unit_price": 900}


def at(order, tail=""):
    return f"/v1/orders/{order['id']}/edits{tail}"


def line(order, sku):
    return next(item for bag in order["bags"] for item in bag["items"] if item["sku"] == sku)


def one_mug(order):
    return {"lines": [{"item_id": line(order, "MUG-1")["id"], "quantity": 1}]}


def plain(told):
    return {name: told[name] for name in told
            if name not in ("id", "order", "created_at", "actor", "after")}


def same_lines(one, other):
    """Tell whether two pictures agree, but for the ids of lines that only one of them added."""
    def bare(picture):
        lines = [{**part, "item_id": None} for part in picture["lines"]]
        return {**picture, "lines": lines}
    return bare(one) == bare(other)


def test_a_dry_run_tells_what_the_edit_does_and_writes_nothing(shop):
    order = shop.order()
    body = {**one_mug(order), "add": [{**CAP, "bag_id": order["bags"][1]["id"]}],
            "shipping_total": 300, "note": "As agreed"}
    looked = shop.post(at(order), {**body, "dry_run": True})
    assert looked.status_code == 200, looked.text
    assert shop.read(order)["version"] == order["version"]
    assert shop.get(at(order)).json() == []
    made = shop.post(at(order), body)
    assert made.status_code == 201, made.text
    told, first = made.json(), looked.json()
    assert made.headers["location"] == at(order, "/1")
    assert plain(told) == plain(first)
    assert same_lines(told["after"], first["after"])
    assert (first["id"], told["position"], told["difference"]) == (None, 1, -550)
    assert (told["due"], told["release"], told["give_back"], told["approval"]) == (
        0, 550, 0, "not_needed")
    now = shop.read(order)
    assert now["shipping_total"] == 300
    assert [bag["shipping_total"] for bag in now["bags"]] == [300, 0]
    assert line(now, "CAP-1")["added_in"] == told["id"]


def test_an_edit_is_done_once_and_read_again(shop):
    order = shop.order()
    first = shop.post(at(order), one_mug(order), idempotency_key=f"edit-{order['id']}")
    again = shop.post(at(order), one_mug(order), idempotency_key=f"edit-{order['id']}")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotent-replayed"] == "true"
    assert first.content == again.content
    (kept,) = shop.get(at(order)).json()
    assert kept == shop.get(at(order, "/1")).json()
    assert (kept["difference"], kept["before"]["total"], kept["after"]["total"]) == (
        -1250, 5000, 3750)
    assert "due" not in kept
    assert code_of(shop.get(at(order, "/2"))) == (404, "not_found")
    assert code_of(shop.get(at(order, "/one"))) == (404, "not_found")
    facts = [fact["type"] for fact in shop.get(f"/v1/orders/{order['id']}/facts").json()]
    assert facts.count("order.edited") == 1


def test_an_edit_of_an_older_version_is_refused(shop):
    order = shop.order()
    shop.post(f"/v1/orders/{order['id']}/notes", {"body": "Seen"})
    stale = shop.post(at(order), one_mug(order), if_match=f'"{order["version"]}"')
    assert code_of(stale) == (412, "version_conflict")
    now = shop.read(order)
    fine = shop.post(at(order), one_mug(order), if_match=f'"{now["version"]}"')
    assert fine.status_code == 201, fine.text


def test_less_is_captured_and_more_is_due(shop):
    order = shop.order()
    assert shop.post(at(order), one_mug(order)).status_code == 201
    now = shop.read(order)
    assert {a["action"]: a.get("max_amount") for a in now["allowed_actions"]}["capture"] == 3750
    refused = shop.post(f"/v1/orders/{order['id']}/capture", {"amount": 3751})
    assert (code_of(refused), refused.json()["owed"], refused.json()["open"]) == (
        (422, "amount_invalid"), 3750, 5000)
    taken = shop.post(f"/v1/orders/{order['id']}/capture", {})
    assert (taken.status_code, taken.json()["amount"]) == (201, 3750)
    done = shop.read(order)
    assert (done["amounts"]["open"], done["amounts"]["voided"], done["financial_status"]) == (
        0, 1250, "PAID")


def test_what_was_taken_too_much_goes_back(shop):
    order = shop.order(payment={"gateway": "manual", "flow": "payment"})
    made = shop.post(at(order), one_mug(order)).json()
    assert (made["give_back"], made["due"], made["release"]) == (1250, 0, 0)
    assert any("12.50 EUR" in said for said in made["explanation"])
    (refund,) = shop.read(order)["refunds"]
    assert (refund["reference"], refund["amount"], refund["status"]) == (
        f"edit-{made['id']}", 1250, "COMPLETED")
    kept = shop.post(at(order), {"lines": [{"item_id": line(order, "TEE-M")["id"], "quantity": 0}],
                                 "refund_difference": False})
    assert (code_of(kept), kept.json()["give_back"]) == ((409, "invalid_state"), 2000)


def test_goods_wait_until_what_was_added_is_paid(shop):
    order = shop.order()
    body = {"add": [{**CAP, "bag_id": order["bags"][0]["id"]}]}
    made = shop.post(at(order), body).json()
    assert made["due"] == 900
    now = shop.read(order)
    assert [held["handle"] for held in now["holds"]] == ["awaiting-payment"]
    found = shop.get("/v1/orders?q=cap-1").json()
    assert order["id"] in [one["id"] for one in found["data"]]
    refused = shop.post(f"/v1/orders/{order['id']}/bags/{order['bags'][0]['id']}/shipments", {})
    assert code_of(refused) == (409, "shipment_update_not_allowed")
    paid = shop.post(f"/v1/orders/{order['id']}/payments", {"gateway": "manual"})
    assert (paid.status_code, paid.json()["amount"]) == (201, 900)
    now = shop.read(order)
    assert (now["holds"], now["amounts"]["due"]) == ([], 0)
    packed = shop.post(f"/v1/orders/{order['id']}/bags/{order['bags'][0]['id']}/shipments", {})
    assert packed.status_code == 201
    assert {part["item_id"] for part in packed.json()["items"]} == {
        line(now, "MUG-1")["id"], line(now, "CAP-1")["id"]}


@pytest.mark.parametrize(("body", "code"), [
    ({"lines": [{"item_id": "x", "quantity": -1}]}, "validation_failed"),
    ({"add": [{"name": "", "quantity": 1, "unit_price": 1}]}, "validation_failed"),
    ({"add": [{"name": "A", "quantity": 1, "unit_price": -1}]}, "validation_failed"),
    ({"shipping_total": -1}, "validation_failed"),
    ({"dragon": True}, "validation_failed"),
    ({}, "validation_failed"),
    ({"lines": [{"item_id": "x", "quantity": 1}]}, "unknown_reference"),
    ({"add": [CAP]}, "unknown_reference"),
    ({"shipping": {"x": 1}}, "unknown_reference"),
])
def test_what_cannot_be_is_refused(shop, body, code):
    assert code_of(shop.post(at(shop.order()), body)) == (422, code)


def test_who_sees_a_part_edits_and_reads_nothing(shop):
    order = shop.order()
    shop.post(at(order), one_mug(order))
    key = shop.make_key("orders:read", "orders:edit", merchants=["acme"])
    for answer in (
        shop.post(at(order), {"shipping_total": 0}, key=key),
        shop.post(at(order), {"shipping_total": 0, "dry_run": True}, key=key),
        shop.get(at(order), key=key),
        shop.get(at(order, "/1"), key=key),
    ):
        assert code_of(answer) == (403, "merchant_limited")
    reader = shop.make_key("orders:read")
    assert code_of(shop.post(at(order), {"shipping_total": 0}, key=reader)) == (
        403, "permission_denied")


async def test_of_edits_at_once_each_is_whole(own_shop, api_pool):
    shop = own_shop
    order = shop.order()
    bodies = [one_mug(order), {"shipping_total": 0}, {"add": [
        {**CAP, "bag_id": order["bags"][0]["id"]}]}, one_mug(order)]
    with ThreadPoolExecutor(4) as four:
        answers = await asyncio.gather(*(
            asyncio.get_running_loop().run_in_executor(four, shop.post, at(order), body)
            for body in bodies))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201, 201, 201, 422], "one mug less only once"
    kept = shop.get(at(order)).json()
    assert [one["position"] for one in kept] == [1, 2, 3]
    for before, after in itertools.pairwise(kept):
        assert after["before"] == before["after"]
    now = shop.read(order)
    assert kept[-1]["after"]["total"] == 5000 - 1250 - 500 + 900
    assert now["total"] == 5000 - 500 + 900
