"""Release holds whose time has come. [rulings 45]"""

from counterfoil.actions.hold import release_by_itself
from counterfoil.book.run import Command, Ran
from counterfoil.kernel.due import Claimed, finish, reschedule
from counterfoil.order.actor import system
from counterfoil.order.hold import Hold
from counterfoil.order.intent import Asked
from counterfoil.work.desk import Works


async def release_due(works: Works, claimed: Claimed) -> None:
    """Release one hold by itself; one that somebody has released already is not due any more.

    Raises LeaseLost, Unavailable, Gone.
    """
    whole = system(claimed.account_id)
    ran: Ran = await works.book.run(
        Command(order_id=claimed.order_id, actor=whole, answer_to=lambda _: None),
        release_by_itself,
        asked=Asked(actor=whole, source="system"),
        hold_id=claimed.id,
        lease=claimed.lease,
    )
    if ran.change is None or not ran.change.nothing:
        return
    found: Hold | None = ran.change.result
    async with works.pool.connection(claimed.account_id) as connection:
        if found is None or found.auto_release_at is None:
            await finish(connection, claimed)
            return
        left_s = (found.auto_release_at - ran.change.after.at).total_seconds()
        await reschedule(connection, claimed, max(left_s, 1))
