"""Sync Payments: read the providers' view of an order's payments. [U-27]"""

from counterfoil.api.ask import Ask
from counterfoil.api.door import Door
from counterfoil.order.change import Answered
from counterfoil.work.sync import SyncedShape, sync_now

door = Door("Money")


@door.post(
    "/v1/orders/{order_id}/sync-payments", right="payments.sync",
    answers={200: SyncedShape},
)
async def sync_payments(ask: Ask) -> Answered:
    """Read what the providers hold, settle what is unknown and add what is missing, once.

    What a provider did beyond our limits is not booked; a person is called.
    """
    return await sync_now(ask.office, ask.actor, ask.path["order_id"], ask.key)
