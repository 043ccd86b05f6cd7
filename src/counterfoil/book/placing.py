"""Place orders: read the desk in one statement, decide, write the order with all its parts.

One order is two round trips; an import writes a batch in one statement, and a batch that the
database refuses is split in halves until the bad line stands alone. [rulings 7]
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from counterfoil.actions.place import place
from counterfoil.book.commit import commit, commit_new
from counterfoil.book.numbers import Numbers
from counterfoil.book.opening import Key, stored_answer
from counterfoil.book.refusals import SomebodyWasFirst, refusal
from counterfoil.book.run import Ran, is_ours, waits_for_provider
from counterfoil.kernel.db import Connection, Gone, Pool
from counterfoil.kernel.failpoint import failpoint
from counterfoil.kernel.problem import NotFound, Problem, Unavailable
from counterfoil.order.answers import answer
from counterfoil.order.change import Answered, Change
from counterfoil.order.intake import Desk, WantedOrder
from counterfoil.order.intent import Asked
from counterfoil.order.problems import DuplicateExternalId, RequestInProgress
from counterfoil.order.terms import email_term

_TRIES_MAX = 20
_DESK = """select json_build_object(
  'store', case when (select count(*) from chosen) = 1 then (select row_to_json(c) from chosen c)
    end,
  'at', cf_now(),
  'gateways', (select coalesce(json_agg(json_build_object('code', g.code, 'kind', g.kind,
    'settings', g.settings, 'enabled', g.enabled, 'store', g.store)), '[]')
    from gateways g where g.account_id = $1
      and g.code = any($4 || array(select c.default_gateway from chosen c))),
  'merchants', (select coalesce(json_object_agg(m.code, m.name), '{}') from merchants m
    where m.account_id = $1
      and m.code = any($5 || array(select c.default_merchant from chosen c))),
  'methods', (select coalesce(json_agg(m.code), '[]') from shipment_methods m, chosen c
    where m.account_id = $1 and m.store = c.code),
  'existing', (select json_build_object('id', o.id, 'create_fingerprint', o.create_fingerprint)
    from orders o where o.account_id = $1 and o.channel = $6 and o.external_id = $3),
  'screening', case when (select bool_or(c.screened) from chosen c) then
    (select json_build_object('rules', r.rules, 'earlier', (
        select coalesce(json_agg(x.placed_at), '[]') from (
          select t.placed_at from order_term t where t.account_id = $1 and t.term = $9
          order by t.placed_at desc limit 101) x))
      from review_rules r, chosen c where r.account_id = $1 and r.store = c.code) end
  )::text desk, k.fingerprint, k.status, k.body, k.etag, k.location
from (select) one
left join idempotency k on k.account_id = $1 and k.credential = $7 and k.key = $8"""
_CHOSEN = """with chosen as (select * from stores s where s.account_id = $1
  and ($2::text is null or s.code = $2) limit 2)
