"""What was authorised, taken, released and given back, in minor units; and what that leaves."""

from collections.abc import Sequence
from typing import Self

import msgspec


class Amounts(msgspec.Struct, frozen=True, kw_only=True):
    """The money of an order, a bag or a payment. PENDING and UNKNOWN movements are reserved.

    All are whole minor units of the order's currency. [domain.md §5, rulings 21, 23]
    """

    authorized: int = 0
    captured: int = 0
    voided: int = 0
    expired: int = 0
    refunded: int = 0
    capture_pending: int = 0
    void_pending: int = 0
    refund_pending: int = 0

    @property
    def outstanding(self) -> int:
        """Authorised and neither captured, voided nor expired; decides statuses."""
        return self.authorized - self.captured - self.voided - self.expired

    @property
    def open(self) -> int:
        """What a capture or void may still use: outstanding less what is reserved."""
        return self.outstanding - self.capture_pending - self.void_pending

    @property
    def refundable(self) -> int:
        """What a refund may still use."""
        return self.captured - self.refunded - self.refund_pending

    @property
    def pending(self) -> int:
        """Outstanding money that a running capture or void has reserved."""
        return self.capture_pending + self.void_pending

    def moved(self, **by: int) -> Self:
        """Add to amounts; a result below zero is a bug and raises."""
        new = {name: getattr(self, name) + change for name, change in by.items()}
        assert all(value >= 0 for value in new.values()), f"amounts below zero: {new}"
        return msgspec.structs.replace(self, **new)


AMOUNT_NAMES = Amounts.__struct_fields__


def summed(parts: Sequence[Amounts]) -> dict[str, int]:
    """Add up the amounts of several bags or payments, by name."""
    return {name: sum([getattr(part, name) for part in parts]) for name in AMOUNT_NAMES}
