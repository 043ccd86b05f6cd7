"""A small model of an order of several merchants, written from what the statuses are to mean.

It knows nothing of how they are computed: every unit is one of a list, every amount a sum of
movements. What was cancelled and came back it counts itself, from what was asked. It takes three
things for the truth: which units are in which shipment, the movements, and the order's own state.
[domain.md §3-§5, rulings 32, 35]
"""

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from counterfoil.order.bag import Bag
from counterfoil.order.folder import Folder
from counterfoil.order.item import Item
from counterfoil.order.order import Order
from counterfoil.order.tells import shown_status
from tests.actions.split_returns import judge_returns

GONE = ("SHIPPED", "IN_TRANSIT", "COULD_NOT_DELIVER", "DELIVERED", "RETURNED")
#: Where the units were that came back: what was returned to us as a parcel, then what arrived.
CAME_FROM = ("DELIVERED", "COULD_NOT_DELIVER", "IN_TRANSIT", "SHIPPED")
#: Refunds by which an order costs less afterwards; any other is given beside that.
FOR_LESS = ("edit-", "cancel-")
OPEN_STATES = ("NEW", "PROCESSING", "CANCEL_REQUESTED", "FRAUD", "SUSPENDED")
SIGNS = {"AUTHORIZE": "A", "CAPTURE": "C", "VOID": "V", "EXPIRE": "E", "REFUND": "R"}


