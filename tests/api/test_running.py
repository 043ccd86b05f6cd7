"""How the program says that it is well, and what it writes down."""

import asyncio
import time

import httpx2
import pytest

from counterfoil.work.beat import beat
from tests.api.server import SECRET, Server, code_of

WORDS = ("request_id", "method", "route", "status", "ms", "account", "credential", "event", "level")


def test_the_process_is_alive(shop):
    answer = shop.get("/healthz", key="")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


def test_it_is_not_ready_without_a_worker(shop):
    answer = shop.get("/readyz", key="")
    assert code_of(answer) == (503, "unavailable")
    assert answer.json()["missing"] == ["no worker is alive"]
    assert answer.headers["retry-after"] == "1"


async def test_it_is_ready_with_one(shop, api_pool):
    stop = asyncio.Event()
    worker = asyncio.create_task(beat(api_pool, stop))
    try:
        until = time.monotonic() + 10
        while (answer := shop.get("/readyz", key="")).status_code != 200:
            assert time.monotonic() < until, answer.text
            await asyncio.sleep(0.05)
        assert answer.json()["worker"] == "alive"
    finally:
        stop.set()
        await worker


def test_metrics_tell_requests_and_what_waits(shop):
    shop.order()
    shop.get("/v1/nope")
    answer = shop.get("/metrics", key="")
    assert answer.headers["content-type"].startswith("text/plain")
    for line in (
        'http_requests_total{method="POST",route="/v1/orders",status="201"}',
        'http_requests_total{method="GET",route="unknown",status="404"}',
        'http_request_seconds_bucket{le="0.1",method="POST",route="/v1/orders"}',
        "database_statements_total", "payment_operations_unsettled ",
        "payment_operation_unknown_age_seconds_max ", "feed_lag_seconds", "letters_waiting",
        "rows_due",
    ):
        assert line in answer.text, line


def test_a_request_leaves_one_line_without_secrets(shop, api):
    order = shop.order(customer={"email": "CANARY-mail@example.com"})
    canary = "CANARY-5f1c"
    shop.post(f"/v1/orders/{order['id']}/notes?x={canary}", {"body": canary})
    shop.post(f"/v1/orders/{order['id']}/notes", {"body": canary}, idempotency_key=canary,
              **{"x-request-id": "line-1", "user-agent": canary})
    shop.get(f"/v1/orders/{canary}")
    (line,) = [one for one in api.lines() if one.get("request_id") == "line-1"]
    assert {name for name in WORDS if name not in line} == set()
    assert (line["route"], line["status"]) == ("/v1/orders/{order_id}/notes", 201)
    assert line["credential"].startswith("key:")
    text = api.log.read_text()
    assert "CANARY" not in text
    assert shop.key.split("_", 3)[3] not in text
    assert SECRET not in text


def test_the_api_describes_itself(shop):
    told = shop.get("/openapi.json", key="").json()
    assert told["openapi"] == "3.1.0"
    capture = told["paths"]["/v1/orders/{order_id}/capture"]["post"]
    assert {"201", "202", "402", "409", "412", "422", "503"} <= capture["responses"].keys()
    assert capture["security"] == [{"key": ["payments:capture"]}]
    assert "/v1/orders/{order_id}/invoices" not in told["paths"]


@pytest.mark.parametrize("path", ["/docs/api", "/docs/problems", "/docs/explorer.js",
                                  "/docs/explorer.css"])
def test_the_explorer_loads_nothing_from_elsewhere(shop, path):
    answer = shop.get(path, key="")
    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "http://" not in answer.text
    assert "https://" not in answer.text


def test_a_lost_database_is_a_problem_that_passes(tmp_path):
    lost = Server("postgresql://nobody@127.0.0.1:1/none", tmp_path)
    try:
        key = "cf_" + "0" * 32 + "_" + "0" * 32 + "_" + "A" * 43
        for path in ("/v1/orders/0199c000-0000-7000-8000-000000000001", "/v1/me", "/readyz"):
            answer = lost.client.get(path, headers={"authorization": f"Bearer {key}"})
            assert code_of(answer) == (503, "unavailable")
            assert answer.headers["retry-after"] == "1"
        assert lost.client.get("/metrics").status_code == 200
        assert lost.client.get("/healthz").status_code == 200
    finally:
        assert lost.stop() == 0


def test_any_process_tells_the_figures_of_all(api_database, tmp_path):
    server = Server(api_database.app_url, tmp_path, workers=2)
    try:
        for _ in range(20):  # a new connection each, so that both processes are met
            with httpx2.Client(base_url=server.url, trust_env=False) as client:
                assert client.get("/v1/nope").status_code == 404
        told = server.client.get("/metrics").text
        assert 'http_requests_total{method="GET",route="unknown",status="404"} 20.0' in told
    finally:
        assert server.stop() == 0


async def test_lost_connections_are_a_problem_that_passes(shop, owner_of_api):
    """Every connection is cut between requests, over and over. [faults D-1, D-2]"""
    captured = 0
    for _ in range(8):
        order = shop.order()
        at = f"/v1/orders/{order['id']}"
        await owner_of_api.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        answers = [shop.post(f"{at}/capture", {"amount": 100}, idempotency_key=f"cut-{at}"),
                   shop.get(at), shop.get("/v1/orders"), shop.get("/v1/me")]
        for answer in answers:
            assert answer.status_code in (200, 201) or code_of(answer) == (503, "unavailable")
        captured += answers[0].status_code == 201
        assert shop.read(order)["amounts"]["captured"] in (0, 100)
        again = shop.post(f"{at}/capture", {"amount": 100}, idempotency_key=f"cut-{at}")
        assert (again.status_code, shop.read(order)["amounts"]["captured"]) == (201, 100)
    assert captured == 8
