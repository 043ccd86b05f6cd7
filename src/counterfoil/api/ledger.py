"""The ledger: balances, entries, and a period of them for a spreadsheet."""

from collections.abc import AsyncIterator

from msgspec import Struct

from counterfoil.api.ask import Ask
from counterfoil.api.door import Door
from counterfoil.api.lists import Cursor, Limit, Moment, Text
from counterfoil.api.reply import Stream
from counterfoil.book.balances import (
    Balance,
    EntryShape,
    TrialRow,
    balances,
    entries_of_order,
    entries_of_period,
    trial_balance,
)
from counterfoil.book.ledger_export import export_entries
from counterfoil.kernel.page import LIMIT, Page
from counterfoil.kernel.problem import NotFound, ValidationFailed

door = Door("Reports")
_READ, _CSV = "reports.read", "text/csv"


class BalanceQuery(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which balances."""

    gateway: Text | None = None
    merchant: Text | None = None
    currency: Text | None = None


class PeriodQuery(
    Struct, frozen=True, forbid_unknown_fields=True, kw_only=True,
    rename={"since": "from", "until": "to"},
):
    """From when, up to but not with when."""

    since: Moment | None = None
    until: Moment | None = None


class EntryQuery(PeriodQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which entries: those of an order, or of a period."""

    order: Text | None = None
    limit: Limit = LIMIT
    cursor: Cursor | None = None


@door.get("/v1/ledger/balances", right=_READ, answers={200: list[Balance]})
async def show_balances(ask: Ask, query: BalanceQuery) -> list[Balance]:
    """Tell what every ledger account holds, by gateway, merchant and currency."""
    ask.actor.require_whole_account()
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await balances(
            connection, gateway=query.gateway, merchant=query.merchant, currency=query.currency
        )


@door.get("/v1/ledger/trial-balance", right=_READ, answers={200: list[TrialRow]})
async def show_trial_balance(ask: Ask) -> list[TrialRow]:
    """Tell debits and credits of every ledger account, by currency."""
    ask.actor.require_whole_account()
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await trial_balance(connection)


@door.get(
    "/v1/ledger/entries", right=_READ, answers={200: Page[EntryShape]}, raises=(NotFound,)
)
async def show_entries(ask: Ask, query: EntryQuery) -> Page[EntryShape]:
    """List entries, the oldest first: those of an order, or of a period."""
    ask.actor.require_whole_account()
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        if query.order is None:
            return await entries_of_period(
                connection, since=query.since, until=query.until, limit=query.limit,
                cursor=query.cursor,
            )
        if query.since or query.until:
            raise ValidationFailed(
                "Ask for an order or for a period, not both.",
                errors=[{"pointer": "/order", "detail": "from and to are for all orders."}],
            )
        return await entries_of_order(
            connection, ask.as_id(query.order, "order"), limit=query.limit, cursor=query.cursor
        )


@door.get("/v1/ledger/export", right=_READ, media=_CSV, answers={200: None})
async def export_ledger(ask: Ask, query: PeriodQuery) -> Stream:
    """Write the entries of a period as CSV, with amounts as decimals."""
    ask.actor.require_whole_account()
    pieces: AsyncIterator[bytes] = export_entries(
        ask.office.pool, ask.actor.account_id, since=query.since, until=query.until
    )
    return Stream(pieces, _CSV.encode())
