"""The feed: nothing missed, nothing out of order, and nothing that is not for who asks."""

import asyncio
import random
from datetime import UTC, datetime

import asyncpg
import msgspec
import pytest

from counterfoil.actions.note import note
from counterfoil.book import feed
from counterfoil.book.feed import events
from counterfoil.kernel.db import Pool
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import ValidationFailed
from counterfoil.order.fact import FACT_TYPES
from counterfoil.work.sequence import feed_lag_ms, place_waiting, run_sequencer
from tests.book.living import Living, live_many_lives
from tests.invariants import assert_invariants

pytestmark = pytest.mark.database


async def place_all(pool):
    while await place_waiting(pool):
        pass


async def read_all(pool, actor, *, after=None, **how):
    """Read the feed to its end; returns the facts and the last cursor."""
    facts, cursor = [], after or "0"
    while True:
        async with pool.connection(actor.account_id) as connection:
            page = await events(connection, actor, after=cursor, **how)
        facts += page.data
        if page.next_cursor == cursor:
            return facts, cursor
        cursor = page.next_cursor


class Reader:
    """Somebody who polls the feed all the time and remembers what came."""

    def __init__(self, pool, actor):
        self.pool, self.actor = pool, actor
        self.facts, self.cursor = [], None

    async def poll(self, stop):
        while not stop.is_set():
            async with self.pool.connection(self.actor.account_id) as connection:
                page = await events(connection, self.actor, after=self.cursor, limit=50)
            self.facts += page.data
            self.cursor = page.next_cursor
            await asyncio.sleep(0.003)


async def write_notes(database, admin, orders, chance, *, count):
    """Write on a few orders from a pool of its own, as another process would."""
    pool = Pool(database.app_url, size=4)
    living = Living(pool, admin)

    async def write():
        for _ in range(count):
            await living.run(chance.choice(orders), note, body="x")
            await asyncio.sleep(chance.random() / 200)

    await asyncio.gather(*(write() for _ in range(4)))
    await pool.close()


async def commit_late(owner, order, seconds):
    """Keep a write transaction open with a fact inside, and commit it at the end."""
    async with owner.transaction():
        await owner.execute(
            "update orders set version = version + 1, updated_at = now() where id = $1",
            order.order.id,
        )
        await owner.execute(
            "insert into facts (account_id, id, order_id, order_number, sequence, type, data,"
            " actor, at) select account_id, $2, id, number, version, 'order.noted', '{}', '{}',"
            " updated_at from orders where id = $1",
            order.order.id, new_id(),
        )
        await asyncio.sleep(seconds)


async def kill_holder(owner, times):
    """Cut the connection of whoever holds the sequencer's lock, now and then."""
    for _ in range(times):
        await asyncio.sleep(0.5)
        await owner.fetch(
            "select pg_terminate_backend(pid) from pg_locks"
            " where locktype = 'advisory' and classid = 4711 and objid = 3 and granted"
        )