class Model:
    """What was cancelled and came back by line, and whether anything stood in the way.

    `grew`: an edit let it cost more, or moved costs between bags.
    """

    def __init__(self) -> None:
        self.canceled: Counter[str] = Counter()
        self.worth: dict[str, Fraction] = {}
        self.returned: Counter[str] = Counter()
        self.linked: dict[str, Folder] = {}
        self.hindered = False
        self.grew = False
        self.captured = 0

    # ---------------------------------------------------------------------------- what happened

    def happened(self, kind: str, before: Folder, told: dict[str, Any]) -> None:
        """Count what an accepted action did, by what was asked of the order as it was."""
        known = self.canceled.copy()
        for made in told.get("linked", []):
            assert made.order.id not in self.linked
            self.linked[made.order.id] = made
        if kind in ("cancel", "cancel bag"):
            for item in before.items:
                if kind == "cancel" or item.bag_id == told["bag_id"]:
                    self.canceled[item.id] += len(self.waiting(before, item))
        elif kind == "cancel line":
            self.canceled[told["item_id"]] += told["units"]
        elif kind == "edit line":
            live = told["item"].quantity - self.canceled[told["item"].id]
            self.canceled[told["item"].id] += live - told["left"]
        elif kind == "came back":
            self.returned.update(told["units"])
        elif kind == "grow":
            self.hindered = self.grew = True
        elif kind in ("hold", "state", "review", "ask to cancel"):
            self.hindered = True
        for item_id, units in (self.canceled - known).items():
            item = next(item for item in before.items if item.id == item_id)
            bag = next(bag for bag in before.bags if bag.id == item.bag_id)
            goods = [one for one in before.items if one.bag_id == bag.id]
            self.worth[bag.id] = self.worth.get(bag.id, Fraction(0)) + units * price_of(
                bag, goods, item)

    # --------------------------------------------------------------------------------- the goods

    def units(self, folder: Folder, item: Item) -> list[str]:
        """List the live units of a line, each by where it is."""
        if item.type != "sku":
            return []
        live = item.quantity - self.canceled[item.id]
        if item.digital:
            return ["DELIVERED"] * live
        units: list[str] = []
        for parcel in folder.shipments:
            if parcel.status in GONE:
                inside = [part for part in parcel.items if part.item_id == item.id]
                units += [parcel.status] * sum(part.quantity for part in inside)
        back = self.returned[item.id] - units.count("RETURNED")
        for place in CAME_FROM:
            for _ in range(min(max(back, 0), units.count(place))):
                units[units.index(place)] = "RETURNED"
                back -= 1
        assert len(units) <= live, f"more of {item.name} left than is live"
        return units + ["HERE"] * (live - len(units))

    def waiting(self, folder: Folder, item: Item) -> list[str]:
        """List the live units of a line that have not left; digital ones never do."""
        if item.digital:
            return ["HERE"] * (item.quantity - self.canceled[item.id])
        return [one for one in self.units(folder, item) if one == "HERE"]

    def of_bags(self, folder: Folder, bags: Iterable[Bag]) -> list[str]:
        """List the live units of these bags."""
        ids = {bag.id for bag in bags}
        return [one for item in folder.items if item.bag_id in ids
                for one in self.units(folder, item)]

    # --------------------------------------------------------------------------------- the law

    def judge(self, folder: Folder) -> None:
        """Hold an order against the model. Raises AssertionError."""
        self._goods(folder)
        self._states(folder)
        self._money(folder)
        self._worth(folder)
        judge_returns(folder, self.linked)

    def _goods(self, folder: Folder) -> None:
        for item in folder.items:
            units = self.units(folder, item)
            assert item.quantity_canceled == self.canceled[item.id], item
            assert item.quantity_returned == self.returned[item.id], item
            if item.type == "sku" and not item.digital:
                gone = [one for one in units if one != "HERE"]
                assert item.quantity_shipped == len(gone), item
                assert item.quantity_delivered == units.count("DELIVERED"), item
                assert item.quantity_failed == units.count("COULD_NOT_DELIVER"), item
                assert (item.delivery_state in GONE) == (0 < len(units) == len(gone)), item
                if units and len(gone) == len(units):
                    assert item.delivery_state == min(units, key=GONE.index), item
                assert (item.delivery_state == "CANCELED") == (not units), item
        for bag in folder.bags:
            assert bag.fulfillment_status == progress(self.of_bags(folder, [bag])), bag
        alive = [bag for bag in folder.bags if self.of_bags(folder, [bag])]
        assert folder.order.fulfillment_status == progress(self.of_bags(folder, alive))

    def _states(self, folder: Folder) -> None:
        order = folder.order
        for bag in folder.bags:
            units = self.of_bags(folder, [bag])
            travel = [i for i in folder.items if i.bag_id == bag.id and not i.digital]
            gone = any(one != "HERE" for item in travel for one in self.units(folder, item))
            wanted = "ACCEPTED"
            if not units:
                wanted = "CANCELED"
            elif "HERE" not in units and gone:
                wanted = "COMPLETED"
            assert bag.status == wanted, bag  # and so never REFUNDED or RETURNED
        units = self.of_bags(folder, folder.bags)
        gone = any(item.quantity_shipped for item in folder.items)
        if not units:
            assert order.system_state == "CANCELED"
        elif order.system_state == "CANCELED":
            assert "HERE" not in units
        elif "HERE" not in units and gone and not self.hindered:
            assert order.system_state == "COMPLETED", order.system_state
        if order.system_state == "COMPLETED":
            assert "HERE" not in units
        assert order.is_open == (order.system_state in OPEN_STATES)
        assert shown_status(order, folder.state) == display(folder)

    def _money(self, folder: Folder) -> None:
        whole = moved(folder)
        for bag in folder.bags:
            sums = moved(folder, bag_id=bag.id)
            assert amounts_of(bag) == sums, bag
            assert bag.financial_status == money_status(sums, bag.total)
        for payment in folder.payments:
            assert amounts_of(payment) == moved(folder, payment_id=payment.id)
        assert amounts_of(folder.order) == whole
        assert folder.order.financial_status == money_status(whole, folder.order.total)
        assert 0 <= whole["R"] <= whole["C"]
        assert whole["C"] + whole["V"] + whole["E"] <= whole["A"]

    def _worth(self, folder: Folder) -> None:
        """Nobody keeps more than what is left of an order costs; shares add up to the cent."""
        order = folder.order
        for bag in folder.bags:
            if not self.of_bags(folder, [bag]):
                assert bag.canceled_total == bag.total, bag
                continue
            gone = self.worth.get(bag.id, Fraction(0))
            assert abs(bag.canceled_total - gone) <= 2 * len(folder.items), (bag, gone)
        assert order.total == sum(bag.total for bag in folder.bags)
        assert order.canceled_total == sum(bag.canceled_total for bag in folder.bags)
        less = sum(
            sign * row.amount
            for row in folder.transactions
            for sign in [{"REFUND": 1, "REFUND_REVERSAL": -1}.get(row.type, 0)]
            if row.status in ("SUCCEEDED", "PENDING", "UNKNOWN")
            and (row.reference or "").startswith(FOR_LESS)
        )
        given = sum(one.amount for one in folder.refunds if not one.reference.startswith(FOR_LESS))
        left = order.total - order.canceled_total
        assert order.captured - order.refunded <= left + given, "kept more than it is worth"
        both = any(item.quantity_refunded and item.quantity_canceled for item in folder.items)
        room = given if both else 0  # what was refunded as a line, and cancelled after that
        failed = any(one.status in ("FAILED", "PARTIALLY_COMPLETED") for one in folder.refunds)
        if order.captured > self.captured and not (self.grew or failed):
            assert order.captured - less <= left + room, "a refund made room for a capture"
        self.captured = order.captured
        for refund in folder.refunds:
            assert sum(part.amount for part in refund.allocations) == refund.amount
            named = [line for line in refund.lines if line.quantity]
            assert sum(line.amount + line.tax_amount for line in named) <= sum(
                bag.total for bag in folder.bags)


