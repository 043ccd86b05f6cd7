"""How lists are read: as the application's role, under row-level security, on 30,000 orders.

Every statement of a list is explained as it ran. None may scan a big table, and none may read more
than 1,000 rows only to throw them away; deep pages neither. [rulings 15]
"""

import json
import re
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from counterfoil.book import feed, ranked
from counterfoil.book.feed import events
from counterfoil.book.lists import Filters, list_orders, view_counts
from counterfoil.book.looking import letters, unfinished, unsettled
from counterfoil.book.order_numbers import NumbersWanted, order_numbers
from counterfoil.book.returned import ReturnFilters, list_returned
from counterfoil.book.returns import count_returns, count_waiting_returns, list_returns
from counterfoil.book.reviews import count_reviews, count_waiting, list_reviews, screened
from counterfoil.book.search import find_one
from counterfoil.book.shipments import list_shipments
from counterfoil.book.sources import LOOKED_MAX
from counterfoil.book.waiting import expiring, tasks
from counterfoil.kernel import db
from counterfoil.kernel.page import COUNT_MAX
from counterfoil.order.screening import ReviewRules
from tests.filled import fill, middle

pytestmark = pytest.mark.database
ORDERS = 30_000
REMOVED_MAX = 1_000
BIG = {
    "orders", "order_term", "facts", "bags", "items", "transactions", "payments", "shipments",
    "returns", "refunds",
}  # fmt: skip

LISTS = {
    "everything": {},
    "open": {"open": True},
    "closed": {"open": False},
    "open, store": {"open": True, "store": ("nordic",)},
    "store": {"store": ("tokyo",)},
    "state": {"state": ("picking",)},
    "system state": {"system_state": ("NEW",)},
    "two system states": {"system_state": ("NEW", "COMPLETED")},
    "state or system state": {"status": ("picking", "FRAUD"), "open": True},
    "frequent payment": {"financial_status": ("PAID",)},
    "rare payment": {"financial_status": ("PENDING",)},
    "three payments": {"financial_status": ("PAID", "VOIDED", "UNPAID")},
    "fulfilment": {"fulfillment_status": ("DELIVERED",)},
    "rare fulfilment": {"fulfillment_status": ("COULD_NOT_DELIVER", "PARTIALLY_SHIPPED")},
    "review": {"fraud_status": ("PENDING",)},
    "hold": {"hold": True},
    "no hold": {"hold": False},
    "rare of the frequent": {"open": True, "financial_status": ("PAID",), "state": ("new",)},
    "never together": {"system_state": ("NEW",), "financial_status": ("REFUNDED",)},
    "payment, store": {"financial_status": ("PAID",), "store": ("main",)},
    "channel": {"channel": ("csv",)},
    "merchant": {"merchant": ("acme",)},
    "merchants": {"merchant": ("acme", "zeta")},
    "merchant, open": {"merchant": ("acme",), "open": True},
    "merchant, payment": {"merchant": ("acme",), "financial_status": ("PAID",)},
    "tag": {"tag": ("vip",)},
    "tag, open": {"tag": ("vip",), "open": True},
    "test": {"is_test": True},
    "no test": {"is_test": False, "open": True},
    "number": {"number": ("100777",)},
    "external id": {"external_id": ("web-777",)},
    "attention": {"attention": True},
    "unknown": {"money_unknown": True},
    "to capture": {"to_capture": True, "open": True},
    "to ship": {"to_ship": True, "open": True},
    "word": {"q": "nordmann"},
    "beginning": {"q": "1007"},
    "two words": {"q": "kari nordmann"},
    "rare word": {"q": "web-777"},
    "no such word": {"q": "nobody"},
    "word, open": {"q": "customer40", "open": True},
}
RANKED: dict[str, dict[str, object]] = {
    "everything": {},
    "open": {"open": True},
    "closed": {"open": False},
    "store, open": {"store": ("nordic",), "open": True},
}
RETURNS: dict[str, dict[str, Any]] = {
    "everything": {},
    "status": {"status": ("REQUESTED",)},
    "two statuses": {"status": ("REQUESTED", "APPROVED")},
    "frequent resolution": {"resolution": ("REFUND",)},
    "rare resolution": {"resolution": ("NONE",)},
    "rare resolution, status": {"resolution": ("NONE",), "status": ("CLOSED",)},
    "store": {"store": ("tokyo",)},
    "two stores, status": {"store": ("tokyo", "nordic"), "status": ("RECEIVED",)},
    "rare resolution, store": {"resolution": ("NONE",), "store": ("tokyo",)},
}
OWN: dict[str, dict[str, Any]] = {
    "everybody's": {},
    "a store's": {"stores": frozenset({"nordic"})},
    "a merchant's": {"merchants": frozenset({"acme"})},
    "two merchants'": {"merchants": frozenset({"acme", "zeta"})},
}
#: Of every delivered bag something came back, or is to: how that stands, and what it is for.
FILL_RETURNS = """
insert into returns (account_id, id, order_id, bag_id, store, merchant, position, status,
    resolution, lines, reason_code, requested_by, created_at, updated_at)
select o.account_id, gen_random_uuid(), o.id, b.id, o.store, b.merchant, 1, k.status,
  case when k.n % 500 = 0 then 'NONE' when k.n % 10 = 1 then 'EXCHANGE' else 'REFUND' end,
  jsonb_build_array(jsonb_build_object('item_id', b.id, 'quantity', 1, 'received',
    case when k.status in ('RECEIVED', 'CLOSED') then 1 else 0 end, 'restocked', 0,
    'written_off', 0)), 'OTHER', '{}', o.updated_at, o.updated_at
from (select *, row_number() over (order by id) as place from orders where account_id = $1) o
join bags b on b.account_id = $1 and b.order_id = o.id
cross join lateral (select o.place + b.position as n, case (o.place + b.position) % 100
    when 0 then 'REQUESTED' when 1 then 'APPROVED' when 2 then 'REJECTED'
    else case when o.place % 2 = 0 then 'RECEIVED' else 'CLOSED' end end as status) k
where o.fulfillment_status = 'DELIVERED'
"""


