"""The intent: a movement that is wanted, before anybody knows whether it happens."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from counterfoil.kernel.ids import new_id
from counterfoil.order.actor import Actor
from counterfoil.order.draft import Draft
from counterfoil.order.payment import Payment
from counterfoil.order.transaction import Allocation, Transaction


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """How a command was asked: by whom, under which key, and whether providers are left alone.

    `instant`: book at once without any provider, as the history of an import is. [rulings 44]
    `lease`: the token under which the asker settles the intent itself; `lease_s` seconds long.
    """

    actor: Actor
    key: str | None = None
    source: str = "api"
    instant: bool = False
    lease: str | None = None
    lease_s: int = 30


def new_transaction(
    draft: Draft,
    payment: Payment,
    *,
    kind: str,
    amount: int,
    allocations: list[Allocation],
    asked: Asked,
    **more: Any,
) -> Transaction:
    """Make a movement: SUCCEEDED at once where no provider is asked, else PENDING and due.

    A PENDING one is born leased to its asker where there is one, so that nobody else sends it.
    """
    now = draft.at
    instant = asked.instant or draft.before.gateway_of(payment).capabilities.instant
    pending: dict[str, Any] = {}
    if not instant:
        pending = {"due_at": now}
        if asked.lease:
            pending |= {
                "attempts": 1,
                "lease_token": asked.lease,
                "lease_until": now + timedelta(seconds=asked.lease_s),
            }
    return Transaction(
        id=new_id(),
        order_id=draft.order.id,
        payment_id=payment.id,
        type=kind,
        status="SUCCEEDED" if instant else "PENDING",
        amount=amount,
        currency=payment.currency,
        allocations=allocations,
        source=asked.source,
        actor=_whoever(asked.actor),
        credential=asked.actor.credential if asked.key else None,
        idempotency_key=asked.key,
        created_at=now,
        settled_at=now if instant else None,
        **pending,
        **more,
    )


def _whoever(actor: Actor) -> dict[str, Any]:
    """Tell who wanted it; of one who sees some merchants alone also which, to answer as such."""
    if actor.merchants is None:
        return actor.told()
    return {**actor.told(), "merchants": sorted(actor.merchants)}


def hold_until(draft: Draft, payment: Payment, at: datetime) -> datetime | None:
    """Tell when an authorisation expires: the gateway's hold time, or the store's. [rulings 24]"""
    hold_s = draft.before.gateway_of(payment).capabilities.hold_seconds
    if hold_s is None:
        return None
    return at + timedelta(seconds=draft.before.store.auth_hold_seconds or hold_s)
