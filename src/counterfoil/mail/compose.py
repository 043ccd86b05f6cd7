"""Compose a letter: subject and text from the templates, a message that no name can break.

What people typed (store, item, reason, address) is text in the body, and in headers is either
encoded or refused: it can start no header of its own and name no second recipient. [faults M-3]
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from importlib.resources import files
from typing import Any

import msgspec
from css_inline import CSSInliner
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from counterfoil.mail.language import render
from counterfoil.mail.markup import to_text
from counterfoil.mail.shown import values_of
from counterfoil.mail.texts import Text, built_in
from counterfoil.order.folder import Folder
from counterfoil.order.letter import Letter

_SUBJECT_MAX = 200
_ANY_SERVER = SMTP.clone(cte_type="7bit")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_ADDRESS = re.compile(r"[^\s@<>(),;:\\\"\[\]\x00-\x20\x7f]{1,64}@[^\s@<>(),;:\\\"\[\]]{1,253}")
#: Around every letter's text; its style goes into the tags, for mail programs that drop the rest.
_sheet = Environment(
    loader=PackageLoader("counterfoil.mail"), autoescape=True, undefined=StrictUndefined
).get_template("letter.html")
_inliner = CSSInliner(
    load_remote_stylesheets=False,
    extra_css=(files("counterfoil.mail") / "templates" / "letter.css").read_text(encoding="utf-8"),
)


class NoSuchAddress(Exception):
    """What the order has for an address is none that a letter can be sent to."""


class Written(msgspec.Struct, frozen=True):
    """A letter as it reads: what is sent, and what staff see of it."""

    subject: str
    text: str
    html: str


def write(letter: Letter, folder: Folder, text: Text | None = None) -> Written:
    """Write a letter about an order, from the store's own text or the built-in one.

    The folder is opened with items. Raises CannotRender where the text does not fit the order.
    """
    text = text or built_in(letter.kind, letter.language)
    return fill(text, values_of(letter, folder), letter.language)


def fill(text: Text, values: Mapping[str, Any], language: str) -> Written:
    """Fill a text in: one source becomes the HTML and the plain text. Raises CannotRender."""
    subject = one_line(render(text.subject, values, escaped=False))[:_SUBJECT_MAX]
    body = render(text.body, values, escaped=True)
    safe = Markup(body)  # noqa: S704 - its values were escaped just now, its tags are allowed ones
    page = _sheet.render(language=language, subject=subject, body=safe)
    return Written(subject=subject, text=to_text(body), html=_inliner.inline(page))


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a message goes to, whom it comes from, and its own stable name."""

    message_id: str
    recipient: str
    sender: str
    reply_to: str | None = None


def compose(envelope: Envelope, written: Written, *, at: datetime) -> EmailMessage:
    """Make the message; its Message-ID is the same at every repeat. Raises NoSuchAddress."""
    message = EmailMessage(policy=_ANY_SERVER)
    message["Message-ID"] = envelope.message_id
    message["Date"] = format_datetime(at)
    message["From"] = mailbox_of(envelope.sender)
    message["To"] = address_of(envelope.recipient)
    if envelope.reply_to:
        message["Reply-To"] = mailbox_of(envelope.reply_to)
    message["Subject"] = written.subject
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(written.text)
    message.add_alternative(written.html, subtype="html")
    return message


def address_of(text: str) -> Address:
    """Read exactly one plain address, its domain as ASCII. Raises NoSuchAddress."""
    if _ADDRESS.fullmatch(text) is None:
        raise NoSuchAddress("This is not one e-mail address.")
    local, _, domain = text.rpartition("@")
    try:
        return Address(username=local, domain=domain.encode("idna").decode("ascii"))
    except (MessageError, ValueError, IndexError) as wrong:
        raise NoSuchAddress("This is not an e-mail address.") from wrong


def mailbox_of(text: str) -> Address:
    """Read the sender's `Name <address>`. Raises NoSuchAddress."""
    name, address = parseaddr(one_line(text))
    found = address_of(address)
    return Address(display_name=name, username=found.username, domain=found.domain)


def one_line(text: str) -> str:
    """Make text fit for a header: no line breaks, no control or direction characters."""
    return " ".join(_CONTROL.sub(" ", text).split())
