"""The ledger: balances, a trial balance, entries by filter, and a period as CSV. [faults V1]

The address holds every filter. Days are those of the reader's zone.
"""

from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get
from litestar.response import Stream

from counterfoil.book.balances import Only, balances, entries_of_period, trial_balance
from counterfoil.book.ledger_export import export_entries
from counterfoil.order.ledger import CHART
from counterfoil.portal import respond
from counterfoil.portal.books_ledger import OUTCOMES, gateways_of, merchants_of, trials_of
from counterfoil.portal.books_words import ACCOUNTS, ENTRIES
from counterfoil.portal.reading import gateway_name
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.reconciliation import LOOK, begin
from counterfoil.portal.visit import Visit
from counterfoil.setup.gateways import list_gateways

HERE = "ledger"
AT = "/portal/ledger"
SHOWN = 50
FILTERS = ("from", "to", "gateway", "merchant", "account", "order")


@get("/ledger")
async def ledger_page(request: Asking) -> Response[bytes]:
    """Show what every account holds, and that both sides come to the same."""
    visit = await begin(request, LOOK, HERE)
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        held = await balances(connection)
        trial = await trial_balance(connection)
        as_of = await visit.works.clock.now(connection)
    return visit.page(
        "books/ledger.html",
        gateways=gateways_of(held),
        merchants=merchants_of(held),
        trials=trials_of(trial),
        as_of=as_of,
        outcomes=OUTCOMES,
        chart=[(ACCOUNTS.get(code, code), means) for code, means in CHART.items()],
    )


@get("/ledger/entries")
async def entries_page(request: Asking) -> Response[bytes]:
    """List the entries of a period, oldest first; without a period, of this month."""
    visit = await begin(request, LOOK, HERE)
    chosen = read_filters(visit)
    since, until = period_of(chosen, visit.frame.zone)
    only = Only(
        gateway=chosen["gateway"] or None,
        merchant=chosen["merchant"] or None,
        account=chosen["account"] or None,
        order_number=chosen["order"] or None,
    )
    after = request.query_params.get("after")
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        gateways = (await list_gateways(connection, limit=100)).data
        page = await entries_of_period(
            connection, since=since, until=until, only=only, limit=SHOWN, cursor=after
        )
    rows = [
        msgspec.structs.asdict(one)
        | {"what": ENTRIES.get(one.kind, one.kind), "gateway_name": gateway_name(one.gateway)}
        for one in page.data
    ]
    return visit.page(
        "books/entries.html",
        entries=rows,
        chosen=chosen,
        narrowed=any(chosen[name] for name in FILTERS[2:]),
        gateways=[("", "Any gateway"), *((one.code, gateway_name(one.code)) for one in gateways)],
        accounts=[("", "Any account"), *ACCOUNTS.items()],
        names=ACCOUNTS,
        oldest=f"{AT}/entries?{urlencode(chosen)}" if after else "",
        newer=f"{AT}/entries?{urlencode(chosen | {'after': page.next_cursor})}"
        if page.next_cursor
        else "",
        export=f"{AT}/export?{urlencode({name: chosen[name] for name in FILTERS[:2]})}",
    )


@get("/ledger/export")
async def export(request: Asking) -> Response[Any]:
    """Send the entries of a period as CSV; the amounts are plain decimals."""
    visit = await begin(request, LOOK, HERE)
    chosen = read_filters(visit)
    since, until = period_of(chosen, visit.frame.zone)
    pieces: AsyncIterator[bytes] = export_entries(
        visit.works.pool, visit.actor.account_id, since=since, until=until
    )
    name = f"ledger-{chosen['from']}-{chosen['to']}.csv"
    headers = {
        **respond.SAFETY,
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Stream(pieces, media_type="text/csv; charset=utf-8", headers=headers)


def read_filters(visit: Visit) -> dict[str, str]:
    """Take the filters of an address; a day that is none is that of this month."""
    asked = visit.request.query_params
    chosen = {name: asked.get(name, "").replace("\x00", "").strip()[:64] for name in FILTERS}
    today = visit.frame.now.astimezone(ZoneInfo(visit.frame.zone)).date()
    chosen["from"] = _day(chosen["from"], today.replace(day=1)).isoformat()
    chosen["to"] = _day(chosen["to"], today).isoformat()
    return chosen


def period_of(chosen: dict[str, str], zone: str) -> tuple[datetime, datetime]:
    """Turn days of a zone into moments: from the first, up to the end of the last."""
    at = ZoneInfo(zone)
    since, until = date.fromisoformat(chosen["from"]), date.fromisoformat(chosen["to"])
    return (
        datetime.combine(since, time.min, at),
        datetime.combine(until + timedelta(days=1), time.min, at),
    )


def _day(text: str, otherwise: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return otherwise
    return day if 1900 < day.year < 9999 else otherwise


ROUTES = [ledger_page, entries_page, export]
