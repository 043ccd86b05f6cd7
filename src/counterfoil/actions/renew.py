"""Have an authorisation renewed: a new hold on the card of an earlier payment."""

import msgspec

from counterfoil.actions.pay import (
    due_by_bag,
    new_payment,
    open_payment,
    renewals_of,
    require_payable,
    shared,
)
from counterfoil.kernel.problem import NotFound
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intake import WantedPayment
from counterfoil.order.intent import Asked
from counterfoil.order.opening import opens
from counterfoil.order.payment import GatewayOfPayment, Payment
from counterfoil.order.problems import AttentionRequired, InvalidState, RequestInProgress


@opens("bags", "items", "payments", "gateways", "transactions", "holds")
def renew(folder: Folder, *, asked: Asked, payment_id: str) -> Change:
    """Hold again, at the same gateway, what a payment holds still or has let expire.

    When the new hold is there, the old one is released by itself. It is no more than what is due
    once the old one is gone. Raises, in this order: PermissionDenied, NotFound, InvalidState (the
    order's state), AttentionRequired, InvalidState (the gateway cannot; renewed already; nothing
    to renew), RequestInProgress. [faults A-4]
    """
    asked.actor.require("payments.capture")
    asked.actor.require_whole_order()
    old = next((p for p in folder.payments if p.id == payment_id), None)
    if old is None:
        raise NotFound("The order has no such payment.")
    require_payable(folder)
    if old.attention:
        raise AttentionRequired(attention=old.attention)
    gateway = _able(folder, old)
    _require_first(folder, old)
    weights = _weights(folder, old)
    amount = min(old.open or old.expired, sum(weights.values()))
    if amount <= 0:
        raise InvalidState("Nothing of this payment is open or expired, or nothing is due.")
    draft = Draft(folder, asked.actor)
    wanted = WantedPayment(flow="auth")
    new = msgspec.structs.replace(new_payment(draft, gateway, wanted, amount), renews=old.id)
    return draft.change(open_payment(draft, new, shared(amount, weights), asked))


def _able(folder: Folder, old: Payment) -> GatewayOfPayment:
    gateway = folder.gateway_of(old)
    if not gateway.capabilities.reauthorize or old.provider_reference is None:
        raise InvalidState(
            f"The gateway {gateway.code} cannot hold money again without the shopper. Ask them to"
            f" pay again, with POST /v1/orders/{folder.order.id}/payments.",
            gateway=gateway.code,
        )
    if not gateway.enabled:
        raise InvalidState(f"The gateway {gateway.code} is switched off.", gateway=gateway.code)
    return gateway


def _require_first(folder: Folder, old: Payment) -> None:
    for newer in renewals_of(folder, old.id):
        if newer.status == "CREATED":
            raise RequestInProgress(
                f"The gateway has been asked already; see payment {newer.id}.",
                headers={"Retry-After": "5"},
            )
        raise InvalidState(f"Payment {newer.id} has renewed it.", payment_id=newer.id)


def _weights(folder: Folder, old: Payment) -> dict[str, int]:
    """What each bag may take of the new hold: what is due to it once the old one is gone."""
    left = due_by_bag(folder)
    if old.open:
        room = min(old.open, max(0, sum(left.values()) + old.open))
        weights = {bag.id: bag.open for bag in folder.bags}
        assert room <= sum(weights.values()), "bags and payments disagree"
        return weights if room == old.open else _cut(weights, room)
    return {bag_id: max(0, due) for bag_id, due in left.items()}


def _cut(weights: dict[str, int], room: int) -> dict[str, int]:
    """Leave no more than there is room for, in the same proportions."""
    if room == 0:
        return dict.fromkeys(weights, 0)
    parts = {part.bag_id: part.amount for part in shared(room, weights)}
    return {bag_id: parts.get(bag_id, 0) for bag_id in weights}
