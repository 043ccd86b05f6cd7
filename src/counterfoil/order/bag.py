"""The bag: the part of an order that one merchant fulfils and is paid for."""

from counterfoil.order.worth import Worth

DEAD = ("CANCELED", "REJECTED")


class Bag(Worth, frozen=True, kw_only=True):
    """A bag as stored. Its amounts are its share of the payments; REFUNDED is never its status.

    [domain.md §4, V-8, V-9]
    """

    id: str
    order_id: str
    merchant: str
    position: int
    external_id: str | None = None
    status: str = "ACCEPTED"
    financial_status: str = "UNPAID"
    fulfillment_status: str = "PROCESSING"

    @property
    def spare(self) -> int:
        """What is open and not owed any more: what is released first."""
        return self.open - self.capturable

    @property
    def live(self) -> bool:
        """Neither cancelled nor rejected."""
        return self.status not in DEAD
