"""Returns as they are looked at: the list, the dialogs, the order's page; usual, long, refused."""

from datetime import timedelta
from typing import Any

import msgspec

from counterfoil.book.returns import ListedReturn
from counterfoil.kernel.page import Count
from counterfoil.order.goods_shapes import ReturnShape
from counterfoil.order.shapes import OrderShape
from counterfoil.portal.forms import Form
from counterfoil.portal.return_says import (
    AskReturn,
    Choice,
    ComingLine,
    SayReturn,
    Swap,
    Undelivered,
)
from counterfoil.portal.return_view import listed_row, return_view
from counterfoil.portal.return_words import CONDITION_CHOICES, REASON_CHOICES, RESOLUTIONS
from counterfoil.portal.routes.returns_list import CHOICES, TABS, address
from counterfoil.portal.routes.returns_steps import STEPS, WHY_NOT
from tests.portal import sample_order
from tests.portal.samples import ANNA, FRAME, KARI, NOW

AT_RETURNS = msgspec.structs.replace(FRAME, here="returns", path="/portal/returns", returning=4)
LONG = "ハット — Hat with a very long name that a supplier wrote in one breath, " * 2


def line(index: int, quantity: int, **more: Any) -> dict[str, Any]:
    """Make a line of a return."""
    return {"item_id": f"item-{index}", "quantity": quantity, **more}


def _listed(place: int, status: str, resolution: str, **more: Any) -> ListedReturn:
    plain = {
        "id": f"r{place}", "order_id": f"o{place}", "order_number": str(10410 - place),
        "currency": "NOK", "store": "oslo", "merchant": "wool", "merchant_name": "Nordic Wool",
        "position": 1, "status": status, "resolution": resolution, "lines": [line(1, 1)],
        "reason_code": "WRONG_SIZE", "fee": 0, "credit": 0, "late": False, "requested_by": ANNA,
        "created_at": NOW - timedelta(hours=3 + 26 * place), "received_at": None,
        "exchange_order_id": None, "exchange_number": None,
        "items": {"item-1": "SKU-001", "item-2": "SKU-002", "item-3": LONG}, "refunds": [],
    }
    return msgspec.convert({**plain, **more}, ListedReturn)


WAITING = [
    _listed(15, "REQUESTED", "REFUND"),
    _listed(40, "APPROVED", "EXCHANGE", lines=[line(1, 2), line(3, 1)], late=True,
            exchange_order_id="o99", exchange_number="10399"),
    _listed(1, "RECEIVED", "REFUND", lines=[line(1, 2, received=1, restocked=1, condition="OPENED"),
                                           line(2, 1)],
            refunds=[{"reference": "return-0190a000-0000-7000-8000-000000000000",
                      "status": "AWAITING_APPROVAL", "amount": 19900}]),
    _listed(0, "REQUESTED", "STORE_CREDIT"),
]  # fmt: skip
OVER = [
    _listed(2, "CLOSED", "NONE", lines=[line(2, 3, received=3, restocked=1, written_off=2,
                                             condition="DAMAGED")]),
    _listed(3, "CLOSED", "REFUND", lines=[line(1, 1, received=1, restocked=1)],
            refunds=[{"reference": "R-1", "status": "COMPLETED", "amount": 19900}]),
]  # fmt: skip


def listed(rows: list[ListedReturn], which: str = "waiting", **given: Any) -> dict[str, Any]:
    """Make the list of returns."""
    chosen = given.get("resolution", "")
    return {
        "rows": [listed_row(one, NOW) for one in rows], "which": which, "resolution": chosen,
        "tabs": [(key, label, address(key, chosen)) for key, label in TABS],
        "choices": [(key, label, address(which, key)) for key, label in (("", "All"), *CHOICES)],
        "counts": {"waiting": len(rows), "received": 12, "closed": 1041, "rejected": 0},
        "found": Count(len(rows)), "more": "", **given,
    }  # fmt: skip


def back_of(position: int, status: str, resolution: str, **more: Any) -> ReturnShape:
    """Make a return of the sample order."""
    doors = {"REQUESTED": ("approve", "reject", "receive"), "APPROVED": ("receive", "close"),
             "RECEIVED": ("receive", "close")}.get(status, ())  # fmt: skip
    plain = {
        "id": f"return-{position}", "order_id": "o", "bag_id": "bag-1", "position": position,
        "status": status, "resolution": resolution, "lines": [line(1, 1)],
        "reason_code": "WRONG_SIZE", "note": None, "restock_items": True, "notify_customer": False,
        "fee": 0, "shipment_id": None, "refund_reference": None, "refund_id": None,
        "replacement": [], "exchange_order_id": None, "worth": 0, "credit": 0, "late": False,
        "requested_by": ANNA, "decided_by": None, "decision_note": None,
        "created_at": NOW - timedelta(days=position), "decided_at": None, "received_at": None,
        "closed_at": None, "updated_at": NOW, "allowed_actions": [{"action": one} for one in doors],
    }
    return msgspec.convert({**plain, **more}, ReturnShape)


