"""What something costs beside what was moved of it: what is due, and what may still be taken."""

from counterfoil.order.amounts import Amounts


class Worth(Amounts, frozen=True, kw_only=True):
    """The totals of an order or a bag, which fall with what is cancelled, and its money.

    `reopened` was authorised once, went back while it was worth less, and is due again.
    `worth_refunded` went back, or is to, since it is worth less, and does not count as taken; what
    any other refund gave back is not taken again. [domain.md §4, §5, rulings 21]
    """

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
    def worth(self) -> int:
        """What it costs without what was cancelled."""
        return self.total - self.canceled_total

    @property
    def kept(self) -> int:
        """What was, or is being, taken for it, less what went back since it is worth less."""
        return self.captured + self.capture_pending - self.worth_refunded

    @property
    def lacking(self) -> int:
        """What payments have to cover; below zero where more was authorised than it is worth."""
        return self.worth - self.authorized + self.expired + self.reopened

    @property
    def due(self) -> int:
        """What no payment covers yet; what expired is due again. Never below zero. [rulings 21]"""
        return max(0, self.lacking)

    @property
    def owed(self) -> int:
        """What may still be taken: its worth less what was, or is being, taken.

        An edit or cancelled lines can make it less than what is open: less is captured then.
        """
        return max(0, self.worth - self.kept)

    @property
    def capturable(self) -> int:
        """What is open and owed: what captures may take, all payments together."""
        return max(0, min(self.open, self.owed))
