"""Two at once, the same again, and a connection that is lost when it is least known what became."""

import asyncio

import msgspec
import pytest

from counterfoil.actions.acknowledge import acknowledge
from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.hold import WantedHold, hold
from counterfoil.actions.note import note
from counterfoil.actions.refund import WantedRefund, refund
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.book.numbers import Numbers
from counterfoil.book.opening import Key, open_folder
from counterfoil.book.placing import PlacedBefore, Placer, Placing
from counterfoil.book.run import Book, Command
from counterfoil.kernel import failpoint
from counterfoil.kernel.db import Gone
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import NotFound, Problem
from counterfoil.order.folder import SECTIONS
from counterfoil.order.intake import WantedOrder
from counterfoil.order.intent import Asked
from counterfoil.order.problems import IdempotencyKeyReused, VersionConflict
from tests.actions.making import body


class Desk:
    """One process: its book, its numbers, and Anna at it."""

    def __init__(self, pool, admin):
        self.pool, self.admin = pool, admin
        self.book, self.placer = Book(pool), Placer(pool, Numbers(block=3))

    async def place(self, *, key=None, fingerprint="f", gateway="manual", **sent):
        wanted = msgspec.convert(body(payment={"gateway": gateway}, **sent), WantedOrder)
        asked = Asked(actor=self.admin, key=key or new_id(), lease=new_id())
        owned = Key(credential=self.admin.credential, key=asked.key, fingerprint=fingerprint)
        return await self.placer.place(
            Placing(asked=asked, wanted=wanted, channel="api", fingerprint=fingerprint, key=owned)
        )

    async def order(self, **sent):
        return (await self.place(**sent)).change.after

    async def run(self, order_id, action, *, key=None, fingerprint="f", **arguments):
        more = {name: arguments.pop(name) for name in ("seen", "watch") if name in arguments}
        key = key or new_id()
        command = Command(
            order_id=order_id,
            actor=self.admin,
            key=Key(credential=self.admin.credential, key=key, fingerprint=fingerprint),
            reference=arguments["wanted"].reference if action is refund else None,
            **more,
        )
        asked = Asked(actor=self.admin, key=key, lease=new_id())
        return await self.book.run(command, action, asked=asked, **arguments)

    async def read(self, order_id):
        async with self.pool.connection(self.admin.account_id) as connection:
            return (await open_folder(connection, order_id, frozenset(SECTIONS))).folder


@pytest.fixture
async def desks(pool, admin, owner):
    """Two processes of one account."""
    await owner.execute(
        "insert into gateways (account_id, id, code, kind) values ($1, $2, 'sandbox', 'sandbox')",
        admin.account_id,
        new_id(),
    )
    await owner.execute("update stores set scopes = '[\"partial_capture\"]'")
    return Desk(pool, admin), Desk(pool, admin)


async def both(*running):
    """Let them run at once; problems come back as their codes."""
    found = await asyncio.gather(*running, return_exceptions=True)
    for one in found:
        assert not isinstance(one, BaseException) or isinstance(one, Problem), one
    return sorted(one.code if isinstance(one, Problem) else "done" for one in found)


@pytest.fixture
def lose_connections():
    """Lose the connection at a failpoint, so many times."""
    left = {}

    def lose(name, times=1):
        left[name] = times
        failpoint._set(watch)

    def watch(name):
        if left.get(name, 0) > 0:
            left[name] -= 1
            raise Gone("lost")

    yield lose
    failpoint.disarm()


@pytest.mark.parametrize("where", ["book.commit", "book.committed"])
async def test_what_was_committed_when_the_connection_was_lost_is_found_by_its_key(
    desks, lose_connections, where
):
    order = await desks[0].order()
    lose_connections(where)
    ran = await desks[0].run(order.order.id, capture)
    assert ran.answered.status == 201
    assert ran.answered.replayed == (where == "book.committed")
    lose_connections(where)
    placed = await desks[0].place(external_id="web-1")
    assert placed.answered.status == 201
    read = await desks[0].read(order.order.id)
    assert [row.type for row in read.transactions] == ["AUTHORIZE", "CAPTURE"]


