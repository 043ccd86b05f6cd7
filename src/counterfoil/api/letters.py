"""Letters to customers: their texts, what was sent of an order, sending one again."""

from typing import Annotated

import msgspec

from counterfoil.actions.letter import resend_letter
from counterfoil.api.ask import Ask
from counterfoil.api.configuration import write
from counterfoil.api.door import Door
from counterfoil.book.looking import WrittenLetter, letter_of, letters_of
from counterfoil.kernel.db import Connection
from counterfoil.mail.compose import Written
from counterfoil.mail.language import BODY_MAX, SUBJECT_MAX
from counterfoil.mail.texts import Text
from counterfoil.order.change import Answered
from counterfoil.order.letter import LetterShape
from counterfoil.order.problems import InvalidState, UnknownReference, VersionConflict
from counterfoil.setup.stores import resolve_store
from counterfoil.work.mailing import (
    Template,
    find_template,
    keep_template,
    list_templates,
    reset_template,
)
from counterfoil.work.previewing import preview
from counterfoil.work.resending import AddressSuppressed, clear_address

door = Door("Letters")
_RIGHT = "settings.manage"
_AT = "/v1/letter-templates/{kind}"
Subject = Annotated[str, msgspec.Meta(max_length=SUBJECT_MAX)]
Body = Annotated[str, msgspec.Meta(max_length=BODY_MAX)]


class StoreQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Of which store; it may be left out where there is one."""

    store: str | None = None


class TemplateQuery(StoreQuery, kw_only=True, forbid_unknown_fields=True):
    """Of which store, and in which language: `en` or `nb`."""

    language: str = "en"


class TemplateBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A text. `version` is that of the text it was made from; absent: over any."""

    subject: Subject
    body: Body
    version: Annotated[int, msgspec.Meta(ge=0, le=10**9)] | None = None


class PreviewBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to fill in: absent, the text in use. About which order: absent, about a sample."""

    subject: Subject | None = None
    body: Body | None = None
    order_id: str | None = None


class ResendBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Where to: absent, to the same address. `confirm`: that address works again."""

    recipient: Annotated[str, msgspec.Meta(max_length=320)] | None = None
    confirm: bool = False


async def _place(ask: Ask, connection: Connection, query: TemplateQuery) -> tuple[str, str, str]:
    store = await resolve_store(connection, query.store)
    await find_template(connection, store, ask.path["kind"], query.language)
    return store, ask.path["kind"], query.language


@door.get(
    "/v1/letter-templates", right=_RIGHT, answers={200: list[Template]},
    raises=(UnknownReference,),
)
async def show_letter_templates(ask: Ask, query: StoreQuery) -> list[Template]:
    """List the texts of a store's letters, by kind and language, its own or the built-in ones."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        store = await resolve_store(connection, query.store)
        return await list_templates(connection, store)


@door.get(_AT, right=_RIGHT, answers={200: Template}, raises=(UnknownReference,))
async def show_letter_template(ask: Ask, query: TemplateQuery) -> Template:
    """Read the text of a kind of letter, and the store's own one before it."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await find_template(connection, *await _place(ask, connection, query))


@door.declare(
    "PUT", _AT, right=_RIGHT, answers={200: Template}, raises=(UnknownReference, VersionConflict)
)
async def save_letter_template(ask: Ask, query: TemplateQuery, body: TemplateBody) -> Answered:
    """Save a store's own text; what is wrong with it is told with the line."""

    async def save(connection: Connection) -> Template:
        store, kind, language = await _place(ask, connection, query)
        template = Template(
            store=store, kind=kind, language=language, subject=body.subject, body=body.body,
            own=True,
        )
        return await keep_template(connection, ask.actor, template, body.version)

    return await write(ask, save)


@door.delete(_AT, right=_RIGHT, answers={200: Template}, raises=(UnknownReference,))
async def reset_letter_template(ask: Ask, query: TemplateQuery) -> Answered:
    """Use the built-in text again; the store's own is kept as the previous one."""

    async def reset(connection: Connection) -> Template:
        return await reset_template(connection, ask.actor, *await _place(ask, connection, query))

    return await write(ask, reset)


@door.post(_AT + "/preview", right=_RIGHT, answers={200: Written}, raises=(UnknownReference,))
async def preview_letter_template(ask: Ask, query: TemplateQuery, body: PreviewBody) -> Written:
    """Fill a text in, with the sample or about an order; nothing is sent or saved."""
    ask.actor.require_whole_order()
    order_id = ask.as_id(body.order_id, "order") if body.order_id else None
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        place = await _place(ask, connection, query)
        now = await find_template(connection, *place)
        text = Text(
            subject=now.subject if body.subject is None else body.subject,
            body=now.body if body.body is None else body.body,
        )
        return await preview(connection, ask.actor, text, place, order_id)


@door.get(
    "/v1/orders/{order_id}/letters", right="orders.read", answers={200: list[WrittenLetter]}
)
async def show_letters(ask: Ask) -> list[WrittenLetter]:
    """List the letters to the customer about an order, newest first, with every try."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await letters_of(connection, ask.actor, ask.path["order_id"])


@door.post(
    "/v1/letters/{letter_id}/resend", right="orders.notes", answers={201: LetterShape},
    versioned=True, raises=(AddressSuppressed, InvalidState),
)
async def resend(ask: Ask, body: ResendBody) -> Answered:
    """Send a letter again, as a new one under its own Message-ID.

    An address that refused a letter for good gets one only with `confirm`.
    """
    letter_id = ask.path["letter_id"]
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        letter = await letter_of(connection, ask.actor, letter_id)
        recipient = body.recipient or letter.recipient
        await clear_address(connection, ask.actor, recipient, confirmed=body.confirm)
    return await ask.carry_out(
        ask.command(letter.order_id), resend_letter, letter_id=letter_id, recipient=recipient
    )
