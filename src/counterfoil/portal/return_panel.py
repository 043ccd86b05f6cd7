"""What became of a return, on a panel: its refund as any refund is told, or that no money moved.

[V-10, V-11; design guide 3.7]
"""

from litestar import Response

from counterfoil.kernel.problem import NotFound
from counterfoil.order.goods_return import Return
from counterfoil.order.refund import Refund
from counterfoil.portal import words
from counterfoil.portal.counts import RETURNS
from counterfoil.portal.figures import money
from counterfoil.portal.reading import Read, read_order
from counterfoil.portal.refund_panel import refund_panel, rows_of
from counterfoil.portal.results import beside
from counterfoil.portal.return_says import came_of
from counterfoil.portal.return_view import return_view
from counterfoil.portal.return_words import exchange_number, units_of
from counterfoil.portal.timeline import facts_of
from counterfoil.portal.visit import Visit
from counterfoil.work.now import settle_one


async def return_shown(
    visit: Visit, order_id: str, return_id: str, *, status: int = 200
) -> Response[bytes]:
    """Show what became of a return, the provider asked about its refund at once.

    A refund that was refused, is not known yet or waits for approval is told by its own panel.
    Raises NotFound.
    """
    read = await read_order(visit, order_id)
    back = find_return(read, return_id)
    if promise := _newest(read, back):
        waiting = [row.id for row in rows_of(read, promise) if row.status == "PENDING"]
        for transaction_id in waiting:
            await settle_one(visit.works, visit.actor.account_id, transaction_id)
        if waiting:
            read = await read_order(visit, order_id)
            promise = _newest(read, back)
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        await RETURNS.fresh(connection, visit.actor)
    facts = facts_of(read)
    if promise is not None and visit.actor.merchants is None:
        under_way = promise.status in ("PROCESSING", "AWAITING_APPROVAL")
        return refund_panel(visit, read, promise, facts, status=202 if under_way else 200)
    back = find_return(read, return_id)
    return visit.page(
        "returns/recorded.html",
        status=status,
        order=read.order,
        back=f"/portal/orders/{read.order.id}#return-{back.id}",
        heading=_heading(back),
        lines=_refunded(promise) if promise else await _lines(visit, read, back),
        pairs=_pairs(read, back),
        linked=_linked(read, back),
        **beside(visit, read, facts),
    )


def find_return(read: Read, return_id: str) -> Return:
    """Find a return that the reader may see. Raises NotFound."""
    seen = {bag.id for bag in read.order.bags}
    found = next(
        (one for one in read.folder.returns if one.id == return_id and one.bag_id in seen), None
    )
    if found is None:
        raise NotFound("The order has no such return.")
    return found


def _newest(read: Read, back: Return) -> Refund | None:
    return next((one for one in read.folder.refunds if one.id == back.refund_id), None)


def _refunded(promise: Refund) -> list[str]:
    """Say how the refund stands, to who does not see payments."""
    amount = money(promise.amount, promise.currency)
    told = {
        "AWAITING_APPROVAL": f"{amount} is set aside until somebody who may has approved it.",
        "PROCESSING": f"{amount} is on its way back to the shopper.",
        "COMPLETED": f"{amount} went back to the shopper.",
    }
    return [told.get(promise.status, f"{amount} did not go back. Somebody is called to see to it.")]


def _heading(back: Return) -> str:
    if back.begun:
        return f"{came_of(back)} came back"
    return "The return is recorded"


async def _lines(visit: Visit, read: Read, back: Return) -> list[str]:
    """Say that no money moved, and what happens next."""
    order = read.order
    payment = words.payment_word(order.financial_status, order.amounts).label
    lines = [f"No money moved. Order {order.number} is {payment} as before."]
    if not back.begun:
        lines.append(f"It waits for {units_of(back)} to come in.")
    elif back.expected:
        lines.append("The rest is waited for.")
    if back.exchange_order_id is not None:
        linked = await read_order(visit, back.exchange_order_id)
        due = linked.order.amounts.due
        lines.append(
            f"Order {linked.order.number} is made for the replacement."
            + (f" It is held until {money(due, order.currency)} is paid." if due else "")
        )
    if back.resolution == "STORE_CREDIT" and back.credit:
        lines.append(f"{money(back.credit, order.currency)} is written down as store credit.")
    return lines


def _pairs(read: Read, back: Return) -> list[tuple[str, str]]:
    told = return_view(read.order, next(one for one in read.order.returns if one.id == back.id))
    pairs = [("The shopper gets", told.resolution), ("Reason", told.reason)]
    return [*pairs, *(("What", line) for line in told.lines)]


def _linked(read: Read, back: Return) -> tuple[str, str] | None:
    if back.exchange_order_id is None:
        return None
    number = exchange_number(read.order.number, back.position)
    return number, f"/portal/orders/{back.exchange_order_id}"


