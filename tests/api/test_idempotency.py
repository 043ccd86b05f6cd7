"""The same request twice has one effect and one answer. [domain.md §10, faults H-9]"""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.server import code_of, wanted

WRITES = [
    ("POST", "/capture", {"amount": 700}),
    ("POST", "/void", {"amount": 700}),
    ("POST", "/cancel", {"reason": "x"}),
    ("POST", "/notes", {"body": "x"}),
    ("POST", "/state", {"state": "processing"}),
    ("POST", "/state", {"state": "canceled"}),
    ("PATCH", "", {"tags": ["x"]}),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_a_repeat_gets_the_first_answer_byte_for_byte(shop, method, path, body):
    order = shop.order()
    at = f"/v1/orders/{order['id']}{path}"
    name = f"one-{order['id']}"
    first = shop.call(method, at, body, idempotency_key=name)
    version = shop.read(order)["version"]
    again = shop.call(method, at, body, idempotency_key=name)
    assert first.status_code < 300
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["etag"] == first.headers["etag"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert shop.read(order)["version"] == version
    other = shop.call(method, at, {**body, "__other": 1}, idempotency_key=name)
    assert code_of(other)[0] == 422


def test_a_key_belongs_to_one_request(shop):
    order, second = shop.order(), shop.order()
    at = f"/v1/orders/{order['id']}/capture"
    assert shop.post(at, {"amount": 1}, idempotency_key="used").status_code == 201
    for path, body in (
        (at, {"amount": 2}), (f"/v1/orders/{order['id']}/void", {"amount": 1}),
        (f"/v1/orders/{second['id']}/capture", {"amount": 1}), ("/v1/orders", wanted()),
        ("/v1/merchants", {"code": "keyed", "name": "x"}),
    ):
        assert code_of(shop.post(path, body, idempotency_key="used")) == (
            422, "idempotency_key_reused"), path
    other = shop.make_key("payments:capture", "payments:capture_partial")
    assert shop.post(at, {"amount": 1}, idempotency_key="used", key=other).status_code == 201
    assert shop.read(order)["amounts"]["captured"] == 2


def test_a_refusal_is_not_kept(shop):
    order = shop.order()
    at = f"/v1/orders/{order['id']}/refund"
    body = {"reference": f"late-{order['id']}", "amount": 100}
    assert code_of(shop.post(at, body, idempotency_key="later")) == (409, "invalid_state")
    shop.post(f"/v1/orders/{order['id']}/capture")
    assert shop.post(at, body, idempotency_key="later").status_code == 201


def test_an_order_is_placed_once(shop):
    first = shop.post("/v1/orders", wanted(), idempotency_key="place")
    again = shop.post("/v1/orders", wanted(), idempotency_key="place")
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    ("path", "body", "change"),
    [
        ("/v1/merchants", {"code": "once", "name": "Once"}, {"name": "Other"}),
        ("/v1/stores", {"code": "once", "name": "Once", "currency": "NOK"}, {"name": "Other"}),
        ("/v1/gateways", {"code": "once", "kind": "manual"}, {"enabled": False}),
    ],
)
def test_set_up_is_written_once(shop, path, body, change):
    first = shop.post(path, body, idempotency_key=f"make{path}")
    again = shop.post(path, body, idempotency_key=f"make{path}")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    changed = shop.patch(f"{path}/once", change, idempotency_key=f"change{path}")
    repeat = shop.patch(f"{path}/once", change, idempotency_key=f"change{path}")
    assert (changed.status_code, repeat.content) == (200, changed.content)
    assert code_of(shop.post(path, body, idempotency_key=f"change{path}")) == (
        422, "idempotency_key_reused")


def test_a_key_is_told_once_even_to_a_repeat(shop):
    body = {"name": "once", "scopes": ["orders:read"]}
    first = shop.post("/v1/api-keys", body, idempotency_key="key")
    again = shop.post("/v1/api-keys", body, idempotency_key="key")
    assert first.json()["key"].startswith("cf_")
    assert again.json() == {**first.json(), "key": ""}
    assert shop.get("/v1/me", key=first.json()["key"]).json()["scopes"] == ["orders:read"]
    at = f"/v1/api-keys/{first.json()['id']}"
    assert shop.call("DELETE", at, idempotency_key="end").status_code == 204
    assert shop.call("DELETE", at, idempotency_key="end").status_code == 204
    assert code_of(shop.get("/v1/me", key=first.json()["key"])) == (401, "unauthenticated")


def test_many_at_once_have_one_effect(shop):
    order = shop.order()
    at = f"/v1/orders/{order['id']}/capture"
    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(
            lambda _: shop.post(at, {"amount": 500}, idempotency_key="crowd"), range(40)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert shop.read(order)["amounts"]["captured"] == 500


def test_many_set_up_writes_at_once_have_one_effect(shop):
    body = {"code": "crowd", "name": "Crowd"}
    with ThreadPoolExecutor(10) as crowd:
        answers = list(crowd.map(
            lambda _: shop.post("/v1/merchants", body, idempotency_key="crowd-m"), range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1


async def test_what_is_stored_of_a_key_has_no_secret(shop, owner_of_api):
    made = shop.post("/v1/api-keys", {"name": "secret", "scopes": ["*"]}, idempotency_key="s")
    secret = made.json()["key"].split("_", 3)[3]
    rows = await owner_of_api.fetch("select row_to_json(i)::text as told from idempotency i")
    assert rows
    assert not [row for row in rows if secret in row["told"]]
    assert json.loads(rows[0]["told"])["credential"]
