"""The pages of goods that are looked at: shipments made, sent, split, merged; states, methods."""

from typing import Any

import msgspec

from counterfoil.order.item import DELIVERY_STATES
from counterfoil.portal import words
from counterfoil.portal.forms import Form
from counterfoil.portal.goods_form import Part
from counterfoil.portal.goods_says import Says, StateOption
from counterfoil.portal.goods_view import Beside, contents, line_views
from counterfoil.portal.goods_words import REASONS
from counterfoil.portal.order_view import OrderView
from counterfoil.portal.routes.item_states import Common
from counterfoil.portal.routes.shipment_method import Choice, Contents
from counterfoil.portal.undoing import Changed
from tests.portal import sample_facts, sample_order
from tests.portal.samples import FRAME

METHODS = {"standard": "Standard", "express": "DHL Express"}
BACK = "/portal/orders/x"
NEW = (
    "2 × SKU-002 and SKU-003 go into one new shipment.",
    "It will need its own tracking number.",
)


def _basis(**more: Any) -> dict[str, Any]:
    order = sample_order.order()
    values = {"method": "express"}
    return {"order": order, "back": BACK, "form": Form(version=17, values=values), **more}


def _parts() -> list[Part]:
    return [Part(one, one.quantity) for one in sample_order.order().bags[0].items[1:]]


def _ship() -> dict[str, Any]:
    order = sample_order.order()
    says = Says(("2 × SKU-002 is packed and waits to be sent.",))
    methods = list(METHODS.items())
    return _basis(bag=order.bags[0], lines=_parts(), methods=methods, says=says)


def _leaves(**more: Any) -> dict[str, Any]:
    says = Says(
        (
            "2 × SKU-002 leaves with Bring.",
            "It has no tracking number yet; that can be added afterwards.",
            "ola@example.no is told by e-mail.",
            "This cannot be undone.",
        )
    )
    given: dict[str, Any] = {
        "heading": "Send shipment, order 10412",
        "here": f"{BACK}/shipments/y/ship",
        "fields": {},
        "says": says,
        "verb": "Mark as sent",
        "lines": _parts(),
        "number": True,
    }
    return _basis(**(given | more))


def _tracking() -> dict[str, Any]:
    bag = sample_order.order().bags[0]
    values = {
        "tracking_number": "70727800000000012",
        "number-2": "70727800000000029",
        "weight-2": "x",
        "carrier": "Bring",
    }
    wrong = {"weight-2": "Parcel 2: write its weight in whole grams."}
    return _basis(
        shipment=bag.shipments[1],
        contents=contents(bag, bag.shipments[1]),
        rows=range(2, 4),
        form=Form(version=17, values=values, errors=wrong),
    )


def _options() -> tuple[StateOption, ...]:
    able = ("PENDING", "PROCESSING", "BACKORDERED", "SHIPPED")
    return tuple(
        StateOption(
            code,
            words.look("item", code),
            code == "READY",
            "" if code in (*able, "READY") else "Not from Ready.",
            f"{BACK}/items/y/delivery-state?to=SHIPPED" if code == "SHIPPED" else "",
        )
        for code in DELIVERY_STATES
    )


def _state() -> dict[str, Any]:
    return _basis(item=sample_order.order().bags[0].items[1], choices=_options())


def _states() -> dict[str, Any]:
    items = sample_order.order().bags[0].items
    options = [Common(one.code, one.word, 0 if one.why else 2, one.why) for one in _options()]
    return _basis(items=items, options=options)


def _outcome() -> dict[str, Any]:
    why = "SKU-003 is on back order; say that it is being worked on before it leaves."
    return _basis(
        label="Ready",
        done=["SKU-001", "SKU-002"],
        refused=[("SKU-003", why)],
        view=None,
        changed=(),
    )


def _method(which: str = "some") -> dict[str, Any]:
    order = sample_order.order()
    shelves = [
        Contents(
            bag.merchant.name,
            [
                Choice(
                    line,
                    "2 of 3 has not left, Standard" if line.waiting > 1 else line.method,
                    "" if line.waiting else "already with Bring",
                )
                for line in line_views(bag, Beside(METHODS))
            ],
        )
        for bag in order.bags
    ]
    return _basis(
        shelves=shelves,
        left=2,
        ticked={"item-2", "item-3"},
        methods=list(METHODS.items()),
        reasons=[("", "No reason given"), *REASONS.items()],
        says=Says(NEW),
        form=Form(version=17, values={"which": which, "method": "express"}),
    )


def _number() -> dict[str, Any]:
    line = line_views(sample_order.order().bags[0], Beside(METHODS))[1]
    wrong = {"tracking_number": "Shipment 1 has 70727800000000012."}
    values = {"tracking_number": "70727800000000012"}
    return _basis(line=line, closed="", form=Form(version=17, values=values, errors=wrong))


