"""Render every page of the portal with sample data, and look at it.

    python -m tests.portal.preview OUT [--only NAME] [--width 390] [--dark]

Writes OUT/*.html and, where Chromium is found, OUT/*.png at 1440 and 390 pixels, light and dark.
The pages are served on loopback under the portal's own Content-Security-Policy.
"""

import argparse
import dataclasses
import functools
import http.server
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from counterfoil.portal import listing, pages
from counterfoil.portal.forms import Ask, Form, Say, Step
from counterfoil.portal.order_view import Crumb, OrderView
from tests.portal import samples
from tests.portal.samples import FRAME, NOW

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


@dataclasses.dataclass(frozen=True)
class Shot:
    """A page to render: its template and what it is told."""

    name: str
    template: str
    context: Callable[[], dict[str, Any]]
    frame: pages.Frame = FRAME


def _list(**given: Any) -> dict[str, Any]:
    query = given.pop("query", listing.read_query("/portal/orders/open", []))
    rows = given.pop("rows", [listing.row(samples.summary(i)) for i in range(24)])
    counts = {"": (1204, False), "attention": (7, False), "capture": (38, False),
              "ship": (10000, True), "hold": (9, False), "unknown": (1, False)}
    tabs = (("", "All open"), ("attention", "Needs attention"), ("capture", "To capture"),
            ("ship", "To ship"), ("hold", "On hold"), ("unknown", "Money unknown"))
    return {
        "page": listing.OPEN, "query": query, "rows": rows,
        "views": listing.views(listing.OPEN, tabs, query.view, counts),
        "found": listing.Found(len(rows) and 1204), "paging": listing.paging(query, newer="", older="x"),
        **given,
    }


def _filtered(rows: bool) -> dict[str, Any]:
    query = listing.read_query("/portal/orders/open", [
        ("payment", "AUTHORIZED"), ("status", "NEW"), ("placed_from", "2026-11-01"), ("q", "nordmann"),
        ("colour", "red")])
    return _list(query=query, **({} if rows else {"rows": []}))


def _order(**given: Any) -> dict[str, Any]:
    order = given.pop("order", samples.order())
    view = OrderView(order=order, known=given.pop("known", samples.known()), crumb=Crumb(),
                     previous="/portal/orders/a", next="/portal/orders/b", **given)
    view.invoice_form.values = {"invoice_number": order.invoice_number or ""}
    return {"order": order, "view": view}


def _money(action: str, **given: Any) -> dict[str, Any]:
    order = samples.order()
    base: dict[str, Any] = {
        "order": order, "back": f"/portal/orders/{order.id}", "preview": False,
        "form": Form(version=17, values={"amount": "100.00", "scope": "all", "reference": "R-10412-2",
                                         "reason_code": "CUSTOMER", "restock_items": "1"}),
    }
    email = {"email": "ola@example.no", "email_question": "Send an e-mail to ola@example.no?"}
    reasons = {"reasons": (("CUSTOMER", "The customer asked"), ("OTHER", "Another reason"))}
    told = {
        "capture": (
            Ask(open_minor=10000, sums=(("Authorised", 100000), ("Captured", 60000), ("Open", 10000)),
                hint="Up to 100.00 NOK. 300.00 NOK is not known yet."),
            Say(label="Capture 100.00 NOK", shown_minor=10000, lines=(
                "100.00 NOK is taken from the shopper through Sandbox Card. Nothing stays reserved.",
                "It can be given back with a refund.")),
        ),
        "void": (
            Ask(open_minor=10000, sums=(("Authorised", 100000), ("Captured", 60000), ("Open", 10000)),
                all_means="Nothing stays reserved.", **email),
            Say(label="Void 100.00 NOK", shown_minor=10000, grave=True, final="This cannot be undone.",
                lines=("100.00 NOK goes back to the shopper's limit through Sandbox Card, which may "
                       "take some days.",)),
        ),
        "refund": (
            Ask(open_minor=50100, sums=(("Captured", 60000), ("Refunded", 9900), ("Can be refunded", 50100)),
                hint="You can refund up to 501.00 NOK.", email="ola@example.no",
                email_question="Send an e-mail to ola@example.no", **reasons),
            Say(label="Refund 501.00 NOK", shown_minor=50100, grave=True, final="This cannot be undone.",
                lines=("501.00 NOK goes back to the shopper through Sandbox Card, usually in 3–5 days. "
                       "0.00 NOK stays with you.",)),
        ),
        "cancel": (
            Ask(open_minor=10000, steps=("Release 100.00 NOK that is only authorised.",
                                         "Refund 501.00 NOK that was captured.",
                                         "Cancel 2 lines that have not left."), **email, **reasons),
            Say(label="Cancel and return 601.00 NOK", shown_minor=60100, grave=True,
                final="This cannot be undone."),
        ),
    }[action]
    return base | {"ask": told[0], "say": told[1]} | given