PARTLY = back_of(
    4, "RECEIVED", "REFUND", fee=2000, note="She rang; the parcel was torn.", refund_id="ref-1",
    lines=[line(1, 2, received=1, restocked=0, written_off=1, condition="DAMAGED"), line(3, 1)],
    decided_by=KARI, decided_at=NOW - timedelta(days=3), received_at=NOW - timedelta(hours=2),
)  # fmt: skip
SWAPPED = back_of(
    3, "CLOSED", "EXCHANGE", credit=19900, exchange_order_id="x9",
    lines=[line(1, 1, received=1, restocked=1)], received_at=NOW, closed_at=NOW, late=True,
)  # fmt: skip
REJECTED = back_of(
    2, "REJECTED", "STORE_CREDIT", bag_id="bag-2", lines=[line(4, 1, reason_code="DAMAGED")],
    decided_by=KARI, decided_at=NOW, decision_note="It was worn.",
)  # fmt: skip


def with_returns() -> OrderShape:
    """The sample order with returns at every stage, and one refund of them."""
    order = sample_order.order()
    refund = msgspec.structs.replace(order.refunds[0], return_id="return-4")
    returns = [back_of(1, "REQUESTED", "NONE"), REJECTED, SWAPPED, PARTLY]
    return msgspec.structs.replace(order, returns=returns, refunds=[refund])


def _coming(index: int, name: str, left: int, sent: int) -> ComingLine:
    fields = {"units": "units-", "why": "why-", "state": "state-", "off": "off-"}
    return ComingLine(
        id=f"item-{index}", name=name, sku=f"SKU-{index:03d}", left=left, sent=sent,
        fields={key: f"{start}item-{index}" for key, start in fields.items()},
    )  # fmt: skip


LINES = (_coming(1, "Wool sweater, hand-knitted, size M", 2, 2), _coming(3, LONG, 1, 1))
CHOICE = tuple(Choice(code=key, label=one, hint=two) for key, (one, two) in RESOLUTIONS.items())
FIGURES = (
    ("199.00 NOK", "was paid for 1 × Wool sweater, net of discounts, and has not gone back."),
    ("49.75 NOK", "is the tax that was paid on these lines."),
    ("−20.00 NOK", "is kept as a fee."),
)  # fmt: skip
REFUND = SayReturn(
    label="Return and refund 228.75 NOK", shown_minor=22875, figures=FIGURES, grave=True,
    total=("228.75 NOK", "goes back to the shopper through Sandbox Card, usually in 3–5 days."),
    final="This cannot be undone.",
)  # fmt: skip
SWAP_VALUES = {
    "swap-quantity-item-1": "1", "swap-sku-item-1": "SKU-001", "swap-price-item-1": "249.00",
    "swap-name-item-1": "Wool sweater, hand-knitted, size L",
}  # fmt: skip


def asking(**given: Any) -> dict[str, Any]:
    """The form of a return; `ask`, `say` and `values` change what it is told."""
    order = sample_order.order()
    ask = {
        "bag_id": "bag-1", "bag_name": "Nordic Wool", "open_minor": 50100, "lines": LINES,
        "choices": CHOICE, "parcels": (), "shipping_left": 4900, "until": None,
        "may_override": True, "days": 30, "email": "ola@example.no",
    } | given.pop("ask", {})  # fmt: skip
    values = {"arrived": "yes", "reason_code": "UNWANTED", "restock_items": "1", "fee": "20.00"}
    nothing = SayReturn(label="Record return", shown_minor=0, empty=True,
                        refused="Say how many units come back.")  # fmt: skip
    page = f"/portal/orders/{order.id}"
    return {
        "order": order, "form": Form(version=17, values=values | given.pop("values", {})),
        "ask": AskReturn(**ask), "say": nothing, "swapped": "item-1=1",
        "swaps": [Swap(key="item-1", instead_of="SKU-001", units=1),
                  Swap(key="new", instead_of="", units=0)],
        "reasons_": REASON_CHOICES, "conditions": CONDITION_CHOICES, "preview": False,
        "here": f"{page}/returns/new", "back": f"{page}#order-refunds", **given,
    }  # fmt: skip


def for_refund(**given: Any) -> dict[str, Any]:
    """One unit is here, opened, and the money goes back."""
    values = {"resolution": "REFUND", "units-item-1": "1", "state-item-1": "OPENED"}
    return asking(say=given.pop("say", REFUND), values=values, **given)


def for_replacement(**given: Any) -> dict[str, Any]:
    """Something dearer is sent instead; the difference is to be paid."""
    say = SayReturn(
        label="Return and replace", shown_minor=0, figures=FIGURES[:1],
        total=("199.00 NOK", "is what it is worth to the shopper."),
        lines=("No money moves. Payment stays Paid.", "The replacement costs 249.00 NOK.",
               "50.00 NOK is left to pay. Its order is made now, and held until that is paid."),
    )  # fmt: skip
    values = {"resolution": "EXCHANGE", "units-item-1": "1", **SWAP_VALUES}
    return asking(say=say, values=values, **given)


