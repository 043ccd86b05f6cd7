"""The cancel form: the whole order, a bag or some items, and what that would come to.

The rehearsal is the action's own check on the order as it was read; nothing is written. Fields are
text as typed; `units-<item>` are the units of a line. [U-31 to U-33; design guide 3.6]
"""

import msgspec

from counterfoil.actions.cancel import WantedCancel, cancelable, partly_cancelable
from counterfoil.actions.refund import REASON_CODES
from counterfoil.kernel.problem import Problem
from counterfoil.order.actor import Actor
from counterfoil.order.allowed import STOPPABLE, may_cancel_bag
from counterfoil.order.bag import Bag
from counterfoil.order.canceling import Part
from counterfoil.order.canceling_again import unfinished
from counterfoil.order.cancellation import CanceledLine, Cancellation
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.item import Item
from counterfoil.order.telling import visible_bags
from counterfoil.portal.figures import money
from counterfoil.portal.reading import SENTENCES

ORDER, BAG, ITEMS, AGAIN = "order", "bag", "items", "again"
UNITS = "units-"
NOTHING_CHOSEN = "Say how many units of which items are cancelled."
_UNITS_MAX = 10**6


class Scopes(msgspec.Struct, frozen=True, kw_only=True):
    """What of an order can be cancelled now: all of it or why not, these bags, these lines.

    `again` are the parts whose money did not all go back: that can be tried again.
    """

    whole_why: str
    bags: tuple[Bag, ...]
    lines: tuple[Item, ...]
    again: tuple[Cancellation, ...] = ()

    @property
    def first(self) -> str:
        """The scope that the form begins with; empty where nothing can be cancelled."""
        if not self.whole_why:
            return ORDER
        if self.bags and len(self.bags) * len(self.lines) == 1:
            return BAG
        if self.lines or self.bags:
            return ITEMS if self.lines else BAG
        return AGAIN if self.again else ""

    @property
    def offered(self) -> tuple[str, ...]:
        """The scopes there are to choose from: one bag only where there are several."""
        several = len({item.bag_id for item in self.lines}) > 1 or len(self.lines) > 1
        units = sum(item.waiting for item in self.lines)
        found = [] if self.whole_why else [ORDER]
        found += [BAG] if self.bags and (several or self.whole_why) else []
        found += [ITEMS] if self.lines and (units > 1 or self.whole_why) else []
        found += [AGAIN] if self.again else []
        return tuple(found)


class Rehearsal(msgspec.Struct, kw_only=True):
    """What a cancellation would be, or why it cannot be; errors are by field, "" has none.

    `released`, `refunded`: what goes back of what is held and of what was taken; `kept` stays held
    because it cannot be released in part; `unknown` is waited for. Minor units.
    """

    scope: str
    wanted: WantedCancel
    part: Part | None = None
    ends_order: bool = False
    released: int = 0
    refunded: int = 0
    kept: int = 0
    unknown: int = 0
    units: dict[str, int] = {}
    empty: bool = False
    errors: dict[str, str] = {}

    @property
    def minor(self) -> int:
        """The amount that the button names."""
        return self.released + self.refunded

    @property
    def refused(self) -> str:
        """Why it cannot be, in one sentence."""
        return next(iter(self.errors.values()), "")

    @property
    def how(self) -> str:
        """The way the money goes, which the form was read about."""
        return f"{self.released},{self.refunded},{self.kept}"


def scopes_of(folder: Folder, actor: Actor) -> Scopes:
    """Find out what can be cancelled now. A merchant's own bags and lines alone are."""
    asked = Asked(actor=actor, source="portal")
    why = ""
    try:
        actor.require_whole_order()
        cancelable(folder, asked)
    except Problem as problem:
        why = SENTENCES.get(problem.code, problem.detail)
    parts = folder.order.system_state in STOPPABLE and folder.running_cancellation is None
    bags = visible_bags(folder, actor) if parts else []
    able = [bag for bag in bags if may_cancel_bag(folder.order, bag, folder.items, actor)]
    live = {bag.id for bag in bags if bag.live}
    return Scopes(
        whole_why=why,
        bags=tuple(able),
        lines=tuple(
            item
            for item in folder.items
            if item.bag_id in live and item.deliverable and item.waiting > 0
        ),
        again=tuple(unfinished(folder, actor)) if folder.running_cancellation is None else (),
    )