def _refused() -> dict[str, Any]:
    context = _money("refund")
    context["form"] = Form(
        version=17, values={"amount": "5010", "reference": "R-10412-1", "reason_code": "CUSTOMER"},
        errors={"amount": "5,010.00 NOK is more than the 501.00 NOK that is left.",
                "reference": "Reference R-10412-1 was used on 21 Nov 2026 for 99.00 NOK. Choose another one."})
    context["say"] = Say(label="Refund", shown_minor=0, grave=True,
                         refused="5,010.00 NOK is more than the 501.00 NOK that is left.")
    return context


def _result(**given: Any) -> dict[str, Any]:
    order = samples.order()
    return {"order": order, "back": f"/portal/orders/{order.id}", "view": None, "row": None, **given}


def _ship() -> dict[str, Any]:
    order = samples.order()
    lines = [{"item": one, "left": 2} for one in order.bags[0].items[1:]]
    return {"order": order, "bag": order.bags[0], "lines": lines, "back": "/portal/orders/x",
            "methods": (("standard", "Standard"), ("express", "Express")),
            "form": Form(version=17, values={"method": "standard"})}


def _waiting(index: int, status: str) -> dict[str, Any]:
    return {"id": f"tx-{index}", "created_at": NOW, "order_id": "o", "order_number": str(10412 - index),
            "type": "CAPTURE" if index else "REFUND", "status": status, "amount": 30000 + index,
            "currency": "NOK", "gateway": "Sandbox Card", "attempts": 2, "due_at": NOW, "form": Form()}


def _letters() -> list[dict[str, Any]]:
    return [{"id": "l1", "created_at": NOW, "recipient": "ola@example.no", "order_id": "o",
             "subject": "Your order 10412 is cancelled", "order_number": "10412", "status": "SENT",
             "error": None},
            {"id": "l2", "created_at": NOW, "recipient": "someone-with-a-very-long-address@subdomain.example.museum",
             "subject": "Your order 10399 is cancelled", "order_id": "o", "order_number": "10399",
             "status": "FAILED", "error": "550 no such mailbox"}]


def _problem(status: int, heading: str, sentence: str, **more: Any) -> dict[str, Any]:
    return {"status": status, "heading": heading, "sentence": sentence, "facts": (), "trace": "4bf92f3577b34da6",
            "doors": (("Open orders", "/portal/orders/open"),), "back": "/portal", **more}


SETTLE = msgspec.structs.replace(FRAME, here="settle")
LETTERS = msgspec.structs.replace(FRAME, here="letters")
NOBODY = pages.Frame(csrf="t", now=NOW)

