"""Whatever is edited, captured, paid and given back: the laws of money and goods hold."""

from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.actions.cancel import cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.edit_lines import edit_lines
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.pay import pay
from counterfoil.actions.refund import WantedLine, WantedRefund, refund
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.kernel.problem import Problem
from counterfoil.order.cancellation import CanceledLine, WantedCancel
from counterfoil.order.editing import WantedAddition, WantedEdit, WantedUnits, pictured
from counterfoil.order.folder import Folder
from counterfoil.order.gateway import Outcome
from counterfoil.order.intake import WantedPayment
from tests.actions.editing import lawful
from tests.actions.living import act, held_money, told, waiting
from tests.actions.making import later

_GATEWAYS = st.sampled_from(["manual", "sandbox"])
_AMOUNTS = st.sampled_from([None, 1, 700, 1250, 2500])
_BAGS = [
    {"merchant": "acme", "shipping_total": 500, "tax_total": 333, "discount_total": 101,
     "items": [{"sku": "A", "name": "A", "quantity": 3, "unit_price": 777},
               {"sku": "B", "name": "B", "quantity": 1, "unit_price": 1001}]},
    {"merchant": "zeta", "items": [{"sku": "C", "name": "C", "quantity": 2, "unit_price": 999}]},
]


def _edit(data: st.DataObject, order: Folder) -> WantedEdit:
    """Draw an edit: some lines down, some added, shipping up or down."""
    live = [item for item in order.items if item.deliverable and item.live]
    chosen = data.draw(st.lists(st.sampled_from(live), unique_by=lambda i: i.id, max_size=2))
    bag = data.draw(st.sampled_from(order.bags)).id
    added = WantedAddition(
        bag_id=bag,
        sku="N",
        name="New",
        quantity=data.draw(st.integers(1, 2)),
        unit_price=data.draw(st.sampled_from([0, 1, 450, 1999])),
    )
    return WantedEdit(
        lines=[
            WantedUnits(
                item_id=item.id, quantity=data.draw(st.integers(item.quantity_shipped, item.live))
            )
            for item in chosen
            if item.quantity_shipped <= item.live
        ],
        add=[added] if data.draw(st.booleans()) else [],
        shipping={bag: data.draw(st.sampled_from([0, 250, 500, 900]))}
        if data.draw(st.booleans())
        else {},
        refund_difference=data.draw(st.sampled_from([True, True, False])),
        hold_until_paid=data.draw(st.booleans()),
    )


def _step(data: st.DataObject, order: Folder, count: int):
    """Draw what happens next, and what it is called with."""
    kinds = [
        *("edit", "edit", "capture", "capture", "pay", "refund", "lines", "ship", "send"),
        *("cancel", "cancel"),
    ]
    match data.draw(st.sampled_from(kinds)):
        case "edit":
            return edit_lines, {"wanted": _edit(data, order)}
        case "capture":
            amounts = _AMOUNTS | st.sampled_from([order.order.open, order.order.owed])
            return capture, {"amount": data.draw(amounts)}
        case "pay":
            gateway = data.draw(_GATEWAYS)
            wanted = WantedPayment(gateway=gateway, amount=data.draw(_AMOUNTS))
            return pay, {"wanted": wanted}
        case "refund":
            amount = data.draw(_AMOUNTS)
            return refund, {"wanted": WantedRefund(reference=f"R-{count}", amount=amount)}
        case "lines":
            item = data.draw(st.sampled_from(order.items))
            line = WantedLine(item_id=item.id, quantity=1)
            return refund, {"wanted": WantedRefund(reference=f"R-{count}", lines=[line])}
        case "cancel":
            item = data.draw(st.sampled_from([item for item in order.items if item.deliverable]))
            lines = (CanceledLine(item.id, data.draw(st.integers(1, 3))),)
            return cancel, {"wanted": WantedCancel(lines=lines)}
        case "ship":
            bag = data.draw(st.sampled_from(order.bags))
            return ship, {"bag_id": bag.id, "wanted": WantedShipment()}
    parcel = data.draw(st.sampled_from([*order.shipments, None]))
    return send_shipment, {"shipment_id": "none" if parcel is None else parcel.id}


def _answered(data: st.DataObject, order: Folder) -> Folder:
    """Let a provider answer about something that waits."""
    which = data.draw(st.integers(0, len(waiting(order)) - 1))
    outcomes = [Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.DECLINED, Outcome.UNKNOWN]
    change = told(order, data.draw(st.sampled_from(outcomes)), which=which)
    return later(change.after)


def _holds(before: Folder, after: Folder, action: object) -> None:
    lawful(after)
    order = after.order
    worth = order.total - order.canceled_total
    clean = all(one.status not in ("FAILED", "PARTIALLY_COMPLETED") for one in after.refunds)
    if clean and all(plan.status == "CANCELED" for plan in after.cancellations):
        taken = order.refundable + order.capture_pending
        assert taken <= worth, "never more is taken and kept than the order is worth"
    if action is edit_lines:
        newest = after.edits[-1]
        assert newest.after == pictured(order, after.bags, after.items)
        assert newest.before == pictured(before.order, before.bags, before.items)
        was = before.order.total - before.order.canceled_total
        back = before.order.refundable - order.refundable
        assert back <= max(0, was - worth, before.order.refundable - worth)
    if order.due == 0:
        assert not any(hold.handle == "awaiting-payment" for hold in after.open_holds)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), gateway=_GATEWAYS)
def test_whatever_happens_the_laws_hold(data: st.DataObject, gateway: str) -> None:
    order = held_money(gateway, bags=_BAGS)
    for count in range(data.draw(st.integers(1, 9))):
        before = order
        if waiting(order) and data.draw(st.booleans()):
            order, action = _answered(data, order), None
        else:
            action, arguments = _step(data, order, count)
            try:
                order = later(act(order, action, **arguments).after)
            except Problem:
                continue
        _holds(before, order, action)
