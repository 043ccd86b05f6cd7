"""What the cancel form and its results are told when they are looked at: real orders, no server."""

from typing import Any

import msgspec

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.order.cancellation import CanceledLine
from counterfoil.order.folder import Folder
from counterfoil.order.gateway import Outcome
from counterfoil.order.shipment import ShipmentItem
from counterfoil.order.telling import tell_order
from counterfoil.portal.cancel_form import UNITS, rehearse
from counterfoil.portal.forms import Form, Step
from counterfoil.portal.saying import REASON_CHOICES
from counterfoil.portal.saying_cancel import ask_cancel, say_cancel
from tests.actions.living import heard, held_money, lived, waiting
from tests.actions.making import ADMIN
from tests.portal import sample_facts, sample_order

_LONG = "ハット — Hat with a very long name that a supplier wrote in one breath, " * 2
_BAGS = [
    {
        "merchant": "nordic-wool",
        "shipping_total": 4900,
        "items": [
            {"sku": "SKU-001", "name": "Wool sweater, size M", "quantity": 2, "unit_price": 19900},
            {"sku": "SKU-002", "name": _LONG, "quantity": 1, "unit_price": 10300},
        ],
    },
    {
        "merchant": "fjell-as",
        "items": [{"sku": "SKU-003", "name": "كتاب الجبال", "quantity": 3, "unit_price": 30600}],
    },
]
_CHOSEN = {"reason_code": "CUSTOMER", "restock_items": "1"}


def _order(gateway: str = "manual", taken: int = 60000) -> Folder:
    order = held_money(gateway, bags=_BAGS)
    return lived(order, capture, amount=taken) if taken else order


def _left() -> Folder:
    """One sweater has left."""
    order = _order()
    wanted = WantedShipment(items=[ShipmentItem(order.items[0].id, 1)])
    order = lived(order, ship, bag_id=order.bags[0].id, wanted=wanted)
    return lived(order, send_shipment, shipment_id=order.shipments[0].id)


def form(order: Folder, values: dict[str, str], **wrong: Any) -> dict[str, Any]:
    """A cancel form as it stands with these values."""
    told = rehearse(order, ADMIN, _CHOSEN | values)
    shown = tell_order(order, ADMIN)
    page = f"/portal/orders/{shown.id}"
    return {
        "order": shown,
        "form": Form(key="key", version=4, values=_CHOSEN | values, **wrong),
        "scope": told.scope,
        "say": say_cancel(order, told),
        "ask": ask_cancel(order, ADMIN, "kari@example.com"),
        "here": f"{page}/cancel",
        "back": page,
        "preview": False,
    }


def _items(order: Folder, *units: int) -> dict[str, str]:
    chosen = {UNITS + item.id: str(n) for item, n in zip(order.items, units, strict=False)}
    return {"scope": "items", **chosen}


def _whole() -> dict[str, Any]:
    return form(_order(), {"scope": "order"})


def _bag() -> dict[str, Any]:
    order = _order()
    return form(order, {"scope": "bag", "bag": order.bags[0].id, "notify": "no"})


def _lines() -> dict[str, Any]:
    order = _order(taken=140000)
    return form(order, _items(order, 1, 0, 2))


def _nothing() -> dict[str, Any]:
    order = _left()
    return form(order, {"scope": "items"})


def _wrong() -> dict[str, Any]:
    order = _order()
    values = _items(order, 5)
    return form(
        order,
        values,
        errors={
            UNITS + order.items[0].id: "Only 2 units have not left yet.",
            "notify": "Choose whether kari@example.com gets an e-mail.",
        },
    )


def _kept() -> dict[str, Any]:
    order = _order("stripe", taken=0)
    return form(order, {"scope": "bag", "bag": order.bags[1].id})


def _again() -> dict[str, Any]:
    """Two parts whose money the provider refused to give back."""
    order = heard(lived(held_money("sandbox", bags=_BAGS), capture, amount=60000))
    for item in order.items[:2]:
        wanted = WantedCancel(lines=(CanceledLine(item.id, 1),))
        order = lived(order, cancel, wanted=wanted)
        while waiting(order):
            order = heard(order, Outcome.DECLINED)
    return form(order, {"scope": "again", "again": order.cancellations[0].id})