async def test_an_intent_that_was_committed_when_the_connection_was_lost_runs(
    desks, lose_connections, owner
):
    lose_connections("book.committed")
    ran = await desks[0].place(gateway="sandbox", key="k", external_id="web-1")
    assert ran.waiting, "whoever made the intent settles it, under the lease it was made with"
    (row,) = (await desks[0].read(ran.change.result.id)).transactions
    assert row.lease_token == ran.change.inserts["transactions"][0].lease_token
    with pytest.raises(Problem) as running:
        await desks[1].place(gateway="sandbox", key="k", external_id="web-1")
    assert (running.value.code, running.value.headers) == (
        "request_in_progress",
        {"Retry-After": "1"},
    )
    order_id = (await desks[0].order()).order.id
    await owner.execute("update payments set gateway = 'sandbox' where order_id = $1", order_id)
    lose_connections("book.committed")
    taking = await desks[0].run(order_id, capture, key="c", amount=1000)
    assert taking.waiting
    read = await desks[0].read(order_id)
    assert {row.id for row in read.transactions} >= {taking.change.result.id}
    assert read.order.capture_pending == 1000, "once"
    with pytest.raises(PlacedBefore) as before:
        await desks[1].place(gateway="sandbox", external_id="web-1")
    read = await desks[0].read(before.value.order_id)
    assert [(row.status, row.due_at is None) for row in read.transactions] == [("PENDING", False)]


async def test_a_key_is_its_requests_whatever_became_of_it(desks):
    order = await desks[0].order()
    first = await desks[0].run(order.order.id, note, key="n", body="Rang")
    again = await desks[1].run(order.order.id, note, key="n", body="Rang")
    assert again.change is None and again.answered.replayed
    assert again.answered.body == first.answered.body
    with pytest.raises(Problem) as reused:
        await desks[1].run(order.order.id, note, key="n", fingerprint="g", body="Rang twice")
    assert reused.value.code == "idempotency_key_reused"
    with pytest.raises(Problem) as reused:
        await desks[1].place(key="n", fingerprint="g")
    assert reused.value.code == "idempotency_key_reused"


async def test_a_refusal_leaves_its_key_free(desks):
    order = await desks[0].order()
    with pytest.raises(Problem):
        await desks[0].run(order.order.id, refund, key="r", wanted=WantedRefund(reference="R"))
    await desks[0].run(order.order.id, capture)
    ran = await desks[0].run(order.order.id, refund, key="r", wanted=WantedRefund(reference="R"))
    assert ran.answered.status == 201


async def test_what_found_its_effect_there_already_is_kept_under_its_key(desks):
    one, two = desks
    order = await one.order()
    await one.run(order.order.id, acknowledge)
    first = await one.run(order.order.id, acknowledge, key="again")
    assert first.change.nothing
    assert (first.answered.status, first.answered.replayed) == (200, False)
    await one.run(order.order.id, note, body="Called the customer.")
    repeat = await two.run(order.order.id, acknowledge, key="again")
    assert repeat.answered.replayed
    assert repeat.answered.body == first.answered.body
    with pytest.raises(IdempotencyKeyReused):
        await two.run(order.order.id, note, key="again", fingerprint="g", body="Else.")
    many = [desk.run(order.order.id, acknowledge, key="at once") for desk in (one, two) * 10]
    bodies = {ran.answered.body for ran in await asyncio.gather(*many)}
    assert len(bodies) == 1


async def test_a_reference_belongs_to_one_refund_of_the_store(desks):
    one, two = await desks[0].order(), await desks[1].order()
    for order in (one, two):
        await desks[0].run(order.order.id, capture)
    wanted = WantedRefund(reference="R-1", amount=700)
    assert await both(
        desks[0].run(one.order.id, refund, wanted=wanted),
        desks[1].run(two.order.id, refund, wanted=wanted),
    ) == ["done", "refund_reference_conflict"]
    three = await desks[0].order()
    await desks[0].run(three.order.id, capture)
    wanted = WantedRefund(reference="R-3", amount=700)
    ran = await asyncio.gather(
        *(desk.run(three.order.id, refund, wanted=wanted) for desk in (*desks, *desks))
    )
    assert sorted(one.answered.status for one in ran) == [200, 200, 200, 201]
    assert (await desks[0].read(three.order.id)).order.refunded == 700


