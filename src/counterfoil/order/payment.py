"""The payment: one authorisation at a gateway, and what became of it."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from counterfoil.order.amounts import Amounts
from counterfoil.order.capability import capabilities
from counterfoil.order.gateway import Capabilities

#: A hold is told to end soon so long before its end, or a third of it where it is short.
WARNED_BEFORE = timedelta(hours=24)


class Payment(Amounts, frozen=True, kw_only=True):
    """A payment as stored. Its status follows from its amounts once it is authorised.

    `redirect_url` is where the shopper confirms it, `renews` the payment it takes the place of,
    `warned_at` when it was told that it is about to expire.
    """

    id: str
    order_id: str
    position: int
    gateway: str
    flow: str
    status: str
    currency: str
    amount: int
    reference: str | None = None
    provider_reference: str | None = None
    authorized_at: datetime | None = None
    acknowledged_at: datetime | None = None
    expires_at: datetime | None = None
    attention: dict[str, Any] | None = None
    created_at: datetime
    due_at: datetime | None = None
    return_url: str | None = None
    redirect_url: str | None = None
    renews: str | None = None
    warned_at: datetime | None = None
    synced_at: datetime | None = None

    @property
    def warn_at(self) -> datetime | None:
        """When to tell that it is about to expire; None where it was told or will not. [A-4]"""
        if self.expires_at is None or self.acknowledged_at or self.warned_at:
            return None
        hold = self.expires_at - (self.authorized_at or self.created_at)
        return self.expires_at - min(WARNED_BEFORE, hold / 3)

    def restated(self) -> "Payment":
        """Return it with the status its amounts call for; a CREATED one stays as it is."""
        if self.authorized == 0:
            return self
        if self.captured:
            status = "PARTIALLY_CAPTURED" if self.outstanding else "CAPTURED"
        elif self.outstanding:
            status = "AUTHORIZED"
        else:
            status = "EXPIRED" if self.expired else "VOIDED"
        expiring = self.outstanding > 0
        return msgspec.structs.replace(
            self,
            status=status,
            expires_at=self.expires_at if expiring else None,
            due_at=self.due_at if expiring else None,
        )


class GatewayOfPayment(msgspec.Struct, frozen=True, kw_only=True):
    """The configured gateway a payment runs through, as the folder carries it."""

    code: str
    kind: str
    settings: dict[str, Any] = {}
    enabled: bool = True
    store: str | None = None

    @property
    def capabilities(self) -> Capabilities:
        """What this gateway can do."""
        return capabilities(self.kind, self.settings)
