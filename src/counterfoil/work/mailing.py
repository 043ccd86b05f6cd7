"""Whose mail server a letter leaves through, and from which text it is written.

An account's own server goes first, then the installation's. A store's own text goes first, then the
built-in one. Tests of both are here as well: they send one letter to who asks, and no more than ten
in ten minutes.
"""

import time
from datetime import datetime

import msgspec

from counterfoil.kernel.address import AddressRefused
from counterfoil.kernel.db import Connection
from counterfoil.kernel.due import hasten
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import NotFound, RateLimited, ValidationFailed
from counterfoil.kernel.secrets import CannotOpen
from counterfoil.kernel.shape import refuse, to_json
from counterfoil.mail.compose import Envelope, NoSuchAddress, Written, compose
from counterfoil.mail.language import Fault
from counterfoil.mail.send import Never, NotNow, Post, check_port
from counterfoil.mail.texts import Text, built_in, faults_of
from counterfoil.order.actor import Actor
from counterfoil.order.letter import KINDS, LANGUAGES
from counterfoil.order.mail_server import MailServer
from counterfoil.setup.letter_templates import (
    OwnText,
    find_own_text,
    own_texts,
    reset_own_text,
    save_own_text,
)
from counterfoil.setup.mail_servers import NewMailServer, open_mail_server, set_mail_server
from counterfoil.setup.stores import find_store
from counterfoil.work.desk import Works

TESTS_MAX, TESTS_IN_S = 10, 600
_TEST_DEADLINE_S = 10


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """The text that a store's letters of a kind are written from now, in a language.

    `own` says whether it is the store's. `version` is what the next save names as the one it was
    made from; `previous` the store's text before, which can be put back.
    """

    store: str
    kind: str
    language: str
    subject: str
    body: str
    own: bool
    version: int = 0
    previous: Text | None = None
    updated_by: str | None = None
    updated_at: datetime | None = None


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a test: whether it was taken, what was said, how long it took."""

    ok: bool
    message: str
    elapsed_ms: int


async def post_of(works: Works, connection: Connection) -> Post | None:
    """Find the mail server of an account: its own, else the installation's. Raises CannotOpen."""
    own = await open_mail_server(connection, works.ring)
    if own is None:
        return works.post
    server, password = own
    return Post.of(server, password, private=works.mail_private)


async def keep_mail_server(
    works: Works, connection: Connection, actor: Actor, new: NewMailServer
) -> MailServer:
    """Set the account's mail server; letters that waited for one leave soon.

    Raises ValidationFailed.
    """
    try:
        check_port(new.port, private=works.mail_private)
    except AddressRefused as wrong:
        raise refuse("/port", str(wrong)) from wrong
    if new.security == "none" and not works.mail_private:
        raise refuse("/security", "Without TLS letters only go to a server on this machine,"
                     " where the installation allows that.")
    assert works.ring is not None, "doors have the keys"
    server = await set_mail_server(connection, actor, new, works.ring)
    await hasten(connection, "letter")
    return server


async def try_mail_server(works: Works, connection: Connection, actor: Actor) -> Sent:
    """Connect to the account's mail server, sign in and leave. Raises RateLimited."""
    await count_test(connection, actor, "mail_server.tested")
    since = time.monotonic()
    try:
        post = await post_of(works, connection)
    except CannotOpen as problem:
        return Sent(ok=False, message=f"The password cannot be opened. {problem}", elapsed_ms=0)
    if post is None:
        return Sent(ok=False, message="No mail server is set up.", elapsed_ms=0)
    ok, said = True, f"{post.where} answers, and takes our name."
    try:
        await post.test(deadline_s=_TEST_DEADLINE_S)
    except NotNow as failure:
        ok, said = False, f"{post.where}: {failure}"
    return Sent(ok=ok, message=said, elapsed_ms=round((time.monotonic() - since) * 1000))


async def send_test(
    works: Works, connection: Connection, actor: Actor, written: Written, recipient: str
) -> Sent:
    """Send a letter as it reads now to who asks, marked as a test. Raises RateLimited."""
    await count_test(connection, actor, "letter_template.tested")
    since = time.monotonic()
    ok, said = False, "No mail server is set up."
    try:
        post = await post_of(works, connection)
        if post is not None:
            at: datetime = await connection.value("select cf_now()")
            envelope = Envelope(
                message_id=f"<test-{new_id()}@counterfoil>", recipient=recipient,
                sender=post.sender, reply_to=post.reply_to,
            )
            marked = msgspec.structs.replace(written, subject=f"[Test] {written.subject}")
            message = compose(envelope, marked, at=at)
            await post.send(message, deadline_s=_TEST_DEADLINE_S)
            ok, said = True, f"{post.where} took it. It goes to {recipient}."
    except (NotNow, Never, NoSuchAddress, CannotOpen) as failure:
        said = str(failure)
    return Sent(ok=ok, message=said, elapsed_ms=round((time.monotonic() - since) * 1000))