async def test_what_is_there_once_is_there_once_when_two_make_it(desks):
    order = await desks[0].order()
    mine, theirs = order.bags
    tracked = {"wanted": WantedShipment(tracking_number="T-1")}
    assert await both(
        desks[0].run(order.order.id, ship, bag_id=mine.id, **tracked),
        desks[1].run(order.order.id, ship, bag_id=theirs.id, **tracked),
    ) == ["done", "tracking_number_taken"]
    order = await desks[0].order()
    named = {"wanted": WantedShipment(external_id="W-1")}
    ran = await asyncio.gather(
        *(desk.run(order.order.id, ship, bag_id=order.bags[0].id, **named) for desk in desks)
    )
    assert sorted(one.answered.status for one in ran) == [200, 201]
    held = {"wanted": WantedHold(handle="stock")}
    assert await both(*(desk.run(order.order.id, hold, **held) for desk in desks)) == [
        "done",
        "hold_handle_taken",
    ]
    order = await desks[0].order(gateway="sandbox")
    assert await both(
        *(desk.run(order.order.id, cancel, wanted=WantedCancel()) for desk in desks)
    ) == ["done", "request_in_progress"]


async def test_orders_that_bring_the_same_new_names_all_come_in(desks, owner):
    bags = [
        {"merchant": f"m{count}", "items": [{"name": "Mug", "quantity": 1, "unit_price": 5}]}
        for count in range(3)
    ]
    placed = await asyncio.gather(
        *(desk.order(bags=bags, shipping_method="dragon") for desk in desks * 4)
    )
    numbers = [one.order.number for one in placed]
    assert len(set(numbers)) == len(numbers)
    merchants = await owner.fetchval("select count(*) from merchants where code like 'm_'")
    methods = await owner.fetchval("select count(*) from shipment_methods where code = 'dragon'")
    assert (merchants, methods) == (3, 1)


async def test_a_store_that_makes_no_merchants_takes_its_own_default(desks, owner):
    await owner.execute(
        "insert into merchants (account_id, id, code, name)"
        " select account_id, gen_random_uuid(), 'own', 'Own' from stores"
    )
    await owner.execute("update stores set create_merchants = false, default_merchant = 'own'")
    items = [{"name": "Mug", "quantity": 1, "unit_price": 5}]
    order = await desks[0].order(bags=None, items=items)
    assert order.bags[0].merchant == "own"


async def test_if_match_looks_at_what_was_seen_and_at_what_matters(desks):
    order = await desks[0].order()
    seen = order.order.version
    await desks[0].run(order.order.id, note, body="Rang")
    with pytest.raises(VersionConflict) as stale:
        await desks[1].run(order.order.id, capture, seen=seen)
    assert stale.value.facts["version"] == seen + 1
    assert stale.value.facts["changed_by"][0]["name"] == "Anna Berg"
    money = ("payment.captured", "payment.voided")
    ran = await desks[1].run(order.order.id, capture, seen=seen, watch=money, amount=1)
    assert ran.answered.status == 201
    with pytest.raises(VersionConflict):
        await desks[1].run(order.order.id, capture, seen=seen, watch=money, amount=1)
    with pytest.raises(VersionConflict):
        await desks[1].run(order.order.id, note, seen=99, watch=money, body="Early")


async def test_of_two_who_saw_the_same_only_one_writes(desks):
    order = await desks[0].order()
    seen = order.order.version
    assert await both(
        *(desk.run(order.order.id, capture, seen=seen, amount=1000) for desk in desks)
    ) == ["done", "version_conflict"]


async def test_who_is_limited_to_another_store_finds_neither_store_nor_orders(desks, pool, admin):
    order = await desks[0].order(external_id="web-1")
    elsewhere = Desk(pool, msgspec.structs.replace(admin, stores=frozenset({"outlet"})))
    with pytest.raises(NotFound):
        await elsewhere.place(external_id="web-1")
    with pytest.raises(NotFound):
        await elsewhere.run(order.order.id, capture)