SHOTS = (
    Shot("list", "orders/list.html", _list),
    Shot("list-filtered", "orders/list.html", lambda: _filtered(True)),
    Shot("list-nothing", "orders/list.html", lambda: _filtered(False)),
    Shot("list-empty", "orders/list.html", lambda: _list(rows=[])),
    Shot("order", "order/page.html", _order),
    Shot("order-history", "order/page.html", lambda: _order(tab="history", said="Sandbox Card agrees. Nothing changed.")),
    Shot("order-locked", "order/page.html", lambda: _order(
        order=samples.order(state=samples.state("SUSPENDED"), is_test=True),
        known=samples.known(gate="Shipping is locked: the order is Suspended.",
                            full_only="This store captures in full only."))),
    Shot("order-conflict", "order/page.html", lambda: _order(invoice_form=Form(
        conflict="Kari Lie changed it to INV-2230 10 s ago. You typed INV-2231."))),
    Shot("capture", "money/capture.html", lambda: _money("capture")),
    Shot("void", "money/void.html", lambda: _money("void")),
    Shot("refund", "money/refund.html", lambda: _money("refund")),
    Shot("refund-refused", "money/refund.html", _refused),
    Shot("cancel", "money/cancel.html", lambda: _money("cancel")),
    Shot("closed", "money/closed.html", lambda: _result(
        heading="Refund order 10412", why="Nothing has been captured, so there is nothing to give back. "
        "You can release the reservation instead.", doors=(("Void…", "/portal/orders/x/void"),))),
    Shot("done", "money/done.html", lambda: _result(
        heading="Refunded 501.00 NOK", lines=("Order is now Refunded.",),
        pairs=(("Reference", "R-10412-2", True), ("Sandbox Card", "sbx_77a01", True), ("Time", "11:44:02", False)))),
    Shot("declined", "money/declined.html", lambda: _result(
        gateway="Sandbox Card", code="MRM007", message="Exceeds the remaining refundable balance.",
        again="/portal/orders/x/refund")),
    Shot("unknown", "money/unknown.html", lambda: _result(
        gateway="Sandbox Card", minor=50100, currency="NOK", next_at=NOW, asked="Asked at 12:43:20, once so far.",
        pulse="2s", tag="u-1", result_href="/portal/orders/x/transactions/y/result")),
    Shot("cancelled", "money/cancelled.html", lambda: _result(
        finished=True, message="Captured amount 501.00 NOK has been refunded; authorised amount 100.00 NOK has been reversed.",
        steps=(Step(tone="success", icon="check", text="501.00 NOK captured was refunded"),
               Step(tone="success", icon="check", text="100.00 NOK authorised was reversed"),
               Step(tone="success", icon="mail", text="E-mail to ola@example.no will be sent")))),
    Shot("unfinished", "money/cancelled.html", lambda: _result(
        finished=False, message="You can run it again; nothing is done twice.",
        steps=(Step(tone="success", icon="check", text="100.00 NOK authorised was reversed"),
               Step(tone="danger", icon="x", text="Refund of 501.00 NOK was refused")))),
    Shot("nothing", "money/nothing.html", lambda: _result()),
    Shot("ship", "goods/ship.html", _ship),
    Shot("tracking", "goods/tracking.html", lambda: {
        "order": samples.order(), "parcel": samples.order().bags[0].shipments[1], "back": "/", "form": Form()}),
    Shot("keys", "access/keys.html", lambda: {"back": "/portal"}),
    Shot("login", "access/login.html", lambda: {"form": Form(), "next": "/portal", "insecure": False}, NOBODY),
    Shot("login-refused", "access/login.html", lambda: {
        "form": Form(values={"email": "anna@example.no"}, notices=["This e-mail and password do not match."]),
        "next": "/portal", "insecure": True}, NOBODY),
    Shot("settle", "operations/settle.html", lambda: {
        "waiting": [_waiting(0, "UNKNOWN"), _waiting(1, "PENDING")], "more": False,
        "unfinished": [{"created_at": NOW, "order_id": "o", "order_number": "10405", "status": "PARTIALLY_CANCELED"}]},
        SETTLE),
    Shot("settle-empty", "operations/settle.html", lambda: {"waiting": [], "unfinished": [], "more": False}, SETTLE),
    Shot("letters", "operations/letters.html", lambda: {
        "letters": _letters(), "older": "/portal/letters?after=x",
        "mail_to": "The local mail server keeps letters in a folder; nothing leaves this machine."}, LETTERS),
    Shot("letter", "operations/letter.html", lambda: {"letter": _letters()[0] | {
        "sent_at": NOW, "attempts": 1, "message_id": "<0190a@counterfoil>",
        "text": "Dear Ola Nordmann,\n\nyour order 10412 has been cancelled.\n501.00 NOK goes back to you."}}, LETTERS),
    Shot("gateways", "operations/gateways.html", lambda: {"gateways": [
        {"code": "sandbox", "kind": "sandbox", "store": None, "enabled": True,
         "can": ["captures in part", "releases in part", "keeps a reservation 7 days"]},
        {"code": "manual", "kind": "manual", "store": "oslo", "enabled": False, "can": ["no provider"]}]},
        msgspec.structs.replace(FRAME, here="gateways")),
    Shot("problem-404", "problems/problem.html", lambda: _problem(
        404, "Not here, or not yours", "There is no order 99999 that you may see. It may be in another store.")),
    Shot("problem-500", "problems/problem.html", lambda: _problem(500, "Something went wrong on our side", "Nothing was sent.")),
    Shot("problem-out", "problems/problem.html", lambda: _problem(503, "Back soon", "The database does not answer."), NOBODY),
)


