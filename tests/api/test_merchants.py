"""What a key for one merchant is shown of an order that others fulfil too, at every address.

The addresses are those that are served; the answers are searched for what is marked as another's.
[rulings 5]
"""

import json
import re

import pytest

from counterfoil.api.door import OPEN
from counterfoil.api.every import every_endpoint
from counterfoil.api.examples import EXAMPLES
from counterfoil.work.sequence import place_waiting
from tests.api.server import open_shop
from tests.api.split import MARK, OTHERS, OWN, Split
from tests.paper.reading import text_of

SOME_ID = "0199c000-0000-7000-8000-000000000001"
ENDPOINTS = {f"{e.method} {e.path}": e for e in every_endpoint() if e.rights != (OPEN,)}
READS = [name for name, e in ENDPOINTS.items() if e.method == "GET"]
WRITES = [name for name, e in ENDPOINTS.items() if e.method != "GET"]
#: What a merchant may do to its own bag; everything else is refused or changes nothing.
ITS_OWN = {
    "POST /v1/orders/{order_id}/bags/{bag_id}/refunds",
    "POST /v1/orders/{order_id}/bags/{bag_id}/shipments",
    "PATCH /v1/shipments/{shipment_id}",
    "POST /v1/shipments/{shipment_id}/ship",
    "POST /v1/shipments/{shipment_id}/deliver",
    "POST /v1/shipments/{shipment_id}/fail",
    "POST /v1/shipments/{shipment_id}/in-transit",
    "POST /v1/shipments/{shipment_id}/cancel",
    "POST /v1/shipments/{shipment_id}/split",
    "POST /v1/shipments/{shipment_id}/merge",
    "POST /v1/orders/{order_id}/bags/{bag_id}/returns",
    "POST /v1/returns/{return_id}/approve",
    "POST /v1/returns/{return_id}/reject",
    "POST /v1/returns/{return_id}/receive",
    "POST /v1/returns/{return_id}/close",
    "POST /v1/orders/{order_id}/cancel",
    "POST /v1/orders/{order_id}/bags/{bag_id}/cancel",
    "PATCH /v1/orders/{order_id}/items/{item_id}",
    "POST /v1/orders/{order_id}/shipment-method",
}
#: What a limited key may do that touches no order.
NO_HARM = {"POST /v1/api-keys"}


@pytest.fixture(scope="module")
async def split(api, api_pool):
    made = Split(await open_shop(api, api_pool))
    await place_waiting(api_pool)
    return made


@pytest.fixture(scope="module")
def key(split):
    return split.shop.make_key("*", merchants=[OWN])


def addresses(name: str, split: Split, *whose: str) -> list[tuple[str, str]]:
    """Fill an address with the ids of the order and of whoever's is meant; one of each."""
    method, path = name.split(" ", 1)
    made = []
    for who in whose:
        ids = {**split.ids["order"], **split.ids[who], "idempotency_key": "first"}
        named = re.findall(r"{(\w+)}", path)
        made.append(path.format(**{name: ids.get(name, SOME_ID) for name in named}))
    return [(method, path) for path in dict.fromkeys(made)]


@pytest.mark.parametrize("name", READS)
def test_nothing_of_others_is_shown(split, key, name):
    """Own ids, another's, and what does not exist."""
    for method, path in addresses(name, split, "own", "other", "order"):
        answer = split.shop.call(method, path, key=key)
        assert answer.status_code < 500, answer.text
        printed = answer.headers.get("content-type") == "application/pdf"
        text = " ".join(text_of(answer.content)) if printed else answer.text
        assert split.leaks(text, path) == [], f"{path}: {answer.status_code}"


@pytest.mark.parametrize("query", [
    f"q={OTHERS[0]}-track", f"q={OTHERS[0]}-tee", f"merchant={OTHERS[0]}", f"q={MARK}-auth",
    f"q={OTHERS[1]}-refund", f"merchant={OTHERS[0]}&merchant={OTHERS[1]}",
])
def test_an_order_is_not_found_by_what_is_anothers(split, key, query):
    """Neither in the list nor in its count: that it is found at all would tell of it."""
    told = split.shop.get(f"/v1/orders?{query}", key=key).json()
    assert (told["data"], told["count"]["value"]) == ([], 0)


@pytest.mark.parametrize("query", [
    "mug-1", "MUG", f"{OWN}-track", "kari@example.com", "Nord", "1001", "kari mug-1", "Strau%C3%9F",
])
def test_an_order_is_found_by_what_is_its_own_or_the_orders(split, key, query):
    told = split.shop.get(f"/v1/orders?q={query}", key=key).json()
    assert ([order["id"] for order in told["data"]], told["count"]["value"]) == ([split.id], 1)
    assert split.shop.get(f"/v1/orders?q={query} {OTHERS[0]}-tee", key=key).json()["data"] == []


