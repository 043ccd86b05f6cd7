"""Who may do what: a matrix made from the addresses themselves. [faults H-13, H-17, G17]"""

import os
import re
import subprocess
import sys

import pytest

from counterfoil.api.door import ANY_KEY, OPEN, Door, NoRight, check_rights
from counterfoil.api.every import every_endpoint
from counterfoil.order.rights import RIGHTS
from tests.api.server import ROOT, SECRET, code_of, open_shop, wanted

ENDPOINTS = {f"{e.method} {e.path}": e for e in every_endpoint()}
GUARDED = [name for name, e in ENDPOINTS.items() if e.rights != (OPEN,)]
WITH_RIGHT = [name for name in GUARDED if ENDPOINTS[name].rights != (ANY_KEY,)]
UNRELATED = "views:share"
SOME_ID = "0199c000-0000-7000-8000-000000000001"


def address(name: str, ids: dict[str, str] | None = None) -> tuple[str, str]:
    method, path = name.split(" ", 1)
    return method, re.sub(r"{(\w+)}", lambda m: (ids or {}).get(m[1], SOME_ID), path)


@pytest.mark.parametrize("name", GUARDED)
def test_nobody_comes_in_without_a_key(shop, name):
    for key in ("", "cf_nonsense", shop.key[:-1] + ("A" if shop.key[-1] != "A" else "B")):
        answer = shop.call(*address(name), key=key)
        assert code_of(answer) == (401, "unauthenticated")


@pytest.fixture(scope="module")
def unrelated(shop):
    return shop.make_key(UNRELATED)


@pytest.mark.parametrize("name", WITH_RIGHT)
def test_a_key_without_the_right_hears_which_it_lacks(shop, unrelated, name):
    rights = ENDPOINTS[name].rights
    assert UNRELATED.replace(":", ".") not in rights
    answer = shop.call(*address(name), b"not even read", key=unrelated)
    assert code_of(answer) == (403, "permission_denied")
    assert answer.json()["scope"] == rights[0].replace(".", ":")


@pytest.mark.parametrize("name", WITH_RIGHT)
def test_a_key_with_the_right_alone_comes_in(shop, name):
    for right in ENDPOINTS[name].rights:
        key = shop.make_key(right.replace(".", ":"))
        answer = shop.call(*address(name), b"not json", key=key)
        assert answer.status_code not in (401, 403), answer.text


def test_a_right_that_nothing_needs_is_not_yet_here():
    used = {right for e in ENDPOINTS.values() for right in e.rights}
    assert used - {ANY_KEY, OPEN} <= {right.name for right in RIGHTS}


@pytest.fixture(scope="module")
async def stranger(api, api_pool):
    return await open_shop(api, api_pool)


@pytest.fixture(scope="module")
def ids(shop):
    """Real ids of the shop, each of which a stranger will try."""
    order = shop.captured()
    at = f"/v1/orders/{order['id']}"
    bag = order["bags"][0]
    refund = shop.post(f"{at}/refund", {"reference": "R-ids", "amount": 1}).json()
    parcel = shop.post(f"{at}/bags/{bag['id']}/shipments", {}).json()
    key = shop.post("/v1/api-keys", {"name": "to end", "scopes": ["orders:read"]}).json()
    shop.post("/v1/merchants", {"code": "own", "name": "Own"})
    shop.post("/v1/order-states", {"code": "own", "name": "Own", "system_state": "NEW"})
    shop.post("/v1/shipment-methods", {"code": "own", "name": "Own"})
    return {
        "order_id": order["id"], "bag_id": bag["id"], "refund_id": refund["id"],
        "shipment_id": parcel["id"], "item_id": bag["items"][0]["id"],
        "key_id": key["id"], "code": "own",
        "transaction_id": refund["transactions"][0]["id"],
        "payment_id": order["payments"][0]["id"],
    }


