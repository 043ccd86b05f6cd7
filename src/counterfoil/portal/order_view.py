"""What the order page shows beside the order itself: sentences, sums, menus and forms."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from counterfoil.book.balances import EntryShape
from counterfoil.order.config import OrderState
from counterfoil.order.shapes import (
    BagShape,
    HoldShape,
    NoteShape,
    OrderShape,
    PaymentShape,
    TransactionShape,
)
from counterfoil.portal import reasons, story, words
from counterfoil.portal.cancel_door import door_of
from counterfoil.portal.forms import Form
from counterfoil.portal.goods_view import BagView, Beside, bag_view
from counterfoil.portal.holding import HeldView, held_view
from counterfoil.portal.order_sums import Ledger, Person, Place, ledger_of, person_of, place_of
from counterfoil.portal.paying import Judged, PaymentView, payment_views
from counterfoil.portal.refund_view import RefundView, refunds_of
from counterfoil.portal.return_view import Entry, entries_of, returns_of, units_to_return
from counterfoil.portal.reviewing import ReviewView, review_view
from counterfoil.portal.state_words import hue_of
from counterfoil.portal.undoing import ORDER, Changed


class Crumb(NamedTuple):
    """The list that the reader came from."""

    label: str = "Open orders"
    href: str = "/portal/orders/open"


class StateChoice(NamedTuple):
    """A state in the menu: where it leads, or why it is closed now."""

    code: str
    word: words.Word
    current: bool = False
    why: str = ""
    href: str = ""
    hue: str = ""
    about: str = ""


class StateGroup(NamedTuple):
    """The states that count as one system state, together in the menu."""

    label: str
    choices: tuple[StateChoice, ...]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the page was told beside the order: read by the handler in the same round trip."""

    transactions: Sequence[TransactionShape] = ()
    timeline: Sequence[story.Told] = ()
    states: Sequence[tuple[OrderState, str]] = ()
    gateways: dict[str, str] = {}
    methods: dict[str, str] = {}
    changes: dict[str, Changed] = {}
    calls: dict[str, list[Any]] = {}
    refund_doors: dict[str, str] = {}
    gate: str = ""
    asked_to_cancel: str = ""
    unreturned: int = 0
    judged: dict[str, Judged] = {}
    entries: Sequence[EntryShape] = ()
    payable: bool = False
    money_why: str = ""
    hold_why: str = ""
    review_why: str = ""
    edit_why: str = ""
    whole: bool = True
    actor_id: str = ""
    now: datetime | None = None
    older_facts: str = ""


