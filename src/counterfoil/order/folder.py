"""The folder: an order with everything that hangs on it, as one statement read it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from counterfoil.order.bag import Bag
from counterfoil.order.cancellation import Cancellation
from counterfoil.order.config import OrderState, ShipmentMethod, Store
from counterfoil.order.drift import DriftLine
from counterfoil.order.goods_return import Return
from counterfoil.order.hold import Hold
from counterfoil.order.item import Item
from counterfoil.order.letter import Letter
from counterfoil.order.note import Note
from counterfoil.order.order import Order
from counterfoil.order.order_edit import OrderEdit
from counterfoil.order.payment import GatewayOfPayment, Payment
from counterfoil.order.payout import Payout
from counterfoil.order.refund import Refund
from counterfoil.order.review import FraudReview
from counterfoil.order.shipment import Shipment
from counterfoil.order.task import Task
from counterfoil.order.transaction import Transaction


class _Unopened(tuple[Any, ...]):
    """A section that the action did not say it needs; touching it is a bug of ours."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        raise AssertionError("this section of the folder was not opened")


UNOPENED: tuple[Any, ...] = _Unopened()

#: The sections an order's folder may be opened with, and the noun each holds.
SECTIONS: dict[str, type[msgspec.Struct]] = {
    "bags": Bag,
    "items": Item,
    "payments": Payment,
    "transactions": Transaction,
    "refunds": Refund,
    "shipments": Shipment,
    "holds": Hold,
    "fraud_reviews": FraudReview,
    "notes": Note,
    "cancellations": Cancellation,
    "letters": Letter,
    "tasks": Task,
    "payouts": Payout,
    "drift_lines": DriftLine,
    "returns": Return,
    "edits": OrderEdit,
}
#: Configuration that may be opened beside them; an action never changes it.
CONFIGURATION = ("states", "gateways", "methods", "merchants")


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """What an action looks into. `at` is the database's clock when it was opened. [rulings 17]

    `same_reference` is the refund that has a reference which was looked up, `reserved_by` the open
    return that keeps it for its own refund.
    """

    order: Order
    store: Store
    state: OrderState
    at: datetime
    bags: tuple[Bag, ...] = UNOPENED
    items: tuple[Item, ...] = UNOPENED
    payments: tuple[Payment, ...] = UNOPENED
    transactions: tuple[Transaction, ...] = UNOPENED
    refunds: tuple[Refund, ...] = UNOPENED
    shipments: tuple[Shipment, ...] = UNOPENED
    holds: tuple[Hold, ...] = UNOPENED
    fraud_reviews: tuple[FraudReview, ...] = UNOPENED
    notes: tuple[Note, ...] = UNOPENED
    cancellations: tuple[Cancellation, ...] = UNOPENED
    letters: tuple[Letter, ...] = UNOPENED
    tasks: tuple[Task, ...] = UNOPENED
    payouts: tuple[Payout, ...] = UNOPENED
    drift_lines: tuple[DriftLine, ...] = UNOPENED
    returns: tuple[Return, ...] = UNOPENED
    edits: tuple[OrderEdit, ...] = UNOPENED
    states: tuple[OrderState, ...] = UNOPENED
    gateways: tuple[GatewayOfPayment, ...] = UNOPENED
    methods: tuple[ShipmentMethod, ...] = UNOPENED
    merchants: dict[str, str] = {}
    same_reference: Refund | None = None
    reserved_by: str | None = None

    def opened(self, section: str) -> bool:
        """Tell whether a section was opened."""
        return getattr(self, section) is not UNOPENED

    def gateway_of(self, payment: Payment) -> GatewayOfPayment:
        """Find the gateway that a payment runs through."""
        return next(g for g in self.gateways if g.code == payment.gateway)

    @property
    def running_cancellation(self) -> Cancellation | None:
        """The cancellation that is not finished, if one is."""
        return next((c for c in self.cancellations if c.status == "PROCESSING"), None)

    @property
    def open_holds(self) -> list[Hold]:
        """Holds that nobody has released."""
        return [hold for hold in self.holds if hold.released_at is None]

    @property
    def review(self) -> FraudReview | None:
        """The fraud review that waits, else the newest; None where there was none."""
        if self.order.fraud_status == "NOT_REQUIRED":
            return None
        return max(self.fraud_reviews, key=lambda one: (one.waits, one.opened_at), default=None)