def rehearse(folder: Folder, actor: Actor, values: dict[str, str]) -> Rehearsal:
    """Find out what a form would do now."""
    scopes = scopes_of(folder, actor)
    scope = values.get("scope", "")
    scope = scope if scope in scopes.offered else scopes.first
    errors: dict[str, str] = {}
    wanted = _wanted(folder, scopes, scope, values, errors)
    told = Rehearsal(scope=scope, wanted=wanted, errors=errors)
    if errors:
        return told
    if scope == ITEMS and not wanted.lines:
        told.empty, told.errors = True, {"": NOTHING_CHOSEN}
        return told
    asked = Asked(actor=actor, source="portal")
    try:
        if not wanted.whole:
            told.part = partly_cancelable(folder, asked, wanted)
        if told.part is None or told.part.ends_order:
            cancelable(folder, asked)
    except Problem as problem:
        told.errors = {"": _in_words(problem, folder)}
        return told
    _measure(folder, told)
    return told


def rehearse_whole(folder: Folder) -> Rehearsal:
    """Find out what cancelling all of it does, where that was found possible."""
    told = Rehearsal(scope=ORDER, wanted=WantedCancel())
    _measure(folder, told)
    return told


def _measure(folder: Folder, told: Rehearsal) -> None:
    order, part = folder.order, told.part
    told.ends_order = part is None or part.ends_order
    if part is None or part.ends_order:
        told.released, told.refunded = order.open, order.refundable
        told.unknown = order.outstanding - order.open
        told.units = {
            item.id: item.waiting for item in folder.items if item.deliverable and item.waiting > 0
        }
        return
    told.released, told.kept = part.reversed_amount, part.kept_amount
    told.refunded = part.refunded_amount
    told.units = {item: count for inside in part.units.values() for item, count in inside.items()}


def _wanted(
    folder: Folder, scopes: Scopes, scope: str, values: dict[str, str], errors: dict[str, str]
) -> WantedCancel:
    """Read the fields; what cannot be read is an error of its field."""
    wanted = WantedCancel(
        reason=values.get("reason") or None,
        reason_code=values.get("reason_code") or "OTHER",
        notify_customer=values.get("notify") == "yes",
        restock_items=bool(values.get("restock_items")),
    )
    if wanted.reason_code not in REASON_CODES:
        errors["reason_code"] = "Choose one of the reasons."
    if scope == BAG:
        ids = [bag.id for bag in scopes.bags]
        chosen = values.get("bag") or (ids[0] if len(ids) == 1 else "")
        if chosen not in ids:
            errors["bag"] = "Choose the bag."
            return wanted
        return msgspec.structs.replace(wanted, bag_id=chosen)
    if scope == ITEMS:
        return msgspec.structs.replace(wanted, lines=_lines(scopes, values, errors))
    if scope == AGAIN:
        ids = [plan.id for plan in scopes.again]
        chosen = values.get("again") or (ids[0] if len(ids) == 1 else "")
        if chosen not in ids:
            errors["again"] = "Choose what is tried again."
            return wanted
        return msgspec.structs.replace(wanted, again=chosen)
    return wanted


def _lines(
    scopes: Scopes, values: dict[str, str], errors: dict[str, str]
) -> tuple[CanceledLine, ...]:
    found = []
    for item in scopes.lines:
        text = values.get(UNITS + item.id, "")
        if not text:
            continue
        if not (text.isascii() and text.isdecimal()) or int(text[:12]) > _UNITS_MAX:
            errors[UNITS + item.id] = f"{item.sku or item.name}: write a whole number of units."
        elif int(text) > item.waiting:
            units = "1 unit has" if item.waiting == 1 else f"{item.waiting} units have"
            errors[UNITS + item.id] = f"Only {units} not left yet."
        elif int(text):
            found.append(CanceledLine(item.id, int(text)))
    return tuple(found)


def _in_words(problem: Problem, folder: Folder) -> str:
    """Say why it cannot be, with amounts as people read them. Raises what is none of a form."""
    if problem.code == "approval_required":
        currency = folder.order.currency
        amount, limit = (money(int(problem.facts[name]), currency) for name in ("amount", "limit"))
        return (
            f"Cancelling gives back {amount}, and you may refund up to {limit} alone. Ask for the"
            " refund, or let somebody with a higher limit cancel."
        )
    if problem.status not in (409, 422):
        raise problem
    return SENTENCES.get(problem.code, problem.detail)