BODIES = {
    "POST /v1/orders/{order_id}/state": {"state": "processing"},
    "POST /v1/orders/{order_id}/notes": {"body": "x"},
    "POST /v1/orders/{order_id}/holds": {"handle": "mine"},
    "POST /v1/orders/{order_id}/fraud-review": {"decision": "open"},
    "POST /v1/stores/{code}/review-rules/try": {"order_id": "mine"},
    "POST /v1/orders/{order_id}/refund": {"reference": "theft", "amount": 1},
    "POST /v1/orders/{order_id}/bags/{bag_id}/refunds": {"amount": 1},
    "POST /v1/orders/{order_id}/refunds/{refund_id}/reject": {"note": "Mine."},
    "POST /v1/returns/{return_id}/reject": {"note": "Mine."},
    "POST /v1/orders/{order_id}/payments/{payment_id}/decide": {"decision": "keep_ours"},
    "PATCH /v1/orders/{order_id}": {"tags": ["mine"]},
    "PATCH /v1/shipments/{shipment_id}": {"carrier": "Mine"},
    "POST /v1/shipments/{shipment_id}/split": {"items": [{"item_id": "mine", "quantity": 1}]},
    "POST /v1/shipments/{shipment_id}/merge": {"shipment_ids": ["mine"]},
    "POST /v1/orders/{order_id}/shipment-method": {"items": "all", "method": "express"},
    "PATCH /v1/orders/{order_id}/items/{item_id}": {"delivery_state": "READY"},
    "PATCH /v1/merchants/{code}": {"name": "Mine"},
    "PATCH /v1/stores/{code}": {"name": "Mine"},
    "PATCH /v1/gateways/{code}": {"enabled": False},
    "PUT /v1/letter-templates/{kind}": {"subject": "Mine", "body": "Mine"},
    "PATCH /v1/order-states/{code}": {"name": "Mine"},
    "PATCH /v1/delivery-states/{code}": {"label": "Mine"},
    "POST /v1/order-states/{code}/migrate": {"to": "new"},
    "PATCH /v1/shipment-methods/{code}": {"name": "Mine"},
}


@pytest.mark.parametrize("name", [name for name in GUARDED if "{" in name])
def test_what_is_another_accounts_is_not_there(shop, stranger, ids, name):
    method, path = address(name, ids)
    body = BODIES.get(name, {}) if method in ("POST", "PUT", "PATCH") else None
    answer = stranger.call(method, path, body)
    assert code_of(answer) == (404, "not_found")


def test_the_stranger_changed_nothing(shop, ids):
    order = shop.get(f"/v1/orders/{ids['order_id']}").json()
    assert (order["tags"], order["amounts"]["refunded"], order["notes"]) == (["vip"], 1, [])
    assert shop.get("/v1/me", key=shop.key).status_code == 200


def test_ids_of_another_account_in_a_body_are_not_there(shop, stranger, ids):
    order = stranger.order()
    at = f"/v1/orders/{order['id']}"
    foreign = {"item_id": shop.get(f"/v1/orders/{ids['order_id']}").json()["bags"][0]["items"][0][
        "id"], "quantity": 1}
    bag = order["bags"][0]["id"]
    assert code_of(stranger.post(f"{at}/bags/{bag}/shipments", {"items": [foreign]}))[0] == 422
    assert code_of(stranger.post(f"{at}/bags/{ids['bag_id']}/shipments", {}))[0] == 404
    part = {"bag_id": ids["bag_id"], "amount": 100}
    assert code_of(stranger.post(f"{at}/capture", {"amount": 100, "allocations": [part]})) == (
        422, "amount_invalid")
    theirs = stranger.post("/v1/orders", wanted(payment={"gateway": "manual"}))
    assert stranger.get("/v1/merchants").json()["count"]["value"] == 3
    assert theirs.status_code == 201


