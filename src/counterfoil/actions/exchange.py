"""Send something else for what came back: a linked order, paid for by the worth of the return."""

import msgspec

from counterfoil.actions.hold import hold_until_paid
from counterfoil.actions.place import draft_order
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.goods_return import Return
from counterfoil.order.intake import Desk, WantedBag, WantedItem, WantedOrder
from counterfoil.order.intent import Asked
from counterfoil.order.letters import queue_if_wanted

CHANNEL = "exchange"


def make_exchange(draft: Draft, asked: Asked, back: Return) -> Change | None:
    """Make the order that replaces what came back; None where nothing was to replace it.

    What came in is set against its goods, the fee taken off; what is due beside that has to be
    paid before they leave. The customer is written to as about any order that is placed. It is
    written with the draft's own change, which has to carry it. The return is put in the draft with
    its link. Needs the bags and merchants opened. [rulings 7, 34]
    """
    if not back.replacement:
        return None
    bag = draft.get("bags", back.bag_id)
    goods = sum(one.quantity * one.unit_price for one in back.replacement)
    credit = min(back.worth - back.fee_kept, goods)
    first = draft.order
    wanted = WantedOrder(
        store=first.store,
        external_id=f"{CHANNEL}-{back.id}",
        currency=first.currency,
        shipping_method=first.shipping_method,
        bags=[WantedBag(merchant=bag.merchant, items=_items(first.number, back, credit))],
        is_test=first.is_test,
    )
    desk = Desk(
        store=msgspec.structs.replace(draft.before.store, test_orders=True, create_merchants=True),
        at=draft.at,
        gateways=draft.before.gateways,
        merchants=draft.before.merchants,
        methods=() if first.shipping_method is None else (first.shipping_method,),
    )
    number = f"{first.number}-X{back.position}"
    other = draft_order(desk, asked, wanted, number=number, channel=CHANNEL)
    other.set_order(
        exchange_for=first.id,
        customer=first.customer,
        billing_address=first.billing_address,
        shipping_address=first.shipping_address,
    )
    queue_if_wanted(other, "order_received", asked)
    hold_until_paid(other)
    made = other.change(other.order)
    draft.put(
        msgspec.structs.replace(back, exchange_order_id=made.after.order.id, credit=credit)
    )
    return made


def _items(number: str, back: Return, credit: int) -> list[WantedItem]:
    """List the goods, and what is set against them."""
    items = [
        WantedItem(sku=one.sku, name=one.name, quantity=one.quantity, unit_price=one.unit_price)
        for one in back.replacement
    ]
    if credit:
        items.append(
            WantedItem(
                type="store_credit",
                name=f"Return {back.position} of order {number}",
                quantity=1,
                unit_price=-credit,
            )
        )
    return items