def progress(units: list[str]) -> str:
    """Tell how far units have come: the seven lines of the table, the first that fits."""
    after = [one for one in units if one != "HERE"]
    if not units:
        return "PROCESSING"
    if all(one == "RETURNED" for one in units):
        return "RETURNED"
    if all(one in ("DELIVERED", "RETURNED") for one in units):
        return "DELIVERED"
    if "COULD_NOT_DELIVER" in units and "HERE" not in units:
        return "COULD_NOT_DELIVER"
    if "HERE" not in units:
        return "SHIPPED"
    return "PARTIALLY_SHIPPED" if after else "PROCESSING"


def moved(
    folder: Folder, *, bag_id: str | None = None, payment_id: str | None = None
) -> dict[str, int]:
    """Add up what took effect: of the order, of a bag's shares, or of a payment."""
    sums = dict.fromkeys("ACVER", 0)
    for row in folder.transactions:
        if row.status == "SUCCEEDED" and row.type in SIGNS and payment_id in (None, row.payment_id):
            sums[SIGNS[row.type]] += sum(
                part.amount for part in row.allocations if bag_id in (None, part.bag_id))
    return sums


def amounts_of(part: Any) -> dict[str, int]:
    """The stored amounts, by the letters that the table of statuses has."""
    return {"A": part.authorized, "C": part.captured, "V": part.voided, "E": part.expired,
            "R": part.refunded}


def money_status(sums: dict[str, int], total: int) -> str:
    """Tell where money stands that nobody is asked for: the table, the first line that fits."""
    a, c, r = sums["A"], sums["C"], sums["R"]
    left = a - c - sums["V"] - sums["E"]
    table = [
        (a == 0 and total == 0, "PAID"),
        (a == 0, "UNPAID"),
        (c == 0 and left > 0, "AUTHORIZED"),
        (c == 0, "VOIDED"),
        (r == 0 and left > 0, "PARTIALLY_PAID"),
        (r == 0, "PAID"),
        (r == c and left == 0, "REFUNDED"),
        (True, "PARTIALLY_REFUNDED"),
    ]
    return next(status for fits, status in table if fits)


def display(folder: Folder) -> str:
    """Tell the one word of a list. [rulings 35]"""
    order: Order = folder.order
    held = [hold for hold in folder.holds if hold.released_at is None]
    words = {"REFUNDED": "Refunded", "PARTIALLY_REFUNDED": "Partially refunded"}
    if order.system_state == "CANCELED":
        return "Cancelled"
    if order.financial_status in words:
        return words[order.financial_status]
    if order.fraud_status in ("PENDING", "ON_HOLD"):
        return "On hold – fraud review"
    if held:
        return "On hold"
    new = {"AUTHORIZED": "Authorised", "PAID": "Approved"}
    if order.system_state == "NEW":
        return new.get(order.financial_status, folder.state.name)
    return folder.state.name


def price_of(bag: Bag, goods: list[Item], item: Item) -> Fraction:
    """What one unit of a line cost exactly: its share of the discount taken off, its tax added."""
    if item.type != "sku":
        return Fraction(0)
    if item.added_in is not None:
        return Fraction(item.line_total, item.quantity)
    first = [one for one in goods if one.type == "sku" and one.added_in is None]
    whole = sum(one.line_total for one in first)
    paid = Fraction(item.line_total * (whole - min(bag.discount_total, whole)), max(whole, 1))
    taxed = whole - min(bag.discount_total, whole) + bag.shipping_total
    tax = Fraction(paid * bag.tax_total, taxed) if taxed else Fraction(0)
    return (paid + tax) / item.quantity