def write(out: Path, shots: tuple[Shot, ...] = SHOTS) -> None:
    """Render pages, and dialogs also as the fragment that a page would show above itself."""
    out.mkdir(parents=True, exist_ok=True)
    shutil.copytree(pages.STATIC, out / "static", dirs_exist_ok=True)
    for shot in shots:
        (out / f"{shot.name}.html").write_text(pages.render(shot.template, shot.frame, **shot.context()))
        if shot.template.split("/")[0] in ("money", "goods", "problems", "access") and shot.frame.person:
            partial = msgspec.structs.replace(shot.frame, partial=True)
            (out / f"{shot.name}.fragment.html").write_text(
                pages.render(shot.template, partial, **shot.context()))


class _Served(http.server.SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", CSP)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def served(out: Path) -> Iterator[str]:
    """Serve the rendered pages on loopback."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Served, directory=out))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def browser() -> Iterator[Any]:
    """Start Debian's Chromium, which looks for nothing outside."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=shutil.which("chromium"), args=[
            "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync"])
        yield started
        started.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--width", type=int, action="append")
    parser.add_argument("--scheme", action="append")
    parser.add_argument("--fragment", action="store_true", help="dialogs above the list")
    given = parser.parse_args()
    shots = tuple(shot for shot in SHOTS if given.only in ("", shot.name) or shot.name in given.only.split(","))
    write(given.out, shots)
    if given.fragment:
        write(given.out, tuple(shot for shot in SHOTS if shot.name == "list"))
    with served(given.out) as base, browser() as started:
        for scheme in given.scheme or ["light", "dark"]:
            for width in given.width or [1440, 390]:
                tab = started.new_page(viewport={"width": width, "height": 900 if width > 800 else 844},
                                       color_scheme=scheme)
                tab.on("console", lambda said: print("console:", said.text) if said.type in ("error", "warning") else None)
                tab.on("pageerror", lambda fault: print("error:", fault))
                for shot in shots:
                    if given.fragment:
                        tab.goto(f"{base}/list.html")
                        fragment = (given.out / f"{shot.name}.fragment.html").read_text()
                        tab.evaluate("html => { const d = document.querySelector('#dialog'); d.innerHTML = html; d.showModal() }", fragment)
                    else:
                        tab.goto(f"{base}/{shot.name}.html")
                    tab.screenshot(path=given.out / f"{shot.name}-{width}-{scheme}.png", full_page=not given.fragment)
                tab.close()


if __name__ == "__main__":
    main()
