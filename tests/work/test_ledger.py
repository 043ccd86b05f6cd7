"""Reading the ledger: folded or not, a balance is whole. [rulings 16, V1]"""

import asyncio
from datetime import timedelta

import pytest

from counterfoil.book.balances import (
    EntryShape,
    balances,
    entries_of_order,
    entries_of_period,
    every_entry,
    fold,
    trial_balance,
)
from counterfoil.work.sequence import Placed, place_waiting
from counterfoil.work.summarise import summarise
from tests.db import Clock
from tests.work.shop import CAPTURE, REFUND, VOID, Shop

pytestmark = pytest.mark.database


async def held(shop: Shop, **only: str) -> dict[tuple[str, str | None], int]:
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        found = await balances(connection, **only)
    return {(one.ledger_account, one.merchant): one.balance for one in found if one.balance}


async def lived(shop: Shop) -> str:
    order_id = await shop.order(5000, bags=2)
    await shop.run(CAPTURE, order_id, amount=3000)
    await shop.run(REFUND, order_id, amount=1000)
    await shop.run(VOID, order_id, amount=500)
    return order_id


WHOLE = {
    ("authorised", None): 1500, ("authorisations", None): -1500, ("payable", "m0"): -1500,
    ("payable", "m1"): -1500, ("refunds", "m0"): 500, ("refunds", "m1"): 500,
}


async def test_a_balance_is_whole_before_during_and_after_folding(shop: Shop):
    await lived(shop)
    before = await held(shop)
    assert {name: before.get(name) for name in WHOLE} == WHOLE
    fees = before["fees", None]
    assert before["receivable", "m0"] + before["receivable", "m1"] + before.get(
        ("receivable", None), 0) == 2000 - fees
    placed = Placed()
    await place_waiting(shop.works.pool)
    assert await held(shop) == before
    assert await summarise(shop.works.pool, placed) > 0
    assert await held(shop) == before
    await lived(shop)
    assert (await held(shop))["authorised", None] == 3000
    await place_waiting(shop.works.pool)
    placed.everywhere = True
    await summarise(shop.works.pool, placed)
    assert (await held(shop))["authorised", None] == 3000
    assert await summarise(shop.works.pool, placed) == 0
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        rows = await trial_balance(connection)
    assert sum(row.debit for row in rows) == sum(row.credit for row in rows) > 0


async def test_folding_twice_at_once_folds_once(shop: Shop):
    for _ in range(5):
        await lived(shop)
    await place_waiting(shop.works.pool)
    before = await held(shop)

    async def one() -> int:
        async with shop.works.pool.connection(shop.actor.account_id) as connection:
            return await fold(connection)

    await one()
    await asyncio.gather(*(one() for _ in range(6)))
    assert await held(shop) == before


async def test_only_what_is_asked_for(shop: Shop):
    await lived(shop)
    await shop.order(700, gateway="manual")
    assert set(await held(shop, gateway="manual")) == {
        ("authorised", None), ("authorisations", None)}
    assert set(await held(shop, merchant="m1")) == {
        ("payable", "m1"), ("refunds", "m1"), ("receivable", "m1")}
    assert await held(shop, currency="SEK") == {}


async def test_entries_are_read_in_pages(shop: Shop, clock: Clock):
    order_id = await lived(shop)
    await clock.advance(3600)
    await lived(shop)
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        everything = [one async for part in every_entry(connection) for one in part]
        found: list[EntryShape] = []
        cursor = None
        while True:
            page = await entries_of_period(connection, limit=3, cursor=cursor)
            found += page.data
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == everything
        of_order: list[EntryShape] = []
        while True:
            page = await entries_of_order(connection, order_id, limit=4, cursor=cursor)
            of_order += page.data
            cursor = page.next_cursor
            if cursor is None:
                break
        assert of_order == [one for one in everything if one.order_id == order_id]
        middle = everything[0].at + timedelta(minutes=30)
        early = await entries_of_period(connection, until=middle, limit=100)
        late = await entries_of_period(connection, since=middle, limit=100)
    assert list(early.data) == of_order
    assert [*early.data, *late.data] == everything
