"""The pages of letters that are looked at: sent, bounced, texts, refused texts, mail servers."""

from typing import Any

import msgspec

from counterfoil.book.looking import WrittenLetter
from counterfoil.mail.language import BODY_MAX
from counterfoil.mail.shown import words_of
from counterfoil.mail.texts import Text, built_in
from counterfoil.order.config import Store
from counterfoil.order.letter import BY_THEMSELVES, KINDS, LANGUAGES, Try
from counterfoil.order.mail_server import MailServer
from counterfoil.portal.forms import Form
from counterfoil.portal.letter_words import (
    KINDS as CALLED,
)
from counterfoil.portal.letter_words import (
    SECURITIES,
    kind_name,
    names_of,
    shown_letter,
)
from counterfoil.portal.routes.letter_texts import Place
from counterfoil.setup.suppressed import Suppressed
from counterfoil.work.mailing import Sent, Template
from tests.portal.samples import FRAME, NOW

LETTERS = msgspec.structs.replace(FRAME, here="letters")
LONG = "someone-with-a-very-long-address-that-goes-on@subdomain.example.museum"
GONE = "550 5.1.1 <someone> The e-mail account that you tried to reach does not exist"
OSLO = Store(id="s", code="oslo", name="Nordlys Oslo", currency="NOK", created_at=NOW,
             language="nb", letters=("order_received", "shipped"))
TROMSO = Store(id="t", code="tromso", name="Nordlys Tromsø", currency="NOK", created_at=NOW)
STOPPED = Suppressed(address=LONG, reason=GONE, at=NOW)


def _letter(**given: Any) -> WrittenLetter:
    usual = {
        "id": "l1", "order_id": "o", "order_number": "10412", "kind": "canceled",
        "recipient": "ola@example.no", "language": "en", "status": "SENT",
        "message_id": "<0190a@counterfoil>", "subject": "Your order 10412 was cancelled",
        "text": "Dear Ola Nordmann,\n\nyour order 10412 was cancelled.", "error": None,
        "tries": [Try(NOW, "later", "451 4.7.1 Greylisted, come back"), Try(NOW, "sent")],
        "repeats_id": "l0", "store": "oslo", "attempts": 2, "due_at": None, "created_at": NOW,
        "sent_at": NOW,
    }
    return WrittenLetter(**{**usual, **given})


BOUNCED = _letter(
    id="l2", recipient=LONG, status="FAILED", subject=None, error=GONE, order_number="10399",
    tries=[Try(NOW, "bounced", GONE)], sent_at=None, kind="shipped", repeats_id=None,
)
WAITING = _letter(id="l3", status="QUEUED", subject=None, tries=[], sent_at=None)


def log() -> dict[str, Any]:
    return {
        "letters": [shown_letter(one) for one in (WAITING, _letter(), BOUNCED)],
        "older": "/portal/letters?after=x",
        "mail_to": "They leave through the mail server at 127.0.0.1:1025.",
    }


def one(letter: WrittenLetter, stopped: Suppressed | None = None, said: str = "") -> dict[str, Any]:
    told = shown_letter(letter) | {"subject": letter.subject or "Your parcel is on its way"}
    return {"letter": told, "stopped": stopped, "said": said}


def resend(form: Form, stopped: Suppressed | None = None) -> dict[str, Any]:
    return {
        "letter": shown_letter(BOUNCED), "form": form, "stopped": stopped,
        "back": "/portal/letters/l2",
    }


def _template(kind: str, language: str, **given: Any) -> Template:
    text = built_in(kind, language)
    usual = {"store": "oslo", "kind": kind, "language": language, "subject": text.subject,
             "body": text.body, "own": False}
    return Template(**{**usual, **given})


