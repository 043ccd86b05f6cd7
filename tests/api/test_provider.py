"""Money at a provider, over HTTP: taken, refused, and not known yet. [rulings 11, 22, 49]"""

import json
import re

import pytest
import pytest_asyncio

from tests.api.server import Server, code_of, open_shop, wanted
from tests.sandbox.server import start_sandbox


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
async def card(hasty, api_pool, sandbox):
    """A shop with the gateway `card`."""
    shop = await open_shop(hasty, api_pool)
    made = shop.post("/v1/gateways", {
        "code": "card", "kind": "sandbox", "settings": sandbox.settings,
        "credentials": sandbox.credentials})
    assert made.status_code == 201, made.text
    assert shop.post("/v1/gateways/card/test").json()["ok"] is True
    return shop


def paid(card, **changes):
    return card.order(payment={"gateway": "card", **changes})


def test_the_checkouts_authorisation_is_made_and_captured(card, sandbox):
    order = paid(card)
    assert order["financial_status"] == "AUTHORIZED"
    assert order["payments"][0]["expires_at"] is not None
    at = f"/v1/orders/{order['id']}"
    kept = card.post(f"{at}/acknowledge")
    assert (kept.status_code, kept.json()["payments"][0]["expires_at"]) == (200, None)
    taken = card.post(f"{at}/capture", {"amount": 2000}, idempotency_key="capture-1")
    assert (taken.status_code, taken.json()["status"]) == (201, "SUCCEEDED")
    assert taken.json()["gateway_transaction_id"]
    again = card.post(f"{at}/capture", {"amount": 2000}, idempotency_key="capture-1")
    assert (again.status_code, again.content) == (201, taken.content)
    back = card.post(f"{at}/refund", {"reference": f"R-{order['id']}", "amount": 500})
    assert (back.status_code, back.json()["status"]) == (201, "COMPLETED")
    done = card.post(f"{at}/cancel", {})
    assert (done.json()["refunded_amount"], done.json()["reversed_amount"]) == (1500, 3000)
    ours = [row["id"] for row in card.get(f"{at}/transactions").json()]
    theirs = [entry["reference"] for entry in sandbox.ledger()]
    assert set(ours) <= set(theirs)


@pytest.mark.proves("Z-26")
def test_a_refusal_is_402_and_moves_nothing(card, sandbox):
    order = paid(card)
    at = f"/v1/orders/{order['id']}"
    sandbox.fault("decline", kind="capture")
    refused = card.post(f"{at}/capture", {"amount": 1000}, idempotency_key="declined")
    assert code_of(refused) == (402, "gateway_declined")
    row = card.get(f"{at}/transactions/{refused.json()['transaction_id']}").json()
    assert row["status"] == "FAILED"
    again = card.post(f"{at}/capture", {"amount": 1000}, idempotency_key="declined")
    assert (again.status_code, again.content) == (402, refused.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert card.read(order)["amounts"]["open"] == 5000
    assert card.post(f"{at}/capture", {"amount": 1000}).status_code == 201


def test_no_answer_is_202_and_stays_reserved(card, sandbox):
    order = paid(card)
    at = f"/v1/orders/{order['id']}"
    sandbox.fault("hang_after_effect", kind="capture")
    waited = card.post(f"{at}/capture", {"amount": 1000}, idempotency_key="hung")
    assert (waited.status_code, waited.json()["status"]) == (202, "UNKNOWN")
    assert waited.headers["location"] == f"{at}/transactions/{waited.json()['id']}"
    assert card.get(waited.headers["location"]).json()["status"] == "UNKNOWN"
    again = card.post(f"{at}/capture", {"amount": 1000}, idempotency_key="hung")
    assert (again.status_code, again.content) == (202, waited.content)
    amounts = card.read(order)["amounts"]
    assert (amounts["open"], amounts["pending"], amounts["captured"]) == (4000, 1000, 0)
    assert code_of(card.post(f"{at}/capture", {"amount": 5000})) == (422, "amount_invalid")
    told = card.get("/metrics", key="").text
    (waiting,) = re.findall(r"^payment_operations_unsettled (\S+)$", told, re.MULTILINE)
    assert float(waiting) >= 1


def test_a_declined_card_leaves_an_unpaid_order(card, sandbox):
    sandbox.fault("decline", kind="authorize")
    order = paid(card)
    assert (order["financial_status"], order["payments"][0]["status"]) == ("UNPAID", "DECLINED")


def test_bulk_asks_the_provider_too(card, sandbox):
    sandbox.clear()
    body = b"\n".join(
        json.dumps(wanted(external_id=f"card-{n}", payment={"gateway": "card"})).encode()
        for n in range(3))
    answer = card.call("POST", "/v1/orders/bulk", body, content_type="application/x-ndjson")
    results = [json.loads(line) for line in answer.text.splitlines()]
    assert [one["status"] for one in results] == [201, 201, 201]
    for one in results:
        assert card.get(f"/v1/orders/{one['id']}").json()["financial_status"] == "AUTHORIZED"
