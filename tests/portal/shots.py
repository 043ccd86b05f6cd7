"""The pages that are looked at: each template with what it is told."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import msgspec

from counterfoil.book.worklists import WorkCounts
from counterfoil.portal import listing, pages
from counterfoil.portal.forms import Form, Step
from counterfoil.portal.live import News
from counterfoil.portal.order_view import Crumb, OrderView
from counterfoil.portal.paying import Judged
from counterfoil.portal.rows import row_of
from tests.portal import (
    sample_facts,
    sample_order,
    samples,
    shots_cancel,
    shots_payments,
    shots_refunds,
    shots_returns,
    shots_reviews,
    shots_shipments,
)
from tests.portal.samples import FRAME, NOW
from tests.portal.shots_books import PAGES as BOOK_PAGES
from tests.portal.shots_configurations import PAGES as CONFIGURATION_PAGES
from tests.portal.shots_edits import PAGES as EDIT_PAGES
from tests.portal.shots_gateways import AT_GATEWAYS
from tests.portal.shots_gateways import PAGES as GATEWAY_PAGES
from tests.portal.shots_goods import PAGES as GOODS_PAGES
from tests.portal.shots_letters import LETTERS
from tests.portal.shots_letters import PAGES as LETTER_PAGES
from tests.portal.shots_money import money_form, result
from tests.portal.shots_paper import PAGES as PAPER_PAGES
from tests.portal.shots_refunds import PAGES as REFUND_PAGES
from tests.portal.shots_settings import AT_SETTINGS
from tests.portal.shots_settings import PAGES as SETTINGS_PAGES


@dataclasses.dataclass(frozen=True)
class Shot:
    """A page to render: its template and what it is told."""

    name: str
    template: str
    context: Callable[[], dict[str, Any]]
    frame: pages.Frame = FRAME


def _list(**given: Any) -> dict[str, Any]:
    query = given.pop("query", listing.read_query("/portal/orders/open", []))
    rows = given.pop("rows", [row_of(samples.summary(i)) for i in range(24)])
    counts = {
        "": (1204, False),
        "attention": (7, False),
        "capture": (38, False),
        "ship": (10000, True),
        "hold": (9, False),
        "unknown": (1, False),
    }
    tabs = (
        ("", "All open"),
        ("attention", "Needs attention"),
        ("capture", "To capture"),
        ("ship", "To ship"),
        ("hold", "On hold"),
        ("unknown", "Money unknown"),
    )
    return {
        "page": listing.OPEN,
        "query": query,
        "rows": rows,
        "views": listing.views(listing.OPEN, tabs, query.view, counts),
        "found": listing.Found(len(rows) and 1204),
        "paging": listing.paging(query, newer="", older="x"),
        "follows": query.follows(""),
        **given,
    }


def _filtered(rows: bool) -> dict[str, Any]:
    query = listing.read_query(
        "/portal/orders/open",
        [
            ("payment", "AUTHORIZED"),
            ("status", "NEW"),
            ("placed_from", "2026-11-01"),
            ("q", "nordmann"),
            ("colour", "red"),
        ],
    )
    return _list(query=query, **({} if rows else {"rows": []}))


def _order(**given: Any) -> dict[str, Any]:
    order = given.pop("order", sample_order.order())
    view = OrderView(
        order=order,
        known=given.pop("known", sample_facts.known()),
        crumb=Crumb(),
        previous="/portal/orders/a",
        next="/portal/orders/b",
        **given,
    )
    view.invoice_form.values = {"invoice_number": order.invoice_number or ""}
    return {"order": order, "view": view}


def _payments(tab: str) -> dict[str, Any]:
    return _order(order=shots_payments.several(), known=shots_payments.told(), tab=tab)


def _waiting(index: int, status: str) -> dict[str, Any]:
    return {
        "id": f"tx-{index}",
        "created_at": NOW,
        "order_id": "o",
        "order_number": str(10412 - index),
        "type": "CAPTURE" if index else "REFUND",
        "status": status,
        "amount": 30000 + index,
        "currency": "NOK",
        "gateway": "Sandbox Card",
        "attempts": 2,
        "due_at": NOW,
        "form": Form(),
    }


def _problem(status: int, heading: str, sentence: str, **more: Any) -> dict[str, Any]:
    return {
        "status": status,
        "heading": heading,
        "sentence": sentence,
        "facts": (),
        "trace": "4bf92f3577b34da6",
        "doors": (("Open orders", "/portal/orders/open"),),
        "back": "/portal",
        **more,
    }


NEWS = News("Anna Berg", "Shipment left, 70727800000000012, and 2 more changes")
SETTLED = {"under_way": False, "pulse": "2s", "tag": "", "result_href": ""}
SETTLE = msgspec.structs.replace(FRAME, here="settle")
APPROVALS = msgspec.structs.replace(FRAME, here="approvals", to_approve=2)
NOBODY = pages.Frame(csrf="t", now=NOW)

SHOTS = (
    Shot("list", "orders/list.html", _list),
    Shot("list-filtered", "orders/list.html", lambda: _filtered(True)),
    Shot("list-nothing", "orders/list.html", lambda: _filtered(False)),
    Shot("list-empty", "orders/list.html", lambda: _list(rows=[])),
    Shot("order", "order/page.html", _order),
    Shot("order-news", "order/page.html", lambda: {**_order(), "news": NEWS}),
    Shot(
        "order-history",
        "order/page.html",
        lambda: _order(tab="history", said="Sandbox Card agrees. Nothing changed."),
    ),
    Shot(
        "order-locked",
        "order/page.html",
        lambda: _order(
            order=sample_order.order(state=samples.state("SUSPENDED"), is_test=True),
            known=sample_facts.known(
                gate="Shipping is locked: the order is Suspended.",
                judged={"pay-1": Judged(full_only="This store captures in full only.")},
            ),
        ),
    ),
    Shot(
        "order-conflict",
        "order/page.html",
        lambda: _order(
            invoice_form=Form(
                conflict="Kari Lie changed it to INV-2230 10 s ago. You typed INV-2231."
            )
        ),
    ),
    Shot("capture", "money/capture.html", lambda: money_form("capture")),
    Shot("void", "money/void.html", lambda: money_form("void")),
    *(Shot(name, template, made, APPROVALS) for name, template, made in REFUND_PAGES),
    Shot(
        "order-refunds",
        "order/page.html",
        lambda: _order(
            order=shots_refunds.with_refunds(),
            known=sample_facts.known(refund_doors=shots_refunds.DOORS),
        ),
    ),
    *(Shot(*shot) for shot in shots_cancel.PAGES),
    *(Shot(name, template, made) for name, template, made in PAPER_PAGES),
    *(Shot(name, template, made, AT_SETTINGS) for name, template, made in SETTINGS_PAGES),
    *(Shot(name, template, made) for name, template, made in EDIT_PAGES),
    *(Shot(name, template, made) for name, template, made in shots_payments.PAGES),
    *(
        Shot(
            f"order-payments-{tab}",
            "order/page.html",
            functools.partial(_payments, tab),
        )
        for tab in ("status", "ledger")
    ),
    Shot(
        "closed",
        "money/closed.html",
        lambda: result(
            heading="Refund order 10412",
            why="Nothing has been captured, so there is nothing to give back. "
            "You can release the reservation instead.",
            doors=(("Void…", "/portal/orders/x/void"),),
        ),
    ),
    Shot(
        "done",
        "money/done.html",
        lambda: result(
            heading="Refunded 501.00 NOK",
            lines=("Order is now Refunded.",),
            pairs=(
                ("Reference", "R-10412-2", True),
                ("Sandbox Card", "sbx_77a01", True),
                ("Time", "11:44:02", False),
            ),
        ),
    ),
    Shot(
        "declined",
        "money/declined.html",
        lambda: result(
            gateway="Sandbox Card",
            code="MRM007",
            message="Exceeds the remaining refundable balance.",
            again="/portal/orders/x/refund",
        ),
    ),
    Shot(
        "unknown",
        "money/unknown.html",
        lambda: result(
            gateway="Sandbox Card",
            minor=50100,
            currency="NOK",
            next_at=NOW,
            asked="Asked at 12:43:20, once so far.",
            pulse="2s",
            tag="u-1",
            result_href="/portal/orders/x/transactions/y/result",
        ),
    ),
    Shot(
        "cancelled",
        "money/cancelled.html",
        lambda: result(
            finished=True,
            whole=True,
            heading="Order 10412 is cancelled",
            **SETTLED,
            message="Captured amount 501.00 NOK has been refunded; "
            "authorised amount 100.00 NOK has been reversed.",
            steps=(
                Step(tone="success", icon="check", text="501.00 NOK captured was refunded"),
                Step(tone="success", icon="check", text="100.00 NOK authorised was reversed"),
                Step(tone="success", icon="mail", text="E-mail to ola@example.no will be sent"),
            ),
        ),
    ),
    Shot(
        "unfinished",
        "money/cancelled.html",
        lambda: result(
            finished=False,
            whole=True,
            heading="The cancellation is not finished",
            **SETTLED,
            message="You can run it again; nothing is done twice.",
            steps=(
                Step(tone="success", icon="check", text="100.00 NOK authorised was reversed"),
                Step(tone="danger", icon="x", text="Refund of 501.00 NOK was refused"),
            ),
        ),
    ),
    Shot("nothing", "money/nothing.html", result),
    *(Shot(*shot) for shot in GOODS_PAGES),
    Shot("keys", "access/keys.html", lambda: {"back": "/portal"}),
    Shot(
        "login",
        "access/login.html",
        lambda: {"form": Form(), "next": "/portal", "insecure": False},
        NOBODY,
    ),
    Shot(
        "login-refused",
        "access/login.html",
        lambda: {
            "form": Form(
                values={"email": "anna@example.no"},
                notices=["This e-mail and password do not match."],
            ),
            "next": "/portal",
            "insecure": True,
        },
        NOBODY,
    ),
    Shot(
        "settle",
        "operations/settle.html",
        lambda: {
            "waiting": [_waiting(0, "UNKNOWN"), _waiting(1, "PENDING")],
            "more": False,
            "work": WorkCounts(tasks=3, decisions=1, expiring=2),
            "unfinished": [
                {
                    "created_at": NOW,
                    "order_id": "o",
                    "order_number": "10405",
                    "status": "PARTIALLY_CANCELED",
                }
            ],
        },
        SETTLE,
    ),
    Shot(
        "settle-empty",
        "operations/settle.html",
        lambda: {"waiting": [], "unfinished": [], "more": False, "work": WorkCounts()},
        SETTLE,
    ),
    *(Shot(name, template, made, LETTERS) for name, template, made in LETTER_PAGES),
    *(Shot(name, template, made, AT_GATEWAYS) for name, template, made in GATEWAY_PAGES),
    *(Shot(*shot) for shot in CONFIGURATION_PAGES),
    *(Shot(*shot) for shot in BOOK_PAGES),
    *(Shot(*shot) for shot in shots_reviews.PAGES),
    *(Shot(*shot) for shot in shots_returns.PAGES),
    *(Shot(*shot) for shot in shots_shipments.PAGES),
    Shot("order-returns", "order/page.html", lambda: _order(order=shots_returns.with_returns())),
    Shot("order-asked", "order/page.html", lambda: _order(**shots_cancel.asked())),
    Shot("order-moot", "order/page.html", lambda: _order(order=shots_reviews.moot())),
    Shot(
        "order-in-review",
        "order/page.html",
        lambda: _order(
            order=shots_reviews.in_review(),
            known=sample_facts.known(
                review_why="It waits for one already.", gate="Shipping is locked: held."
            ),
        ),
    ),
    Shot(
        "problem-404",
        "problems/problem.html",
        lambda: _problem(
            404,
            "Not here, or not yours",
            "There is no order 99999 that you may see. It may be in another store.",
        ),
    ),
    Shot(
        "problem-500",
        "problems/problem.html",
        lambda: _problem(500, "Something went wrong on our side", "Nothing was sent."),
    ),
    Shot(
        "problem-out",
        "problems/problem.html",
        lambda: _problem(503, "Back soon", "The database does not answer."),
        NOBODY,
    ),
)
