"""The computed axes: pure functions of amounts and units. [domain.md §3-§5, rulings 21, 32]"""

import msgspec

from counterfoil.order.amounts import Amounts
from counterfoil.order.item import Item


def financial_status(amounts: Amounts, *, total: int, asked: bool) -> str:
    """Tell where the money stands. `asked`: an authorisation is still PENDING or UNKNOWN."""
    a, c, r = amounts.authorized, amounts.captured, amounts.refunded
    left = amounts.outstanding
    if a == 0:
        return "PAID" if total == 0 else "PENDING" if asked else "UNPAID"
    if c == 0:
        if left == 0:
            return "VOIDED"
        return "PENDING" if amounts.capture_pending else "AUTHORIZED"
    if r == 0:
        return "PARTIALLY_PAID" if left else "PAID"
    return "REFUNDED" if r == c and left == 0 else "PARTIALLY_REFUNDED"


class Units(msgspec.Struct, frozen=True):
    """How many live units there are and how far they have come."""

    live: int = 0
    shipped: int = 0
    delivered: int = 0
    failed: int = 0
    returned: int = 0
    digital: int = 0

    @classmethod
    def of(cls, items: list[Item]) -> "Units":
        """Count over lines of goods; digital ones count as delivered."""
        live = shipped = delivered = failed = returned = digital = 0
        for item in items:
            if not item.deliverable:
                continue
            units = item.live
            live += units
            digital += units if item.digital else 0
            shipped += units if item.digital else item.quantity_shipped
            delivered += units if item.digital else item.quantity_delivered
            failed += item.quantity_failed
            returned += item.quantity_returned
        return cls(live, shipped, delivered, failed, returned, digital)

    @property
    def all_shipped(self) -> bool:
        """Whether something is live and all of it has left."""
        return 0 < self.live == self.shipped


def fulfillment_status(units: Units) -> str:
    """Tell how far the goods have come; the first that matches."""
    if units.live == 0:
        return "PROCESSING"
    if units.returned == units.live:
        return "RETURNED"
    if units.delivered + units.returned == units.live:
        return "DELIVERED"
    if units.failed and units.shipped == units.live:
        return "COULD_NOT_DELIVER"
    if units.shipped == units.live:
        return "SHIPPED"
    return "PARTIALLY_SHIPPED" if units.shipped else "PROCESSING"


def display_status(
    *, system_state: str, financial: str, fraud: str, held: bool, state_name: str
) -> str:
    """Put the four axes into the one word a list shows. [Z-12, Z-21, Z-25, rulings 35]"""
    if system_state == "CANCELED":
        return "Cancelled"
    if financial == "REFUNDED":
        return "Refunded"
    if financial == "PARTIALLY_REFUNDED":
        return "Partially refunded"
    if fraud in ("PENDING", "ON_HOLD"):
        return "On hold – fraud review"
    if held:
        return "On hold"
    if system_state == "NEW" and financial == "AUTHORIZED":
        return "Authorised"
    if system_state == "NEW" and financial == "PAID":
        return "Approved"
    return state_name
