"""Compose a letter: subject and text from the templates, a message that no name can break.

What people typed (store, item, reason, address) is text in the body, and in headers is either
encoded or refused: it can start no header of its own and name no second recipient. [faults M-3]
"""

import re
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from counterfoil.kernel.money import to_decimal
from counterfoil.order.folder import Folder
from counterfoil.order.letter import Letter

_SUBJECTS = {
    "canceled": "Your order {number} from {store} was cancelled",
    "refunded": "A refund for your order {number} from {store}",
}
_SUBJECT_MAX = 200
_ANY_SERVER = SMTP.clone(cte_type="7bit")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_ADDRESS = re.compile(r"[^\s@<>(),;:\\\"\[\]\x00-\x20\x7f]{1,64}@[^\s@<>(),;:\\\"\[\]]{1,253}")
_templates = Environment(
    loader=PackageLoader("counterfoil.mail"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class NoSuchAddress(Exception):
    """What the order has for an address is none that a letter can be sent to."""


class Written(msgspec.Struct, frozen=True):
    """A letter as it reads: what is sent, and what staff see of it."""

    subject: str
    text: str
    html: str


def write(letter: Letter, folder: Folder) -> Written:
    """Write a letter about an order. The folder is opened with items."""
    currency = folder.order.currency

    def money(amount: int) -> str:
        return f"{to_decimal(amount, currency)} {currency}"

    shown = {
        "store": folder.store.name,
        "number": folder.order.number,
        "name": _salutation(folder),
        "items": [item for item in folder.items if item.deliverable],
        "money": money,
        **letter.context,
    }
    subject = _SUBJECTS[letter.kind].format(number=shown["number"], store=shown["store"])
    where = f"{letter.language}/{letter.kind}"
    return Written(
        subject=one_line(subject)[:_SUBJECT_MAX],
        text=_templates.get_template(f"{where}.txt").render(shown),
        html=_templates.get_template(f"{where}.html").render(shown),
    )


def compose(letter: Letter, written: Written, *, sender: str, at: datetime) -> EmailMessage:
    """Make the message. Its Message-ID is the letter's own, the same at every repeat.

    Raises NoSuchAddress.
    """
    message = EmailMessage(policy=_ANY_SERVER)
    message["Message-ID"] = letter.message_id
    message["Date"] = format_datetime(at)
    message["From"] = mailbox_of(sender)
    message["To"] = address_of(letter.recipient)
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


def _salutation(folder: Folder) -> str:
    customer = folder.order.customer
    parts = [customer.get("first_name"), customer.get("last_name")]
    return one_line(" ".join(part for part in parts if part)) or "customer"
