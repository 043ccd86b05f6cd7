"""Six events in all 720 orders, each three times, and none at all: one final state. [G6, W-5]

The provider has done all six by then; every run begins with the same tables, put back by hand. In
parts, each with every third of the orders, so that several processes share them.
"""

import itertools
import time
from typing import Any

import asyncpg
import msgspec
import pytest

from counterfoil.kernel.log import set_up_log
from counterfoil.order.folder import Folder
from counterfoil.work.sync import sync_order
from tests.db import Database
from tests.sandbox.server import Sandbox
from tests.work.hooking import call, events, followed, listen, mark
from tests.work.ledger import assert_same
from tests.work.shop import CAPTURE, Shop
from tests.work.test_sync import console, provider

pytestmark = [pytest.mark.database, pytest.mark.slow]
TABLES = (
    "orders", "bags", "items", "payments", "refunds", "transactions", "gateway_calls", "facts",
    "ledger_entries", "tasks", "drift_lines", "idempotency", "inbound_events", "order_term",
)
PARTS = 3


class Stage:
    """The tables of the order as they were, to be put back."""

    def __init__(self, owner: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.owner = owner

    async def keep(self) -> None:
        await self.owner.execute("create schema kept; set session_replication_role = replica;" + (
            "".join(f"create table kept.{t} as select * from public.{t};" for t in TABLES)))

    async def put_back(self) -> None:
        await self.owner.execute("".join(
            f"delete from public.{t}; insert into public.{t} select * from kept.{t};"
            for t in TABLES))


def state(folder: Folder) -> Any:
    """What must not depend on who was told what when: no ids and no times of ours."""
    return (
        {name: getattr(folder.order, name) for name in (
            "authorized", "captured", "voided", "refunded", "expired", "open", "refundable",
            "financial_status", "state", "unknown_pending")},
        sorted((row.type, row.status, row.amount, row.gateway_transaction_id or "")
               for row in folder.transactions),
        sorted((one.status, one.amount, one.external_id or "") for one in folder.refunds),
        [(one.status, one.attention) for one in folder.payments],
    )


@pytest.mark.parametrize("part", range(PARTS))
async def test_every_order_of_six_events_three_times_each(
    shop: Shop, sandbox: Sandbox, database: Database, part: int
):
    set_up_log("critical")  # a line for each of thousands of looks costs more than some of them
    await listen(shop, sandbox)
    order_id = await shop.order(5000, bags=2)
    sandbox.fault("reset_after_effect", kind="capture")
    await shop.run(CAPTURE, order_id, amount=1000)
    await console(shop, sandbox, order_id, "capture", 1500)
    for kind, amount in (("refund", 300), ("void", 700), ("refund", 200)):
        await console(shop, sandbox, order_id, kind, amount)
    happened = events(sandbox, await provider(shop, order_id))
    assert len(happened) == 6
    owner = await asyncpg.connect(database.owner_url)
    stage = Stage(owner)
    await stage.keep()

    await sync_order(shop.works, shop.actor, order_id)  # nobody was told anything
    wanted = state(await shop.folder(order_id))
    assert wanted[0]["captured"] == 2500
    assert wanted[0]["refunded"] == 500
    calls = []
    at = int(time.time())
    for event in happened:
        body = msgspec.json.encode(event)
        calls.append((mark(event["id"], at, body), body))
    began = time.monotonic()
    mine = list(enumerate(itertools.permutations(range(6))))[part::PARTS]
    for number, order in mine:
        await stage.put_back()
        cut = number % 7  # the worker looks in between, each time at another place
        for place, which in enumerate(order):
            if place == cut:
                await followed(shop)
            arrived = [await call(shop, *calls[which]) for _ in range(3)]
            assert [one.new for one in arrived] == [True, False, False]
        await followed(shop)
        assert state(await shop.folder(order_id)) == wanted, order
    print(f"{len(mine)} orders in {time.monotonic() - began:.1f} s")
    assert_same(await shop.folder(order_id), sandbox)
    await owner.close()
