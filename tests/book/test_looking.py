"""Looking at orders from beside: their past, what is unfinished, letters, numbers to take over."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from counterfoil.actions.edit import edit
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.book.looking import (
    facts_of,
    gateway_calls,
    letter_of,
    letters,
    order_of_shipment,
    timeline,
    unfinished,
    unsettled,
)
from counterfoil.book.order_numbers import NumbersWanted, order_numbers
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import NotFound, ValidationFailed
from counterfoil.order.problems import UnknownReference
from counterfoil.work.sequence import place_waiting
from tests.book.living import Living, live_many_lives

pytestmark = pytest.mark.database
NOBODY = ("not an id", "0199c000-0000-7000-8000-000000000001")


def limited(admin, **own):
    """The same person, who may see less."""
    return msgspec.structs.replace(admin, **{k: frozenset(v) for k, v in own.items()})


async def place_all(pool):
    while await place_waiting(pool):
        pass


async def test_the_past_of_an_order_is_told_from_either_end(pool, admin):
    order = (await live_many_lives(Living(pool, admin)))[0]
    async with pool.connection(admin.account_id) as connection:
        oldest = await facts_of(connection, admin, order.order.id)
        newest = await timeline(connection, admin, order.order.id, limit=4)
    assert [fact.sequence for fact in oldest] == list(range(1, len(oldest) + 1))
    assert newest == oldest[::-1][:4]
    assert [fact.type for fact in oldest[:3]] == [
        "order.created", "payment.authorized", "payment.captured",
    ]
    assert all(fact.cursor is None for fact in oldest)


async def test_another_merchants_past_is_hidden(pool, admin):
    order = (await live_many_lives(Living(pool, admin)))[0]
    acme = limited(admin, merchants={"acme"})
    async with pool.connection(admin.account_id) as connection:
        whole = await facts_of(connection, admin, order.order.id)
        own = await facts_of(connection, acme, order.order.id)
    assert [fact.sequence for fact in own] == [fact.sequence for fact in whole]
    theirs = {fact.sequence for fact in own if fact.type == "hidden"}
    bags = {bag.id: bag.merchant for bag in order.bags}
    parcels = {
        fact.sequence for fact in whole
        if fact.data and "shipment" in fact.data
        and bags[fact.data["shipment"]["bag_id"]] == "zeta"
    }
    assert parcels <= theirs
    assert len(theirs) < len(own) / 2


async def test_who_may_not_see_an_order_sees_nothing_of_it(pool, admin):
    living = Living(pool, admin)
    order = await living.place()
    parcel = await living.run(
        order, ship, bag_id=order.bags[0].id, wanted=WantedShipment(tracking_number="T")
    )
    async with pool.connection(admin.account_id) as connection:
        assert await order_of_shipment(connection, admin, parcel.id) == order.order.id
        assert await gateway_calls(connection, admin, order.order.id) == []
        acme = limited(admin, merchants={"acme"})
        assert await order_of_shipment(connection, acme, parcel.id) == order.order.id
        for actor in (limited(admin, stores={"x"}), limited(admin, merchants={"pine"})):
            for look in (facts_of, timeline, gateway_calls):
                with pytest.raises(NotFound):
                    await look(connection, actor, order.order.id)
            with pytest.raises(NotFound):
                await order_of_shipment(connection, actor, parcel.id)
        with pytest.raises(NotFound):  # zeta is in the order, the parcel is acme's
            await order_of_shipment(connection, limited(admin, merchants={"zeta"}), parcel.id)
        for wrong in NOBODY:
            for look_at in (facts_of, timeline, gateway_calls, order_of_shipment, letter_of):
                with pytest.raises(NotFound):
                    await look_at(connection, admin, wrong)


async def test_money_that_waits_is_listed_with_its_order(pool, admin, owner):
    await owner.execute(
        "insert into gateways (account_id, id, code, kind) values ($1, $2, 'sandbox', 'sandbox')",
        admin.account_id, new_id(),
    )
    living = Living(pool, admin)
    order = await living.place(payment={"gateway": "sandbox"})
    await living.place()
    async with pool.connection(admin.account_id) as connection:
        found = await unsettled(connection, admin)
        assert await unsettled(connection, limited(admin, stores={"x"})) == []
        assert await unsettled(connection, limited(admin, merchants={"acme"})) == []
    assert len(found) == 1
    waiting = found[0]
    assert (waiting.order_id, waiting.order_number) == (order.order.id, order.order.number)
    assert (waiting.type, waiting.status, waiting.amount, waiting.gateway) == (
        "AUTHORIZE", "PENDING", 5000, "sandbox",
    )


async def test_a_cancellation_that_waits_is_listed(pool, admin, owner):
    from counterfoil.actions.cancel import WantedCancel, cancel

    await owner.execute(
        "insert into gateways (account_id, id, code, kind) values ($1, $2, 'sandbox', 'sandbox')",
        admin.account_id, new_id(),
    )
    living = Living(pool, admin)
    order = await living.place(payment={"gateway": "sandbox"})
    plan = await living.run(order, cancel, wanted=WantedCancel(reason_code="CUSTOMER"))
    async with pool.connection(admin.account_id) as connection:
        found = await unfinished(connection, admin)
        assert await unfinished(connection, limited(admin, stores={"x"})) == []
    assert [(one.id, one.order_id, one.status) for one in found] == [
        (plan.id, order.order.id, "PROCESSING")
    ]


async def test_letters_are_paged_from_the_newest(pool, admin):
    from counterfoil.actions.cancel import WantedCancel, cancel

    living = Living(pool, admin)
    for _ in range(5):
        order = await living.place()
        await living.run(order, cancel, wanted=WantedCancel(notify_customer=True))
    async with pool.connection(admin.account_id) as connection:
        first = await letters(connection, admin, limit=3)
        rest = await letters(connection, admin, limit=3, cursor=first.next_cursor)
        assert [len(first.data), len(rest.data), rest.next_cursor] == [3, 2, None]
        assert first.count.value == rest.count.value == 5
        times = [letter.created_at for letter in [*first.data, *rest.data]]
        assert times == sorted(times, reverse=True)
        newest = await letter_of(connection, admin, first.data[0].id)
        assert newest == first.data[0]
        assert (newest.order_number, newest.recipient) == (order.order.number, "kari@example.com")
        for actor in (limited(admin, stores={"x"}), limited(admin, merchants={"acme"})):
            assert (await letters(connection, actor)).data == []
            with pytest.raises(NotFound):
                await letter_of(connection, actor, newest.id)
        with pytest.raises(ValidationFailed):
            await letters(connection, admin, cursor="x")


async def numbers(pool, actor, **wanted):
    async with pool.connection(actor.account_id) as connection:
        return await order_numbers(connection, actor, NumbersWanted(**wanted))


@pytest.mark.proves("N-4", "N-17")
async def test_numbers_follow_the_feed_from_the_last_one_taken_over(pool, admin):
    living = Living(pool, admin)
    orders = [await living.place() for _ in range(3)]
    # One that was placed long ago and arrives only now is news all the same.
    orders.append(await living.place(placed_at="2020-01-01T00:00:00Z"))
    first = orders[0].order
    assert (await numbers(pool, admin, since_order_id=first.id)).orders == []
    await place_all(pool)
    for since in (first.id, first.number):
        found = await numbers(pool, admin, since_order_id=since)
        assert found.count == 3
        assert [one.id for one in found.orders] == [one.order.id for one in orders[1:]]
        assert [one.number for one in found.orders] == [one.order.number for one in orders[1:]]
        assert all(one.state is None for one in found.orders)
    assert (await numbers(pool, admin, since_order_id=orders[-1].order.id)).orders == []
    told = await numbers(pool, admin, since_order_id=first.id, statuses=True)
    assert {one.state.code for one in told.orders} == {"new"}
    assert "state" not in msgspec.json.encode(found).decode()


@pytest.mark.proves("N-17")
async def test_numbers_of_some_days(pool, admin):
    living = Living(pool, admin)
    days = [date(2026, 3, 1) + timedelta(days=n) for n in range(5)]
    orders = [
        await living.place(placed_at=datetime(d.year, d.month, d.day, 23, 59, tzinfo=UTC)
                           .isoformat()) for d in days
    ]
    await place_all(pool)

    async def found(**wanted):
        return [one.number for one in (await numbers(pool, admin, **wanted)).orders]

    told = [order.order.number for order in orders]
    assert await found(since_date=days[0]) == told
    assert await found(since_date=days[1], through_date=days[3]) == told[1:4]
    assert await found(since_date=days[4] + timedelta(days=1)) == []


async def test_numbers_that_nobody_has_taken_over(pool, admin):
    living = Living(pool, admin)
    fresh, taken = await living.place(), await living.place()
    await living.place(placed_at="2020-01-01T00:00:00Z")
    await living.run(taken, edit, fields={"merchant_reference": "ERP-2"})
    await place_all(pool)
    found = await numbers(pool, admin, missing_merchant_reference=True)
    assert [one.id for one in found.orders] == [fresh.order.id]


async def test_numbers_are_those_of_one_store_and_of_who_asks(pool, admin, owner):
    living = Living(pool, admin)
    order = await living.place()
    await place_all(pool)
    today = date(2020, 1, 1)
    assert (await numbers(pool, limited(admin, merchants={"pine"}), since_date=today)).orders == []
    with pytest.raises(UnknownReference):
        await numbers(pool, limited(admin, stores={"x"}), since_date=today)
    with pytest.raises(NotFound):
        await numbers(pool, admin, since_order_id=NOBODY[1])
    await owner.execute(
        "insert into stores (account_id, id, code, name, currency)"
        " values ($1, $2, 'second', 'Second', 'EUR')", admin.account_id, new_id(),
    )
    with pytest.raises(UnknownReference):
        await numbers(pool, admin, since_date=today)
    assert (await numbers(pool, admin, since_date=today, store="main")).count == 1
    assert (await numbers(pool, admin, since_date=today, store="second")).count == 0
    with pytest.raises(NotFound):
        await numbers(pool, admin, since_order_id=order.order.id, store="second")


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"since_order_id": "1", "since_date": date(2026, 1, 1)},
        {"since_date": date(2026, 1, 1), "missing_merchant_reference": True},
        {"through_date": date(2026, 1, 1), "missing_merchant_reference": True},
        {"since_date": date(2026, 1, 1), "through_date": date.max},
        {"since_order_id": "\x00"}, {"since_order_id": "1", "store": "\ud800"},
    ],
)
async def test_one_way_of_asking_for_numbers_at_a_time(wrong, module_pool, module_admin):
    with pytest.raises(ValidationFailed):
        await numbers(module_pool, module_admin, **wrong)


async def test_numbers_miss_nothing_while_orders_come_in(pool, admin):
    """Somebody takes over what is new again and again, by the last id they saw."""
    writers = [Living(pool, admin) for _ in range(4)]
    first = await writers[0].place()
    await place_all(pool)
    taken, done = [first.order.id], asyncio.Event()

    async def take():
        while True:
            last = done.is_set()
            await place_all(pool)
            found = await numbers(pool, admin, since_order_id=taken[-1])
            taken.extend(one.id for one in found.orders)
            if last:
                return
            await asyncio.sleep(0.005)

    async def write(living):
        return [(await living.place()).order.id for _ in range(12)]

    taking = asyncio.create_task(take())
    made = await asyncio.gather(*(write(living) for living in writers))
    done.set()
    await taking
    assert sorted(taken) == sorted([first.order.id, *(one for each in made for one in each)])
