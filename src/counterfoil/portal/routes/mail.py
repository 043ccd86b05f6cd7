"""The account's own mail server: set, tried, and gone back from. Its password is never shown."""

from typing import Any

from litestar import Response, get, post
from msgspec import UNSET

from counterfoil.kernel.db import Connection
from counterfoil.kernel.problem import Problem
from counterfoil.order.mail_server import MailServer
from counterfoil.portal import respond
from counterfoil.portal.doing import do_once, tell_refused
from counterfoil.portal.forms import Form
from counterfoil.portal.letter_words import MAIL_FIELDS, SECURITIES
from counterfoil.portal.respond import Asking
from counterfoil.portal.visit import Visit
from counterfoil.setup.mail_servers import (
    NewMailServer,
    find_mail_server,
    remove_mail_server,
)
from counterfoil.work.mailing import keep_mail_server, try_mail_server

RIGHT, HERE = "settings.manage", "letters"
SAVED = {
    "set": "Saved. Test it before a customer waits for a letter.",
    "removed": "Removed: the installation’s mail server is used.",
}
_PORT_MAX = 65535


async def _begin(request: Asking) -> Visit:
    """Begin a visit of somebody who may see every store: the mail server is that of all of them."""
    visit = await Visit.begin(request, RIGHT, here=HERE)
    visit.actor.require_whole_account()
    return visit


@get("/mail")
async def mail_page(request: Asking) -> Response[bytes]:
    """Show where letters leave, and ask for a mail server of one's own."""
    visit = await _begin(request)
    return await _show(visit, None, said=SAVED.get(request.query_params.get("saved", ""), ""))


@post("/mail", status_code=200)
async def set_mail(request: Asking) -> Response[bytes]:
    """Save the mail server; an empty password keeps the one there is."""
    visit = await _begin(request)
    form = Form(values={name: visit.typed(name, 1000) for name in MAIL_FIELDS})
    password = form.values.pop("password")
    port = form.values["port"]
    if not (port.isascii() and port.isdecimal() and 1 <= int(port) <= _PORT_MAX):
        form.errors["port"] = f"Port: a number from 1 to {_PORT_MAX}."
        return await _show(visit, form)
    given: dict[str, Any] = {**form.values, "port": int(port)}
    keeps = not password and not visit.typed("no_password", 1)
    new = NewMailServer(**given, password=UNSET if keeps else password or None)
    new.reply_to = new.reply_to or None
    new.username = new.username or None

    async def keep(connection: Connection) -> None:
        await keep_mail_server(visit.works, connection, visit.actor, new)

    try:
        await do_once(visit, keep)
    except Problem as problem:
        tell_refused(problem, form, MAIL_FIELDS)
        return await _show(visit, form)
    return respond.go("/portal/mail?saved=set")


@post("/mail/test", status_code=200)
async def test_mail(request: Asking) -> Response[bytes]:
    """Connect, sign in and leave, and tell what came of it."""
    visit = await _begin(request)
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        told = await try_mail_server(visit.works, connection, visit.actor)
    title = "The mail server answers" if told.ok else "The mail server cannot be used"
    return visit.page("letters/tested.html", title=title, told=told, back="/portal/mail")


@post("/mail/remove", status_code=200)
async def remove_mail(request: Asking) -> Response[bytes]:
    """Use the installation's mail server again."""
    visit = await _begin(request)
    await do_once(visit, lambda one: remove_mail_server(one, visit.actor))
    return respond.go("/portal/mail?saved=removed")


def _values(server: MailServer | None) -> dict[str, str]:
    if server is None:
        return {"port": "587", "security": "starttls"}
    told = {name: getattr(server, name, None) for name in MAIL_FIELDS if name != "password"}
    return {name: str(value) for name, value in told.items() if value is not None}


async def _show(visit: Visit, form: Form | None, *, said: str = "") -> Response[bytes]:
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        server = await find_mail_server(connection)
    usual = visit.works.post
    return visit.page(
        "letters/mail.html",
        status=422 if form is not None else 200,
        server=server,
        usual=usual.where if usual else "",
        form=form or Form(values=_values(server)),
        blank=Form(),
        securities=SECURITIES,
        private=visit.works.mail_private,
        said=said,
    )


ROUTES = [mail_page, set_mail, test_mail, remove_mail]
