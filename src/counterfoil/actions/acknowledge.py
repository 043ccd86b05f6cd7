"""Keep authorisations: tell the gateways that we have them, which stops their clocks."""

import msgspec

from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked, new_transaction
from counterfoil.order.moves import reserve, without_hold
from counterfoil.order.opening import opens
from counterfoil.order.payment import Payment
from counterfoil.order.problems import AuthorizationExpired, InvalidState, RequestInProgress
from counterfoil.order.transaction import UNSETTLED, Transaction


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
    "returns",
    "fraud_reviews",
    "merchants",
)
def acknowledge(folder: Folder, *, asked: Asked) -> Change:
    """Acknowledge every authorisation that would expire; done already is done.

    Each is a transaction of its own, and the first one answers the request. Raises, in this order:
    PermissionDenied, InvalidState (no authorisation), AuthorizationExpired (of all that are left),
    RequestInProgress (they were asked about already). [Z-15, domain.md §13.11]
    """
    asked.actor.require("payments.capture")
    asked.actor.require_whole_order()
    held = [payment for payment in folder.payments if payment.outstanding > 0]
    if not held:
        expired = any(p.expired for p in folder.payments)
        if expired:
            raise AuthorizationExpired("The hold time passed.")
        raise InvalidState("No authorisation is open.")
    wanted = [payment for payment in held if payment.acknowledged_at is None]
    if not wanted:
        return Change.none(folder, folder.order)
    alive = [p for p in wanted if p.expires_at is None or p.expires_at > folder.at]
    if not alive:
        ended = [p.expires_at.isoformat() for p in wanted if p.expires_at]
        raise AuthorizationExpired(f"It ended at {max(ended)}.")
    todo = [payment for payment in alive if not asked_to_keep(folder, payment)]
    if not todo:
        raise RequestInProgress(
            "The gateway has been asked and has not answered yet.", headers={"Retry-After": "5"}
        )
    draft = Draft(folder, asked.actor)
    rows: list[Transaction] = []
    for payment in todo:
        its = msgspec.structs.replace(asked, key=None if rows else asked.key)
        rows.append(_keep(draft, payment, its))
    return draft.change(next((row for row in rows if row.status == "PENDING"), rows[0]))


def _keep(draft: Draft, payment: Payment, asked: Asked) -> Transaction:
    """Ask the gateway to stop the clock of one payment; stop it here where there is none."""
    able = draft.before.gateway_of(payment).capabilities
    local = msgspec.structs.replace(asked, instant=asked.instant or not able.acknowledge)
    row = new_transaction(draft, payment, kind="ACKNOWLEDGE", amount=0, allocations=[], asked=local)
    if row.status == "PENDING":
        reserve(draft, row)
        draft.fact("payment.acknowledge_requested", row)
        return row
    draft.add(row)
    kept = msgspec.structs.replace(payment, acknowledged_at=draft.at)
    if able.hold_seconds and not able.acknowledge:
        draft.put(msgspec.structs.replace(kept, due_at=kept.expires_at))
    else:
        draft.put(without_hold(kept))
    draft.fact("payment.acknowledged", row)
    return row


def asked_to_keep(folder: Folder, payment: Payment) -> bool:
    """Tell whether the gateway may be stopping the clock: it was asked and has not answered."""
    return any(
        row.type == "ACKNOWLEDGE" and row.status in UNSETTLED and row.payment_id == payment.id
        for row in folder.transactions
    )
