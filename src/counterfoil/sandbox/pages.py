"""The page where the shopper decides, as a provider would show it. The link is the key to it."""

from html import escape
from importlib.resources import files
from string import Template
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from litestar import Response, get, post
from litestar.response import Redirect

from counterfoil.sandbox.console import Console
from counterfoil.sandbox.desk import Desk
from counterfoil.sandbox.till import Refused

_PAGE = Template(files("counterfoil.sandbox").joinpath("pay.html").read_text("utf-8"))
_HEADERS = {
    "content-security-policy": "default-src 'none'",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
}


@get("/pay/{payment_id:str}", include_in_schema=False, sync_to_thread=False)
def show_page(desk: Desk, payment_id: str) -> Response[str]:
    """Show what is to be paid, with a button for each thing that a shopper can do."""
    payment = desk.till.payment(payment_id)
    if payment.status != "pending":
        return _page(payment_id, f"This payment is {payment.status}.", "hidden")
    amount = payment.operations[0].amount if payment.operations else 0
    what = f"{amount} {payment.currency} in minor units, {payment.reference}"
    return _page(payment_id, f"Pay {what}?", "")


@post("/pay/{payment_id:str}/{does:str}", include_in_schema=False)
async def press(
    desk: Desk, payment_id: str, does: Literal["approve", "decline", "leave"]
) -> Response[str] | Redirect:
    """Do what the shopper wants, and send them back to the shop. Pressed twice it is done once."""
    try:
        Console(desk.till).decide(payment_id, does)
    except Refused as refusal:
        if refusal.code != "decided":
            raise
    await desk.courier.look()
    row = desk.till.ledger.payment(payment_id)
    if row["return_url"] is None:
        done = desk.till.payment(payment_id)
        return _page(payment_id, f"This payment is {done.status}.", "hidden")
    return Redirect(_with_payment(row["return_url"], payment_id), status_code=303)


def _page(payment_id: str, sentence: str, hidden: str) -> Response[str]:
    body = _PAGE.substitute(sentence=escape(sentence), payment=escape(payment_id), hidden=hidden)
    return Response(body, status_code=200, media_type="text/html", headers=_HEADERS)


def _with_payment(address: str, payment_id: str) -> str:
    parts = urlsplit(address)
    query = "&".join(filter(None, (parts.query, f"payment={payment_id}")))
    return urlunsplit(parts._replace(query=query))


PAGES = (show_page, press)