async def count_test(connection: Connection, actor: Actor, what: str) -> None:
    """Count a test before it is made, as an entry of the audit. Raises RateLimited."""
    counted = await connection.value(
        "insert into audit_entry (account_id, id, type, subject, actor, at)"
        " select $1, $2, $3, $4, $5::text::jsonb, cf_now()"
        " where (select count(*) from audit_entry where account_id = $1 and subject = $4"
        "   and type in ('mail_server.tested', 'letter_template.tested')"
        "   and at > cf_now() - make_interval(secs => $6)) < $7 returning 1",
        connection.account, new_id(), what, actor.id, to_json(actor.told()), TESTS_IN_S,
        TESTS_MAX,
    )
    if counted is None:
        raise RateLimited(
            f"No more than {TESTS_MAX} tests in {TESTS_IN_S // 60} minutes. Wait a little.",
            headers={"Retry-After": "60"},
        )


async def list_templates(connection: Connection, store: str) -> list[Template]:
    """List the text of every kind and language of a store. Raises NotFound."""
    await find_store(connection, store)
    own = {(one.kind, one.language): one for one in await own_texts(connection, store)}
    return [
        _template(store, kind, language, own.get((kind, language)))
        for kind in KINDS
        for language in LANGUAGES
    ]


async def find_template(
    connection: Connection, store: str, kind: str, language: str
) -> Template:
    """Return the text of a store's letters of a kind. Raises NotFound."""
    if kind not in KINDS or language not in LANGUAGES:
        raise NotFound("There is no such letter.")
    await find_store(connection, store)
    return _template(store, kind, language, await find_own_text(connection, store, kind, language))


async def text_of(connection: Connection, store: str, kind: str, language: str) -> Text | None:
    """Return a store's own text where it has one in use: what a letter is written from."""
    own = await find_own_text(connection, store, kind, language)
    return Text(subject=own.subject, body=own.body) if own is not None and own.active else None


async def keep_template(
    connection: Connection, actor: Actor, template: Template, seen: int | None
) -> Template:
    """Save a store's own text. Raises ValidationFailed with every line, VersionConflict."""
    text = Text(subject=template.subject, body=template.body)
    await check_template(connection, template.kind, template.language, text)
    place = (template.store, template.kind, template.language)
    own = await save_own_text(connection, actor, place, (text.subject, text.body), seen)
    return _template(*place, own)


async def check_template(
    connection: Connection, kind: str, language: str, text: Text
) -> None:
    """Refuse a text that cannot be used; each fault is told. Raises ValidationFailed."""
    at: datetime = await connection.value("select cf_now()")
    if found := faults_of(text, kind, language, at):
        raise refused(found)


def refused(found: list[Fault]) -> ValidationFailed:
    """Make the refusal of a text: a field, a line and what to do for each fault."""
    return ValidationFailed(
        "The text cannot be used as it is.",
        errors=[
            {"pointer": f"/{one.field}", "detail": f"Line {one.line}: {one.said}"}
            for one in found
        ],
    )


async def reset_template(
    connection: Connection, actor: Actor, store: str, kind: str, language: str
) -> Template:
    """Use the built-in text again; the store's is kept aside. Raises NotFound."""
    await find_template(connection, store, kind, language)
    await reset_own_text(connection, actor, (store, kind, language))
    return await find_template(connection, store, kind, language)


def _template(store: str, kind: str, language: str, own: OwnText | None) -> Template:
    text = built_in(kind, language)
    if own is not None and own.active:
        text = Text(subject=own.subject, body=own.body)
    kept = own.previous if own is not None else None
    return Template(
        store=store,
        kind=kind,
        language=language,
        subject=text.subject,
        body=text.body,
        own=own is not None and own.active,
        version=own.version if own else 0,
        previous=Text(subject=kept.subject, body=kept.body) if kept else None,
        updated_by=str(own.updated_by.get("name") or "") if own else None,
        updated_at=own.updated_at if own else None,
    )