"""
_decode = msgspec.json.Decoder(Desk).decode
DEFAULT_MERCHANT = "main"


class Placing(msgspec.Struct, frozen=True, kw_only=True):
    """One order to be placed: who asks, through which channel, what, and under which key."""

    asked: Asked
    wanted: WantedOrder
    channel: str
    fingerprint: str
    key: Key | None = None


class Placer:
    """Places orders for one process."""

    def __init__(self, pool: Pool, numbers: Numbers) -> None:
        self.pool = pool
        self.numbers = numbers

    async def place(self, placing: Placing) -> Ran:
        """Place one order. The same external id and body again is the order itself.

        Raises DuplicateExternalId, what `place` raises, and Unavailable.
        """
        sent: list[Change] = []
        for attempt in range(_TRIES_MAX):
            try:
                return await self._try(placing, sent)
            except SomebodyWasFirst:
                continue
            except RequestInProgress:
                if not await is_ours(self.pool, placing.asked.actor.account_id, sent):
                    raise
                return Ran(change=sent[-1], answered=None, waiting=True)
            except Gone as gone:
                if attempt >= 3:
                    raise Unavailable(headers={"Retry-After": "1"}) from gone
                await asyncio.sleep(0.05 * 4**attempt)
        raise Unavailable(headers={"Retry-After": "1"})

    async def _try(self, placing: Placing, sent: list[Change]) -> Ran:
        account = placing.asked.actor.account_id
        async with self.pool.connection(account) as connection:
            try:
                desk, stored = await open_desk(connection, placing)
                if stored is not None:
                    return Ran(change=None, answered=stored)
                self._check_store(desk, placing)
                self._same_again(desk, placing)
                change = await self._decide(connection, desk, placing)
                told = None if waits_for_provider(change) else answer(change, placing.asked.actor)
                failpoint("book.commit")
                sent[:] = [change] if told is None else []
                await commit(connection, change, key=placing.key, answered=told)
                failpoint("book.committed")
            except asyncpg.PostgresError as error:
                raise refusal(error) from error
        return Ran(change=change, answered=told, waiting=told is None)

    async def _decide(self, connection: Connection, desk: Desk, placing: Placing) -> Change:
        store = desk.store.code if desk.store else ""
        prefix = desk.store.number_prefix if desk.store else ""
        number = await self.numbers.take(connection, store) if desk.store else 0
        return place(
            desk,
            asked=placing.asked,
            wanted=placing.wanted,
            number=f"{prefix}{number}",
            channel=placing.channel,
            fingerprint=placing.fingerprint,
        )

    def _check_store(self, desk: Desk, placing: Placing) -> None:
        stores = placing.asked.actor.stores
        if desk.store and stores is not None and desk.store.code not in stores:
            raise NotFound("There is no such store.")

    def _same_again(self, desk: Desk, placing: Placing) -> None:
        found = desk.existing
        if found is None:
            return
        if found.create_fingerprint == placing.fingerprint:
            raise PlacedBefore(found.id)
        raise DuplicateExternalId(
            f"Order {found.id} of this channel has the external id {placing.wanted.external_id}.",
            order_id=found.id,
        )

    async def place_many(
        self, account_id: str, changes: Sequence[Change]
    ) -> list[Change | Exception]:
        """Write new orders in one statement; a refused batch is halved until the bad one is alone.

        Returns, in order, the change that was written or the problem that refused it.
        """
        if not changes:
            return []
        try:
            async with self.pool.connection(account_id) as connection:
                try:
                    await commit_new(connection, changes)
                except asyncpg.PostgresError as error:
                    raise refusal(error) from error
        except (Problem, SomebodyWasFirst) as problem:
            if len(changes) == 1:
                return [problem]
            half = len(changes) // 2
            return [
                *await self.place_many(account_id, changes[:half]),
                *await self.place_many(account_id, changes[half:]),
            ]
        return list(changes)


class PlacedBefore(Exception):
    """The very same order is here already: answer with it."""

    def __init__(self, order_id: str) -> None:
        super().__init__(order_id)
        self.order_id = order_id


def merchants_of(wanted: WantedOrder) -> list[str]:
    """List the merchants an order names, and the usual defaults."""
    named = {bag.merchant for bag in wanted.bags or [] if bag.merchant}
    return sorted(named | {DEFAULT_MERCHANT})


async def open_desk(connection: Connection, placing: Placing) -> tuple[Desk, Answered | None]:
    """Read what placing an order looks into, and the stored answer for its key."""
    wanted, key = placing.wanted, placing.key
    parameters: list[Any] = [
        connection.account,
        wanted.store,
        wanted.external_id,
        [wanted.payment.gateway] if wanted.payment and wanted.payment.gateway else [],
        merchants_of(wanted),
        placing.channel,
        key.credential if key else None,
        key.key if key else None,
        email_term(wanted.customer.email),
    ]
    row = await connection.row(_CHOSEN + _DESK, *parameters)
    stored = None
    if row["fingerprint"] is not None and key is not None:
        stored = stored_answer(row, key)
    return _decode(row["desk"]), stored
