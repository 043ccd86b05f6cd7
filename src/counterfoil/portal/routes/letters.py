"""Letters that were written: the log, one letter with its tries, sending it again."""

from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Response, get, post

from counterfoil.actions.letter import resend_letter
from counterfoil.book.looking import WrittenLetter, letter_of, letters
from counterfoil.book.opening import open_folder
from counterfoil.kernel.problem import NotFound, Problem
from counterfoil.mail.compose import write
from counterfoil.mail.language import CannotRender
from counterfoil.order.letter import LetterShape
from counterfoil.portal import respond
from counterfoil.portal.commands import run
from counterfoil.portal.forms import Form
from counterfoil.portal.letter_words import shown_letter
from counterfoil.portal.reading import own_id
from counterfoil.portal.respond import Asking
from counterfoil.portal.visit import Visit
from counterfoil.setup.mail_servers import find_mail_server
from counterfoil.setup.suppressed import Suppressed, find_suppressed
from counterfoil.work.mailing import text_of
from counterfoil.work.resending import clear_address

HERE = "letters"


@get("/letters")
async def letters_page(request: Asking) -> Response[bytes]:
    """List the letters to customers, newest first; they are about whole orders."""
    visit = await Visit.begin(request, "orders.read", here=HERE, whole=True)
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        page = await letters(
            connection, visit.actor, limit=50, cursor=request.query_params.get("after")
        )
        own = await find_mail_server(connection)
    older = f"/portal/letters?after={quote(page.next_cursor)}" if page.next_cursor else ""
    where = f"{own.host}:{own.port}" if own else visit.works.post and visit.works.post.where
    mail_to = (
        f"They leave through the mail server at {where}."
        if where
        else "No mail server is set up: letters wait until one is."
    )
    shown = [shown_letter(one) for one in page.data]
    return visit.page("letters/log.html", letters=shown, older=older, mail_to=mail_to)


@get("/letters/{letter_id:str}")
async def letter_page(request: Asking, letter_id: str) -> Response[bytes]:
    """Show one letter as the customer reads it, and every try."""
    visit = await Visit.begin(request, "orders.read", here=HERE)
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        found = await letter_of(connection, visit.actor, own_id(letter_id))
        stopped = await find_suppressed(connection, found.recipient)
    subject, text = await _as_read(visit, found)
    told: dict[str, Any] = shown_letter(found) | {"subject": subject, "text": text}
    said = "It is asked for, and leaves in a moment." if request.query_params.get("saved") else ""
    return visit.page("letters/letter.html", letter=told, stopped=stopped, said=said)


async def _as_read(visit: Visit, found: WrittenLetter) -> tuple[str, str]:
    """Return subject and text: as they were sent, or as they would be now."""
    if found.text is not None:
        return found.subject or "", found.text
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        opened = await open_folder(connection, found.order_id, frozenset({"letters", "items"}))
        own = await text_of(connection, found.store, found.kind, found.language)
    if opened.folder is None:
        raise NotFound("There is no such letter.")
    letter = next(one for one in opened.folder.letters if one.id == found.id)
    try:
        written = write(letter, opened.folder, own)
    except CannotRender:
        written = write(letter, opened.folder)
    return found.subject or written.subject, written.text


@get("/letters/{letter_id:str}/resend")
async def ask_resend(request: Asking, letter_id: str) -> Response[bytes]:
    """Ask where a letter is to be sent again."""
    visit = await Visit.begin(request, "orders.notes", here=HERE)
    return await _show_resend(visit, own_id(letter_id), Form())


@post("/letters/{letter_id:str}/resend", status_code=200)
async def resend(request: Asking, letter_id: str) -> Response[bytes]:
    """Send a letter again; an address that bounced wants a tick first."""
    visit = await Visit.begin(request, "orders.notes", here=HERE)
    letter_id = own_id(letter_id)
    form = Form(values={name: visit.typed(name, 320) for name in ("recipient", "confirm")})
    recipient = form.values["recipient"]
    try:
        async with visit.works.pool.connection(visit.actor.account_id) as connection:
            found = await letter_of(connection, visit.actor, letter_id)
            await clear_address(
                connection, visit.actor, recipient, confirmed=bool(form.values["confirm"])
            )
        answered = await run(
            visit, found.order_id, resend_letter, letter_id=letter_id, recipient=recipient
        )
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        field = "confirm" if problem.code == "address_suppressed" else "recipient"
        form.errors[field] = problem.detail
        return await _show_resend(visit, letter_id, form)
    again = msgspec.json.decode(answered.body, type=LetterShape)
    return respond.go(f"/portal/letters/{again.id}?saved=1")


async def _show_resend(visit: Visit, letter_id: str, form: Form) -> Response[bytes]:
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        found = await letter_of(connection, visit.actor, letter_id)
        address = form.values.setdefault("recipient", found.recipient)
        stopped: Suppressed | None = await find_suppressed(connection, address)
    return visit.page(
        "letters/resend.html",
        status=422 if form.refused else 200,
        letter=shown_letter(found),
        form=form,
        stopped=stopped,
        back=f"/portal/letters/{letter_id}",
    )


ROUTES = [letters_page, letter_page, ask_resend, resend]
