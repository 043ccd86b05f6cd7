"""What happens to orders in the demo: one story each, from not paid to fraud, told as history.

A story is a function that pays, ships and returns what it likes through a `Telling`, whose clock
only moves forward. Each says how old its orders are, so that everything told lies in the past.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from msgspec import Struct

from .demo_goods import DemoStore

CUSTOM_STATES: Final = {
    "picking": "processing", "packed": "processing", "awaiting-pickup": "processing",
    "awaiting-stock": "new",
}
"""States of the demo's own, and the built-in one that each counts as."""

_WORDS: Final = {
    "phone": (
        "Customer called: please leave it with the neighbour.",
        "Kunde ringte: lever etter kl. 17.",
        "Anruf: bitte nicht vor Freitag zustellen.",
        "お客様より電話：不在時は宅配ボックスへ。",
        "اتصل العميل: التسليم بعد العصر من فضلك.",
        "Покупець просить подарункову упаковку.",
    ),
    "stock": ("Back on Thursday, says the supplier.", "Ny leveranse uke 48.", "入荷は来週の予定。"),
    "fraud": (
        "Card from one country, parcel to another, three tries with other cards.",
        "Same card was used for five orders in ten minutes.",
    ),
    "thanks": (
        "Thank you for your order!",
        "Vielen Dank!",
        "ご注文ありがとうございます。",
        "شكراً لكم",
    ),
}
_AT_WORK: Final = range(8, 19)
_REASONS: Final = ("Arrived broken", "Wrong size", "Changed their mind", "Late", "Not as pictured")


