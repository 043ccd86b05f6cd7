"""Operations: money that is not settled, letters that were written."""

from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Response, get, post

from counterfoil.book.looking import Unsettled, letter_of, letters, unfinished, unsettled
from counterfoil.book.opening import open_folder
from counterfoil.kernel.problem import NotFound
from counterfoil.mail.compose import write
from counterfoil.portal import respond
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
    rows = [waiting_row(one) for one in waiting[:SHOWN]]
    return visit.page(
        "operations/settle.html", waiting=rows, unfinished=halted, more=len(waiting) > SHOWN
    )


def waiting_row(one: Unsettled) -> dict[str, Any]:
    """Add a form's own key to a movement that waits."""
    told = msgspec.structs.asdict(one)
    return told | {"gateway": gateway_name(one.gateway), "form": Form()}


@post("/settle/{transaction_id:str}/ask", status_code=200)
async def ask_now(request: Asking, transaction_id: str) -> Response[bytes]:
    """Ask the provider now; the row says how it stands afterwards."""
    visit = await Visit.begin(request, "payments.sync")
    wanted = own_id(transaction_id)
    await settle_one(visit.works, visit.actor.account_id, wanted)
    if not visit.part:
        return respond.go("/portal/settle")
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        left = await unsettled(connection, visit.actor, limit=SHOWN)
    row = next((waiting_row(one) for one in left if one.id == wanted), None)
    return visit.region("operations/asked.html", one=row, transaction_id=wanted)


@get("/letters")
async def letters_page(request: Asking) -> Response[bytes]:
    """List the letters to customers, newest first."""
    visit = await Visit.begin(request, "orders.read", here="letters")
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        page = await letters(
            connection, visit.actor, limit=50, cursor=request.query_params.get("after")
        )
    older = f"/portal/letters?after={page.next_cursor}" if page.next_cursor else ""
    server = urlsplit(visit.works.settings.smtp_url or "")
    mail_to = (
        f"They leave through the mail server at {server.hostname}:{server.port or 25}."
        if server.hostname
        else "No mail server is set up: letters wait until one is."
    )
    return visit.page("operations/letters.html", letters=page.data, older=older, mail_to=mail_to)


@get("/letters/{letter_id:str}")
async def letter_page(request: Asking, letter_id: str) -> Response[bytes]:
    """Show one letter as the customer reads it."""
    visit = await Visit.begin(request, "orders.read", here="letters")
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        found = await letter_of(connection, visit.actor, own_id(letter_id))
        opened = await open_folder(connection, found.order_id, frozenset({"letters", "items"}))
    folder = opened.folder
    if folder is None:
        raise NotFound("There is no such letter.")
    letter = next(one for one in folder.letters if one.id == found.id)
    written = write(letter, folder)
    return visit.page(
        "operations/letter.html",
        letter={
            **msgspec.structs.asdict(found),
            "text": written.text,
            "subject": letter.subject or written.subject,
            "message_id": letter.message_id,
        },
    )


ROUTES = [
    settle_page,
    ask_now,
    letters_page,
    letter_page,
]
