"""Reading the ledger: balances, the trial balance, entries; and folding entries into balances.

What was folded is a sum up to a place of the feed; what came later is added while it is read, so a
balance is always whole. [rulings 16]
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from counterfoil.book.fragments import filled
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import LIMIT, Count, Page, check_limit, read_cursor, to_cursor
from counterfoil.kernel.problem import Unavailable
from counterfoil.order.ledger import CHART

FOLD_FACTS = 5_000
_EXPORT_ROWS = 1_000
_TRIES_MAX = 20
_PLACE = """insert into ledger_folded (account_id, position, at) values ($1, 0, cf_now())
  on conflict (account_id) do nothing"""
#: One at a time: the second waits for the row, then goes on from where the first ended.
_FOLD = """with cursor as (select position from ledger_folded where account_id = $1 for update),
  batch as (select f.order_id, f.sequence, f.position from facts f
    where f.account_id = $1 and f.position > (select position from cursor)
    order by f.position limit $2),
  sums as (select s.name, e.gateway, coalesce(e.merchant, '') as merchant, e.currency,
      sum(s.debit) as debit, sum(s.credit) as credit
    from batch b join ledger_entries e
      on e.account_id = $1 and e.order_id = b.order_id and e.sequence = b.sequence
    cross join lateral (values (e.debit, e.amount, 0), (e.credit, 0, e.amount))
      s(name, debit, credit)
    group by 1, 2, 3, 4),
  added as (insert into ledger_balances
      (account_id, ledger_account, gateway, merchant, currency, debit, credit)
    select $1, name, gateway, merchant, currency, debit, credit from sums
    on conflict (account_id, ledger_account, gateway, merchant, currency) do update
      set debit = ledger_balances.debit + excluded.debit,
        credit = ledger_balances.credit + excluded.credit),
  moved as (update ledger_folded set position = b.last, at = cf_now()
    from (select max(position) as last from batch) b
    where account_id = $1 and b.last is not null)
  select count(*) from batch"""
_FOLDED = """select coalesce((select position from ledger_folded where account_id = $1), 0)"""
#: The place up to which is folded comes as a parameter, so that the few facts behind it are found
#: by their index; where it has moved meanwhile, all is read again.
_REST = """with late as (select f.order_id, f.sequence from facts f
      where f.account_id = $1 and f.position > $2
    union all
    select f.order_id, f.sequence from facts f where f.account_id = $1 and f.position is null),
  parts as (select b.ledger_account, b.gateway, b.merchant, b.currency, b.debit, b.credit
      from ledger_balances b where b.account_id = $1
    union all
    select s.name, e.gateway, coalesce(e.merchant, ''), e.currency, s.debit, s.credit
    from late l join ledger_entries e
      on e.account_id = $1 and e.order_id = l.order_id and e.sequence = l.sequence
    cross join lateral (values (e.debit, e.amount, 0), (e.credit, 0, e.amount))
      s(name, debit, credit))"""
_BALANCES = filled("""<rest> select ledger_account, gateway,
    nullif(merchant, '') as merchant, currency, sum(debit)::bigint as debit,
    sum(credit)::bigint as credit, (<folded>) as folded
  from parts where ($3::text is null or gateway = $3) and ($4::text is null or merchant = $4)
    and ($5::text is null or currency = $5)
  group by 1, 2, 3, 4 order by 1, 2, 3 nulls first, 4""", rest=_REST, folded=_FOLDED)
_TRIAL = filled("""<rest> select ledger_account, currency, sum(debit)::bigint as debit,
    sum(credit)::bigint as credit, (<folded>) as folded
  from parts group by 1, 2 order by 2, 1""", rest=_REST, folded=_FOLDED)
_TOLD = """e.order_id::text, o.number as order_number, e.sequence, e.line,
  e.transaction_id::text, e.kind, e.debit, e.credit, e.gateway, e.merchant, e.currency, e.amount,
  e.at"""
_OF_ORDER = filled("""select <told> from ledger_entries e
  join orders o on o.account_id = $1 and o.id = e.order_id
  where e.account_id = $1 and e.order_id = $2 and e.sequence >= $3
    and (e.sequence, e.line) > ($3, $4) order by e.sequence, e.line limit $5""", told=_TOLD)
#: A period is that of the facts, whose index has the order; an entry is as old as its fact.
_OF_PERIOD = filled("""select <told>, f.at as booked_at from facts f
  join ledger_entries e
    on e.account_id = $1 and e.order_id = f.order_id and e.sequence = f.sequence
  join orders o on o.account_id = $1 and o.id = f.order_id
  where f.account_id = $1 and f.at >= $2 and ($3::timestamptz is null or f.at < $3)
    and (f.at, f.order_id, f.sequence, e.line) > ($2, $4::uuid, $5, $6)<only>
  order by f.at, f.order_id, f.sequence, e.line limit $7""", told=_TOLD)
_ALL_OF_PERIOD = filled(_OF_PERIOD, only="")
_SOME_OF_PERIOD = filled(_OF_PERIOD, only="""
    and ($8::text is null or e.gateway = $8) and ($9::text is null or e.merchant = $9)
    and ($10::text is null or $10 in (e.debit, e.credit))<order>""")
_OF_ANY_ORDER = filled(_SOME_OF_PERIOD, order=" and $11::text is null")
#: By the order's number, so that its facts are found by their key and not by the period's index.
_OF_ONE_ORDER = filled(_SOME_OF_PERIOD, order="""
    and f.order_id in (select n.id from orders n where n.account_id = $1 and n.number = $11)""")
_BEGINNING = datetime.fromisoformat("1900-01-01T00:00:00+00:00")


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What a ledger account holds, in minor units: debits less credits.

    `means` says what such a balance is. A balance of no merchant in particular has none.
    """

    ledger_account: str
    gateway: str
    merchant: str | None
    currency: str
    debit: int
    credit: int
    balance: int
    means: str


