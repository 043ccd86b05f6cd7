"""Lists, numbers and the feed, over HTTP."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, get_args

import pytest
import pytest_asyncio

from counterfoil.api import lists
from counterfoil.book.filters import CHOICES, SORTS
from counterfoil.work.sequence import run_sequencer
from tests.api.server import code_of, open_shop, wanted


@pytest_asyncio.fixture(scope="module")
async def full(api, api_pool):
    """A shop with some orders in several states."""
    made = await open_shop(api, api_pool)
    for number in range(7):
        made.order(external_id=f"web-{number}", placed_at=f"2026-11-{10 + number}T10:00:00Z")
    paid = made.captured(customer={"email": "ada@example.com", "first_name": "Ada"}, tags=["b2b"],
                         placed_at="2026-11-01T00:00:00Z")
    done = made.order(is_test=True, placed_at="2026-10-01T00:00:00Z")
    made.post(f"/v1/orders/{done['id']}/cancel")
    made.order(fraud_review=True, placed_at="2026-09-01T00:00:00Z",
               bags=[{"merchant": "solo", "items": [{"sku": "ONE-1", "name": "One", "quantity": 1,
                                                     "unit_price": 5000}]}])
    made.more["paid"] = paid
    return made


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 10),
        ("open=true", 9),
        ("open=false", 1),
        ("state=new", 7),
        ("state=new&state=processing", 8),
        ("system_state=CANCELED", 1),
        ("financial_status=PAID", 1),
        ("financial_status=PAID&financial_status=VOIDED", 2),
        ("fulfillment_status=PROCESSING", 10),
        ("fulfillment_status=FULFILLED", 0),
        ("fraud_status=PENDING", 1),
        ("hold=true", 1),
        ("hold=false", 9),
        ("store=main", 10),
        ("store=other", 0),
        ("channel=api", 10),
        ("merchant=solo", 1),
        ("merchant=acme&merchant=solo", 10),
        ("tag=b2b", 1),
        ("is_test=true", 1),
        ("is_test=false", 9),
        ("placed_from=2026-11-15T00:00:00Z", 2),
        ("placed_from=2026-11-01T00:00:00Z&placed_to=2026-11-12T00:00:00Z", 3),
        ("number=1003", 1),
        ("external_id=web-4", 1),
        ("q=ada", 1),
        ("q=ADA@example.com", 1),
        ("q=one-1", 1),
        ("q=kari@example.com", 9),
        ("q=kari+nordmann", 10),
        ("q=web-6", 1),
        ("q=nobody", 0),
        ("q=kari&open=true&merchant=acme&tag=vip", 7),
    ],
)
def test_each_filter_finds_its_orders(full, query, count):
    page = full.get(f"/v1/orders?limit=100&{query}").json()
    assert (len(page["data"]), page["count"]) == (count, {"value": count, "at_least": False})
    assert page["next_cursor"] is None


@pytest.mark.parametrize("sort", ["-placed_at", "placed_at", "-total", "-updated_at"])
def test_pages_follow_each_other_without_gaps(full, sort):
    whole = [o["id"] for o in full.get(f"/v1/orders?limit=100&sort={sort}").json()["data"]]
    found: list[str] = []
    cursor = ""
    while True:
        page = full.get(f"/v1/orders?limit=3&sort={sort}{cursor}").json()
        found += [order["id"] for order in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == whole
    assert len(set(found)) == 10


def test_a_summary_has_no_items_and_says_what_may_be_done(full):
    (order,) = full.get(f"/v1/orders?number={full.more['paid']['number']}").json()["data"]
    assert "bags" not in order
    assert order["allowed_actions"] == [
        {"action": "refund", "max_amount": 5000}, {"action": "cancel"}]
    assert order["customer"]["first_name"] == "Ada"


@pytest.mark.parametrize(
    "query",
    [
        "system_state=OPEN", "financial_status=paid", "fulfillment_status=x", "fraud_status=x",
        "sort=total", "sort=placed_at&sort=placed_at", "open=maybe", "hold=fraud-review",
        "is_test=", "placed_from=yesterday", "placed_from=2026-11-01T00:00:00", "limit=0",
        "limit=101", "cursor=nonsense", "cursor=WzEsMl0", "page=2", "status=NEW",
        "placed_from=0001-01-01T00:00:00%2B14:00", "placed_to=9999-12-31T23:59:59-14:00",
        "q=" + "x" * 201, "&".join(["tag=x"] * 51),
    ],
)
def test_what_no_list_knows_is_refused(full, query):
    answer = full.get(f"/v1/orders?{query}")
    assert code_of(answer) == (422, "validation_failed")
    assert answer.json()["errors"]


def test_some_sorts_take_few_filters(full):
    assert code_of(full.get("/v1/orders?sort=-total&q=ada")) == (422, "sort_not_available")
    assert full.get("/v1/orders?sort=-total&open=true&store=main").status_code == 200


def test_the_filters_offered_are_those_of_the_book():
    assert set(CHOICES["system_state"]) == set(get_args(lists.System))
    assert set(CHOICES["financial_status"]) == set(get_args(lists.Financial))
    assert set(CHOICES["fulfillment_status"]) == set(get_args(lists.Fulfillment)) - {
        "FULFILLED", "PARTIALLY_FULFILLED"}
    assert set(CHOICES["fraud_status"]) == set(get_args(lists.Fraud))
    sorts = lists.OrderQuery.__annotations__["sort"]
    assert set(SORTS) == set(get_args(sorts))


def test_a_key_for_one_merchant_lists_its_own(full):
    key = full.make_key("orders:read", merchants=["solo"])
    page = full.get("/v1/orders", key=key).json()
    assert [order["total"] for order in page["data"]] == [5000]
    assert full.get("/v1/orders?merchant=acme", key=key).json()["data"] == []


@pytest_asyncio.fixture
async def sequencer(api_pool):
    """A process that gives facts their places, as a worker does."""
    stop = asyncio.Event()
    running = asyncio.create_task(run_sequencer(api_pool, stop))
    yield
    stop.set()
    await running


async def follow(shop, count, **more):
    """Read the feed page by page until so many facts have come."""
    found: list[dict[str, Any]] = []
    cursor, until = "", time.monotonic() + 10
    while len(found) < count:
        assert time.monotonic() < until, f"{len(found)} of {count} facts"
        page = await asyncio.to_thread(shop.get, f"/v1/events?limit=7&after={cursor}", **more)
        found += page.json()["data"]
        cursor = page.json()["next_cursor"]
        await asyncio.sleep(0.01)
    return found


async def test_the_feed_brings_every_fact_once_and_in_order(own_shop, sequencer):
    def life(_: int) -> str:
        order = own_shop.order()
        own_shop.post(f"/v1/orders/{order['id']}/capture", {"amount": 2000})
        own_shop.post(f"/v1/orders/{order['id']}/notes", {"body": "CANARY note"})
        own_shop.post(f"/v1/orders/{order['id']}/capture")
        return str(order["id"])

    with ThreadPoolExecutor(6) as writers:
        writing = asyncio.gather(*(
            asyncio.get_running_loop().run_in_executor(writers, life, n) for n in range(12)))
        facts = await follow(own_shop, 12 * 6)
        orders = await writing
    assert [int(fact["cursor"]) for fact in facts] == list(range(1, 12 * 6 + 1))
    for order_id in orders:
        own = [fact for fact in facts if fact["order_id"] == order_id]
        assert [fact["sequence"] for fact in own] == [1, 2, 3, 4, 5, 6]
        now = [fact.pop("current") for fact in own]
        assert own == own_shop.get(f"/v1/orders/{order_id}/facts").json()
        for fact, one in zip(own, now, strict=True):
            assert fact["sequence"] <= one["order"]["version"] <= 6, "as it is now"
        assert now[-1]["order"]["version"] == 6
        assert [one.get("transaction", {}).get("status") for one in now] == [
            None, "SUCCEEDED", "SUCCEEDED", None, None, "SUCCEEDED"]
    assert [fact["type"] for fact in own] == [
        "order.created", "payment.authorized", "payment.captured", "order.state_changed",
        "order.noted", "payment.captured",
    ]
    text = str(facts)
    assert "CANARY" not in text
    assert "kari" not in text.lower()


async def test_the_feed_can_be_narrowed_to_types(own_shop, sequencer):
    own_shop.captured()
    await follow(own_shop, 4)
    page = own_shop.get("/v1/events?types=order.created,payment.captured").json()
    assert [fact["type"] for fact in page["data"]] == ["order.created", "payment.captured"]
    again = own_shop.get(f"/v1/events?after={page['next_cursor']}").json()
    assert again == {"data": [], "next_cursor": page["next_cursor"]}
    for query in ("types=nope", "limit=0", "limit=1001", "after=x", "after=-1", "since=1"):
        assert code_of(own_shop.get(f"/v1/events?{query}")) == (422, "validation_failed"), query
    key = own_shop.make_key("orders:read")
    assert code_of(own_shop.get("/v1/events", key=key)) == (403, "permission_denied")


async def test_another_merchants_facts_are_hidden_in_their_place(own_shop, sequencer):
    order = own_shop.captured()
    acme, zeta = order["bags"]
    for bag in (acme, zeta):
        own_shop.post(f"/v1/orders/{order['id']}/bags/{bag['id']}/shipments", {})
    key = own_shop.make_key("events:read", merchants=["acme"])
    facts = await follow(own_shop, 6, key=key)
    parcels = [fact for fact in facts if fact["type"] in ("shipment.created", "hidden")]
    assert [fact["type"] for fact in parcels] == ["shipment.created", "hidden"]
    assert parcels[1]["data"] is parcels[1]["current"] is None
    assert parcels[0]["current"]["shipment"]["bag_id"] == acme["id"]
    for fact in facts[:-1]:
        assert fact["current"]["order"].keys() == parcels[0]["current"]["order"].keys()
        assert "amounts" not in fact["current"]["order"]
    told = {name for fact in facts for name in fact["current"] or ()}
    assert told == {"order", "shipment"}
    assert zeta["id"] not in str(facts)


async def test_order_numbers_come_in_the_order_of_the_feed(own_shop, sequencer):
    orders = [own_shop.order() for _ in range(5)]
    await follow(own_shop, 10)
    since = own_shop.get(f"/v1/order-numbers?since_order_id={orders[1]['id']}&statuses=true")
    assert since.json()["count"] == 3
    assert [one["id"] for one in since.json()["orders"]] == [o["id"] for o in orders[2:]]
    assert since.json()["orders"][0]["state"]["code"] == "new"
    by_number = own_shop.get("/v1/order-numbers?since_order_id=1003").json()
    assert [one["number"] for one in by_number["orders"]] == ["1004", "1005"]
    days = own_shop.get("/v1/order-numbers?since_date=2026-11-20&through_date=2026-11-20").json()
    assert days["count"] == 5
    own_shop.patch(f"/v1/orders/{orders[0]['id']}", {"merchant_reference": "M-1"})
    missing = own_shop.get("/v1/order-numbers?missing_merchant_reference=true").json()
    assert orders[0]["id"] not in {one["id"] for one in missing["orders"]}
    for query in ("", "since_date=x", "since_order_id=1&since_date=2026-11-20",
                  "through_date=2026-11-20", "statuses=true", "since=1"):
        assert code_of(own_shop.get(f"/v1/order-numbers?{query}"))[0] == 422, query
    assert code_of(own_shop.get("/v1/order-numbers?since_order_id=9999")) == (404, "not_found")
    own_shop.post("/v1/stores", {"code": "two", "name": "Two", "currency": "EUR"})
    several = own_shop.get("/v1/order-numbers?since_date=2026-11-20")
    assert code_of(several) == (422, "unknown_reference")
    named = own_shop.get("/v1/order-numbers?since_date=2026-11-20&store=main")
    assert named.json()["count"] == 5


def test_an_order_needs_its_store_named_where_there_are_several(full):
    full.post("/v1/stores", {"code": "two", "name": "Two", "currency": "NOK",
                             "number_prefix": "N-", "default_merchant": "solo"})
    body = wanted()
    del body["store"]
    assert code_of(full.post("/v1/orders", body)) == (422, "unknown_reference")
    plain = {"store": "two", "currency": "NOK",
             "items": [{"name": "x", "quantity": 1, "unit_price": 100}]}
    order = full.post("/v1/orders", plain).json()
    assert (order["number"], order["bags"][0]["merchant"]["code"]) == ("N-1001", "solo")
    assert code_of(full.post("/v1/orders", {**plain, "bags": [
        {"merchant": "unheard-of", "items": plain["items"]}], "items": None})) == (
        422, "unknown_reference")