@pytest_asyncio.fixture(scope="module")
async def returns(truth, module_database, module_account):
    owner = await asyncpg.connect(module_database.owner_url)
    await owner.execute("set session_replication_role = replica")
    await owner.execute(FILL_RETURNS, module_account.id)
    await owner.execute("vacuum analyze returns")
    counts = await owner.fetch("select merchant, count(*) as n from returns group by merchant")
    await owner.close()
    return Counter({row["merchant"]: row["n"] for row in counts})


@pytest_asyncio.fixture(scope="module")
async def truth(module_database, module_account):
    return await fill(module_database, module_account.id, ORDERS)


class Explained:
    """The statements that ran inside, each with its plan as it was carried out."""

    def __init__(self, connection, removed_max=REMOVED_MAX):
        self.connection, self.removed_max = connection, removed_max

    async def __aenter__(self):
        db.recorder = self.recorded = []
        return self

    async def __aexit__(self, *trouble):
        db.recorder = None
        if trouble[0] is None:
            for sql, parameters in self.recorded:
                await self.judge(sql, parameters)

    async def judge(self, sql, parameters):
        rows = await self.connection.raw.fetch(
            "explain (analyze, format json, timing off) " + sql, *parameters
        )
        plan = json.loads(rows[0][0])[0]["Plan"]
        for node in nodes(plan):
            kind, table = node["Node Type"], node.get("Relation Name", "")
            removed = sum(
                value * node["Actual Loops"]
                for name, value in node.items()
                if re.match(r"Rows Removed by (Filter|Index Recheck|Join Filter)", name)
            )
            told = f"{removed} rows in vain: {kind} {table} {node.get('Index Name', '')}"
            assert not (kind == "Seq Scan" and table in BIG), told
            assert removed <= self.removed_max, f"{told}\n{sql}"


def nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