class OrderView(msgspec.Struct, kw_only=True):
    """The order page's own words. Forms may be replaced by ones that were refused."""

    order: OrderShape
    known: Known
    crumb: Crumb = Crumb()
    previous: str = ""
    next: str = ""
    tab: str = "status"
    said: str = ""
    goods_said: str = ""
    lines_page: int = 1
    land: str = ""
    pulse: str = "12s"
    plain_form: Form = msgspec.field(default_factory=Form)
    hold_form: Form = msgspec.field(default_factory=Form)
    sync_form: Form = msgspec.field(default_factory=Form)
    note_form: Form = msgspec.field(default_factory=Form)
    tracking_form: Form = msgspec.field(default_factory=Form)
    undo_form: Form = msgspec.field(default_factory=Form)
    state_form: Form = msgspec.field(default_factory=Form)
    invoice_form: Form = msgspec.field(default_factory=Form)

    @property
    def reasons(self) -> list[reasons.Reason]:
        """Why a person should look, most urgent first, each with its door."""
        asked = self.known.asked_to_cancel
        told = reasons.of_order(self.order, self.known.transactions, self.gateway, asked)
        return reasons.unreturned(self.order, self.known.unreturned) + told

    @property
    def cancel_door(self) -> str:
        """What the button at the top right cancels; empty where nothing can be. [U-31]"""
        return door_of(self.order)

    @property
    def refunds(self) -> list[RefundView]:
        """Every refund, newest first, with its doors."""
        return refunds_of(self.order, self.known.refund_doors, self.gateway)

    @property
    def given_back(self) -> list[Entry]:
        """Refunds and returns, newest first. [V-6…V-16]"""
        return entries_of(self.refunds, returns_of(self.order))

    @property
    def returnable(self) -> dict[str, int]:
        """How many units of each bag may still come back."""
        return {bag.id: sum(units_to_return(self.order, bag).values()) for bag in self.order.bags}

    @property
    def stopped(self) -> bool:
        """Whether a hold keeps anything back; those of an order that has ended are moot."""
        return not {"in_review", "on_hold"}.isdisjoint(self.order.attention)

    @property
    def held(self) -> list[HeldView]:
        """Open holds in words; that of an undecided review is told with the review."""
        now = self.known.now or self.order.updated_at
        told = [held_view(hold, now) for hold in self.order.holds]
        waits = self.review is not None and self.review.review.resolved_at is None
        return [one for one in told if not (one.of_review and waits)]

    @property
    def review(self) -> ReviewView | None:
        """The fraud review, if there was one."""
        return review_view(self.order, self.known.actor_id)

    @property
    def gate(self) -> str:
        """The sentence that says why shipping is locked; empty while it is open. [U-16]"""
        return self.known.gate

    @property
    def transactions(self) -> Sequence[TransactionShape]:
        """Every movement, newest first."""
        return self.known.transactions

    @property
    def timeline(self) -> Sequence[story.Told]:
        """Facts in words, newest first."""
        return self.known.timeline

    @property
    def older_facts(self) -> str:
        """Where the rest of the timeline is, if it is longer."""
        return self.known.older_facts

    @property
    def calls(self) -> dict[str, list[Any]]:
        """What was asked and answered, without secrets, by transaction."""
        return self.known.calls

    @property
    def payments(self) -> list[PaymentView]:
        """Every payment, with its numbers and its doors. [U-26]"""
        return payment_views(self.order, self.known.judged, self.gateway)

    @property
    def to_capture(self) -> list[PaymentShape]:
        """The payments that money can be captured of now, the first one proposed. [U-28]"""
        judged = self.known.judged
        return [
            one
            for one in self.order.payments
            if one.amounts.open and not (one.id in judged and judged[one.id].capture_why)
        ]

    @property
    def capture_value(self) -> int:
        """What is proposed to be captured: all that is open of the first payment, and owed."""
        offered = [
            action.max_amount or 0
            for one in self.to_capture[:1]
            for action in one.allowed_actions
            if action.action == "capture"
        ]
        return sum(offered)

    @property
    def full_only(self) -> str:
        """Why only all of it can be captured; empty where a part can be. [Z-18, Z-19]"""
        judged = [self.known.judged.get(one.id, Judged()) for one in self.to_capture]
        return next((one.full_only for one in judged), "")

    @property
    def can_sync(self) -> bool:
        """Whether there is a provider to ask; money that was entered by hand has none. [U-27]"""
        judged = self.known.judged
        return any(not judged.get(one.id, Judged()).instant for one in self.order.payments)

    @property
    def money_why(self) -> str:
        """Why no money can move now, where somebody might expect it."""
        return self.known.money_why

    @property
    def source(self) -> str:
        """Where it was paid or came from: the gateway, else the channel."""
        used = [self.gateway(payment.gateway) for payment in self.order.payments]
        return ", ".join(dict.fromkeys(used)) or self.order.channel

    @property
    def shipped(self) -> str:
        """How many of the live units have left, while that is neither none nor all."""
        goods = [i for bag in self.order.bags for i in bag.items if i.type == "sku"]
        live = sum(item.quantity - item.quantity_canceled for item in goods)
        gone = sum(item.quantity_shipped for item in goods)
        return f"{gone}/{live}" if 0 < gone < live else ""

    @property
    def states(self) -> list[StateGroup]:
        """Every state of the store, by what it counts as, with its door. [U-3, U-11]

        Cancelling is an operation, not a label.
        """
        groups: dict[str, list[StateChoice]] = {}
        for state, why in self.known.states:
            groups.setdefault(state.system_state, []).append(self._choice(state, why))
        return [
            StateGroup(words.look("status", system).label, tuple(choices))
            for system, choices in groups.items()
        ]

    def _choice(self, state: OrderState, why: str) -> StateChoice:
        current = state.code == self.order.state.code
        leads = state.system_state == "CANCELED" and not current
        can = any(one.action == "cancel" for one in self.order.allowed_actions)
        return StateChoice(
            state.code,
            words.look("status", state.system_state)._replace(label=state.name),
            current,
            "" if current else why,
            f"/portal/orders/{self.order.id}/cancel" if leads and can else "",
            hue_of(state.colour).style,
            "" if state.built_in else state.description,
        )

    @property
    def changed(self) -> Changed | None:
        """Who put the order in its state, while that can be undone. [U-3]"""
        last = self.known.changes.get(ORDER)
        if last is None or last.now != self.order.state.code:
            return None
        open_ = {state.code for state, why in self.known.states if not why}
        return last if last.before in open_ else None

    @property
    def ledger(self) -> Ledger:
        """The order's sums, in words and as a bar."""
        return ledger_of(self.order.amounts)

    @property
    def customer(self) -> Person:
        """Who bought it."""
        return person_of(self.order.customer)

    @property
    def ship_to(self) -> Place | None:
        """Where the goods go."""
        return place_of(self.order.shipping_address)

    @property
    def bill_to(self) -> Place | None:
        """Who is billed."""
        return place_of(self.order.billing_address)

    @property
    def details(self) -> list[tuple[str, str, bool]]:
        """Identifiers and references; True marks what is code to be copied."""
        order = self.order
        found = [
            ("Order id", order.id, True),
            ("Store", order.store, False),
            ("Channel", order.channel, False),
            ("External id", order.external_id, True),
            ("Merchant reference", order.merchant_reference, True),
            ("Shipping method", order.shipping_method, False),
            *(
                ("Payment reference", p.provider_reference or p.reference, True)
                for p in order.payments
            ),
        ]
        return [(label, value, code) for label, value, code in found if value]

    def gateway(self, code: str) -> str:
        """Name a gateway as people know it."""
        return self.known.gateways.get(code) or code.replace("_", " ").capitalize()

    def goods(self, bag: BagShape) -> BagView:
        """A bag's lines and shipments in words, with their doors. [U-14]"""
        locked = bool(self.known.gate)
        beside = Beside(
            self.known.methods, units_to_return(self.order, bag), self.known.changes
        )
        return bag_view(bag, beside, locked=locked, page=self.lines_page)

    def totals(self, bag: BagShape) -> list[tuple[str, int]]:
        """A bag's totals, the last being the one that counts."""
        parts = [
            ("Sub-total", bag.sub_total),
            ("Shipping", bag.shipping_total),
            ("Tax", bag.tax_total),
            ("Duty", bag.duty_total),
            ("Discount", -bag.discount_total),
        ]
        told = [(label, minor) for label, minor in parts if minor]
        if bag.canceled_total:
            told += [("Ordered", bag.total)] if len(told) > 1 else []
            told.append(("Cancelled", -bag.canceled_total))
        return [*told, ("Total", bag.total - bag.canceled_total)]

    def who(self, one: TransactionShape) -> str:
        """Who asked for a movement."""
        return story.who(one.actor, one.source)

    def author(self, note: NoteShape) -> str:
        """Who wrote a note."""
        return story.who(note.author)

    def placer(self, hold: HoldShape) -> str:
        """Who placed a hold."""
        return story.who(hold.placed_by)
