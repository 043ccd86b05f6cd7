"""Hot commands count their round trips to the database, one cached credential aside."""

import json
import re

import pytest
import pytest_asyncio

from tests.api.server import Server, open_shop, wanted


@pytest_asyncio.fixture(scope="module")
async def quiet(api_database, api_pool, tmp_path_factory):
    """A shop on a server that nobody else asks anything."""
    running = Server(api_database.app_url, tmp_path_factory.mktemp("quiet"), pool_size=1,
                     credential_cache_s=600, number_block=1000)
    shop = await open_shop(running, api_pool)
    yield shop
    assert running.stop() == 0


def sent(shop):
    """How many statements the server has sent by now; the figures themselves are remembered."""
    text = shop.get("/metrics", key="").text
    found = re.search(r"^database_statements_total (\S+)$", text, re.MULTILINE)
    assert found
    return int(float(found[1]))


def cost(shop, ask):
    """Count the statements of a request; the first of its kind may set the account."""
    sent(shop)
    assert shop.get("/v1/me").status_code == 200
    before = sent(shop)
    answer = ask()
    assert answer.status_code < 300, answer.text
    return sent(shop) - before


@pytest.fixture(scope="module")
def orders(quiet):
    lines = b"\n".join(json.dumps(wanted(external_id=f"trip-{n}")).encode() for n in range(12))
    answer = quiet.call("POST", "/v1/orders/bulk", lines, content_type="application/x-ndjson")
    return [json.loads(line)["id"] for line in answer.text.splitlines()]


@pytest.mark.parametrize(
    ("name", "budget"),
    [("create", 2), ("page", 1), ("list", 2), ("capture", 2), ("refund", 2), ("void", 2),
     ("cancel", 2), ("note", 2), ("pack", 2), ("ship", 2)],
)
def test_a_command_keeps_to_its_round_trips(quiet, orders, name, budget):
    first, second = f"/v1/orders/{orders[0]}", f"/v1/orders/{orders[1]}"
    bag = quiet.get(first).json()["bags"][0]
    requests = {
        "create": lambda: quiet.post("/v1/orders", wanted()),
        "page": lambda: quiet.get(first),
        "list": lambda: quiet.get("/v1/orders?limit=50"),
        "capture": lambda: quiet.post(f"{first}/capture", {"amount": 2000}),
        "refund": lambda: quiet.post(f"{first}/refund", {"reference": "trip", "amount": 1}),
        "void": lambda: quiet.post(f"{first}/void", {"amount": 1}),
        "cancel": lambda: quiet.post(f"{second}/cancel", {}),
        "note": lambda: quiet.post(f"{first}/notes", {"body": "x"}),
        "pack": lambda: quiet.post(f"{first}/bags/{bag['id']}/shipments", {}),
        "ship": lambda: quiet.post(f"/v1/shipments/{bag['shipments'][0]['id']}/ship"),
    }
    assert 0 < cost(quiet, requests[name]) <= budget
