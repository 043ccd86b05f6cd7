"""Gateways and a store's default over the API: what is told, tested, chosen and refused."""

import base64

import pytest

from counterfoil.order.capability import CAPABILITIES
from counterfoil.order.gateway import Capabilities
from tests.api.server import Server, code_of, open_shop, wanted
from tests.sandbox.server import start_sandbox

SECRET = {"api_key": "CANARY-key"}


def connect(shop, code="card", **more):
    body = {
        "code": code, "kind": "sandbox", "settings": {"base_url": "http://127.0.0.1:9"},
        "credentials": SECRET, **more,
    }
    return shop.post("/v1/gateways", body)


def test_a_gateway_tells_what_it_can_do(own_shop):
    shop = own_shop
    made = connect(shop, settings={"base_url": "http://127.0.0.1:9", "partial_capture": False})
    assert made.status_code == 201, made.text
    able = made.json()["capabilities"]
    assert able.keys() == set(Capabilities.__struct_fields__)
    assert (able["partial_capture"], able["instant"]) == (False, False)
    assert made.json()["default_for"] == []
    assert shop.get("/v1/gateways/card").json() == made.json()
    listed = {one["code"]: one for one in shop.get("/v1/gateways").json()["data"]}
    assert listed["card"] == made.json()
    assert listed["manual"]["capabilities"]["instant"] is True
    assert "CANARY" not in made.text
    assert code_of(shop.get("/v1/gateways/nope")) == (404, "not_found")
    narrowed = shop.patch("/v1/gateways/card", {"settings": {"base_url": "http://127.0.0.1:9"}})
    assert narrowed.json()["capabilities"]["partial_capture"] is True


def test_the_address_for_calls_is_told_where_the_provider_calls(own_shop):
    shop = own_shop
    told = connect(shop).json()
    path = f"/v1/hooks/{shop.account_id.replace('-', '')}-card"
    assert told["hook_url"] == (path if CAPABILITIES["sandbox"].hooks else None)
    manual = shop.get("/v1/gateways/manual").json()
    assert manual["capabilities"]["hooks"] is False
    assert manual["hook_url"] is None


async def test_the_address_for_calls_is_absolute_where_ours_is_known(
    api_database, api_pool, tmp_path
):
    server = Server(api_database.app_url, tmp_path, public_url="https://oms.example.com/")
    shop = await open_shop(server, api_pool)
    told = connect(shop).json()
    if told["capabilities"]["hooks"]:
        account = shop.account_id.replace("-", "")
        assert told["hook_url"] == f"https://oms.example.com/v1/hooks/{account}-card"
    assert server.stop() == 0


def test_what_its_adapter_cannot_use_is_refused_at_once(own_shop):
    shop = own_shop
    for settings in ({}, {"base_url": "nowhere"}):
        assert code_of(connect(shop, settings=settings))[0] == 422, settings
    for credentials in ({}, {"api_key": ""}):
        assert code_of(connect(shop, credentials=credentials))[0] == 422, credentials
    assert connect(shop).status_code == 201
    at = "/v1/gateways/card"
    assert code_of(shop.patch(at, {"settings": {}})) == (422, "gateway_misconfigured")
    assert code_of(shop.patch(at, {"credentials": None})) == (422, "gateway_misconfigured")
    assert shop.patch(at, {"enabled": False, "store": "main"}).json()["enabled"] is False
    assert code_of(shop.patch(at, {"store": "nowhere"})) == (422, "unknown_reference")


def test_a_changed_gateway_is_tested_as_it_is_now(own_shop, tmp_path):
    shop = own_shop
    sandbox = start_sandbox(tmp_path)
    connect(shop)
    at = "/v1/gateways/card"
    failed = shop.post(f"{at}/test").json()
    assert failed["ok"] is False
    assert failed["message"]
    shop.patch(at, {"settings": sandbox.settings, "credentials": sandbox.credentials})
    assert shop.post(f"{at}/test").json()["ok"] is True
    shop.patch(at, {"credentials": {"api_key": "wrong"}})
    wrong = shop.post(f"{at}/test").json()
    assert wrong["ok"] is False
    assert wrong["elapsed_ms"] >= 0
    sandbox.stop()
    sandbox.client.close()


async def test_credentials_under_a_lost_key_are_named_and_can_be_entered_again(
    api_database, api_pool, own_shop, tmp_path
):
    shop = own_shop
    connect(shop)
    other = base64.b64encode(b"o" * 32).decode()
    server = Server(api_database.app_url, tmp_path, secret_key=other)
    shop.server, at = server, "/v1/gateways/card"
    tested = shop.post(f"{at}/test")
    assert code_of(tested) == (422, "gateway_misconfigured")
    assert "cannot be opened" in tested.json()["detail"]
    settings = {"base_url": "http://127.0.0.1:10"}
    assert code_of(shop.patch(at, {"settings": settings})) == (422, "gateway_misconfigured")
    assert shop.patch(at, {"enabled": False}).status_code == 200
    assert shop.patch(at, {"settings": settings, "credentials": SECRET}).status_code == 200
    assert shop.post(f"{at}/test").json()["ok"] is False
    assert server.stop() == 0


def test_an_order_that_names_no_gateway_is_paid_at_the_stores_default(own_shop):
    shop = own_shop
    unnamed = wanted(payment={"flow": "auth", "reference": "auth-1"})
    refused = shop.post("/v1/orders", unnamed)
    assert code_of(refused) == (422, "unknown_reference")
    assert refused.json()["detail"] == (
        "The payment names no gateway and the store main has no default: name one, or set one with"
        " PATCH /v1/stores/main as default_gateway."
    )
    shop.post("/v1/gateways", {"code": "till", "kind": "manual"})
    changed = shop.patch("/v1/stores/main", {"default_gateway": "till"})
    assert changed.json()["default_gateway"] == "till"
    placed = shop.post("/v1/orders", unnamed)
    assert placed.status_code == 201, placed.text
    assert placed.json()["payments"][0]["gateway"] == "till"
    named = shop.order()
    assert named["payments"][0]["gateway"] == "manual"
    assert shop.get("/v1/gateways/till").json()["default_for"] == ["main"]
    shop.patch("/v1/gateways/till", {"enabled": False})
    closed = shop.post("/v1/orders", unnamed)
    assert code_of(closed) == (422, "unknown_reference")
    assert "It is the default of the store main." in closed.json()["detail"]
    shop.patch("/v1/stores/main", {"default_gateway": "manual"})
    assert shop.post("/v1/orders", unnamed).json()["payments"][0]["gateway"] == "manual"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"default_gateway": "nope"}, "unknown_reference"),
        ({"refund_order": "random"}, "validation_failed"),
    ],
)
def test_a_store_takes_no_default_that_is_none(own_shop, change, code):
    assert code_of(own_shop.patch("/v1/stores/main", change)) == (422, code)
    body = {"code": "n", "name": "N", "currency": "NOK", **change}
    assert code_of(own_shop.post("/v1/stores", body)) == (422, code)


def test_me_tells_limits(own_shop):
    assert own_shop.get("/v1/me").json()["limits"] == {}
