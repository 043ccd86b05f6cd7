"""The bag: the part of an order that one merchant fulfils and is paid for."""

from counterfoil.order.amounts import Amounts

DEAD = ("CANCELED", "REJECTED")


class Bag(Amounts, frozen=True, kw_only=True):
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
    sub_total: int
    shipping_total: int
    tax_total: int
    duty_total: int
    discount_total: int
    total: int
    canceled_total: int = 0
    reopened: int = 0
    worth_refunded: int = 0

    @property
    def due(self) -> int:
        """What no payment covers yet; what expired is due again."""
        return max(0, self.lacking)

    @property
    def lacking(self) -> int:
        """What payments have to cover; below zero where more was authorised than it is worth.

        `reopened` was authorised once, went back while the bag was worth less, and is due again.
        """
        worth = self.total - self.canceled_total
        return worth - self.authorized + self.expired + self.reopened

    @property
    def owed(self) -> int:
        """What may still be taken for it: its worth less what was, or is being, taken.

        `worth_refunded` went back, or is to, since the bag is worth less, and so does not count as
        taken. Any other refund does: what was given back is not taken again.
        """
        taken = self.captured - self.worth_refunded + self.capture_pending
        return max(0, self.total - self.canceled_total - taken)

    @property
    def capturable(self) -> int:
        """What is open and owed: its natural share of a capture."""
        return max(0, min(self.open, self.owed))

    @property
    def spare(self) -> int:
        """What is open and not owed any more: what is released first."""
        return self.open - self.capturable

    @property
    def live(self) -> bool:
        """Neither cancelled nor rejected."""
        return self.status not in DEAD
