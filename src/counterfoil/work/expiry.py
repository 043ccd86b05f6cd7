"""End authorisations whose hold time has passed, and tell it before. [domain.md §6, rulings 24]

A payment is due first when it is to be told that it expires soon, then when it does.
"""

from counterfoil.actions.attend import AGAIN_S, attend
from counterfoil.actions.expire import expire
from counterfoil.book.run import Command, Ran
from counterfoil.kernel.due import Claimed, back_off, finish, reschedule
from counterfoil.kernel.log import log
from counterfoil.order.actor import system
from counterfoil.order.change import Lease
from counterfoil.order.intent import Asked
from counterfoil.order.payment import Payment
from counterfoil.work.desk import Works

#: Seconds until a payment is looked at again whose open part is still reserved, by tries.
LOOK_AGAIN_S = (30, 60, 300, 600)
#: Claims that may come to nothing; looking again is one of them, so this is more than a day.
TRIES_MAX = 200


async def expire_due(works: Works, claimed: Claimed) -> None:
    """Expire one payment or tell that it is near; put it off where its clock was moved.

    So it is where its money is on its way.

    Raises LeaseLost, Unavailable, Gone.
    """
    whole = system(claimed.account_id)
    command = Command(order_id=claimed.order_id, actor=whole, answer_to=lambda _: None)
    asked = Asked(actor=whole, source="system")
    if claimed.attempts > TRIES_MAX:
        lease = Lease("payments", claimed.id, claimed.lease)
        ran: Ran = await works.book.run(
            command, attend, asked=asked, payment_id=claimed.id, reason="cannot_expire", lease=lease
        )
        if ran.change is not None and ran.change.nothing:
            async with works.pool.connection(claimed.account_id) as connection:
                await reschedule(connection, claimed, AGAIN_S["cannot_expire"])
        return
    ran = await works.book.run(
        command, expire, asked=asked, payment_id=claimed.id, lease=claimed.lease
    )
    if ran.change is None or not ran.change.nothing:
        return
    payment: Payment = ran.change.result
    async with works.pool.connection(claimed.account_id) as connection:
        if payment.expires_at is None:
            await finish(connection, claimed)
            return
        due = payment.warn_at or payment.expires_at
        left_s = (due - ran.change.after.at).total_seconds()
        again_s = back_off(LOOK_AGAIN_S, claimed.attempts)
        kept = await reschedule(connection, claimed, max(left_s, again_s))
    if not kept:
        log.warning("stale_lease", payment_id=claimed.id, order_id=claimed.order_id)
