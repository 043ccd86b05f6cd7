"""Settlement files: what was paid out is booked once, what differs is told. [V3, I-1 to I-3]"""

import asyncio
import io
from typing import Any

import pytest

from counterfoil.book.drift import list_drift, resolve_drift
from counterfoil.book.reconciliations import Reconciliation, list_runs
from counterfoil.kernel.problem import Problem
from counterfoil.work import settlements
from counterfoil.work.settlements import Settlement, digest_of, import_settlement
from counterfoil.work.sync import sync_order
from tests.db import Clock
from tests.sandbox.server import Sandbox
from tests.work.ledger import settlement_of
from tests.work.shop import CAPTURE, REFUND, Shop
from tests.work.test_sync import console

pytestmark = pytest.mark.database
HEADER = b"reference,gateway_transaction_id,type,amount,fee,currency,settled_at\r\n"
DAY = 24 * 3600


async def read(shop: Shop, content: bytes, **more: Any) -> Reconciliation:
    file = io.BytesIO(content)
    settlement = Settlement(gateway="card", name="day.csv", digest=digest_of(file), **more)
    return await import_settlement(shop.works, shop.actor, file, settlement)


async def drift(shop: Shop, status: str | None = "OPEN") -> list[Any]:
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        return list((await list_drift(connection, status=status, limit=100)).data)


async def entered(shop: Shop) -> dict[str, int]:
    """What each account of the ledger holds: debits less credits."""
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        rows = await connection.rows(
            "select x.name, sum(x.amount)::bigint as held from (select debit as name, amount"
            " from ledger_entries where account_id = $1 union all"
            " select credit, -amount from ledger_entries where account_id = $1) x"
            " group by x.name having sum(x.amount) <> 0", connection.account)
    return {row["name"]: row["held"] for row in rows}


async def captured(shop: Shop, amount: int = 5000, **more: Any) -> str:
    order_id = await shop.order(amount, **more)
    if more.get("flow") != "payment":
        await shop.run(CAPTURE, order_id)
    return order_id


def line(reference: str, gtid: str, kind: str, amount: str, fee: str = "0.00",
         currency: str = "EUR") -> bytes:
    return f"{reference},{gtid},{kind},{amount},{fee},{currency},2026-11-20T10:15:00Z\r\n".encode()


async def row_of(shop: Shop, order_id: str, kind: str = "CAPTURE") -> Any:
    return next(row for row in (await shop.folder(order_id)).transactions if row.type == kind)


async def test_what_the_provider_paid_out_is_booked_once(shop: Shop, sandbox: Sandbox):
    orders = [await captured(shop, bags=2), await captured(shop, flow="payment"),
              await shop.order(5000)]
    await shop.run(REFUND, orders[0], amount=1000)
    await console(shop, sandbox, orders[2], "capture", 700)
    await sync_order(shop.works, shop.actor, orders[2])
    content = await settlement_of(shop, sandbox, *orders)
    assert len(content.splitlines()) == 5
    run = await read(shop, content)
    assert (run.status, run.seen, run.matched, run.settled, run.drifted, run.failed) == (
        "COMPLETED", 4, 4, 4, 0, 0)
    folder = await shop.folder(orders[0])
    assert sorted((p.amount, p.settlement_id) for p in folder.payouts) == [
        (1000, run.id), (5000, run.id)]
    held = await entered(shop)
    taken, back, fees = 5000 + 5000 + 700, 1000, held["fees"]
    assert fees == 95 + 95 + 35
    assert held == {"authorised": 4300, "authorisations": -4300, "payable": -taken,
                    "refunds": back, "fees": fees, "bank": taken - back - fees}
    again = await read(shop, content)
    assert (again.id, again.matched, again.settled, again.drifted) == (run.id, 4, 0, 0)
    assert await entered(shop) == held
    assert await drift(shop) == []


