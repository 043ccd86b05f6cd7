"""Delivery states: what a store calls them. What they mean is the life cycle's. [U-15]"""

import msgspec

from counterfoil.api.ask import Ask
from counterfoil.api.configuration import write
from counterfoil.api.door import Door
from counterfoil.api.states import StoreQuery
from counterfoil.order.change import Answered
from counterfoil.order.problems import UnknownReference
from counterfoil.setup.delivery_labels import (
    DeliveryState,
    LabelChange,
    label_delivery_state,
    list_delivery_states,
)

door = Door("Order configurations")
_RIGHT = "states.manage"


class DeliveryStates(msgspec.Struct, frozen=True):
    """The delivery states of a store's items."""

    data: list[DeliveryState]


@door.get(
    "/v1/delivery-states", right=(_RIGHT, "orders.read"), answers={200: DeliveryStates},
    raises=(UnknownReference,),
)
async def show_delivery_states(ask: Ask, query: StoreQuery) -> DeliveryStates:
    """List the delivery states of items, with what the store calls each."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return DeliveryStates(await list_delivery_states(connection, store=query.store))


@door.patch(
    "/v1/delivery-states/{code}", right=_RIGHT, answers={200: DeliveryState},
    raises=(UnknownReference,),
)
async def name_delivery_state(ask: Ask, body: LabelChange) -> Answered:
    """Give a delivery state the store's own name; null takes it back."""
    code = ask.path["code"]
    return await write(
        ask, lambda connection: label_delivery_state(connection, ask.actor, code, body)
    )