def _small(**given: Any) -> dict[str, Any]:
    shown = tell_order(_order(), ADMIN)
    return {
        "order": shown,
        "form": Form(key="key", version=4, values={"reason_code": "CUSTOMER"}),
        "back": f"/portal/orders/{shown.id}",
        **given,
    }


def _result(**given: Any) -> dict[str, Any]:
    shown = tell_order(_order(), ADMIN)
    return {
        "order": shown,
        "back": f"/portal/orders/{shown.id}",
        "view": None,
        "row": None,
        "whole": False,
        "under_way": False,
        "pulse": "2s",
        "tag": "c",
        "result_href": "/x",
        "again_href": "",
        **given,
    }


def _part_done() -> dict[str, Any]:
    return _result(
        heading="A part of order 1001 is cancelled",
        finished=True,
        message="Captured amount 199.00 EUR has been refunded; authorised amount 612.00 EUR has"
        " been reversed.",
        steps=(
            Step(tone="success", icon="check", text="612.00 EUR authorised was reversed"),
            Step(tone="success", icon="check", text="199.00 EUR captured was refunded"),
            Step(tone="success", icon="check", text="Cancelled: 1 × Wool sweater, back in stock"),
            Step(tone="info", icon="lock", text="30.00 EUR stays authorised and is not captured"),
            Step(tone="neutral", icon="mail", text="No e-mail is sent"),
        ),
    )


def _part_failed() -> dict[str, Any]:
    return _result(
        heading="Not all the money went back",
        finished=False,
        message="Captured amount 0.00 EUR has been refunded; authorised amount 612.00 EUR has been"
        " reversed. The items are cancelled, but 199.00 EUR did not go back. You can try again;"
        " nothing goes back twice.",
        again_href="/x",
        steps=(
            Step(tone="success", icon="check", text="612.00 EUR authorised was reversed"),
            Step(tone="danger", icon="x", text="199.00 EUR captured was refused: not refunded"),
            Step(tone="success", icon="check", text="Cancelled: 1 × Wool sweater"),
        ),
    )


def asked() -> dict[str, Any]:
    """An order whose cancellation was asked for, of which a part was cancelled before."""
    plain = sample_order.order()
    bags = [
        msgspec.structs.replace(bag, canceled_total=9900) if place == 0 else bag
        for place, bag in enumerate(plain.bags)
    ]
    state = {"code": "cancel_requested", "name": "Cancel requested",
             "system_state": "CANCEL_REQUESTED", "colour": "amber"}
    actions = [{"action": "cancel"}, {"action": "decline_cancel"}]
    order = sample_order.order(
        state=state, attention=["cancellation_unfinished"], allowed_actions=actions
    )
    words = (
        "Ola Nordmann asked to cancel this order, through API key Web shop: “Ordered it twice by"
        " mistake, sorry”"
    )
    return {
        "order": msgspec.structs.replace(order, bags=bags, canceled_total=9900),
        "known": sample_facts.known(asked_to_cancel=words, unreturned=4950),
    }


PAGES = (
    ("cancel", "money/cancel.html", _whole),
    ("cancel-bag", "money/cancel.html", _bag),
    ("cancel-items", "money/cancel.html", _lines),
    ("cancel-items-empty", "money/cancel.html", _nothing),
    ("cancel-items-wrong", "money/cancel.html", _wrong),
    ("cancel-again", "money/cancel.html", _again),
    ("cancel-kept", "money/cancel.html", _kept),
    ("cancelled-part", "money/cancelled.html", _part_done),
    ("cancelled-part-failed", "money/cancelled.html", _part_failed),
    ("cancel-ask", "money/cancel_ask.html", lambda: _small(reasons=REASON_CHOICES)),
    (
        "cancel-decline",
        "money/cancel_decline.html",
        lambda: _small(
            asked="Kari Nordmann asked to cancel this order, through API key Web shop: “Ordered it"
            " twice by mistake”",
            goes_to="Processing",
        ),
    ),
)