class Telling:
    """An order being told: it has bags and a total, and gets its payment and its history."""

    def __init__(self, rng: Random, order: dict[str, Any], store: DemoStore) -> None:
        self.rng, self.order, self.store = rng, order, store
        self.history: dict[str, Any] = {}
        self.placed_at = datetime.fromisoformat(order["placed_at"])
        self._clock = self.placed_at
        self.total: int = order["total"]

    def later(self, least: int, most: int) -> str:
        """Let hours pass, if possible until people are at work; tell the time."""
        at = self._clock
        for _ in range(5):
            at = self._clock + timedelta(seconds=self.rng.randrange(least * 3600, most * 3600))
            if (at + timedelta(hours=self.store.hours_east)).hour in _AT_WORK:
                break
        self._clock = at
        return text(at)

    def pay(self, *, flow: str = "auth", sandbox: int = 0) -> None:
        """Pay the total; `sandbox` is how many in a hundred pay at the card gateway.

        A reference says that the money is really held there and can be captured.
        """
        if self.total == 0:
            return
        at_sandbox = self.rng.randrange(100) < sandbox
        gateway = "sandbox" if at_sandbox else "manual"
        self.order["payment"] = {"gateway": gateway, "flow": flow, "amount": self.total}

    def hold_open(self) -> None:
        """Pay with money that waits to be captured, at the card gateway more often than not."""
        self.pay(sandbox=90)
        payment = self.order.get("payment")
        if payment is not None and payment["gateway"] == "sandbox":
            payment["reference"] = f"demo-{self.order['external_id']}"

    def take(self, amount: int | None = None) -> None:
        """Capture; all of it where nothing is said, some shops' customers at once."""
        if self.total == 0:
            return
        at_once = amount is None and self.rng.randrange(5) == 0
        self.pay(flow="payment" if at_once else "auth")
        if at_once:
            return
        self.history["captured"] = self.total if amount is None else amount
        self.history["captured_at"] = self.later(1, 20)

    def part(self) -> int:
        """Some of the total that is neither nothing nor all."""
        return max(1, self.total * self.rng.randrange(3, 8) // 10)

    def give_back(self, amount: int, *, at: str) -> None:
        """Refund, under a reference that the store has once."""
        refunds = self.history.setdefault("refunds", [])
        refunds.append(
            {
                "reference": f"R-{self.order['external_id']}-{len(refunds) + 1}",
                "amount": amount,
                "reason": self.rng.choice(_REASONS),
                "at": at,
            }
        )

    def ship(self, bag: int, *, items: list[dict[str, int]] | None = None) -> dict[str, Any]:
        """Send a bag, or some of its items."""
        parcel: dict[str, Any] = {
            "bag": bag,
            "method": self.order["shipping_method"],
            "carrier": self.store.carrier,
            "tracking_number": self.store.tracking.format(n=self.rng.randrange(10**8, 10**9)),
            "shipped_at": self.later(2, 20),
        }
        if items is not None:
            parcel["items"] = items
        self.history.setdefault("shipments", []).append(parcel)
        return parcel

    def ship_all(self) -> None:
        """Send every bag."""
        for bag in range(len(self.order["bags"])):
            self.ship(bag)

    def deliver_all(self) -> str:
        """Let every parcel arrive; tell when the last one did."""
        at = self.placed_at.isoformat()
        for parcel in self.history["shipments"]:
            at = parcel["delivered_at"] = self.later(12, 40)
        return at

    def note(self, kind: str, *, visibility: str = "internal") -> None:
        """Write something down."""
        body = self.rng.choice(_WORDS[kind])
        note = {"body": body, "visibility": visibility, "at": text(self._clock)}
        self.history.setdefault("notes", []).append(note)

    def hold(self, handle: str, reason_code: str, *blocks: str) -> None:
        """Hold the order for a reason."""
        held = {"handle": handle, "reason_code": reason_code, "blocks": list(blocks)}
        self.history.setdefault("holds", []).append({**held, "at": self.later(0, 2)})


def text(at: datetime) -> str:
    """Write a time as RFC 3339 in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Story(Struct, frozen=True, kw_only=True):
    """A story: how often in a thousand, how old in hours at least and at most, and how it goes.

    `units` is how many units its order has at least; `partial` wants a store that may capture
    in part.
    """

    name: str
    share: int
    hours: tuple[int, int]
    tell: Callable[[Telling], None]
    units: int = 1
    partial: bool = False


def _unpaid(t: Telling) -> None:
    if t.rng.randrange(4) == 0:
        t.note("thanks", visibility="customer")


def _authorised(t: Telling) -> None:
    t.hold_open()
    if t.rng.randrange(12) == 0:
        t.note("phone")


def _picking(t: Telling) -> None:
    t.hold_open()
    t.history["state"] = "picking"


def _awaiting_stock(t: Telling) -> None:
    t.hold_open()
    t.history["state"] = "awaiting-stock"
    t.note("stock")


def _captured(t: Telling) -> None:
    t.take()
    t.history["state"] = t.rng.choice(("processing", "packed", "awaiting-pickup"))


def _partly_captured(t: Telling) -> None:
    t.take(t.part())
    t.history["state"] = "processing"


def _rest_voided(t: Telling) -> None:
    captured = t.part()
    t.take(captured)
    t.history["voided"] = t.total - captured
    t.history["voided_at"] = t.later(1, 12)
    t.history["state"] = "processing"


def _partly_shipped(t: Telling) -> None:
    t.take()
    first = t.order["bags"][0]["items"]
    if len(t.order["bags"]) > 1:
        t.ship(0)
    elif len(first) > 1:
        t.ship(0, items=[{"line": 0, "quantity": first[0]["quantity"]}])
    else:
        t.ship(0, items=[{"line": 0, "quantity": 1}])
    t.history["state"] = "processing"


def _shipped(t: Telling) -> None:
    t.take()
    t.ship_all()
    t.history["state"] = "completed"


def _delivered(t: Telling) -> None:
    _shipped(t)
    t.deliver_all()
    if t.rng.randrange(15) == 0:
        t.note("thanks", visibility="customer")


def _partly_delivered(t: Telling) -> None:
    _shipped(t)
    t.history["shipments"][0]["delivered_at"] = t.later(12, 40)


def _refunded(t: Telling) -> None:
    t.pay(sandbox=95)
    t.history["captured"] = t.total
    t.history["captured_at"] = t.later(1, 20)
    t.ship_all()
    t.deliver_all()
    t.give_back(t.total, at=t.later(24, 150))
    t.history["state"] = "completed"


def _partly_refunded(t: Telling) -> None:
    _shipped(t)
    t.deliver_all()
    back = t.part()
    t.give_back(back, at=t.later(24, 150))
    if t.total - back > 1 and t.rng.randrange(4) == 0:
        t.give_back((t.total - back) // 2, at=t.later(2, 48))


def _canceled_voided(t: Telling) -> None:
    t.pay(sandbox=95)
    t.history["voided"] = t.total
    t.history["voided_at"] = t.history["canceled_at"] = t.later(1, 30)
    t.history["state"] = "canceled"


def _canceled_refunded(t: Telling) -> None:
    t.pay(sandbox=95)
    t.history["captured"] = t.total
    t.history["captured_at"] = t.later(1, 20)
    at = t.later(1, 30)
    t.give_back(t.total, at=at)
    t.history["canceled_at"] = at
    t.history["state"] = "canceled"


def _canceled_unpaid(t: Telling) -> None:
    t.history["canceled_at"] = t.later(20, 60)
    t.history["state"] = "canceled"


def _fraud(t: Telling) -> None:
    t.hold_open()
    t.history["state"] = "fraud"
    t.note("fraud")


def _fraud_review(t: Telling) -> None:
    t.order["fraud_review"] = True
    t.hold_open()


def _suspended(t: Telling) -> None:
    t.take()
    t.history["state"] = "suspended"
    t.note("phone")


def _on_hold(t: Telling) -> None:
    t.hold_open()
    if t.rng.randrange(2):
        t.hold("address", "INCORRECT_ADDRESS", "shipment")
    else:
        t.hold("stock", "INVENTORY_OUT_OF_STOCK", "capture", "shipment")


def _held_in_work(t: Telling) -> None:
    t.take()
    t.history["state"] = "processing"
    t.hold("address", "INCORRECT_ADDRESS", "shipment")


def _cancel_requested(t: Telling) -> None:
    t.hold_open()
    t.history["state"] = "cancel_requested"
    t.note("phone")


def _free(t: Telling) -> None:
    for bag in t.order["bags"]:
        bag["discount_total"] = sum(i["quantity"] * i["unit_price"] for i in bag["items"])
        bag["shipping_total"] = bag["tax_total"] = 0
    t.order["total"] = t.total = 0
    t.order["tags"] = [*t.order["tags"], "sample"]
    if t.rng.randrange(2):
        t.ship_all()
        t.history["state"] = "completed"


_DAY: Final = 24
STORIES: Final = (
    Story(name="unpaid", share=25, hours=(0, 6 * _DAY), tell=_unpaid),
    Story(name="authorised", share=120, hours=(0, 9 * _DAY), tell=_authorised),
    Story(name="picking", share=45, hours=(2, 7 * _DAY), tell=_picking),
    Story(name="awaiting stock", share=25, hours=(_DAY, 14 * _DAY), tell=_awaiting_stock),
    Story(name="captured", share=60, hours=(_DAY, 8 * _DAY), tell=_captured),
    Story(
        name="partly captured",
        share=25,
        hours=(_DAY, 14 * _DAY),
        tell=_partly_captured,
        partial=True,
    ),
    Story(
        name="rest voided", share=15, hours=(2 * _DAY, 30 * _DAY), tell=_rest_voided, partial=True
    ),
    Story(
        name="partly shipped", share=35, hours=(2 * _DAY, 12 * _DAY), tell=_partly_shipped, units=2
    ),
    Story(name="shipped", share=90, hours=(4 * _DAY, 13 * _DAY), tell=_shipped),
    Story(name="partly delivered", share=20, hours=(6 * _DAY, 14 * _DAY), tell=_partly_delivered),
    Story(name="delivered", share=300, hours=(9 * _DAY, 45 * _DAY), tell=_delivered),
    Story(name="refunded", share=40, hours=(16 * _DAY, 55 * _DAY), tell=_refunded),
    Story(name="partly refunded", share=40, hours=(18 * _DAY, 55 * _DAY), tell=_partly_refunded),
    Story(name="canceled, voided", share=45, hours=(2 * _DAY, 50 * _DAY), tell=_canceled_voided),
    Story(
        name="canceled, refunded", share=25, hours=(3 * _DAY, 50 * _DAY), tell=_canceled_refunded
    ),
    Story(name="canceled, unpaid", share=10, hours=(3 * _DAY, 40 * _DAY), tell=_canceled_unpaid),
    Story(name="fraud", share=15, hours=(6, 9 * _DAY), tell=_fraud),
    Story(name="fraud review", share=12, hours=(0, 3 * _DAY), tell=_fraud_review),
    Story(name="suspended", share=15, hours=(_DAY, 14 * _DAY), tell=_suspended),
    Story(name="on hold", share=20, hours=(3, 8 * _DAY), tell=_on_hold),
    Story(name="held in work", share=12, hours=(2 * _DAY, 9 * _DAY), tell=_held_in_work),
    Story(name="cancel requested", share=8, hours=(2, 3 * _DAY), tell=_cancel_requested),
    Story(name="free", share=10, hours=(4 * _DAY, 40 * _DAY), tell=_free),
)