async def test_hot_orders_lose_nothing_on_their_way_into_the_feed(
    database, pool, admin, owner, monkeypatch
):
    """Writers with skewed clocks, an open transaction, a sequencer that is killed; one reader."""
    chance = random.Random(4711)

    def skewed() -> str:
        moved = int(new_id().replace("-", "")[:12], 16) + chance.randint(-2000, 2000)
        text = f"{moved:012x}" + new_id().replace("-", "")[12:]
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    living = Living(pool, admin)
    hot = [await living.place() for _ in range(3)]
    slow = await living.place()
    monkeypatch.setattr("counterfoil.order.draft.new_id", skewed)
    monkeypatch.setattr("counterfoil.work.sequence._RETRY_MS", 50)
    stop, reader = asyncio.Event(), Reader(pool, admin)
    other = await asyncpg.connect(database.owner_url)
    running = [
        asyncio.create_task(run_sequencer(pool, stop)),
        asyncio.create_task(run_sequencer(pool, stop)),
        asyncio.create_task(reader.poll(stop)),
    ]
    await asyncio.gather(
        *(write_notes(database, admin, hot, random.Random(n), count=20) for n in range(3)),
        commit_late(owner, slow, 1.5),
        kill_holder(other, 3),
    )
    async with asyncio.timeout(10), pool.connection(admin.account_id) as connection:
        while await feed_lag_ms(connection):
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    stop.set()
    await asyncio.gather(*running)
    await other.close()
    facts = await owner.fetch("select order_id::text, sequence from facts order by position")
    assert len(facts) == 4 * 2 + 3 * 4 * 20 + 1
    skews = await owner.fetchval(
        "select count(*) from facts a join facts b on b.order_id = a.order_id"
        " and b.sequence = a.sequence + 1 where b.id < a.id"
    )
    assert skews > 20, "clocks were not skewed enough to prove anything"
    assert [(f.order_id, f.sequence) for f in reader.facts] == [tuple(row) for row in facts]
    assert [int(f.cursor) for f in reader.facts] == list(range(1, len(facts) + 1))
    seen: dict[str, int] = {}
    for fact in reader.facts:
        assert fact.sequence == seen.get(fact.order_id, 0) + 1
        seen[fact.order_id] = fact.sequence
    await assert_invariants(pool, admin.account_id)


async def test_a_backlog_is_placed_in_chunks_that_keep_orders_whole(
    pool, admin, owner, monkeypatch
):
    """A later version with a smaller id waits for the one below it, whatever chunk that is in."""
    monkeypatch.setattr("counterfoil.work.sequence.CHUNK", 3)
    living = Living(pool, admin)
    orders = [await living.place() for _ in range(6)]
    async with owner.transaction():
        await owner.execute("set local session_replication_role = replica")
        for order in orders[:3]:
            await owner.execute(
                "update facts set id = $2 where order_id = $1 and sequence = 2",
                order.order.id, "01000000" + new_id()[8:],
            )
    assert await place_waiting(pool) == 6
    await place_all(pool)
    facts, cursor = await read_all(pool, admin)
    assert cursor == "12"
    assert [fact.sequence for fact in facts] == [1, 2] * 6
    await assert_invariants(pool, admin.account_id)


async def test_accounts_do_not_share_positions(pool, admin):
    from counterfoil.setup.accounts import create_account
    from tests.conftest import make_admin

    second = make_admin(await create_account(pool, "Second"))
    for actor in (admin, second, admin):
        await Living(pool, actor).place()
    await place_all(pool)
    assert (await read_all(pool, admin))[1] == "4"
    facts, cursor = await read_all(pool, second)
    assert cursor == "2"
    assert {fact.data["order"]["number"] for fact in facts} == {"1001"}


async def test_only_one_process_places(pool, admin):
    await Living(pool, admin).place()
    async with pool.connection("") as connection:
        await connection.value("select pg_try_advisory_lock(4711, 3)")
        assert await place_waiting(pool) == 0
        await connection.value("select pg_advisory_unlock(4711, 3)")
    assert await place_waiting(pool) == 2


async def test_what_waits_for_its_place_is_measured(pool, admin):
    living = Living(pool, admin)
    async with pool.connection(admin.account_id) as connection:
        assert await feed_lag_ms(connection) == 0
        await living.place(placed_at=(datetime(2020, 1, 1, tzinfo=UTC)).isoformat())
        await asyncio.sleep(0.02)
        assert 20 <= await feed_lag_ms(connection) < 5000
        await place_all(pool)
        assert await feed_lag_ms(connection) == 0


async def test_a_cursor_goes_on_where_the_last_reading_ended(pool, admin):
    living = Living(pool, admin)
    for _ in range(4):
        await living.place()
    await place_all(pool)
    async with pool.connection(admin.account_id) as connection:
        first = await events(connection, admin, limit=3)
        rest = await events(connection, admin, after=first.next_cursor)
        none = await events(connection, admin, after=rest.next_cursor)
    assert [int(fact.cursor) for fact in first.data + rest.data] == list(range(1, 9))
    assert (first.next_cursor, rest.next_cursor) == ("3", "8")
    assert (none.data, none.next_cursor) == ([], "8")
    await living.place()
    await place_all(pool)
    facts, _ = await read_all(pool, admin, after=none.next_cursor)
    assert [fact.type for fact in facts] == ["order.created", "payment.authorized"]