async def walk(connection, actor, filters, sort="-placed_at", deep=None, removed_max=REMOVED_MAX):
    """Explain the first page, the one after it, the one before that, and one far down."""
    async with Explained(connection, removed_max):
        how = {"limit": 50, "sort": sort}
        page = await list_orders(connection, actor, filters, **how)
        if deep is not None:
            page = await list_orders(connection, actor, filters, after=deep, **how)
        elif page.next_cursor is not None:
            page = await list_orders(connection, actor, filters, after=page.next_cursor, **how)
        if page.previous_cursor:
            await list_orders(connection, actor, filters, after=page.previous_cursor, **how)


def deep_cursor(truth, sort, key):
    """The place nine tenths down a list."""
    orders = sorted((order for order, _ in truth), key=key, reverse=sort.startswith("-"))
    return ranked.place_of(orders[len(orders) * 9 // 10], sort)


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_reads_little_in_vain(name, truth, module_pool, module_admin):
    filters = Filters(**LISTS[name])
    # Frequent words that have to be there together are compared as far as search looks.
    removed_max = COUNT_MAX if name == "two words" else REMOVED_MAX
    sort = "placed_at" if len(name) % 2 else "-placed_at"
    deep = deep_cursor(truth, sort, lambda o: (o.placed_at, o.id))
    async with module_pool.connection(module_admin.account_id) as connection:
        await walk(connection, module_admin, filters, sort, deep, removed_max)


@pytest.mark.parametrize("name", ["everything", "open", "frequent payment", "merchant", "tag"])
async def test_a_range_of_days_is_a_range_of_the_index(name, truth, module_pool, module_admin):
    day = middle(truth)
    for start, end in ((day, None), (None, day), (day, day + timedelta(days=3))):
        filters = Filters(**LISTS[name], placed_from=start, placed_to=end)
        async with module_pool.connection(module_admin.account_id) as connection:
            await walk(connection, module_admin, filters)


@pytest.mark.parametrize("name", RANKED)
@pytest.mark.parametrize(
    ("sort", "key"),
    [("-total", lambda o: (o.total, o.id)), ("-updated_at", lambda o: (o.updated_at, o.id))],
)
async def test_other_orders_read_little_in_vain(
    name, sort, key, truth, module_pool, module_admin
):
    deep = deep_cursor(truth, sort, key)
    day = middle(truth)
    few_days = {"placed_from": day, "placed_to": day + timedelta(days=3)}
    ranges: tuple[dict[str, datetime], ...] = ({}, {"placed_from": day}, few_days)
    async with module_pool.connection(module_admin.account_id) as connection:
        for range_ in ranges:
            filters = Filters(**RANKED[name], **range_)
            # What is sorted is read whole, and passed by up to the place of the page.
            few = ranked.FEW if range_ or "open" in name else REMOVED_MAX
            await walk(connection, module_admin, filters, sort, None if range_ else deep, few)


@pytest.mark.parametrize("name", ["everything", "open", "frequent payment", "tag", "word"])
async def test_a_limited_actor_reads_little_in_vain(name, truth, module_pool, module_admin):
    for own in ({"stores": frozenset({"nordic"})}, {"merchants": frozenset({"acme"})}):
        actor = msgspec.structs.replace(module_admin, **own)
        # A frequent word within one's own store is two frequent words that meet.
        removed_max = COUNT_MAX if name == "word" else REMOVED_MAX
        async with module_pool.connection(actor.account_id) as connection:
            await walk(connection, actor, Filters(**LISTS[name]), removed_max=removed_max)


async def test_views_searches_and_the_feed_read_little_in_vain(
    truth, module_pool, module_admin
):
    order = truth[ORDERS // 2][0]
    async with module_pool.connection(module_admin.account_id) as connection:
        async with Explained(connection):
            await view_counts(connection, module_admin)
            for text in (order.id, order.number, order.external_id, "kari", "nobody"):
                await find_one(connection, module_admin, text)
            for after in (None, "90000", "10000000"):
                await events(connection, module_admin, after=after, limit=1000)
            await unsettled(connection, module_admin)
            await unfinished(connection, module_admin)
            await letters(connection, module_admin)
            await tasks(connection, module_admin)
            await expiring(connection, module_admin, within_hours=1000)
            for status in ("waiting", "passed", "failed"):
                await list_reviews(connection, module_admin, status=status)
            await count_waiting(connection, module_admin)
            await count_reviews(connection, module_admin, order.placed_at)
            await screened(connection, module_admin, order.id, ReviewRules(first_order=True))
        assert feed.WINDOW <= 10_000
        async with Explained(connection):
            for wanted in (
                NumbersWanted(store=order.store, since_order_id=truth[700][0].id),
                NumbersWanted(store=order.store, since_date=order.placed_at.date(),
                              through_date=order.placed_at.date(), statuses=True),
            ):
                if wanted.since_order_id is None or truth[700][0].store == order.store:
                    await order_numbers(connection, module_admin, wanted)


@pytest.mark.parametrize("name", RETURNS)
@pytest.mark.parametrize("own", OWN)
async def test_lists_of_returns_read_little_in_vain(name, own, returns, module_pool, module_admin):
    """Those of a store are looked for among a merchant's own: no index has both."""
    assert returns.total() > 10 * REMOVED_MAX
    actor = msgspec.structs.replace(module_admin, **OWN[own])
    both = actor.merchants and (actor.stores or "store" in RETURNS[name])
    most = sum(returns[code] for code in actor.merchants or ()) if both else REMOVED_MAX
    async with module_pool.connection(actor.account_id) as connection:
        async with Explained(connection, most):
            await two_pages(connection, actor, RETURNS[name])


async def test_the_returns_of_an_order_are_read_alone(returns, truth, module_pool, module_admin):
    wanted = {"order_id": truth[100][0].id, "status": ("CLOSED", "RECEIVED")}
    async with module_pool.connection(module_admin.account_id) as connection:
        async with Explained(connection, 10):
            await two_pages(connection, module_admin, wanted)


@pytest.mark.parametrize("own", OWN)
async def test_returns_of_the_portal_read_little_in_vain(own, returns, module_pool, module_admin):
    actor = msgspec.structs.replace(module_admin, **OWN[own])
    async with module_pool.connection(actor.account_id) as connection:
        async with Explained(connection):
            for which in ("waiting", "received", "closed", "rejected"):
                for resolution in (None, "EXCHANGE", "NONE"):
                    await list_returns(connection, actor, which=which, resolution=resolution)
            await count_returns(connection, actor)
            await count_waiting_returns(connection, actor)


@pytest.mark.parametrize("own", OWN)
async def test_lists_of_shipments_read_little_in_vain(own, truth, module_pool, module_admin):
    """Whoever is limited has theirs looked for, but never among more than search looks at."""
    actor = msgspec.structs.replace(module_admin, **OWN[own])
    async with module_pool.connection(actor.account_id) as connection:
        async with Explained(connection, LOOKED_MAX if OWN[own] else REMOVED_MAX):
            for which in ("open", "sent", "failed"):
                page = await list_shipments(connection, actor, which=which)
                if page.next_cursor is not None:
                    await list_shipments(connection, actor, which=which, cursor=page.next_cursor)


async def two_pages(connection, actor, wanted):
    filters = ReturnFilters(**wanted)
    page = await list_returned(connection, actor, filters)
    if page.next_cursor is not None:
        await list_returned(connection, actor, filters, cursor=page.next_cursor)


async def test_every_operator_is_leakproof(truth, module_pool, module_admin, module_database):
    """One that is not would be held back behind row-level security, and the index with it."""
    recorded: list[tuple[str, tuple[Any, ...]]] = []
    db.recorder = recorded
    async with module_pool.connection(module_admin.account_id) as connection:
        for given in LISTS.values():
            await list_orders(connection, module_admin, Filters(**given))
    db.recorder = None
    owner = await asyncpg.connect(module_database.owner_url)
    proof = {
        row["name"]
        for row in await owner.fetch(
            "select o.oprname as name from pg_operator o join pg_proc p on p.oid = o.oprcode"
            " where p.proleakproof"
        )
    }
    await owner.close()
    used = {word for sql, _ in recorded for word in re.findall(r"\s([<>=!~@&|?*]+)\s", sql)}
    assert used <= proof | {"||"}, used - proof
    assert {"=", "<", ">="} <= used
