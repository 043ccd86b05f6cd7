"""What providers told us: calls as they came, what became of each, and looking into one again.

Signatures and keys of a call are not shown: whoever sees them could call in the provider's name.
[faults W-1 to W-9]
"""

from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response, get, post

from counterfoil.book.inbound import WholeEvent, list_inbound, read_inbound, try_again
from counterfoil.book.numbers_told import numbers_of
from counterfoil.kernel.db import Connection
from counterfoil.portal import books_words, respond
from counterfoil.portal.doing import do_once
from counterfoil.portal.forms import Form
from counterfoil.portal.reading import gateway_name, own_id
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.reconciliation import LOOK, WRITE, begin

HERE = "inbound"
AT = "/portal/inbound"
SHOWN = 50
VIEWS = {"": None, "waiting": "RECEIVED", "unmatched": "UNMATCHED", "failed": "FAILED"}
AGAIN = ("UNMATCHED", "FAILED")
HIDDEN = "hidden"
_SECRET = ("signature", "auth", "cookie", "token", "secret", "key", "hmac", "password")


@get("/inbound")
async def inbound_page(request: Asking) -> Response[bytes]:
    """List the calls, newest first."""
    visit = await begin(request, LOOK, HERE)
    asked = request.query_params
    view = asked.get("view", "") if asked.get("view", "") in VIEWS else ""
    gateway, after = asked.get("gateway") or None, asked.get("after")
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        page = await list_inbound(
            connection, status=VIEWS[view], gateway=gateway, limit=SHOWN, cursor=after
        )
        numbers = await numbers_of(connection, [one.order_id for one in page.data])
    return visit.page(
        "books/inbound.html",
        events=[shown(one, numbers) for one in page.data],
        view=view,
        newest=_href(view=view, gateway=gateway) if after else "",
        older=_href(view=view, gateway=gateway, after=page.next_cursor)
        if page.next_cursor
        else "",
    )


@get("/inbound/{event_id:str}")
async def event_page(request: Asking, event_id: str) -> Response[bytes]:
    """Show a call with its headers and its body, as text."""
    visit = await begin(request, LOOK, HERE)
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        found = await read_inbound(connection, own_id(event_id))
        numbers = await numbers_of(connection, [found.order_id])
    said = "It is looked into in a moment." if request.query_params.get("said") else ""
    return visit.page(
        "books/event.html",
        event=shown(found, numbers),
        sent=shown_headers(found),
        body=shown_body(found.body),
        can_again=found.status in AGAIN,
        form=Form(),
        said=said,
    )


@post("/inbound/{event_id:str}/again", status_code=200)
async def look_again(request: Asking, event_id: str) -> Response[bytes]:
    """Let the worker look into a call now; one that is done stays as it is."""
    visit = await begin(request, WRITE)
    wanted = own_id(event_id)

    async def again(connection: Connection) -> None:
        await try_again(connection, wanted)

    await do_once(visit, again)
    return respond.go(f"{AT}/{wanted}?said=again")


def shown(event: Any, numbers: dict[str, str]) -> dict[str, Any]:
    """Add words to a call, and the number of its order."""
    word = books_words.INBOUND.get(event.status) or books_words.unknown(event.status)
    return msgspec.structs.asdict(event) | {
        "word": word,
        "gateway_name": gateway_name(event.gateway),
        "number": numbers.get(event.order_id or "", ""),
    }


def shown_headers(event: WholeEvent) -> list[tuple[str, str]]:
    """List the headers by name, without what proves who called."""
    return [
        (name, HIDDEN if any(part in name.lower() for part in _SECRET) else str(text))
        for name, text in sorted(event.headers.items())
    ]


def shown_body(text: str) -> str:
    """Lay JSON out in lines; anything else stays as it came."""
    try:
        return msgspec.json.format(text, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return text


def _href(**values: str | None) -> str:
    said = urlencode({name: value for name, value in values.items() if value})
    return f"{AT}?{said}" if said else AT


ROUTES = [inbound_page, event_page, look_again]
