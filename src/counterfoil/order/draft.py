"""The draft: where an action collects its change, and where computed statuses are computed.

One function writes the four axes, the order's sums and the version, so they cannot disagree.
"""

from typing import Any

import msgspec

from counterfoil.kernel.ids import new_id
from counterfoil.order.actor import Actor
from counterfoil.order.amounts import summed
from counterfoil.order.bag import Bag
from counterfoil.order.change import Change, Lease
from counterfoil.order.config import BUILT_IN_STATES, OrderState
from counterfoil.order.fact import FACT_TYPES, Fact
from counterfoil.order.folder import SECTIONS, Folder
from counterfoil.order.item import Item
from counterfoil.order.order import OPEN_STATES, Order
from counterfoil.order.status import Units, financial_status, fulfillment_status
from counterfoil.order.tells import brief_order, told

_SECTION_OF = {noun: section for section, noun in SECTIONS.items()}
_MONEY = frozenset({"bags", "payments"})
_LESS = ("canceled_total", "worth_refunded")
_WORTH = ("total", "canceled_total", "reopened", "worth_refunded")


class Draft:
    """A folder being worked on. Put nouns in, add facts, and take the Change out."""

    def __init__(self, folder: Folder, actor: Actor, *, new: bool = False) -> None:
        self.before = folder
        self.actor = actor
        self.at = folder.at
        self.order = folder.order
        self.state = folder.state
        self.seen = 0 if new else folder.order.version
        self._now: dict[str, dict[str, Any]] = {}
        self._added: dict[str, dict[str, Any]] = {}
        self._facts: list[tuple[str, Any, str | None, dict[str, Any]]] = []
        self._touched: set[str] = set()
        self._goods: set[str] = set()
        self.lease: Lease | None = None
        self.calls: list[dict[str, Any]] = []

    def _by_id(self, name: str) -> dict[str, Any]:
        now = self._now.get(name)
        if now is None:
            now = self._now[name] = {noun.id: noun for noun in getattr(self.before, name)}
        return now

    def section(self, name: str) -> list[Any]:
        """List the nouns of an opened section as they are in the draft."""
        return list(self._by_id(name).values())

    def get(self, name: str, noun_id: str) -> Any:
        """Find one noun of an opened section as it is in the draft."""
        return self._by_id(name).get(noun_id)

    def put(self, noun: Any) -> None:
        """Replace a noun that is in the folder by its newer self."""
        section = _SECTION_OF[type(noun)]
        now = self._by_id(section)
        old = now.get(noun.id)
        assert old is not None, f"{section} {noun.id} is not in the folder"
        now[noun.id] = noun
        self._touched.add(section)
        if section == "items" and _counts(old) != _counts(noun):
            self._goods.add(noun.bag_id)
        elif section == "bags" and old.live != noun.live:
            self._goods.add(noun.id)

    def add(self, noun: Any) -> None:
        """Add a new noun; its section need not be opened."""
        section = _SECTION_OF[type(noun)]
        self._added.setdefault(section, {})[noun.id] = noun
        if self.before.opened(section):
            self._by_id(section)[noun.id] = noun
        self._touched.add(section)
        if section == "items":
            self._goods.add(noun.bag_id)

    def set_order(self, **fields: Any) -> None:
        """Set fields of the order itself."""
        self.order = msgspec.structs.replace(self.order, **fields)

    def fact(
        self, kind: str, about: Any = None, *, merchant: str | None = None, **more: Any
    ) -> None:
        """Record what happened; `about` is told in its API shape, as it is at the end."""
        assert kind in FACT_TYPES, kind
        self._facts.append((kind, about, merchant, more))

    @property
    def due(self) -> int:
        """What no payment covers yet, as the bags are now; the order is summed up at the end."""
        return self._summed_up().due

    @property
    def owed(self) -> int:
        """What may still be taken, as the bags are now."""
        return self._summed_up().owed

    def _summed_up(self) -> Order:
        """Make the order that its bags add up to now; put together at the end it is the same."""
        bags = self.section("bags")
        worth = {name: sum([getattr(bag, name) for bag in bags]) for name in _WORTH}
        return msgspec.structs.replace(self.order, **worth, **summed(bags))

    @property
    def next_sequence(self) -> int:
        """The sequence that the next fact will have."""
        return self.order.version + len(self._facts) + 1

    def go_to(self, state: OrderState, **more: Any) -> None:
        """Change the workflow state, with its fact. The machine was asked by the caller."""
        if state.code == self.order.state:
            return
        before = self.order.state
        self.set_order(state=state.code, system_state=state.system_state)
        self.state = state
        self.fact("order.state_changed", None, **{"from": before, "to": state.code, **more})

    def go_to_built_in(self, code: str, **more: Any) -> None:
        """Change to one of the seven states that every store has."""
        self.go_to(built_in(code, self.before.store.code), **more)

    def change(self, result: Any = None, *, retell: bool = False) -> Change:
        """Finish: compute what is computed, number the facts, list what has to be written.

        `retell` makes the order's search terms anew, for actions that changed what it is found by.
        """
        self._roll_up()
        assert self._facts, "every change has at least one fact"
        order = msgspec.structs.replace(
            self.order,
            is_open=self.order.system_state in OPEN_STATES,
            version=self.order.version + len(self._facts),
            updated_at=self.at,
        )
        sections = {name: tuple(now.values()) for name, now in self._now.items()}
        after = msgspec.structs.replace(self.before, order=order, state=self.state, **sections)
        return Change(
            seen=self.seen,
            before=self.before,
            after=after,
            inserts=self._latest_added(),
            facts=self._number_facts(after),
            retell=retell,
            result=self._latest(result),
            lease=self.lease,
            calls=self.calls,
        )

    def _latest(self, noun: Any) -> Any:
        section = _SECTION_OF.get(type(noun))
        if section is None:
            return noun
        found = self._now.get(section, {}).get(noun.id)
        return found or self._added.get(section, {}).get(noun.id, noun)

    def _latest_added(self) -> dict[str, list[Any]]:
        found = {}
        for section, rows in self._added.items():
            now = self._now.get(section, rows)
            found[section] = [now.get(key, noun) for key, noun in rows.items()]
        return found

    def _number_facts(self, after: Folder) -> list[Fact]:
        facts = []
        brief, actor = brief_order(after.order, after.state), self.actor.told()
        for offset, (kind, about, merchant, more) in enumerate(self._facts, start=1):
            sequence = self.order.version + offset
            data = {**more, **(told(self._latest(about)) if about is not None else {})}
            data["order"] = {**brief, "version": sequence}
            facts.append(
                Fact(
                    id=new_id(),
                    order_id=after.order.id,
                    order_number=after.order.number,
                    sequence=sequence,
                    type=kind,
                    merchant=merchant,
                    data=data,
                    actor=actor,
                    at=self.at,
                )
            )
        return facts

    def _roll_up(self) -> None:
        if not _MONEY.isdisjoint(self._touched):
            self._roll_up_money()
        if self._goods:
            self._roll_up_goods()

    def _roll_up_money(self) -> None:
        asked = any(payment.status == "CREATED" for payment in self.section("payments"))
        for bag in self.section("bags"):
            status = financial_status(bag, total=bag.total, asked=asked)
            if status != bag.financial_status:
                self.put(msgspec.structs.replace(bag, financial_status=status))
        bags = self.section("bags")
        sums = summed(bags)
        assert sums == summed(self.section("payments")), "bags and payments disagree"
        less = {name: sum([getattr(bag, name) for bag in bags]) for name in _LESS}
        self.set_order(**less, **sums)
        self.set_order(
            financial_status=financial_status(self.order, total=self.order.total, asked=asked)
        )

    def _roll_up_goods(self) -> None:
        items = self.section("items")
        bags: list[Bag] = self.section("bags")
        for place, bag in enumerate(bags):
            if bag.id in self._goods:
                inside = [item for item in items if item.bag_id == bag.id]
                bags[place] = self._rolled_up_bag(bag, inside)
        alive = {bag.id for bag in bags if bag.live}
        if 0 < len(alive) < len(bags):
            items = [item for item in items if item.bag_id in alive]
        units = Units.of(items)
        self.set_order(
            fulfillment_status=fulfillment_status(units),
            unit_count=units.live - units.digital,
            shipped_count=units.shipped - units.digital,
        )

    def _rolled_up_bag(self, bag: Bag, items: list[Item]) -> Bag:
        units = Units.of(items)
        status = fulfillment_status(units)
        new = bag
        if status != bag.fulfillment_status:
            new = msgspec.structs.replace(bag, fulfillment_status=status)
        left = any(item.quantity_shipped for item in items)
        if units.all_shipped and left and bag.status in ("ACCEPTED", "BACKORDERED"):
            new = msgspec.structs.replace(new, status="COMPLETED")
            self.fact("bag.status_changed", new, merchant=bag.merchant)
        if new is not bag:
            self.put(new)
        return new


def _counts(item: Item) -> tuple[int, ...]:
    """What a roll-up of goods depends on and an action may change."""
    return (
        item.quantity_canceled,
        item.quantity_shipped,
        item.quantity_delivered,
        item.quantity_failed,
        item.quantity_returned,
    )


def built_in(code: str, store: str) -> OrderState:
    """Make one of the seven built-in states; their names and meaning never change."""
    found = next(state for state in BUILT_IN_STATES if state.code == code)
    return OrderState(
        id="",
        store=store,
        code=found.code,
        name=found.name,
        system_state=found.system_state,
        colour=found.colour,
        description=found.description,
        built_in=True,
    )
