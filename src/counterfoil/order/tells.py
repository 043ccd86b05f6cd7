"""Telling the nouns one by one: each as its API shape, and as a fact's data."""

from collections.abc import Mapping
from typing import Any

import msgspec

from counterfoil.order.amounts import Amounts
from counterfoil.order.bag import Bag
from counterfoil.order.cancellation import Cancellation
from counterfoil.order.config import OrderState
from counterfoil.order.goods_return import Return
from counterfoil.order.goods_shapes import EditShape, ReturnShape, ShipmentShape
from counterfoil.order.hold import Hold
from counterfoil.order.item import DELIVERY_STATES, Item
from counterfoil.order.note import Note
from counterfoil.order.order import Order
from counterfoil.order.order_edit import EditedOrder, OrderEdit
from counterfoil.order.payment import Payment
from counterfoil.order.refund import Refund
from counterfoil.order.review import FraudReview
from counterfoil.order.shapes import (
    ActionShape,
    AmountsShape,
    FraudReviewShape,
    HoldShape,
    ItemShape,
    NoteShape,
    OrderBriefShape,
    PaymentShape,
    RefundShape,
    StateShape,
    TaskShape,
    TransactionShape,
)
from counterfoil.order.shipment import Shipment
from counterfoil.order.status import display_status
from counterfoil.order.task import TASKS, Task
from counterfoil.order.transaction import Transaction


def tell_amounts(amounts: Amounts, *, due: int) -> AmountsShape:
    """Tell the amounts of an order, a bag or a payment."""
    return AmountsShape(
        authorized=amounts.authorized,
        captured=amounts.captured,
        voided=amounts.voided,
        expired=amounts.expired,
        refunded=amounts.refunded,
        open=amounts.open,
        refundable=amounts.refundable,
        pending=amounts.pending,
        refund_pending=amounts.refund_pending,
        due=due,
    )


_SHARED: dict[tuple[str, str], tuple[str, ...]] = {}


def _same(shape: type[Any], noun: Any, **more: Any) -> Any:
    """Copy every field of a shape from a noun that has it by the same name."""
    both = (shape.__name__, type(noun).__name__)
    names = _SHARED.get(both)
    if names is None:
        names = tuple(name for name in shape.__struct_fields__ if hasattr(noun, name))
        _SHARED[both] = names
    fields = {name: getattr(noun, name) for name in names}
    return shape(**{**fields, **more})


def tell_transaction(
    transaction: Transaction, order: OrderBriefShape | None = None
) -> TransactionShape:
    """Tell a transaction; of whoever wanted it no more than who it was."""
    actor = {name: value for name, value in transaction.actor.items() if name != "merchants"}
    return _same(  # type: ignore[no-any-return]
        TransactionShape, transaction, order=order, actor=actor
    )


def tell_refund(
    refund: Refund,
    order: OrderBriefShape | None = None,
    transactions: list[TransactionShape] | None = None,
    actions: list[ActionShape] | None = None,
) -> RefundShape:
    """Tell a refund, with its transactions where they are known."""
    return _same(  # type: ignore[no-any-return]
        RefundShape,
        refund,
        order=order,
        transactions=transactions or [],
        allowed_actions=actions or [],
    )


def tell_shipment(shipment: Shipment, actions: list[ActionShape]) -> ShipmentShape:
    """Tell a shipment."""
    return _same(ShipmentShape, shipment, allowed_actions=actions)  # type: ignore[no-any-return]


def tell_return(
    back: Return, actions: list[ActionShape], order: OrderBriefShape | None = None
) -> ReturnShape:
    """Tell a return."""
    return _same(  # type: ignore[no-any-return]
        ReturnShape, back, allowed_actions=actions, order=order
    )


def tell_edit(
    edit: OrderEdit, currency: str, order: OrderBriefShape | None = None
) -> EditShape:
    """Tell an edit, and by how much it changed what the order is worth."""
    difference = edit.after.total - edit.before.total
    return _same(  # type: ignore[no-any-return]
        EditShape, edit, currency=currency, difference=difference, order=order
    )


def tell_note(note: Note) -> NoteShape:
    """Tell a note."""
    return _same(NoteShape, note)  # type: ignore[no-any-return]


def tell_hold(hold: Hold) -> HoldShape:
    """Tell a hold."""
    return _same(HoldShape, hold, due_at=hold.answer_by)  # type: ignore[no-any-return]


def tell_review(review: FraudReview) -> FraudReviewShape:
    """Tell a fraud review."""
    return _same(FraudReviewShape, review)  # type: ignore[no-any-return]