def texts(stores: list[Store]) -> dict[str, Any]:
    values = {"language": "nb"} | dict.fromkeys(OSLO.letters, "1")
    return {
        "store": OSLO, "stores": stores, "form": Form(values=values), "said": "Saved.",
        "languages": tuple(LANGUAGES.items()),
        "by_themselves": [(kind, *CALLED[kind]) for kind in BY_THEMSELVES],
        "rows": [
            (kind, *CALLED[kind],
             [_template(kind, code, own=kind == "shipped") for code in LANGUAGES])
            for kind in KINDS
        ],
    }


def text(kind: str, form: Form | None = None, **given: Any) -> dict[str, Any]:
    template = _template(kind, "en", **given)
    values = {"subject": template.subject, "body": template.body}
    return {
        "place": Place("oslo", kind, "en"), "current": template, "called": kind_name(kind),
        "language": "English", "names": names_of(words_of(kind)), "said": "",
        "form": form or Form(values=values), "most": BODY_MAX, "to": "anna@example.no",
        "at_once": False,
    }


def refused_text() -> dict[str, Any]:
    form = Form(
        values={"subject": "Hello", "body": "<p>{{ custmer }}</p>", "order": "99"},
        errors={
            "body": "Line 1: There is no custmer in this letter. Did you mean customer?",
            "order": "The store has no order 99.",
        },
        notices=["Kari Lie changed this text meanwhile."],
    )
    return text("shipped", form, own=True, version=3, updated_by="Kari Lie", updated_at=NOW,
                previous=Text(subject="Before", body="<p>What stood here before</p>"))


def mail(**given: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "server": None, "usual": "", "blank": Form(), "securities": SECURITIES, "private": False,
        "form": Form(values={"port": "587", "security": "starttls"}), "said": "",
    }
    return {**usual, **given}


def own_mail() -> dict[str, Any]:
    server = MailServer(
        host="smtp.nordlys-handel.example.com", port=587, security="starttls", username="shop",
        has_password=True, sender_name="Nordlys Handel", sender_address="shop@example.no",
        updated_at=NOW,
    )
    values = {"host": server.host, "port": "587", "security": "starttls", "username": "shop",
              "sender_name": server.sender_name, "sender_address": server.sender_address}
    form = Form(values=values, errors={"reply_to": "Answers go to: this is no address."})
    return mail(server=server, usual="127.0.0.1:1025", form=form, said="Saved.")


def tested(*, ok: bool) -> dict[str, Any]:
    said = "smtp.example.com:587 answers, and takes our name." if ok else GONE
    title = "The mail server answers" if ok else "The test was not sent"
    told = Sent(ok=ok, message=said, elapsed_ms=84)
    return {"title": title, "told": told, "back": "/portal/mail"}


#: Name, template and context; `shots` makes shots of them.
PAGES = (
    ("letters", "letters/log.html", log),
    ("letters-empty", "letters/log.html", lambda: {**log(), "letters": [], "older": ""}),
    ("letter", "letters/letter.html", lambda: one(_letter(), said="It is asked for.")),
    ("letter-bounced", "letters/letter.html", lambda: one(BOUNCED, STOPPED)),
    ("letter-waiting", "letters/letter.html", lambda: one(WAITING)),
    ("letter-resend", "letters/resend.html",
     lambda: resend(Form(values={"recipient": "ola@example.no"}))),
    ("letter-resend-bounced", "letters/resend.html",
     lambda: resend(Form(values={"recipient": LONG}, errors={"confirm": GONE}), STOPPED)),
    ("letter-texts", "letters/texts.html", lambda: texts([OSLO, TROMSO])),
    ("letter-texts-one", "letters/texts.html", lambda: texts([OSLO])),
    ("letter-text", "letters/text.html", lambda: text("order_received")),
    ("letter-text-refused", "letters/text.html", refused_text),
    ("letter-tested", "letters/tested.html", lambda: tested(ok=True)),
    ("letter-not-sent", "letters/tested.html", lambda: tested(ok=False)),
    ("mail", "letters/mail.html", mail),
    ("mail-own", "letters/mail.html", own_mail),
)
