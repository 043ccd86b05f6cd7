"""Flows that begin at the provider's: its console, its calls, its files; and one of two people."""

import io
from dataclasses import dataclass

import msgspec

from counterfoil.actions.decide_refund import approve_refund
from counterfoil.book.run import Command
from counterfoil.work.settle import settle_now
from counterfoil.work.settlements import Settlement, digest_of, import_settlement
from counterfoil.work.sync import sync_now
from tests.crash.flow import WAIT, Flow
from tests.sandbox.server import Sandbox
from tests.work.hooking import events, listen, tell
from tests.work.shop import REFUND, Said, Shop

HEADER = "reference,gateway_transaction_id,type,amount,fee,currency,settled_at"


class Synced(Flow):
    """Somebody presses Sync Payments."""

    async def play(self, shop: Shop, order_id: str, key: str) -> Said:
        its = shop.key(key, f"sync {order_id}")
        return Said(await sync_now(shop.works, shop.actor, order_id, its))


@dataclass(frozen=True, kw_only=True)
class Heard(Flow):
    """The provider has called, several times over, and the call is kept: a worker follows it."""

    command: str = WAIT

    async def prepare(self, shop: Shop, sandbox: Sandbox) -> str:
        order_id = await super().prepare(shop, sandbox)
        await listen(shop, sandbox)
        payment = (await shop.folder(order_id)).payments[0].provider_reference
        assert payment is not None
        told = events(sandbox, payment)
        for event in [told[-1], told[0], told[-1]]:
            await tell(shop, event)
        return order_id

    async def assert_more(self, shop: Shop, order_id: str) -> None:
        async with shop.works.pool.connection(shop.actor.account_id) as connection:
            left = await connection.rows(
                "select status, error from inbound_events where account_id = $1"
                " and status <> 'DONE'", connection.account)
        assert left == [], "a call that nobody followed"


class Approved(Flow):
    """A second person agrees to a refund that was more than the first may give alone."""

    async def prepare(self, shop: Shop, sandbox: Sandbox) -> str:
        order_id = await super().prepare(shop, sandbox)
        carl = msgspec.structs.replace(
            shop.actor, id="carl", name="Carl", credential="user:carl",
            limits={"refund": {"EUR": 100}})
        said = await Shop(shop.works, carl).run(REFUND, order_id, amount=700)
        assert said.body["status"] == "AWAITING_APPROVAL"
        return order_id

    async def play(self, shop: Shop, order_id: str, key: str) -> Said:
        refund_id = (await shop.folder(order_id)).refunds[0].id
        its = shop.key(key, f"approve {order_id}")
        asked = shop.works.asked(shop.actor, key=its.key)
        command = Command(order_id=order_id, actor=shop.actor, key=its, created=False)
        ran = await shop.works.book.run(command, approve_refund, asked=asked, refund_id=refund_id)
        return Said(await settle_now(shop.works, asked, ran))


class PaidOut(Flow):
    """A settlement file says that a capture was paid out."""

    async def play(self, shop: Shop, order_id: str, key: str) -> None:
        folder = await shop.folder(order_id)
        row = next(row for row in folder.transactions if row.type == "CAPTURE")
        gtid, at, fee = row.gateway_transaction_id, row.settled_at, row.fee or 0
        line = f"{row.id},{gtid},capture,50.00,0.{fee:02},EUR,{at:%FT%TZ}"
        file = io.BytesIO(f"{HEADER}\r\n{line}\r\n".encode())
        settlement = Settlement(gateway="card", name=f"{key}.csv", digest=digest_of(file))
        await import_settlement(shop.works, shop.actor, file, settlement)

    async def assert_more(self, shop: Shop, order_id: str) -> None:
        async with shop.works.pool.connection(shop.actor.account_id) as connection:
            rows = await connection.rows(
                "select id from payouts where account_id = $1 and order_id = $2",
                connection.account, order_id)
        assert len(rows) == 1, "paid out once, and booked once"

