"""Telling an order: its folder as the API shows it to one actor. [rulings 5]"""

import msgspec

from counterfoil.order.actor import Actor
from counterfoil.order.allowed import (
    attention_reasons,
    bag_actions,
    order_actions,
    payment_actions,
    refund_actions,
    return_actions,
    shipment_actions,
)
from counterfoil.order.amounts import Amounts, summed
from counterfoil.order.bag import Bag
from counterfoil.order.config import OrderState
from counterfoil.order.folder import Folder
from counterfoil.order.hold import Hold
from counterfoil.order.item import Item
from counterfoil.order.order import Order
from counterfoil.order.shapes import (
    BagShape,
    HoldShape,
    MerchantShape,
    OrderBriefShape,
    OrderShape,
    RefundShape,
    SummaryShape,
)
from counterfoil.order.shipment import Shipment
from counterfoil.order.tells import (
    shown_status,
    tell_amounts,
    tell_brief,
    tell_hold,
    tell_item,
    tell_note,
    tell_payment,
    tell_refund,
    tell_return,
    tell_review,
    tell_shipment,
    tell_state,
    tell_transaction,
)

#: The sections that an order is told from.
TOLD = (
    "bags",
    "items",
    "payments",
    "refunds",
    "shipments",
    "returns",
    "holds",
    "fraud_reviews",
    "notes",
    "merchants",
)


def visible_bags(folder: Folder, actor: Actor) -> list[Bag]:
    """List the bags that the actor may see."""
    if actor.merchants is None:
        return list(folder.bags)
    return [bag for bag in folder.bags if bag.merchant in actor.merchants]


def tell_brief_to(folder: Folder, actor: Actor) -> OrderBriefShape:
    """Tell what a movement says of its order; to a limited actor with its own bags' sums."""
    brief = tell_brief(folder.order, folder.state)
    if actor.merchants is None:
        return brief
    bags = visible_bags(folder, actor)
    amounts = tell_amounts(Amounts(**summed(bags)), due=sum(bag.due for bag in bags))
    return msgspec.structs.replace(brief, amounts=amounts)


def tell_bag(folder: Folder, bag: Bag, actor: Actor) -> BagShape:
    """Tell a bag with its items and shipments."""
    order = folder.order
    items = [item for item in folder.items if item.bag_id == bag.id]
    shipments = [shipment for shipment in folder.shipments if shipment.bag_id == bag.id]
    return BagShape(
        id=bag.id,
        order_id=order.id,
        merchant=MerchantShape(bag.merchant, folder.merchants.get(bag.merchant, bag.merchant)),
        external_id=bag.external_id,
        status=bag.status,
        financial_status=bag.financial_status,
        fulfillment_status=bag.fulfillment_status,
        sub_total=bag.sub_total,
        shipping_total=bag.shipping_total,
        tax_total=bag.tax_total,
        duty_total=bag.duty_total,
        discount_total=bag.discount_total,
        total=bag.total,
        canceled_total=bag.canceled_total,
        amounts=tell_amounts(bag, due=bag.due),
        items=[tell_item(item, folder.store.delivery_labels) for item in items],
        shipments=[
            tell_shipment(shipment, shipment_actions(order, shipment, actor))
            for shipment in shipments
        ],
        allowed_actions=bag_actions(
            order, bag, actor, unpacked=_unpacked(items, shipments), items=items
        ),
    )


def _unpacked(items: list[Item], shipments: list[Shipment]) -> bool:
    live = sum([item.live for item in items if item.deliverable and not item.digital])
    packed = [
        part.quantity
        for shipment in shipments
        if shipment.status != "CANCELED"
        for part in shipment.items
    ]
    return sum(packed) < live


