"""Reading orders: lists, and of one order itself, its facts, movements and refunds."""

from collections.abc import Sequence

from counterfoil.api.ask import Ask
from counterfoil.api.door import Door
from counterfoil.api.lists import OrderQuery
from counterfoil.book.lists import OrderPage, list_orders
from counterfoil.book.looking import facts_of
from counterfoil.book.opening import open_folder
from counterfoil.book.trimming import own_share
from counterfoil.kernel.problem import NotFound
from counterfoil.order.answers import tell_whole
from counterfoil.order.bag import Bag
from counterfoil.order.change import Answered
from counterfoil.order.folder import Folder
from counterfoil.order.problems import SortNotAvailable
from counterfoil.order.shapes import FactShape, OrderShape, RefundShape, TransactionShape
from counterfoil.order.telling import TOLD, tell_refunds, visible_bags
from counterfoil.order.tells import tell_transaction

door = Door("Orders")
_MOVEMENTS = ("bags", "transactions")
_REFUNDS = ("bags", "refunds", "transactions")


async def read_folder(
    ask: Ask, order_id: str, sections: Sequence[str], *, found_by: str = "orders"
) -> tuple[Folder, list[Bag]]:
    """Open an order for looking, and list the bags the asker may see. Raises NotFound.

    `found_by`: whose id it is, where it is not the order's own.
    """
    actor = ask.actor
    async with ask.office.pool.connection(actor.account_id) as connection:
        opened = await open_folder(connection, order_id, frozenset(sections), found_by=found_by)
        folder = opened.folder
    if folder is None or (actor.stores is not None and folder.order.store not in actor.stores):
        raise NotFound("There is no such order.")
    bags = visible_bags(folder, actor)
    if not bags:
        raise NotFound("There is no such order.")
    return folder, bags


async def read_order(ask: Ask, order_id: str) -> Answered:
    """Read an order with everything that hangs on it. Raises NotFound."""
    folder, _ = await read_folder(ask, order_id, TOLD)
    return tell_whole(folder, ask.actor, 200)


@door.get(
    "/v1/orders", right="orders.read", answers={200: OrderPage}, raises=(SortNotAvailable,)
)
async def show_orders(ask: Ask, query: OrderQuery) -> OrderPage:
    """List orders, the newest first, without their items."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await list_orders(
            connection, ask.actor, query.filters(), limit=query.limit, after=query.cursor,
            sort=query.sort,
        )


@door.get("/v1/orders/{order_id}", right="orders.read", answers={200: OrderShape}, versioned=True)
async def show_order(ask: Ask) -> Answered:
    """Read an order with everything that hangs on it."""
    return await read_order(ask, ask.path["order_id"])


@door.get(
    "/v1/orders/{order_id}/facts", right="orders.read", answers={200: list[FactShape]}
)
async def show_facts(ask: Ask) -> list[FactShape]:
    """List what happened to an order, the oldest first."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await facts_of(connection, ask.actor, ask.path["order_id"])


@door.get(
    "/v1/orders/{order_id}/transactions", right="orders.read",
    answers={200: list[TransactionShape]},
)
async def show_transactions(ask: Ask) -> list[TransactionShape]:
    """List the movements of an order's money, the oldest first."""
    folder, bags = await read_folder(ask, ask.path["order_id"], _MOVEMENTS)
    return _movements(ask, folder, bags)


@door.get(
    "/v1/orders/{order_id}/transactions/{transaction_id}", right="orders.read",
    answers={200: TransactionShape},
)
async def show_transaction(ask: Ask) -> TransactionShape:
    """Read one movement; what an answer 202 points at."""
    folder, bags = await read_folder(ask, ask.path["order_id"], _MOVEMENTS)
    wanted = ask.path["transaction_id"]
    found = next((t for t in _movements(ask, folder, bags) if t.id == wanted), None)
    if found is None:
        raise NotFound("The order has no such transaction.")
    return found


def _movements(ask: Ask, folder: Folder, bags: list[Bag]) -> list[TransactionShape]:
    own = {bag.id for bag in bags}
    limited = ask.actor.merchants is not None
    return [
        tell_transaction(shown)
        for row in sorted(folder.transactions, key=lambda row: (row.created_at, row.id))
        if (shown := own_share(row, own) if limited else row) is not None
    ]


@door.get(
    "/v1/orders/{order_id}/refunds", right="orders.read", answers={200: list[RefundShape]}
)
async def show_refunds(ask: Ask) -> list[RefundShape]:
    """List the refunds of an order, the oldest first."""
    return await _refunds(ask)


@door.get(
    "/v1/orders/{order_id}/refunds/{refund_id}", right="orders.read", answers={200: RefundShape}
)
async def show_refund(ask: Ask) -> RefundShape:
    """Read one refund, with its movements."""
    wanted = ask.path["refund_id"]
    found = next((refund for refund in await _refunds(ask) if refund.id == wanted), None)
    if found is None:
        raise NotFound("The order has no such refund.")
    return found


@door.get(
    "/v1/orders/{order_id}/bags/{bag_id}/refunds", right="orders.read",
    answers={200: list[RefundShape]},
)
async def show_refunds_of_bag(ask: Ask) -> list[RefundShape]:
    """List the refunds that gave back money of one bag. [V-13]"""
    return await _refunds(ask, ask.path["bag_id"])


async def _refunds(ask: Ask, bag_id: str | None = None) -> list[RefundShape]:
    folder, bags = await read_folder(ask, ask.path["order_id"], _REFUNDS)
    own = {bag.id for bag in bags}
    if bag_id is not None and bag_id not in own:
        raise NotFound("The order has no such bag.")
    told = tell_refunds(folder, ask.actor)
    return sorted(
        (refund for refund in told
         if bag_id is None or bag_id in {part.bag_id for part in refund.allocations}),
        key=lambda refund: (refund.created_at, refund.id),
    )