def tell_item(item: Item, labels: Mapping[str, str]) -> ItemShape:
    """Tell a line; `labels` are the store's own names of delivery states."""
    state = item.delivery_state
    label = labels.get(state, DELIVERY_STATES[state])
    return _same(ItemShape, item, delivery_label=label)  # type: ignore[no-any-return]


def tell_payment(
    payment: Payment, actions: list[ActionShape], order: OrderBriefShape | None = None
) -> PaymentShape:
    """Tell a payment."""
    return _same(  # type: ignore[no-any-return]
        PaymentShape,
        payment,
        order=order,
        amounts=tell_amounts(payment, due=0),
        allowed_actions=actions,
    )


def tell_task(task: Task) -> TaskShape:
    """Tell a task, with the sentence that says what to do."""
    return _same(TaskShape, task, why=TASKS.get(task.kind, ""))  # type: ignore[no-any-return]


def tell_state(state: OrderState) -> StateShape:
    """Tell a workflow state."""
    return StateShape(state.code, state.name, state.system_state, state.colour)


def shown_status(order: Order, state: OrderState) -> str:
    """Tell the one word that a list shows for an order."""
    return display_status(
        system_state=order.system_state,
        financial=order.financial_status,
        fraud=order.fraud_status,
        held=order.hold_capture or order.hold_shipment,
        state_name=state.name,
    )


def tell_brief(order: Order, state: OrderState) -> OrderBriefShape:
    """Tell what a movement says of its order."""
    return OrderBriefShape(
        id=order.id,
        version=order.version,
        financial_status=order.financial_status,
        display_status=shown_status(order, state),
        amounts=tell_amounts(order, due=order.due),
    )


def brief_order(order: Order, state: OrderState) -> dict[str, Any]:
    """Tell what a fact says of its order: no names, addresses or notes. [rulings 10]

    The fact adds the version that it makes.
    """
    return {
        "id": order.id,
        "number": order.number,
        "state": state.code,
        "system_state": order.system_state,
        "display_status": shown_status(order, state),
        "financial_status": order.financial_status,
        "fulfillment_status": order.fulfillment_status,
        "fraud_status": order.fraud_status,
        "currency": order.currency,
        "total": order.total,
        "amounts": tell_amounts(order, due=order.due),
    }


def told(noun: Any) -> dict[str, Any]:
    """Tell a noun as a fact's data: its API shape under the noun's own name. [rulings 10]

    What somebody wrote in their own words stays in its row, which can be erased.
    """
    match noun:
        case Transaction():
            return {"transaction": tell_transaction(noun)}
        case Refund():
            plain = msgspec.structs.replace(tell_refund(noun), reason=None, decision_note=None)
            return {"refund": plain}
        case Shipment():
            return {"shipment": tell_shipment(noun, [])}
        case Return():
            back = msgspec.structs.replace(tell_return(noun, []), note=None, decision_note=None)
            return {"return": back}
        case OrderEdit():
            return {"edit": _plain_edit(noun)}
        case Hold():
            return {"hold": msgspec.structs.replace(tell_hold(noun), note=None)}
        case FraudReview():
            return {"review": msgspec.structs.replace(tell_review(noun), note=None)}
        case Note():
            return {"note": {"id": noun.id, "visibility": noun.visibility}}
        case Bag():
            return {
                "bag": {
                    "id": noun.id,
                    "merchant": noun.merchant,
                    "status": noun.status,
                    "financial_status": noun.financial_status,
                    "fulfillment_status": noun.fulfillment_status,
                }
            }
        case Payment():
            # Whoever has the address may pay in the shopper's name: facts do not tell it.
            return {"payment": msgspec.structs.replace(tell_payment(noun, []), redirect_url=None)}
        case Task():
            names = ("id", "kind", "status", "payment_id", "refund_id")
            return {"task": {name: getattr(noun, name) for name in names}}
        case Cancellation():
            return {
                "cancellation": {
                    "id": noun.id,
                    "bag_id": noun.bag_id,
                    "lines": noun.lines,
                    "status": noun.status,
                    "reason_code": noun.reason_code,
                    "refunded_amount": noun.refunded_amount,
                    "reversed_amount": noun.reversed_amount,
                }
            }
    return dict(noun)


def _plain_edit(edit: OrderEdit) -> dict[str, Any]:
    """Tell an edit without addresses; what it says of lines and money may stay for ever."""
    moved = edit.before.shipping_address != edit.after.shipping_address
    return {
        "id": edit.id,
        "position": edit.position,
        "before": _plain_picture(edit.before),
        "after": _plain_picture(edit.after),
        "address_changed": moved or edit.before.billing_address != edit.after.billing_address,
    }


def _plain_picture(picture: EditedOrder) -> dict[str, Any]:
    return {"total": picture.total, "lines": picture.lines, "shipping": picture.shipping}
