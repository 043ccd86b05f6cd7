"""Following what happens: the event feed, and the numbers of orders not taken over yet."""

from typing import Annotated

import msgspec
from msgspec import Meta

from counterfoil.api.ask import Ask
from counterfoil.api.door import Door
from counterfoil.api.lists import Cursor
from counterfoil.book.feed import LIMIT, LIMIT_MAX, Events, events
from counterfoil.book.order_numbers import NumbersWanted, OrderNumbers, order_numbers
from counterfoil.order.problems import UnknownReference

door = Door("Events")


class EventQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which facts: after which cursor, how many, of which types (several times, or with commas)."""

    after: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT
    types: Annotated[list[Annotated[str, Meta(max_length=1000)]], Meta(max_length=50)] = []


@door.get("/v1/events", right="events.read", answers={200: Events})
async def follow_events(ask: Ask, query: EventQuery) -> Events:
    """Read the facts after a cursor, in an order in which none can be missed.

    Go on with `next_cursor`, also after a reading that brought none.
    """
    types = [kind for text in query.types for kind in text.split(",")]
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await events(
            connection, ask.actor, after=query.after, limit=query.limit, types=types
        )


@door.get(
    "/v1/order-numbers", right="orders.read", answers={200: OrderNumbers},
    raises=(UnknownReference,),
)
async def list_order_numbers(ask: Ask, query: NumbersWanted) -> OrderNumbers:
    """List order numbers in the order in which the orders came in; missing none.

    Send one of `since_order_id`, `since_date` (with `through_date`) and
    `missing_merchant_reference`; `statuses` brings their states along.
    """
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await order_numbers(connection, ask.actor, query)