def test_a_key_for_one_merchant_sees_and_does_its_own(shop):
    order = shop.captured()
    acme, zeta = order["bags"]
    at = f"/v1/orders/{order['id']}"
    key = shop.make_key("*", merchants=["acme"])
    seen = shop.get(at, key=key).json()
    assert [bag["id"] for bag in seen["bags"]] == [acme["id"]]
    assert (seen["total"], seen["payments"], seen["notes"]) == (3000, [], [])
    assert seen["amounts"]["captured"] == 3000
    assert seen["billing_address"] is None
    assert zeta["id"] not in shop.get(at, key=key).text
    for path, body in (
        ("/capture", {}), ("/void", {}), ("/cancel", {}), ("/acknowledge", None),
        ("/refund", {"reference": "x", "amount": 1}), ("/notes", {"body": "x"}),
        ("/state", {"state": "processing"}),
    ):
        assert code_of(shop.post(at + path, body, key=key)) == (403, "merchant_limited"), path
    assert code_of(shop.patch(at, {"tags": []}, key=key)) == (403, "merchant_limited")
    own = shop.post(f"{at}/bags/{acme['id']}/refunds", {"amount": 100}, key=key)
    assert own.status_code == 201
    assert code_of(shop.post(f"{at}/bags/{zeta['id']}/refunds", {"amount": 1}, key=key)) == (
        404, "not_found")
    parcel = shop.post(f"{at}/bags/{acme['id']}/shipments", {}, key=key)
    assert shop.post(f"/v1/shipments/{parcel.json()['id']}/ship", key=key).status_code == 200
    other = shop.post(f"{at}/bags/{zeta['id']}/shipments", {}).json()
    for verb in ("ship", "deliver", "fail", "cancel", "in-transit"):
        assert code_of(shop.post(f"/v1/shipments/{other['id']}/{verb}", key=key))[0] == 404
    refunds = shop.get(f"{at}/refunds", key=key).json()
    assert [refund["bag_id"] for refund in refunds] == [acme["id"]]
    rows = shop.get(f"{at}/transactions", key=key).json()
    assert {part["bag_id"] for row in rows for part in row["allocations"]} == {acme["id"]}
    assert {row["amount"] for row in rows if row["type"] == "CAPTURE"} == {3000}
    assert code_of(shop.get(f"{at}/bags/{zeta['id']}/refunds", key=key)) == (404, "not_found")
    stranger = shop.make_key("*", merchants=["main"])
    assert code_of(shop.get(at, key=stranger)) == (404, "not_found")
    assert code_of(shop.post("/v1/orders", wanted(), key=key)) == (403, "merchant_limited")
    assert code_of(shop.post("/v1/merchants", {"code": "n", "name": "N"}, key=key)) == (
        403, "merchant_limited")
    listed = shop.get("/v1/merchants", key=key).json()
    assert [merchant["code"] for merchant in listed["data"]] == ["acme"]
    wider = {"name": "all", "scopes": ["orders:read"], "merchants": None}
    assert code_of(shop.post("/v1/api-keys", wider, key=key)) == (403, "permission_denied")


@pytest.mark.parametrize("rights", [(), ("orders.everything",), "payments:capture"])
def test_an_address_without_a_right_does_not_start(rights):
    door = Door("Nowhere")

    @door.get("/v1/nowhere", right=rights, answers={200: None})
    async def nowhere(ask: object) -> None:
        """Nobody may come here, so everybody could."""

    with pytest.raises(NoRight, match="/v1/nowhere"):
        check_rights(door.endpoints)


def test_the_program_does_not_start_with_such_an_address():
    program = (
        "from counterfoil.api import orders\n"
        "from counterfoil.app import create_app\n"
        "from counterfoil.settings import read_settings\n"
        "async def nowhere(ask): ...\n"
        "orders.door.get('/v1/nowhere', answers={200: None})(nowhere)\n"
        "create_app(read_settings())\n"
    )
    settings = {"COUNTERFOIL_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
                "COUNTERFOIL_SECRET_KEY": SECRET, "PYTHONPATH": str(ROOT / "src")}
    ended = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **settings}, capture_output=True,
        text=True, check=False,
    )
    assert ended.returncode != 0
    assert "NoRight: GET /v1/nowhere" in ended.stderr
