"""Tell that an authorisation is about to expire."""

import msgspec

from counterfoil.order.change import Change, Lease
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.payment import Payment


def warn(folder: Folder, *, asked: Asked, payment: Payment, lease: str) -> Change:
    """Tell it once, a day before the end, or a third of the hold where that is shorter.

    Nothing to write before that, and never for one that was acknowledged. [faults A-4, Z-15]
    """
    due = payment.warn_at
    if due is None or due > folder.at or payment.expires_at is None:
        return Change.none(folder, payment)
    draft = Draft(folder, asked.actor)
    draft.lease = Lease("payments", payment.id, lease)
    told: Payment = msgspec.structs.replace(
        payment, warned_at=draft.at, due_at=payment.expires_at
    )
    draft.put(told)
    left_s = int((payment.expires_at - draft.at).total_seconds())
    draft.fact("payment.expiring", told, open=payment.open, seconds_left=left_s)
    return draft.change(told)