def tell_order(folder: Folder, actor: Actor) -> OrderShape:
    """Tell an order; to a merchant-limited actor only its own bags and their sums."""
    order = folder.order
    bags = visible_bags(folder, actor)
    limited = actor.merchants is not None
    own = Amounts(**summed(bags)) if limited else order

    def total(name: str) -> int:
        return sum(getattr(bag, name) for bag in bags) if limited else getattr(order, name)

    return OrderShape(
        id=order.id,
        number=order.number,
        version=order.version,
        store=order.store,
        channel=order.channel,
        external_id=order.external_id,
        state=tell_state(folder.state),
        display_status=shown_status(order, folder.state),
        financial_status=order.financial_status,
        fulfillment_status=order.fulfillment_status,
        fraud_status=order.fraud_status,
        holds=[_tell_hold_to(hold, actor) for hold in folder.open_holds],
        fraud_review=None if limited or folder.review is None else tell_review(folder.review),
        currency=order.currency,
        sub_total=total("sub_total"),
        shipping_total=total("shipping_total"),
        tax_total=total("tax_total"),
        duty_total=total("duty_total"),
        discount_total=total("discount_total"),
        total=total("total"),
        canceled_total=total("canceled_total"),
        amounts=tell_amounts(own, due=sum(bag.due for bag in bags) if limited else order.due),
        customer=order.customer,
        billing_address=None if limited else order.billing_address,
        shipping_address=order.shipping_address,
        shipping_method=order.shipping_method,
        invoice_number=order.invoice_number,
        merchant_reference=order.merchant_reference,
        tags=order.tags,
        is_test=order.is_test,
        exchange_for=order.exchange_for,
        bags=[tell_bag(folder, bag, actor) for bag in bags],
        payments=[]
        if limited
        else [
            tell_payment(payment, payment_actions(order, payment, actor))
            for payment in folder.payments
        ],
        refunds=tell_refunds(folder, actor),
        returns=[
            tell_return(back, return_actions(back, actor))
            for back in folder.returns
            if back.bag_id in {bag.id for bag in bags}
        ],
        notes=[] if limited else [tell_note(note) for note in folder.notes],
        attention=attention_reasons(order, () if limited else folder.payments),
        allowed_actions=order_actions(order, actor),
        placed_at=order.placed_at,
        created_at=order.created_at,
        updated_at=order.updated_at,
    )


def _tell_hold_to(hold: Hold, actor: Actor) -> HoldShape:
    """Tell a hold; what was written about it is for who sees whole orders."""
    told = tell_hold(hold)
    if actor.merchants is None:
        return told
    return msgspec.structs.replace(told, note=None, owner=None)


def tell_refunds(folder: Folder, actor: Actor) -> list[RefundShape]:
    """Tell refunds, with their transactions where the folder has them.

    To a merchant-limited actor only those of its own bags.
    """
    known = folder.transactions if folder.opened("transactions") else ()
    seen = {bag.id for bag in visible_bags(folder, actor)}
    return [
        tell_refund(
            refund,
            None,
            [tell_transaction(t) for t in known if t.refund_id == refund.id],
            refund_actions(refund, actor),
        )
        for refund in folder.refunds
        if actor.merchants is None or refund.bag_id in seen
    ]


def tell_summary(order: Order, state: OrderState, actor: Actor) -> SummaryShape:
    """Tell an order as a list shows it."""
    return SummaryShape(
        id=order.id,
        number=order.number,
        version=order.version,
        store=order.store,
        channel=order.channel,
        external_id=order.external_id,
        state=tell_state(state),
        display_status=shown_status(order, state),
        financial_status=order.financial_status,
        fulfillment_status=order.fulfillment_status,
        fraud_status=order.fraud_status,
        on_hold=order.hold_capture or order.hold_shipment,
        currency=order.currency,
        sub_total=order.sub_total,
        shipping_total=order.shipping_total,
        tax_total=order.tax_total,
        duty_total=order.duty_total,
        discount_total=order.discount_total,
        total=order.total,
        amounts=tell_amounts(order, due=order.due),
        customer=order.customer,
        shipping_address=order.shipping_address,
        shipping_method=order.shipping_method,
        invoice_number=order.invoice_number,
        merchant_reference=order.merchant_reference,
        tags=order.tags,
        is_test=order.is_test,
        units={"live": order.unit_count, "shipped": order.shipped_count},
        attention=attention_reasons(order),
        allowed_actions=order_actions(order, actor),
        placed_at=order.placed_at,
        created_at=order.created_at,
        updated_at=order.updated_at,
    )
