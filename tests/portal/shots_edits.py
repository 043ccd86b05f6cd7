"""What the form of an edit and the page of versions are told when they are looked at."""

from datetime import timedelta
from typing import Any

from counterfoil.order.order_edit import EditedLine, EditedOrder
from counterfoil.portal.edit_form import ADDRESS
from counterfoil.portal.edit_view import Version, compare
from counterfoil.portal.routes.edits import EditForm
from counterfoil.portal.saying_edit import AskedBag, AskedLine, SayEdit
from tests.portal import sample_order
from tests.portal.samples import NOW

LONG = "ハット — Hat with a very long name that a supplier wrote in one breath, " * 2
HOME = {"name": "Ola Nordmann", "line1": "Storgata 1", "postal_code": "0155", "city": "Oslo",
        "country": "NO"}


def _line(index: int, name: str, live: int, price: int, left: int = 0) -> AskedLine:
    return AskedLine(
        id=f"item-{index}", field=f"units-item-{index}", name=name, sku=f"SKU-{index:03d}",
        price=price, live=live, left=left,
    )


BAGS = (
    AskedBag(
        id="bag-1", name="Nordic Wool", merchant="Nordic Wool", shipping_field="shipping-bag-1",
        lines=(
            _line(1, "Wool sweater, hand-knitted, size M", 2, 19900, 1),
            _line(2, LONG, 3, 9900),
        ),
    ),
    AskedBag(
        id="bag-2", name="Fjell AS", merchant="Fjell AS", shipping_field="shipping-bag-2",
        lines=(_line(4, "كتاب الجبال", 1, 30600),),
    ),
)
VALUES = {
    "units-item-1": "1", "units-item-2": "3", "units-item-4": "1", "shipping-bag-1": "49.00",
    "shipping-bag-2": "0.00", "rows": "2", "add-0-name": "Cap, blue", "add-0-sku": "CAP-1",
    "add-0-quantity": "2", "add-0-price": "90.00", "add-0-bag": "bag-2",
    "hold_until_paid": "1", "refund_difference": "1",
    **{f"ship-{name}": HOME.get(name, "") for name, *_ in ADDRESS},
    **{f"bill-{name}": HOME.get(name, "") for name, *_ in ADDRESS},
}
LESS = SayEdit(
    label="Save and give back 199.00 NOK",
    shown_minor=19900,
    shown="x",
    sums=(("Before", 100000), ("Difference", -19900), ("After", 80100)),
    lines=(
        "199.00 NOK that was taken goes back to the shopper through Sandbox Card.",
        "It is more than you may give back alone: a second person approves it.",
        "Units are taken out of 1 shipment.",
    ),
    final="What is taken away or given back cannot be brought back by an edit.",
    grave=True,
)
MORE = SayEdit(
    label="Save changes",
    shown_minor=0,
    shown="y",
    sums=(("Before", 100000), ("Difference", 18000), ("After", 118000)),
    lines=(
        "180.00 NOK is due. You can ask for it with a payment afterwards.",
        "The goods stay here until it is paid.",
    ),
)


def edit(**given: Any) -> dict[str, Any]:
    """The form; `say`, `form` and `values` change what it is told."""
    order = sample_order.order()
    form = {"version": 17, "values": VALUES | given.pop("values", {}), **given.pop("form", {})}
    return {
        "order": order,
        "form": EditForm(**form),
        "bags": BAGS,
        "rows": 2,
        "address": ADDRESS,
        "say": MORE,
        "here": f"/portal/orders/{order.id}/edits",
        "back": f"/portal/orders/{order.id}",
        "preview": False,
        **given,
    }


def refused() -> dict[str, Any]:
    """A form with something wrong in it."""
    wrong = {
        "units-item-1": "SKU-001: write a whole number from 1 to 2. For more of it, add a line.",
        "add-0-price": "Write an amount.",
        "add-0-bag": "Choose in which bag.",
        "ship-country": "A country has two letters, as NO or DE.",
    }
    say = SayEdit(label="Save changes", shown_minor=0, refused="Choose in which bag.")
    form = {"errors": wrong, "ship_open": True}
    return edit(form=form, values={"ship-country": "Norge"}, say=say)


def conflict() -> dict[str, Any]:
    """A form that somebody was faster than."""
    told = (
        "Kari Lie changed the order while you were writing. What you typed is below, against the"
        " order as it is now."
    )
    return edit(form={"conflict": told}, say=LESS)


def _picture(total: int, *lines: tuple[str, str, int, int], city: str = "Oslo") -> EditedOrder:
    return EditedOrder(
        lines=[
            EditedLine(
                item_id=sku, bag_id="bag-1", sku=sku, name=name, quantity=count, unit_price=price
            )
            for sku, name, count, price in lines
        ],
        shipping={"bag-1": 4900},
        shipping_address={**HOME, "city": city},
        billing_address=HOME,
        total=total,
    )


SWEATER = ("SKU-001", "Wool sweater, hand-knitted, size M", 2, 19900)
FIRST = _picture(100000, SWEATER, ("SKU-002", LONG, 3, 9900), ("SKU-003", "Socks", 1, 10300))
SECOND = _picture(69800, (*SWEATER[:2], 1, 19900), ("SKU-002", LONG, 3, 9900), city="Bergen")
THIRD = _picture(
    87800, (*SWEATER[:2], 1, 19900), ("SKU-002", LONG, 3, 9900), ("CAP-1", "كتاب الجبال", 2, 9000),
    city="Bergen",
)


def versions() -> dict[str, Any]:
    """Three versions, the first and the last compared."""
    made = [
        Version(number=1, picture=FIRST, at=NOW - timedelta(days=2), by="",
                what="As it was placed"),
        Version(number=2, picture=SECOND, at=NOW - timedelta(hours=5), by="Kari Lie",
                what="1 line removed, 1 line changed, ship to",
                note="One is enough, and they are moving to Bergen next week"),
        Version(number=3, picture=THIRD, at=NOW - timedelta(minutes=3), by="API key ERP",
                what="1 line added"),
    ]
    return {
        "order": sample_order.order(),
        "versions": made[::-1],
        "older": made[0],
        "newer": made[2],
        "told": compare(FIRST, THIRD, "NOK"),
        "may_edit": True,
    }


def done() -> dict[str, Any]:
    """What became of an edit that made the order dearer."""
    order = sample_order.order()
    return {
        "order": order,
        "edit": type("Edit", (), {"position": 2}),
        "sums": (("Before", 69800), ("Difference", 18000), ("After", 87800)),
        "lines": ["180.00 NOK is due.", "The goods stay here until it is paid."],
        "due": 18000,
        "back": f"/portal/orders/{order.id}",
        "view": None,
        "row": None,
    }


PAGES = (
    ("edit", "edits/edit.html", edit),
    ("edit-less", "edits/edit.html", lambda: edit(say=LESS)),
    ("edit-refused", "edits/edit.html", refused),
    ("edit-conflict", "edits/edit.html", conflict),
    ("edit-done", "edits/done.html", done),
    ("versions", "edits/versions.html", versions),
    ("versions-none", "edits/versions.html", lambda: versions() | {
        "versions": [], "older": None, "newer": None, "told": None}),
)  # fmt: skip
