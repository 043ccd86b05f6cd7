"""Sync Payments, runs, drift, settlement files and the ledger, over HTTP. [U-27, rulings 26]"""

import csv
import io
import time

import pytest
import pytest_asyncio

from tests.api.server import code_of, open_shop
from tests.sandbox.server import start_sandbox

HEADER = "reference,gateway_transaction_id,type,amount,fee,currency,settled_at\r\n"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"), hang_s=5)
    yield running
    running.stop()
    running.client.close()


@pytest_asyncio.fixture(scope="module")
async def card(api, api_pool, sandbox):
    shop = await open_shop(api, api_pool)
    made = shop.post("/v1/gateways", {
        "code": "card", "kind": "sandbox", "settings": sandbox.settings,
        "credentials": sandbox.credentials})
    assert made.status_code == 201, made.text
    return shop


def paid(card):
    return card.order(payment={"gateway": "card"})


def console(sandbox, order, kind, amount):
    payment = order["payments"][0]["provider_reference"]
    sandbox.call("POST", f"/control/payments/{payment}/moves", {"kind": kind, "amount": amount})


def movements(card, order):
    return card.get(f"/v1/orders/{order['id']}/transactions").json()


def settle(card, content, *, gateway="card", kind="text/csv", name="day.csv"):
    return card.call("POST", f"/v1/gateways/{gateway}/settlements?name={name}",
                     content.encode() if isinstance(content, str) else content, content_type=kind)


def test_sync_adds_what_is_missing_once(card, sandbox):
    order = paid(card)
    console(sandbox, order, "capture", 2000)
    console(sandbox, order, "refund", 500)
    at = f"/v1/orders/{order['id']}/sync-payments"
    first = card.post(at, idempotency_key="sync-1")
    assert first.status_code == 200, first.text
    told = first.json()
    assert (told["found"], told["settled"], told["unreachable"], told["differing"]) == (2, 0, 0, 0)
    assert told["order"]["amounts"]["captured"] == 2000
    assert [refund["status"] for refund in told["order"]["refunds"]] == ["EXTERNAL"]
    again = card.post(at, idempotency_key="sync-1")
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert card.post(at).json()["found"] == 0
    assert card.read(order)["version"] == told["order"]["version"]
    reused = card.post(f"/v1/orders/{paid(card)['id']}/sync-payments", idempotency_key="sync-1")
    assert code_of(reused) == (422, "idempotency_key_reused")


def test_sync_passes_instant_gateways_over(card):
    told = card.post(f"/v1/orders/{card.order()['id']}/sync-payments").json()
    assert (told["found"], told["settled"], told["unreachable"]) == (0, 0, 0)


def test_sync_needs_its_right_and_the_whole_order(card):
    at = f"/v1/orders/{paid(card)['id']}/sync-payments"
    assert code_of(card.post(at, key=card.make_key("orders:read")))[0] == 403
    limited = card.make_key("payments:sync", "orders:read", merchants=["acme"])
    assert code_of(card.post(at, key=limited)) == (403, "merchant_limited")


def test_a_run_is_asked_for_and_shown(card):
    made = card.post("/v1/reconciliations", {"gateway": "card"}, idempotency_key="run-1")
    assert made.status_code == 201, made.text
    run = made.json()
    assert (run["status"], run["kind"], run["gateway"]) == ("RUNNING", "manual", "card")
    again = card.post("/v1/reconciliations", {"gateway": "card"}, idempotency_key="run-1")
    assert again.json()["id"] == run["id"]
    assert card.get(f"/v1/reconciliations/{run['id']}").json()["id"] == run["id"]
    assert run["id"] in {one["id"] for one in card.get("/v1/reconciliations").json()["data"]}
    assert card.get("/v1/reconciliations?gateway=manual").json()["data"] == []
    assert code_of(card.post("/v1/reconciliations", {"gateway": "nowhere"}))[0] == 404


def test_a_settlement_file_is_booked_and_its_drift_closed(card):
    order = paid(card)
    card.post(f"/v1/orders/{order['id']}/capture")
    row = movements(card, order)[-1]
    good = f"{row['id']},,capture,50.00,0.95,EUR,2026-11-20T10:15:00Z\r\n"
    bad = "x,op_nowhere,capture,1.00,0.00,EUR,2026-11-20T10:15:00Z\r\nrubbish\r\n"
    answer = settle(card, HEADER + good + bad)
    assert answer.status_code == 200, answer.text
    run = answer.json()
    assert (run["seen"], run["settled"], run["drifted"], run["failed"]) == (3, 1, 1, 1)
    assert (run["name"], run["errors"][0]["line"]) == ("day.csv", 4)
    assert settle(card, HEADER + good + bad).json()["id"] == run["id"]
    facts = [fact["type"] for fact in card.get(f"/v1/orders/{order['id']}/facts").json()]
    assert facts.count("payment.paid_out") == 1
    (line,) = [one for one in card.get("/v1/drift?status=OPEN").json()["data"]
               if one["reconciliation_id"] == run["id"]]
    assert (line["kind"], line["theirs"]) == ("missing_here", 100)
    closed = card.post(f"/v1/drift/{line['id']}/resolve", {"note": "Another shop's."})
    assert (closed.status_code, closed.json()["status"]) == (200, "RESOLVED")
    assert code_of(card.post(f"/v1/drift/{line['id']}/resolve", {}))[0] == 409
    held = {(one["ledger_account"], one["currency"]): one["balance"]
            for one in card.get("/v1/ledger/balances?gateway=card").json()}
    assert held["bank", "EUR"] == 5000 - 95


def test_settlement_files_are_looked_at(card):
    assert code_of(settle(card, HEADER, gateway="nowhere"))[0] == 404
    assert code_of(settle(card, HEADER, kind="application/json"))[0] == 415
    assert code_of(settle(card, "a,b\r\n"))[0] == 422
    assert code_of(settle(card, b"\xff\xfe\x00"))[0] == 422
    assert settle(card, HEADER).json()["status"] == "COMPLETED"


def test_the_ledger_balances_and_is_exported(card):
    order = paid(card)
    card.post(f"/v1/orders/{order['id']}/capture", {"amount": 3000})
    entries = card.get(f"/v1/ledger/entries?order={order['id']}").json()
    assert [one["kind"] for one in entries["data"]][:2] == ["authorised", "drawn"]
    trial = card.get("/v1/ledger/trial-balance").json()
    assert sum(one["debit"] for one in trial) == sum(one["credit"] for one in trial) > 0
    paged, more = [], "?limit=3"
    while more:
        page = card.get(f"/v1/ledger/entries{more}").json()
        paged += page["data"]
        more = page["next_cursor"] and f"?limit=3&cursor={page['next_cursor']}"
    answer = card.get("/v1/ledger/export", accept="text/csv")
    assert answer.headers["content-type"] == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == len(paged)
    assert rows[-1]["amount"].count(".") == 1
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "@"))]
    tomorrow = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() + 2 * 86_400))
    assert card.get(f"/v1/ledger/entries?from={tomorrow}").json()["data"] == []
    assert code_of(card.get(f"/v1/ledger/entries?order={order['id']}&from={tomorrow}"))[0] == 422
    assert code_of(card.get("/v1/ledger/entries?order=x"))[0] == 404


def test_a_limited_key_sees_no_ledger(card):
    limited = card.make_key("reports:read", merchants=["acme"])
    for path in ("ledger/balances", "ledger/entries", "ledger/export", "drift", "reconciliations",
                 "inbound-events"):
        assert code_of(card.get(f"/v1/{path}", key=limited)) == (403, "merchant_limited")