def late() -> dict[str, Any]:
    """After the time for returns, above the limit of who asks, with a parcel that came back."""
    parcel = Undelivered(number="70727800000000012", contents="2 × SKU-001", href="/x?shipment=p")
    say = msgspec.structs.replace(
        REFUND, label="Return and ask for approval of 228.75 NOK", grave=False,
        final="The goods are recorded at once; no money leaves before that.",
        approval="It is more than the 200.00 NOK that you may give back alone."
        " Kari Lie can approve it.",
    )  # fmt: skip
    return for_refund(say=say, ask={"until": NOW - timedelta(days=5), "parcels": (parcel,)})


def refused() -> dict[str, Any]:
    """Too many units, no resolution, a fee that is none."""
    sentence = "SKU-001: no more than 2 of it."
    context = asking(values={"units-item-1": "5", "fee": "1.234", "arrived": "no"})
    context["form"].errors = {
        "units-item-1": sentence,
        "resolution": "Choose what the shopper gets.",
        "fee": "“1.234” can be read two ways. Write 1234.00.",
    }
    context["say"] = SayReturn(label="Record return", shown_minor=0, refused=sentence)
    return context


def receiving(**given: Any) -> dict[str, Any]:
    """Goods came in for a return."""
    order = with_returns()
    say = msgspec.structs.replace(REFUND, label="Take in and refund 228.75 NOK")
    return {
        "order": order, "told": return_view(order, PARTLY), "lines": LINES, "say": say,
        "form": Form(values={"units-item-1": "1", "state-item-1": "OPENED", "off-item-1": "1"}),
        "conditions": CONDITION_CHOICES, "open_minor": 50100, "preview": False,
        "here": "/portal/orders/o/returns/return-4/receive", "back": "/portal/orders/o", **given,
    }  # fmt: skip


def deciding(name: str, back: ReturnShape, lines: tuple[str, ...], **given: Any) -> dict[str, Any]:
    """Approve, reject or close a return."""
    order, step = with_returns(), STEPS[name]
    return {
        "order": order, "told": return_view(order, back), "step": name, "title_": step.verb,
        "label": step.label, "lines": lines, "note": step.note, "needed": step.needed,
        "form": Form(**given), "back": "/portal/orders/o",
    }  # fmt: skip


def recorded(**given: Any) -> dict[str, Any]:
    """An exchange was recorded."""
    return {
        "heading": "1 unit came back", "order": sample_order.order(), "back": "/portal/orders/o",
        "lines": ("No money moved. Order 10412 is Paid as before.",
                  "Order 10412-X1 is made for it. It is held until 50.00 NOK is paid."),
        "pairs": (("The shopper gets", "Replacement"), ("Reason", "Does not fit"),
                  ("What", "1 × SKU-001: back in stock")),
        "linked": ("10412-X1", "/portal/orders/x"), "view": None, "row": None, **given,
    }  # fmt: skip


def which() -> dict[str, Any]:
    """Two merchants' goods may come back."""
    bags = (("Nordic Wool", 3, "/portal/orders/o/returns/new?bag=1"), ("كتاب", 1, "/x?bag=2"))
    choices = [(name, f"{units} units of it ticked", href) for name, units, href in bags]
    return {
        "heading": "Goods coming back · order 10412", "choices": choices,
        "question": "What is ticked belongs to several merchants: each takes back its own.",
        "left_out": ["Nothing of SKU-3 has left that could come back."],
        "back": "/portal/orders/o",
    }  # fmt: skip


PAGES: tuple[Any, ...] = (
    ("returns", "operations/returns.html", lambda: listed(WAITING, more="/portal/returns?after=x"),
     AT_RETURNS),
    ("returns-closed", "operations/returns.html", lambda: listed(OVER, "closed"), AT_RETURNS),
    ("returns-none", "operations/returns.html",
     lambda: listed([], "received", resolution="EXCHANGE"), AT_RETURNS),
    ("returns-empty", "operations/returns.html", lambda: listed([]), AT_RETURNS),
    ("return-new", "returns/new.html", asking),
    ("return-refund", "returns/new.html", for_refund),
    ("return-replacement", "returns/new.html", for_replacement),
    ("return-late", "returns/new.html", late),
    ("return-refused", "returns/new.html", refused),
    ("return-which", "goods/which.html", which),
    ("return-receive", "returns/receive.html", receiving),
    ("return-approve", "returns/decide.html", lambda: deciding(
        "approve", back_of(1, "REQUESTED", "REFUND"), (
            "The shopper may send it. No money moves.",
            "When it has come in, the money goes back."))),
    ("return-reject", "returns/decide.html", lambda: deciding(
        "reject", back_of(1, "REQUESTED", "REFUND"), ("It is not taken back.",),
        errors={"note": WHY_NOT})),
    ("return-close", "returns/decide.html", lambda: deciding(
        "close", PARTLY, ("Nothing more is waited for. No money moves.",
                          "2 units did not come in, and may be announced again."))),
    ("return-recorded", "returns/recorded.html", recorded),
)  # fmt: skip