class Only(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries of a period: what is None is of any. `account` is debited or credited."""

    gateway: str | None = None
    merchant: str | None = None
    account: str | None = None
    order_number: str | None = None


class TrialRow(msgspec.Struct, frozen=True, kw_only=True):
    """All balances of one ledger account in one currency."""

    ledger_account: str
    currency: str
    debit: int
    credit: int


class EntryShape(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the ledger: an amount taken from the credited account to the debited one."""

    order_id: str
    order_number: str
    sequence: int
    line: int
    transaction_id: str
    kind: str
    debit: str
    credit: str
    gateway: str
    merchant: str | None
    currency: str
    amount: int
    at: datetime


async def fold(connection: Connection) -> int:
    """Add the next entries of the feed to the balances; tell how many facts were looked at.

    Safe to repeat and to run twice at once: each fact is folded once.
    """
    found = await connection.value(_FOLD, connection.account, FOLD_FACTS)
    if not found:
        await connection.rows(_PLACE, connection.account)
        found = await connection.value(_FOLD, connection.account, FOLD_FACTS)
    return int(found)


async def balances(
    connection: Connection, *, gateway: str | None = None, merchant: str | None = None,
    currency: str | None = None,
) -> list[Balance]:
    """Tell what every ledger account holds, by gateway, merchant and currency."""
    return [
        Balance(
            **row, balance=row["debit"] - row["credit"], means=CHART[row["ledger_account"]]
        )
        for row in await _added_up(connection, _BALANCES, gateway, merchant, currency)
    ]


async def trial_balance(connection: Connection) -> list[TrialRow]:
    """Tell debits and credits of every account by currency; both add up to the same."""
    return [TrialRow(**row) for row in await _added_up(connection, _TRIAL)]


async def _added_up(connection: Connection, sql: str, *more: Any) -> list[dict[str, Any]]:
    """Read what is folded and what is not, as of one moment. Raises Unavailable."""
    for _ in range(_TRIES_MAX):
        place = await connection.value(_FOLDED, connection.account)
        rows = [dict(row) for row in await connection.rows(sql, connection.account, place, *more)]
        if all(row.pop("folded") == place for row in rows):
            return rows
    raise Unavailable("The balances move too fast.", headers={"Retry-After": "1"})


async def entries_of_order(
    connection: Connection, order_id: str, *, limit: int = LIMIT, cursor: str | None = None
) -> Page[EntryShape]:
    """List the entries of an order, the oldest first."""
    after = read_cursor(cursor, int, int) or (0, 0)
    rows = await connection.rows(
        _OF_ORDER, connection.account, order_id, *after, check_limit(limit) + 1
    )
    found = [EntryShape(**dict(row)) for row in rows]
    place = to_cursor(found[limit - 1].sequence, found[limit - 1].line) if (
        len(found) > limit) else None
    return Page(found[:limit], place, Count(len(found[:limit]), at_least=place is not None))


async def entries_of_period(
    connection: Connection, *, since: datetime | None = None, until: datetime | None = None,
    only: Only | None = None, limit: int = LIMIT, cursor: str | None = None,
) -> Page[EntryShape]:
    """List the entries that were booked in a period, the oldest first."""
    after = read_cursor(cursor, datetime, UUID, int, int)
    rows, place = await _period(connection, (since, until, only), after, check_limit(limit))
    next_cursor = None if place is None else to_cursor(*place)
    count = Count(len(rows), at_least=place is not None)
    return Page([_entry(row) for row in rows], next_cursor, count)


async def every_entry(
    connection: Connection, *, since: datetime | None = None, until: datetime | None = None
) -> AsyncIterator[list[EntryShape]]:
    """Read all entries of a period, a thousand at a time."""
    after: tuple[Any, ...] | None = None
    while True:
        rows, after = await _period(connection, (since, until, None), after, _EXPORT_ROWS)
        yield [_entry(row) for row in rows]
        if after is None:
            return


async def _period(
    connection: Connection, period: tuple[datetime | None, datetime | None, Only | None],
    after: tuple[Any, ...] | None, limit: int,
) -> tuple[list[Any], tuple[Any, ...] | None]:
    since, until, only = period
    begin = since or _BEGINNING
    place = after or (begin, UUID(int=0), 0, 0)
    sql, narrowed = _ALL_OF_PERIOD, tuple[str | None, ...]()
    if only is not None:
        sql = _OF_ANY_ORDER if only.order_number is None else _OF_ONE_ORDER
        narrowed = (only.gateway, only.merchant, only.account, only.order_number)
    rows = await connection.rows(
        sql, connection.account, max(begin, place[0]), until, *_rest(begin, place), limit + 1,
        *narrowed,
    )
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], (last["booked_at"], UUID(last["order_id"]), last["sequence"], last["line"])


def _rest(begin: datetime, place: tuple[Any, ...]) -> tuple[Any, ...]:
    """A place before the period is its beginning."""
    return place[1:] if place[0] >= begin else (UUID(int=0), 0, 0)


def _entry(row: Any) -> EntryShape:
    return EntryShape(**{name: row[name] for name in EntryShape.__struct_fields__})