async def test_a_refund_that_came_back_is_paid_out_again(shop: Shop, sandbox: Sandbox):
    order_id = await captured(shop)
    said = await shop.run(REFUND, order_id, amount=1000)
    sandbox.call("POST", f"/control/operations/{said.body['transactions'][0]['id']}/fail")
    await sync_order(shop.works, shop.actor, order_id)
    content = await settlement_of(shop, sandbox, order_id)
    assert b"refund_reversal" in content
    run = await read(shop, content)
    assert (run.seen, run.settled, run.drifted) == (3, 3, 0)
    held = await entered(shop)
    assert "receivable" not in held
    assert held["bank"] == 5000 - 95


async def test_files_may_overlap(shop: Shop, sandbox: Sandbox):
    orders = [await captured(shop) for _ in range(3)]
    first = await settlement_of(shop, sandbox, *orders[:2])
    both = await settlement_of(shop, sandbox, *orders)
    assert (await read(shop, first)).settled == 2
    run = await read(shop, both)
    assert (run.seen, run.matched, run.settled, run.drifted) == (3, 3, 1, 0)
    twice = both.replace(b",5000.00," if b",5000.00," in both else b",50.00,", b",60.00,")
    run = await read(shop, twice)
    assert (run.matched, run.settled, run.drifted) == (0, 0, 3)
    assert {one.kind for one in await drift(shop)} == {"paid_out_twice"}
    for order_id in orders:
        assert len((await shop.folder(order_id)).payouts) == 1


async def test_what_differs_is_told_and_not_booked(shop: Shop, sandbox: Sandbox):
    rows = [await row_of(shop, await captured(shop)) for _ in range(4)]
    content = HEADER + b"".join((
        line(rows[0].id, "", "capture", "49.99", "0.95"),
        line(rows[1].id, "", "capture", "50.00", "0.95", "SEK"),
        line(rows[2].id, "", "capture", "50.00", "1.00"),
        line("somebody else's", "op_nowhere", "capture", "50.00"),
        line(rows[3].id, "", "refund", "50.00"),
    ))
    run = await read(shop, content)
    assert (run.seen, run.matched, run.settled, run.drifted, run.failed) == (5, 0, 0, 5, 0)
    told = {one.kind: (one.ours, one.theirs) for one in await drift(shop)}
    assert told == {
        "amount_differs": (5000, 4999), "currency_differs": (5000, 5000),
        "fee_differs": (95, 100), "missing_here": (0, 5000)}
    assert len(await drift(shop)) == 5
    await read(shop, content)
    assert len(await drift(shop)) == 5, "nothing is told twice"
    assert "bank" not in await entered(shop)
    for one in await drift(shop):
        if one.kind == "fee_differs":
            async with shop.works.pool.connection(shop.actor.account_id) as connection:
                await resolve_drift(connection, shop.actor, one.id, "A new contract.")
    run = await read(shop, content)
    assert (run.matched, run.settled, run.drifted) == (1, 1, 4)
    held = await entered(shop)
    assert (held["bank"], held["fees"]) == (4900, 4 * 95 + 5)


async def test_bad_lines_cost_themselves_alone(shop: Shop):
    good = await row_of(shop, await captured(shop))
    bad = [
        b"\xff\xfe,x,capture,1.00,0.00,EUR,2026-11-20T10:15:00Z", b"a\x00b,x,capture,1,0,EUR,x",
        b"x" * 20_000, b"a,b,c", b'"open,b,capture,1.00,0.00,EUR,2026-11-20T10:15:00Z',
        line("a", "b", "transfer", "1.00").strip(), line("", "", "capture", "1.00").strip(),
        line("a", "b", "capture", "1,00").strip(), line("a", "b", "capture", "0.00").strip(),
        line("a", "b", "capture", "-1.00").strip(), line("a", "b", "capture", "1.001").strip(),
        line("a", "b", "capture", "1e3").strip(), line("a", "b", "capture", "1.00", "x").strip(),
        line("a", "b", "capture", "1.00", "0.00", "XYZ").strip(),
        line("a", "b", "capture", "9" * 30).strip(),
        b"a,b,capture,1.00,0.00,EUR,yesterday", b"a,b,capture,1.00,0.00,EUR,2026-11-20T10:15:00",
    ]
    content = b"\xef\xbb\xbf" + HEADER + b"\r\n".join(bad) + b"\r\n\r\n" + line(
        good.id, "", "capture", "50.00", "0.95")
    run = await read(shop, content)
    assert (run.seen, run.settled, run.failed) == (len(bad) + 1, 1, len(bad))
    assert [one.line for one in run.errors] == list(range(2, len(bad) + 2))
    assert all(one.detail for one in run.errors)


