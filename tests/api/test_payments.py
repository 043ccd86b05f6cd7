"""Payments beside the first, tasks, and what became of a request, over HTTP. [rulings 22, 41]"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
import pytest_asyncio

from tests.api.server import Server, code_of, open_shop
from tests.sandbox.server import start_sandbox

BACK = "https://shop.example/back?cart=7"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"), hang_s=5)
    yield running
    running.stop()
    running.client.close()


@pytest.fixture(scope="module")
def hasty(api_database, tmp_path_factory):
    """A server that waits for a provider for a second."""
    running = Server(api_database.app_url, tmp_path_factory.mktemp("hasty"),
                     provider_deadline_s=1, lease_s=3)
    yield running
    assert running.stop() == 0, running.log.read_text()[-2000:]


@pytest_asyncio.fixture(scope="module")
async def shop(hasty, api_pool, sandbox):
    """A shop with the gateways `card` and `pages`."""
    opened = await open_shop(hasty, api_pool)
    for code, more in (("card", {}), ("pages", {"redirect": True})):
        made = opened.post("/v1/gateways", {
            "code": code, "kind": "sandbox", "settings": {**sandbox.settings, **more},
            "credentials": sandbox.credentials})
        assert made.status_code == 201, made.text
    return opened


def unpaid(shop, **changes):
    return shop.order(payment=None, **changes)


def pay(shop, order, body=None, **more):
    return shop.post(f"/v1/orders/{order['id']}/payments", {"gateway": "manual", **(body or {})},
                     **more)


def test_an_order_is_paid_part_by_part(shop):
    order = unpaid(shop)
    first = pay(shop, order, {"amount": 2000, "reference": "till-7"}, idempotency_key="pay-1")
    assert first.status_code == 201, first.text
    told = first.json()
    assert (told["status"], told["amount"], told["reference"], told["redirect_url"]) == (
        "AUTHORIZED", 2000, "till-7", None)
    assert told["order"]["amounts"]["due"] == 3000
    assert first.headers["location"] == f"/v1/orders/{order['id']}/payments/{told['id']}"
    again = pay(shop, order, {"amount": 2000, "reference": "till-7"}, idempotency_key="pay-1")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    rest = pay(shop, order, {"flow": "payment"}).json()
    assert (rest["status"], rest["amount"]) == ("CAPTURED", 3000)
    read = shop.get(first.headers["location"]).json()
    assert read["amounts"]["open"] == 2000
    assert [one["id"] for one in shop.get(f"/v1/orders/{order['id']}/payments").json()] == [
        told["id"], rest["id"]]
    assert code_of(pay(shop, order)) == (409, "invalid_state")
    missing = shop.get(f"/v1/orders/{order['id']}/payments/{order['id']}")
    assert code_of(missing) == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "refusal"),
    [({"amount": 0}, (422, "amount_invalid")), ({"amount": 5001}, (422, "amount_invalid")),
     ({"gateway": "nope"}, (422, "unknown_reference")),
     ({"gateway": None}, (422, "unknown_reference")),
     ({"flow": "steal"}, (422, "validation_failed")),
     ({"return_url": "javascript:alert(1)"}, (422, "validation_failed")),
     ({"redirect_url": BACK}, (422, "validation_failed"))],
)
def test_what_cannot_be_paid(shop, body, refusal):
    assert code_of(pay(shop, unpaid(shop), body)) == refusal


def test_who_may_pay_and_see_payments(shop):
    order = unpaid(shop)
    edits, limited = shop.make_key("orders:edit"), shop.make_key("*", merchants=["acme"])
    assert pay(shop, order, {"amount": 500}, key=edits).status_code == 201
    assert code_of(pay(shop, order, key=limited)) == (403, "merchant_limited")
    assert shop.get(f"/v1/orders/{order['id']}/payments", key=limited).json() == []
    assert code_of(pay(shop, order, key=shop.make_key("payments:capture"))) == (
        403, "permission_denied")


def test_a_payment_at_the_providers_page(shop, sandbox):
    order = unpaid(shop)
    made = pay(shop, order, {"gateway": "pages", "return_url": BACK}, idempotency_key="page-1")
    assert made.status_code == 201, made.text
    told = made.json()
    assert told["status"] == "CREATED"
    assert told["redirect_url"] == f"{sandbox.url}/pay/{told['provider_reference']}"
    page = sandbox.client.get(told["redirect_url"])
    assert page.status_code == 200
    facts = shop.get(f"/v1/orders/{order['id']}/facts").text
    assert "payment.action_required" in facts
    assert told["redirect_url"] not in facts
    assert shop.read(order)["payments"][0]["redirect_url"] == told["redirect_url"]
    assert code_of(pay(shop, order)) == (409, "invalid_state"), "it is paid for, or about to be"


def test_a_payment_that_is_refused_is_402_and_the_order_stays(shop, sandbox):
    order = unpaid(shop)
    sandbox.fault("decline", kind="authorize")
    refused = pay(shop, order, {"gateway": "card"}, idempotency_key="no-1")
    assert code_of(refused) == (402, "gateway_declined")
    assert refused.content == pay(
        shop, order, {"gateway": "card"}, idempotency_key="no-1").content
    now = shop.read(order)
    assert (now["payments"][0]["status"], now["state"]["code"], now["financial_status"]) == (
        "DECLINED", "new", "UNPAID")
    assert pay(shop, order, {"gateway": "card"}).json()["status"] == "AUTHORIZED"


def test_a_payment_that_nobody_knows_is_202(shop, sandbox):
    order = unpaid(shop)
    sandbox.fault("hang_after_effect", kind="authorize")
    said = pay(shop, order, {"gateway": "card"}, idempotency_key="who-knows")
    assert (said.status_code, said.json()["status"]) == (202, "CREATED")
    assert shop.get(said.headers["location"]).json()["id"] == said.json()["id"]
    assert shop.read(order)["financial_status"] == "PENDING"


def test_a_reference_is_verified_at_the_gateway(shop, sandbox):
    there = sandbox.call("POST", "/v1/payments", {
        "amount": 5000, "currency": "EUR", "reference": "checkout-9"},
        **{"idempotency-key": "checkout-9"})["payment"]
    order = unpaid(shop)
    told = pay(shop, order, {"gateway": "card", "reference": there}).json()
    assert (told["status"], told["provider_reference"]) == ("AUTHORIZED", there)
    other = unpaid(shop)
    assert code_of(pay(shop, other, {"gateway": "card", "reference": "pay_nope"})) == (
        402, "gateway_declined")


async def test_twenty_at_once_never_pay_more_than_is_due(shop):
    order = unpaid(shop)

    def one(number):
        return pay(shop, order, {"amount": 700, "gateway": "card" if number % 2 else "manual"},
                   idempotency_key=f"twenty-{number}")

    with ThreadPoolExecutor(20) as many:
        said = await asyncio.gather(*(
            asyncio.get_running_loop().run_in_executor(many, one, n) for n in range(20)))
    paid = [one.json() for one in said if one.status_code == 201]
    assert len(paid) == 7, "5,000 are due"
    assert len({payment["id"] for payment in paid}) == 7
    assert {code_of(one) for one in said if one.status_code != 201} == {(422, "amount_invalid")}
    now = shop.read(order)
    assert (now["amounts"]["authorized"], now["amounts"]["due"]) == (4900, 100)


async def test_twenty_tabs_with_one_key_pay_once(shop):
    order = unpaid(shop)

    def one(_):
        return pay(shop, order, {"amount": 700, "gateway": "card"}, idempotency_key="one-key")

    with ThreadPoolExecutor(20) as many:
        said = await asyncio.gather(*(
            asyncio.get_running_loop().run_in_executor(many, one, n) for n in range(20)))
    assert {one.status_code for one in said} <= {201, 409}
    assert len({one.content for one in said if one.status_code == 201}) == 1
    assert [p["amount"] for p in shop.read(order)["payments"]] == [700]


def test_a_hold_is_renewed(shop, sandbox):
    order = shop.order(payment={"gateway": "card"})
    payment = order["payments"][0]
    at = f"/v1/orders/{order['id']}/payments/{payment['id']}"
    made = shop.post(f"{at}/reauthorize")
    assert (made.status_code, made.json()["renews"]) == (201, payment["id"])
    assert shop.read(order)["payments"][0]["amounts"]["pending"] == 5000, "it is being released"
    assert code_of(shop.post(f"{at}/reauthorize")) == (409, "invalid_state")
    manual = shop.order()
    cannot = shop.post(
        f"/v1/orders/{manual['id']}/payments/{manual['payments'][0]['id']}/reauthorize")
    assert code_of(cannot) == (409, "invalid_state")


def test_holds_that_end_soon_are_listed(shop):
    order = shop.order(payment={"gateway": "card"})
    assert shop.get("/v1/payments/expiring").json()["data"] == []
    found = shop.get("/v1/payments/expiring?within_hours=200&limit=1").json()
    assert found["count"]["value"] >= len(found["data"]) == 1
    seen, cursor = [], ""
    while cursor != "end":
        more = f"&cursor={cursor}" if cursor else ""
        page = shop.get(f"/v1/payments/expiring?within_hours=200&limit=2{more}").json()
        seen += page["data"]
        cursor = page["next_cursor"] or "end"
    ends = [datetime.fromisoformat(one["expires_at"]) for one in seen]
    assert ends == sorted(ends)
    mine = next(one for one in seen if one["order_id"] == order["id"])
    assert (mine["open"], mine["may_capture"], mine["may_reauthorise"]) == (5000, True, True)
    assert 7 * 86400 - 60 < mine["seconds_left"] <= 7 * 86400
    reads = shop.get("/v1/payments/expiring?within_hours=200", key=shop.make_key("orders:read"))
    assert not any(one["may_capture"] for one in reads.json()["data"])
    limited = shop.make_key("orders:read", merchants=["acme"])
    assert shop.get("/v1/payments/expiring?within_hours=200", key=limited).json()["data"] == []
    assert code_of(shop.get("/v1/payments/expiring?within_hours=-1")) == (422, "validation_failed")


async def test_a_person_decides_and_ends_tasks(shop, owner_of_api):
    order = shop.order(payment={"gateway": "card"})
    payment = order["payments"][0]["id"]
    at = f"/v1/orders/{order['id']}"
    body = {"decision": "keep_ours", "note": "Looked into it."}
    assert code_of(shop.post(f"{at}/payments/{payment}/decide", body)) == (409, "invalid_state")
    await owner_of_api.execute(
        "update payments set attention = '{\"reason\": \"provider_differs\"}' where id = $1",
        payment)
    for kind in ("payment_attention", "refund_failed"):
        await owner_of_api.execute(
            "insert into tasks (account_id, id, order_id, kind, payment_id, status, created_at)"
            " values ($1, gen_random_uuid(), $2, $3, $4, 'OPEN', now())",
            shop.account_id, order["id"], kind, payment)
    assert "payment_attention" in shop.read(order)["attention"]
    assert code_of(shop.post(f"{at}/capture")) == (409, "attention_required")
    first, second = [
        task for task in shop.get("/v1/tasks").json()["data"] if task["order_id"] == order["id"]]
    assert first["order_number"] == order["number"]
    assert first["why"]
    assert code_of(shop.post(f"/v1/tasks/{first['id']}/done")) == (409, "invalid_state")
    syncs = shop.make_key("payments:sync")
    assert code_of(shop.post(f"{at}/payments/{payment}/decide", body, key=syncs)) == (
        403, "permission_denied")
    told = shop.post(f"{at}/payments/{payment}/decide", body)
    assert (told.status_code, told.json()["payments"][0]["attention"]) == (200, None)
    done = shop.post(f"/v1/tasks/{second['id']}/done", {"note": "Paid in cash."})
    assert (done.status_code, done.json()["status"], done.json()["note"]) == (
        200, "DONE", "Paid in cash.")
    assert done.json()["done_by"]["kind"] == "key"
    again = shop.post(f"/v1/tasks/{second['id']}/done", {"note": "Twice."})
    assert (again.status_code, again.json()["note"]) == (200, "Paid in cash.")
    ended = shop.get("/v1/tasks?status=done").json()["data"]
    assert {first["id"], second["id"]} <= {task["id"] for task in ended}
    assert shop.get("/v1/tasks?status=done", key=shop.make_key(
        "orders:read", merchants=["acme"])).json()["data"] == []
    assert code_of(shop.post(f"/v1/tasks/{order['id']}/done")) == (404, "not_found")
    assert code_of(shop.get("/v1/tasks?status=lost")) == (422, "validation_failed")


async def test_what_became_of_a_request(shop, owner_of_api):
    order = unpaid(shop)
    said = pay(shop, order, {"amount": 100}, idempotency_key="asked-about")
    told = shop.get("/v1/me/requests/asked-about").json()
    assert (told["key"], told["status"], told["order_id"]) == (
        "asked-about", "done", order["id"])
    assert told["answer"]["status"] == 201
    assert told["answer"]["body"] == said.json()
    assert told["answer"]["location"] == said.headers["location"]
    await owner_of_api.execute(
        "update idempotency set status = null, body = null where key = 'asked-about'")
    running = shop.get("/v1/me/requests/asked-about").json()
    assert (running["status"], running["answer"]) == ("in_progress", None)
    other = shop.make_key("*")
    assert code_of(shop.get("/v1/me/requests/asked-about", key=other)) == (404, "not_found")
    assert code_of(shop.get("/v1/me/requests/never-sent")) == (404, "not_found")
    pay(shop, order, {"amount": 0}, idempotency_key="refused")
    assert code_of(shop.get("/v1/me/requests/refused")) == (404, "not_found")
