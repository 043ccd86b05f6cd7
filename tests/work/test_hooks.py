"""What providers tell us: kept, looked into, believed in nothing. [faults W-1 to W-9]"""

import asyncio

import pytest

from counterfoil.gateways.port import HookRefused
from counterfoil.work.hooks import receive_hook
from tests.db import Clock
from tests.sandbox.server import Sandbox
from tests.work.hooking import HOOKS, call, events, followed, kept, listen, made_up, signed, tell
from tests.work.ledger import assert_same, moved
from tests.work.shop import CAPTURE, Shop
from tests.work.test_sync import console, provider

pytestmark = pytest.mark.database
DAY = 24 * 3600


@pytest.fixture
async def listening(shop: Shop, sandbox: Sandbox) -> Shop:
    await listen(shop, sandbox)
    return shop


async def test_a_call_is_kept_and_brings_the_order_up_to_date(listening: Shop, sandbox: Sandbox):
    order_id = await listening.order(5000)
    await console(listening, sandbox, order_id, "capture", 3000)
    told = events(sandbox, await provider(listening, order_id))
    headers, body = await signed(listening, told[-1])
    arrived = await call(listening, {**headers, "authorization": "Bearer x"}, body)
    assert (arrived.kind, arrived.new) == ("sandbox", True)
    (row,) = await kept(listening)
    assert (row["body"], row["event_id"], row["topic"], row["status"]) == (
        body, told[-1]["id"], "payment.captured", "RECEIVED")
    assert "webhook-signature" in row["headers"]
    assert "Bearer" not in row["headers"]
    assert await followed(listening) == 1
    (row,) = await kept(listening)
    assert (row["status"], str(row["order_id"]), row["due_at"]) == ("DONE", order_id, None)
    folder = await listening.folder(order_id)
    assert moved(folder) == {"authorized": 5000, "captured": 3000, "open": 2000}
    assert_same(folder, sandbox)


async def test_a_hundred_at_once_are_one(listening: Shop, sandbox: Sandbox):
    order_id = await listening.order(5000)
    await console(listening, sandbox, order_id, "capture", 3000)
    told = events(sandbox, await provider(listening, order_id))[-1]
    headers, body = await signed(listening, told)
    arrived = await asyncio.gather(*(call(listening, headers, body) for _ in range(100)))
    assert sum(one.new for one in arrived) == 1
    version = (await listening.folder(order_id)).order.version
    assert len(await kept(listening)) == 1
    assert await followed(listening) == 1
    folder = await listening.folder(order_id)
    assert [row.type for row in folder.transactions] == ["AUTHORIZE", "CAPTURE"]
    assert folder.order.version > version
    assert not (await tell(listening, told)).new, "nor is it news later"
    assert await followed(listening) == 0


async def test_what_nobody_signed_is_refused_and_leaves_nothing(listening: Shop, sandbox: Sandbox):
    await listening.order(5000)
    good, body = await signed(listening, made_up())
    forged = [
        {}, {"webhook-id": "x"}, {**good, "webhook-signature": ""},
        {**good, "webhook-signature": "v1"}, {**good, "webhook-signature": "v1,"},
        {**good, "webhook-signature": "v1,%%%"}, {**good, "webhook-signature": "v2,AAAA"},
        {**good, "webhook-signature": "v1,\xff\xfe"},
        {**good, "webhook-signature": "v1,AAAA " * 5000},
        {**good, "webhook-id": "another"}, {**good, "webhook-id": "\x00"},
        {**good, "webhook-timestamp": ""}, {**good, "webhook-timestamp": "now"},
        {**good, "webhook-timestamp": "1e9"}, {**good, "webhook-timestamp": "-1"},
        {**good, "webhook-timestamp": "9" * 400}, {**good, "webhook-timestamp": "٣"},
        (await signed(listening, made_up(), ago_s=301))[0],
        (await signed(listening, made_up(), ago_s=-301))[0],
        (await signed(listening, made_up(), secret="whsec_AAAA"))[0],
    ]
    for headers in forged:
        with pytest.raises(HookRefused):
            await call(listening, headers, body)
    for other in (b"", b"\xff\xfe", b"{}", body + b" ", b"[" * 100_000):
        with pytest.raises(HookRefused):
            await call(listening, good, other)
    for event in (made_up(account="acct_other"), made_up(livemode=True), {"id": "evt_1"}):
        with pytest.raises(HookRefused):
            await tell(listening, event)
    for account, code in ((listening.actor.account_id, "nowhere"),
                          (listening.actor.account_id, "manual"),
                          ("0199c000-0000-7000-8000-00000000000f", "card")):
        with pytest.raises(HookRefused):
            await receive_hook(listening.works, account, code, good, {}, body)
    assert await kept(listening) == []