@pytest.mark.parametrize("content", [b"", b"\n", b"a,b\n1,2\n", b"\xff\xfe\n", b"[]", b"\x00"])
async def test_a_file_that_is_none_is_refused(shop: Shop, content: bytes):
    with pytest.raises(Problem) as refused:
        await read(shop, content)
    assert refused.value.code == "validation_failed"
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        assert (await list_runs(connection)).data == []


async def test_a_header_alone_is_an_empty_day(shop: Shop):
    run = await read(shop, HEADER)
    assert (run.status, run.seen) == ("COMPLETED", 0)


async def test_what_nobody_knew_is_settled_first(shop: Shop, sandbox: Sandbox):
    order_id = await shop.order(5000)
    sandbox.fault("reset_after_effect", kind="capture")
    await shop.run(CAPTURE, order_id)
    row = await row_of(shop, order_id)
    assert row.status == "UNKNOWN"
    run = await read(shop, HEADER + line(row.id, "", "capture", "50.00", "0.95"))
    assert (run.settled, run.drifted) == (1, 0)
    assert (await shop.folder(order_id)).order.captured == 5000


async def test_a_reading_that_dies_goes_on_where_it_was(
    shop: Shop, sandbox: Sandbox, clock: Clock, monkeypatch
):
    orders = [await captured(shop) for _ in range(6)]
    content = await settlement_of(shop, sandbox, *orders)
    monkeypatch.setattr(settlements, "BATCH_LINES", 1)

    class Died(BaseException):
        pass

    count = 0

    def die(name: str) -> None:
        nonlocal count
        count += 1
        if count % 3 == 0:
            raise Died

    monkeypatch.setattr(settlements, "failpoint", die)
    deaths = 0
    while True:
        try:
            run = await read(shop, content)
            break
        except Died:
            deaths += 1
            assert deaths < 20
            with pytest.raises(Problem, match="being read"):
                await read(shop, content)
            await clock.advance(2)
    assert deaths >= 3
    assert (run.status, run.seen, run.matched, run.drifted) == ("COMPLETED", 6, 6, 0)
    for order_id in orders:
        assert len((await shop.folder(order_id)).payouts) == 1
    assert (await entered(shop))["bank"] == 6 * (5000 - 95)


async def test_two_overlapping_files_at_once(shop: Shop, sandbox: Sandbox):
    orders = [await captured(shop) for _ in range(8)]
    one = await settlement_of(shop, sandbox, *orders[:6])
    two = await settlement_of(shop, sandbox, *orders[2:])
    runs = await asyncio.gather(read(shop, one), read(shop, two))
    assert sum(run.settled for run in runs) == 8
    assert [run.drifted for run in runs] == [0, 0]
    assert (await entered(shop))["bank"] == 8 * (5000 - 95)


async def test_what_no_file_paid_out_is_told_at_the_end(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    orders = [await captured(shop) for _ in range(3)]
    await clock.advance(8 * DAY)
    sandbox.clock(8 * DAY)
    fresh = await captured(shop)
    run = await read(shop, await settlement_of(shop, sandbox, orders[0]))
    assert run.drifted == 2
    lines = await drift(shop)
    assert {one.kind for one in lines} == {"missing_there"}
    assert {one.order_id for one in lines} == {*orders[1:]}
    assert fresh not in {one.order_id for one in lines}
    run = await read(shop, await settlement_of(shop, sandbox, *orders))
    assert (run.settled, run.drifted) == (2, 0)
    assert await drift(shop) == [], "what was paid out after all is closed by itself"


async def test_an_unknown_gateway_is_said_so(shop: Shop):
    file = io.BytesIO(HEADER)
    with pytest.raises(Problem, match="no gateway"):
        await import_settlement(
            shop.works, shop.actor, file, Settlement(gateway="nowhere", name="x", digest="d"))