def _about(index: int = 1, **more: Any) -> dict[str, Any]:
    bag = sample_order.order().bags[0]
    one = bag.shipments[index]
    return _basis(shipment=one, contents=contents(bag, one), **more)


def _merge() -> dict[str, Any]:
    bag = sample_order.order().bags[0]
    others = [(one, contents(bag, one)) for one in bag.shipments]
    return _about(others=others)


def _scanning() -> dict[str, Any]:
    order = sample_order.order(holds=[])
    values = {"item": "item-2", "tracking_number": "7072780000"}
    wrong = {"tracking_number": "Shipment 1 has 7072780000."}
    view = OrderView(
        order=order,
        known=sample_facts.known(),
        tracking_form=Form(values=values, errors=wrong),
    )
    return {"order": order, "view": view}


def _varied() -> dict[str, Any]:
    """Make an order whose goods are everywhere: cancelled, returned, in parcels, not delivered."""
    item, parcel, bag = sample_order.item, sample_order.parcel, sample_order.bag
    parts = [{"item_id": "item-1", "quantity": 2}]
    more = [{"tracking_number": f"7072780000000{n:04d}", "weight_g": 900} for n in (31, 32)]
    goods = bag(
        1,
        "Nordic Wool",
        [
            item(1, "Jumper", 3, 19900, "SHIPPED", quantity_shipped=2, quantity_returned=1),
            item(2, "Mittens", 1, 9900, "CANCELED", quantity_canceled=1),
            item(3, "Hat", 1, 10300, "COULD_NOT_DELIVER", quantity_shipped=1),
            item(4, "Gift card", 1, 50000, "PENDING", digital=True),
            item(5, "Scarf", 1, 10300, "READY"),
        ],
        shipments=[
            parcel(
                1,
                "IN_TRANSIT",
                tracking_number="7072780000000030",
                items=parts,
                parcels=more,
                carrier_status="Arrived at terminal Oslo",
            ),
            parcel(2, "COULD_NOT_DELIVER", items=[{"item_id": "item-3", "quantity": 1}]),
            parcel(3, "CANCELED", items=[{"item_id": "item-1", "quantity": 1}]),
        ],
    )
    order = sample_order.order(bags=[goods], holds=[])
    last = Changed("Maximilian-Alexander Østergård", order.placed_at, "PENDING", "READY")
    view = OrderView(
        order=order,
        known=sample_facts.known(changes={"item-5": last}),
        undo_form=Form(
            values={"item": "item-5"},
            errors={"undo": "Kari Lie changed it to Ready. Nothing was undone."},
        ),
    )
    return {"order": order, "view": view}


def _many() -> dict[str, Any]:
    """Make a bag so long that it is searched and paged."""
    item = sample_order.item
    lines = [item(n, f"Thing number {n}", 1 + n % 3, 900 + n * 7, "READY") for n in range(101)]
    order = sample_order.order(bags=[sample_order.bag(1, "Nordic Wool", lines)], holds=[])
    return {"order": order, "view": OrderView(order=order, known=sample_facts.known())}


READER = msgspec.structs.replace(FRAME, rights=frozenset({"orders.read"}))
PAGES: tuple[tuple[Any, ...], ...] = (
    ("ship", "goods/ship.html", _ship),
    ("shipment-leaves", "goods/leaves.html", _leaves),
    (
        "item-leaves",
        "goods/leaves.html",
        lambda: _leaves(heading="SKU-002: Shipped", lines=(), number=False, verb="Set Shipped"),
    ),
    (
        "shipment-delivered",
        "goods/leaves.html",
        lambda: _leaves(
            heading="Mark as delivered, order 10412",
            lines=(),
            number=False,
            verb="Mark as delivered",
            says=Says(("2 × SKU-002 is with the customer.", "This cannot be undone.")),
        ),
    ),
    ("tracking", "goods/tracking.html", _tracking),
    ("item-number", "goods/number.html", _number),
    ("item-state", "goods/state.html", _state),
    ("item-states", "goods/states.html", _states),
    ("item-states-done", "goods/outcome.html", _outcome),
    ("shipment-method", "goods/method.html", _method),
    ("shipment-method-all", "goods/method.html", lambda: _method("all")),
    (
        "shipment-split",
        "goods/split.html",
        lambda: _about(lines=_parts(), methods=[*METHODS.items()]),
    ),
    ("shipment-merge", "goods/merge.html", _merge),
    ("shipment-cancel", "goods/call_off.html", _about),
    ("order-scanning", "order/page.html", _scanning),
    ("order-goods", "order/page.html", _varied),
    ("order-goods-many", "order/page.html", _many),
    ("order-goods-read", "order/page.html", _varied, READER),
)
