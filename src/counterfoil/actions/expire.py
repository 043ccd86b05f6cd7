"""Let an authorisation end when its hold time has passed."""

import msgspec

from counterfoil.actions.acknowledge import asked_to_keep
from counterfoil.kernel.ids import new_id
from counterfoil.order.change import Change, Lease
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.moves import allocate, book
from counterfoil.order.opening import opens
from counterfoil.order.transaction import Transaction


@opens("bags", "payments", "gateways", "transactions")
def expire(folder: Folder, *, asked: Asked, payment_id: str, lease: str) -> Change:
    """Give up what is open of an expired authorisation; what is reserved is left to its outcome.

    Nothing to write where the clock was stopped meanwhile, or may be: what the gateway was asked
    to keep is not given up before it has answered. [domain.md §6, rulings 24]
    """
    payment = next(p for p in folder.payments if p.id == payment_id)
    if payment.expires_at is None or payment.expires_at > folder.at or payment.open <= 0:
        return Change.none(folder, payment)
    if asked_to_keep(folder, payment):
        return Change.none(folder, payment)
    draft = Draft(folder, asked.actor)
    draft.lease = Lease("payments", payment.id, lease)
    bags = [bag for bag in folder.bags if bag.open > 0]
    row = Transaction(
        id=new_id(),
        order_id=folder.order.id,
        payment_id=payment.id,
        type="EXPIRE",
        status="SUCCEEDED",
        amount=payment.open,
        currency=payment.currency,
        allocations=allocate(payment.open, bags, "open"),
        source="system",
        actor=asked.actor.told(),
        created_at=draft.at,
        settled_at=draft.at,
    )
    book(draft, row)
    ended = draft.get("payments", payment.id)
    if ended.attention and ended.attention.get("reason") == "cannot_expire":
        draft.put(msgspec.structs.replace(ended, attention=None))
    draft.fact("payment.expired", row)
    return draft.change(row)