async def test_a_replay_is_too_old(listening: Shop, sandbox: Sandbox, clock: Clock):
    headers, body = await signed(listening, made_up())
    await call(listening, headers, body)
    await clock.advance(301)
    await asyncio.sleep(1.05)  # the clock is asked once a second
    with pytest.raises(HookRefused):
        await call(listening, headers, body)


async def test_what_is_not_here_yet_is_looked_for_again(
    listening: Shop, sandbox: Sandbox, clock: Clock
):
    """The call overtakes what it is about: the name is learnt later."""
    sandbox.fault("hang_after_effect", kind="authorize", seconds=1)
    order_id = await listening.order(5000)
    payment = (await listening.folder(order_id)).payments[0]
    assert payment.provider_reference is None
    await tell(listening, made_up(payment="pay_of_later"))
    assert await followed(listening) == 1
    (row,) = await kept(listening)
    assert (row["status"], row["error"]) == (
        "UNMATCHED", "No payment here has these references.")
    assert await followed(listening) == 0
    async with listening.works.pool.connection(listening.actor.account_id) as connection:
        await connection.rows("update payments set provider_reference = 'pay_of_later'"
                              " where account_id = $1", connection.account)
    sandbox.fault("not_found", kind="payment")
    await clock.advance(7)
    assert await followed(listening) == 1
    (row,) = await kept(listening)
    assert row["status"] == "UNMATCHED", "found, but its provider could not be asked"
    assert row["due_at"] is not None


async def test_after_a_day_people_see_what_nobody_owns(
    listening: Shop, sandbox: Sandbox, clock: Clock
):
    for number in range(2):
        await tell(listening, made_up(payment="pay_nowhere", type=f"payment.{number}"))
    passes = 0
    while await followed(listening):
        passes += 1
        assert passes < 60
        await clock.advance(4400)
    rows = await kept(listening)
    assert [(row["status"], row["due_at"]) for row in rows] == [("FAILED", None)] * 2
    assert 15 <= passes <= 40
    async with listening.works.pool.connection(listening.actor.account_id) as connection:
        lines = await connection.rows("select kind, reference, status from drift_lines"
                                      " where account_id = $1", connection.account)
    assert [tuple(line) for line in lines] == [("missing_here", "pay_nowhere", "OPEN")]


async def test_a_call_before_the_answer_completes_the_authorisation(
    listening: Shop, sandbox: Sandbox
):
    """The provider calls while we still wait for its answer, which never comes. [C-4]"""
    sandbox.fault("reset_after_effect", kind="authorize")
    (row,) = (await listening.folder(await listening.order(5000))).transactions
    assert row.status == "UNKNOWN"
    (event,) = (told["event"] for told in sandbox.call(
        "GET", f"/control/events?reference={row.id}"))
    assert event["reference"] == row.id
    await tell(listening, event)
    assert await followed(listening) == 1
    folder = await listening.folder(row.order_id)
    assert folder.payments[0].status == "AUTHORIZED"
    assert_same(folder, sandbox)


async def test_an_event_of_a_kind_that_nobody_knows_is_taken_in(
    listening: Shop, sandbox: Sandbox
):
    order_id = await listening.order(5000)
    payment = await provider(listening, order_id)
    await tell(listening, made_up(type="payment.frobnicated", payment=payment, surprise=[1]))
    assert await followed(listening) == 1
    (row,) = await kept(listening)
    assert (row["status"], row["topic"]) == ("DONE", "payment.frobnicated")
    assert moved(await listening.folder(order_id)) == {"authorized": 5000, "open": 5000}


async def test_two_workers_and_a_door_end_in_one_state(listening: Shop, sandbox: Sandbox):
    order_id = await listening.order(5000)
    for amount in (1000, 500, 700):
        await console(listening, sandbox, order_id, "capture", amount)
    for told in events(sandbox, await provider(listening, order_id)):
        await tell(listening, told)
    await asyncio.gather(
        listening.run(CAPTURE, order_id, amount=100), followed(listening), followed(listening))
    await followed(listening)
    folder = await listening.folder(order_id)
    assert moved(folder) == {"authorized": 5000, "captured": 2300, "open": 2700}
    assert_same(folder, sandbox)


def test_the_lane_has_places_of_its_own():
    assert HOOKS.places > 0
