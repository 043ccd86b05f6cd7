"""Operations: money that is not settled."""

from typing import Any

import msgspec
from litestar import Response, get, post

from counterfoil.book.looking import Unsettled, check_movement, unfinished, unsettled
from counterfoil.portal import respond
from counterfoil.portal.counts import WORK
from counterfoil.portal.forms import Form
from counterfoil.portal.reading import gateway_name, own_id
from counterfoil.portal.respond import Asking
from counterfoil.portal.visit import Visit
from counterfoil.work.now import settle_one

SHOWN = 100


@get("/settle")
async def settle_page(request: Asking) -> Response[bytes]:
    """List every amount whose end is not known, and cancellations that are not finished."""
    visit = await Visit.begin(request, "orders.read", here="settle")
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        waiting = await unsettled(connection, visit.actor, limit=SHOWN + 1)
        halted = await unfinished(connection, visit.actor, limit=SHOWN)
        work = await WORK.fresh(connection, visit.actor)
    rows = [waiting_row(one) for one in waiting[:SHOWN]]
    return visit.page(
        "operations/settle.html",
        waiting=rows,
        unfinished=halted,
        more=len(waiting) > SHOWN,
        work=work,
    )


def waiting_row(one: Unsettled) -> dict[str, Any]:
    """Add a form's own key to a movement that waits."""
    told = msgspec.structs.asdict(one)
    return told | {"gateway": gateway_name(one.gateway), "form": Form()}


@post("/settle/{transaction_id:str}/ask", status_code=200)
async def ask_now(request: Asking, transaction_id: str) -> Response[bytes]:
    """Ask the provider now; the row says how it stands afterwards."""
    visit = await Visit.begin(request, "payments.sync", whole=True)
    wanted = own_id(transaction_id)
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        await check_movement(connection, visit.actor, wanted)
    await settle_one(visit.works, visit.actor.account_id, wanted)
    if not visit.part:
        return respond.go("/portal/settle")
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        left = await unsettled(connection, visit.actor, limit=SHOWN)
    row = next((waiting_row(one) for one in left if one.id == wanted), None)
    return visit.region("operations/asked.html", one=row, transaction_id=wanted)


ROUTES = [
    settle_page,
    ask_now,
]
