"""Keep an authorisation: tell the gateway that we have it, which stops its clock."""

import msgspec

from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked, new_transaction
from counterfoil.order.moves import reserve, without_hold
from counterfoil.order.opening import opens
from counterfoil.order.payment import Payment
from counterfoil.order.problems import AuthorizationExpired, InvalidState, RequestInProgress
from counterfoil.order.transaction import UNSETTLED


@opens(
    "bags",
    "items",
    "payments",
    "gateways",
    "refunds",
    "transactions",
    "shipments",
    "holds",
    "notes",
    "merchants",
)
def acknowledge(folder: Folder, *, asked: Asked) -> Change:
    """Acknowledge the authorisation that would expire; done already is done.

    Raises, in this order: PermissionDenied, InvalidState (no authorisation), AuthorizationExpired,
    RequestInProgress (it was asked to already). [Z-15, domain.md §13.11]
    """
    asked.actor.require("payments.capture")
    asked.actor.require_whole_order()
    payment = next((p for p in folder.payments if p.outstanding > 0), None)
    if payment is None:
        expired = any(p.expired for p in folder.payments)
        if expired:
            raise AuthorizationExpired("The hold time passed.")
        raise InvalidState("No authorisation is open.")
    if payment.acknowledged_at is not None:
        return Change.none(folder, folder.order)
    if payment.expires_at and payment.expires_at <= folder.at:
        raise AuthorizationExpired(f"It ended at {payment.expires_at.isoformat()}.")
    if asked_to_keep(folder, payment):
        raise RequestInProgress(
            "The gateway has been asked and has not answered yet.", headers={"Retry-After": "5"}
        )
    draft = Draft(folder, asked.actor)
    able = folder.gateway_of(payment).capabilities
    local = msgspec.structs.replace(asked, instant=asked.instant or not able.acknowledge)
    row = new_transaction(draft, payment, kind="ACKNOWLEDGE", amount=0, allocations=[], asked=local)
    if row.status == "PENDING":
        reserve(draft, row)
        draft.fact("payment.acknowledge_requested", row)
        return draft.change(row)
    draft.add(row)
    kept = msgspec.structs.replace(payment, acknowledged_at=draft.at)
    draft.put(kept if able.hold_seconds and not able.acknowledge else without_hold(kept))
    draft.fact("payment.acknowledged", row)
    return draft.change(row)


def asked_to_keep(folder: Folder, payment: Payment) -> bool:
    """Tell whether the gateway may be stopping the clock: it was asked and has not answered."""
    return any(
        row.type == "ACKNOWLEDGE" and row.status in UNSETTLED and row.payment_id == payment.id
        for row in folder.transactions
    )