def test_the_list_shows_the_sums_of_its_own_bags(split, key):
    (summary,) = split.shop.get("/v1/orders", key=key).json()["data"]
    order = split.shop.get(split.at, key=key).json()
    own = split.shop.get(split.at).json()["bags"][0]
    assert own["merchant"]["code"] == OWN
    for told in (summary, order):
        assert {name: told[name] for name in ("total", "sub_total", "shipping_total")} == {
            name: own[name] for name in ("total", "sub_total", "shipping_total")}
        assert told["amounts"] == own["amounts"]
    assert summary["units"] == {"live": 2, "shipped": 1}
    assert order["bags"][0]["id"] == own["id"]


def test_facts_of_others_are_hidden_and_keep_their_place(split, key):
    every = split.shop.get(f"{split.at}/facts").json()
    seen = split.shop.get(f"{split.at}/facts", key=key).json()
    assert [fact["sequence"] for fact in seen] == [fact["sequence"] for fact in every]
    hidden = [fact for fact in seen if fact["type"] == "hidden"]
    assert len(hidden) >= 2 * len(OTHERS)
    assert all((fact["data"], fact["actor"]) == (None, {}) for fact in hidden)
    fed = split.shop.get("/v1/events?limit=1000", key=key).json()["data"]
    assert {fact["type"] for fact in fed} == {fact["type"] for fact in seen}
    assert not any("amounts" in (fact["data"] or {}).get("order", {}) for fact in fed)


def test_who_sees_to_a_hold_is_told_with_whole_orders_alone(split, key):
    held = {"handle": "boss", "owner": f"{MARK} the boss", "blocks": ["capture"]}
    assert split.shop.post(f"{split.at}/holds", held).json()["holds"][-1]["owner"] == held["owner"]
    seen = split.shop.get(split.at, key=key)
    assert "boss" in [one["handle"] for one in seen.json()["holds"]]
    for path in (split.at, f"{split.at}/facts", "/v1/events"):
        assert MARK not in split.shop.get(path, key=key).text
    assert split.shop.call("DELETE", f"{split.at}/holds/boss").status_code == 200


@pytest.mark.parametrize("name", WRITES)
def test_nothing_of_others_is_changed_or_told_by_writing(split, key, name):
    """With everything allowed but the merchants: another's is not there, the order is closed."""
    endpoint = ENDPOINTS[name]
    given = EXAMPLES.get(endpoint.handler.__name__, {})
    body = json.loads(json.dumps(given)) if isinstance(given, dict) else given.encode()
    if endpoint.line is not None:
        body = json.dumps(given).encode()
    before = others(split)
    for method, path in addresses(name, split, "other", "order"):
        answer = split.shop.call(method, path, body, key=key)
        assert split.leaks(answer.text, path) == [], f"{path}: {answer.text[:500]}"
        assert answer.status_code < 500
        nothing_done = answer.status_code >= 400 or endpoint.line is not None
        nothing_done |= name in ITS_OWN and path in addresses(name, split, "own")[0]
        assert nothing_done or name in NO_HARM, f"{path}: {answer.status_code} {answer.text[:300]}"
    assert others(split) == before


def others(split: Split) -> list[object]:
    order = split.shop.get(split.at).json()
    bags = [bag for bag in order["bags"] if bag["merchant"]["code"] != OWN]
    return [bags, order["state"], order["notes"], order["holds"], order["payments"]]


@pytest.mark.parametrize("name", [name for name in WRITES if name in ITS_OWN])
def test_what_is_done_to_its_own_tells_nothing_of_others(split, key, name):
    endpoint = ENDPOINTS[name]
    body = dict(EXAMPLES.get(endpoint.handler.__name__, {}))
    if endpoint.handler.__name__ == "refund_bag":
        body = {"amount": 112, "reference": "own-2"}
    for method, path in addresses(name, split, "own"):
        answer = split.shop.call(method, path, body, key=key)
        assert answer.status_code < 500, answer.text
        assert split.leaks(answer.text, path) == [], f"{path}: {answer.text[:800]}"


def test_a_refund_of_its_own_bag_is_answered_with_its_own_sums(split, key):
    at = f"{split.at}/bags/{split.ids['own']['bag_id']}"
    answer = split.shop.post(f"{at}/refunds", {"amount": 113, "reference": "own-3"}, key=key)
    assert answer.status_code == 201, answer.text
    assert split.leaks(answer.text) == []
    again = split.shop.post(
        f"{split.at}/bags/{split.ids['own']['bag_id']}/refunds",
        {"amount": 113, "reference": f"{OTHERS[0]}-refund"}, key=key)
    assert again.status_code == 409
    assert split.leaks(again.text, f"{OTHERS[0]}-refund") == []