async def test_facts_without_a_place_are_not_told_yet(pool, admin):
    await Living(pool, admin).place()
    async with pool.connection(admin.account_id) as connection:
        assert (await events(connection, admin)).data == []


async def test_rare_types_are_found_window_by_window(pool, admin, monkeypatch):
    monkeypatch.setattr(feed, "WINDOW", 5)
    living = Living(pool, admin)
    orders = [await living.place() for _ in range(6)]
    await living.run(orders[0], note, body="x")
    await place_all(pool)
    async with pool.connection(admin.account_id) as connection:
        page = await events(connection, admin, types=["order.noted"])
    assert (page.data, page.next_cursor) == ([], "5")
    facts, cursor = await read_all(pool, admin, types=["order.noted", "refund.requested"])
    assert [fact.type for fact in facts] == ["order.noted"]
    assert cursor == "13"


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"after": "x"}, "/after"), ({"after": "-1"}, "/after"), ({"after": "1" * 30}, "/after"),
        ({"after": "١"}, "/after"), ({"limit": 0}, "/limit"), ({"limit": 1001}, "/limit"),
        ({"types": ["order.eaten"]}, "/types"),
    ],
)
async def test_what_cannot_be_asked_is_named(wrong, pointer, module_pool, module_admin):
    async with module_pool.connection(module_admin.account_id) as connection:
        with pytest.raises(ValidationFailed) as refused:
            await events(connection, module_admin, **wrong)
    assert refused.value.errors[0]["pointer"] == pointer


async def test_a_merchant_sees_their_own_and_that_there_was_more(pool, admin):
    living = Living(pool, admin)
    await live_many_lives(living)
    alone = await living.place(
        bags=[{"merchant": "pine", "items": [{"name": "Box", "quantity": 1, "unit_price": 900}]}]
    )
    await place_all(pool)
    everything, _ = await read_all(pool, admin)
    actor = msgspec.structs.replace(admin, merchants=frozenset({"acme"}))
    own, _ = await read_all(pool, actor)
    assert alone.order.id not in {fact.order_id for fact in own}
    assert len(own) == len([f for f in everything if f.order_id != alone.order.id])
    whole = {fact.id: fact for fact in everything}
    hidden = [fact for fact in own if fact.type == "hidden"]
    assert hidden
    for fact in own:
        before = whole[fact.id]
        assert (fact.sequence, fact.at, fact.cursor) == (before.sequence, before.at, before.cursor)
        if fact.type == "hidden":
            assert (fact.data, fact.actor) == (None, {})
        else:
            assert fact.type == before.type
            assert fact.type in FACT_TYPES
            assert not {"total", "amounts"} & fact.data["order"].keys()
            assert not {"transaction", "payment", "refund", "cancellation"} & fact.data.keys()
    assert any("shipment" in fact.data for fact in own if fact.data)
    assert "authorized" not in msgspec.json.encode([fact.data for fact in own]).decode()


async def test_a_store_sees_its_own(pool, admin):
    await Living(pool, admin).place()
    await place_all(pool)
    abroad = msgspec.structs.replace(admin, stores=frozenset({"elsewhere"}))
    at_home = msgspec.structs.replace(admin, stores=frozenset({"main"}))
    assert await read_all(pool, abroad) == ([], "2")
    assert len((await read_all(pool, at_home))[0]) == 2


async def test_lives_in_the_book_keep_every_promise(pool, admin):
    living = Living(pool, admin)
    await live_many_lives(living)
    await assert_invariants(pool, admin.account_id)
    await place_all(pool)
    await assert_invariants(pool, admin.account_id)
