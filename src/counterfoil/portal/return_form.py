"""The forms of a return: what comes back and what for; what came in; and what that would come to.

The rehearsal is the action itself on the order as it was read; nothing is written. Fields are text
as typed: `units-<item>`, `why-<item>` and `state-<item>` of a line, `swap-<what>-<item or new>` of
what is sent instead, `off-<item>` for units written off. [V-6…V-11; design guide 3.9]
"""

from collections.abc import Callable, Mapping

import msgspec

from counterfoil.actions.receive_return import receive_return
from counterfoil.actions.return_goods import return_goods, returnable
from counterfoil.kernel.problem import Problem
from counterfoil.order.actor import Actor
from counterfoil.order.change import Change
from counterfoil.order.folder import Folder
from counterfoil.order.goods_return import (
    CONDITIONS,
    RESOLUTIONS,
    RETURN_REASONS,
    ReceivedLine,
    Replacement,
    Return,
    ReturnRefund,
    WantedReturn,
    WantedReturnLine,
)
from counterfoil.order.intent import Asked
from counterfoil.order.item import Item
from counterfoil.order.order import Order
from counterfoil.order.refund import PAYMENT_ORDERS, Refund
from counterfoil.order.return_worth import ReturnWorth, reckon_credit, reckon_refund
from counterfoil.portal.figures import Unreadable, money, plain, read_money
from counterfoil.portal.reading import SENTENCES
from counterfoil.portal.refund_form import PAYMENT

UNITS, WHY, STATE, OFF = "units-", "why-", "state-", "off-"
SWAPS = ("sku", "name", "quantity", "price")
NEW = "new"
TEXTS = (
    "bag", "shipment", "resolution", "arrived", "reason_code", "fee", "shipping", "restock_items",
    "notify_customer", "override_window", "note", "reference", "through",
)  # fmt: skip
NO_UNITS = "Say how many units come back."
NO_RESOLUTION = "Choose what the shopper gets."
NOTHING_CAME = "Say how many units came in."
_UNITS_MAX = 10**6


class Rehearsed(msgspec.Struct, kw_only=True):
    """What a form of a return would do, or why it cannot be. Amounts are minor units.

    `back` is the return as it would be, `came` whether goods come in with it, `receipt` whether it
    was announced before, `found` what they are worth, `promise` the refund, `linked` the order of
    the exchange. `empty`: nothing is chosen yet. `errors` are by field; one under "" has no field.
    """

    came: bool = False
    receipt: bool = False
    empty: bool = False
    errors: dict[str, str] = {}
    back: Return | None = None
    found: ReturnWorth | None = None
    promise: Refund | None = None
    linked: Order | None = None

    @property
    def minor(self) -> int:
        """The money that goes back now, as the button names it."""
        return self.promise.amount if self.promise is not None and self.came else 0

    @property
    def refused(self) -> str:
        """Why it cannot be, in one sentence."""
        return next(iter(self.errors.values()), "")

    @property
    def waits(self) -> bool:
        """Whether a second person would have to approve the refund."""
        return self.promise is not None and self.promise.waits_for_approval

    @property
    def how(self) -> str:
        """Which way the money goes and what it leads to, so that what was shown is what is done."""
        if self.back is None or not self.came:
            return ""
        plan = self.promise.plan if self.promise is not None else []
        parts = [f"{part.payment_id}={part.amount}" for part in plan]
        due = [f"due={self.linked.due}"] if self.linked is not None else []
        return ",".join([*parts, *(["waits"] if self.waits else []), *due])


def rehearse_return(
    folder: Folder, actor: Actor, bag_id: str, values: Mapping[str, str]
) -> Rehearsed:
    """Find out what announcing a return, or taking it in at once, would do now."""
    errors: dict[str, str] = {}
    wanted = wanted_return(folder, bag_id, values, errors)
    told = Rehearsed(came=wanted.received, errors=errors)
    if errors:
        return told
    if not wanted.lines or not values.get("resolution"):
        told.empty = True
        told.errors = {"": NO_RESOLUTION if wanted.lines else NO_UNITS}
        return told
    asked = Asked(actor=actor, source="portal")
    folder = _with_reference(folder, wanted.refund.reference)

    def announce(*, received: bool) -> Change:
        now = msgspec.structs.replace(wanted, received=received)
        return return_goods(folder, asked=asked, bag_id=bag_id, wanted=now)

    def run() -> None:
        units = {line.item_id: line.quantity for line in wanted.lines}
        told.found = _worth(folder, announce(received=False).result, units)
        _take(told, announce(received=True))

    _judged(told, run, folder.order.currency)
    _check_payment(folder, told, wanted.refund.payment_id)
    return told


def _with_reference(folder: Folder, reference: str | None) -> Folder:
    """Tell the rehearsal which refund or return of the order has the reference already."""
    if reference is None:
        return folder
    first = next((one for one in folder.refunds if one.reference == reference), None)
    kept = next((one.id for one in folder.returns if one.refund_reference == reference), None)
    return msgspec.structs.replace(folder, same_reference=first, reserved_by=kept)


def _check_payment(folder: Folder, told: Rehearsed, payment_id: str | None) -> None:
    """Refuse a payment that was chosen and cannot give back all of it: another one would."""
    if payment_id is None or told.promise is None or not told.came:
        return
    if any(part.payment_id != payment_id for part in told.promise.plan):
        one = next(payment for payment in folder.payments if payment.id == payment_id)
        asked, most = (money(n, one.currency) for n in (told.minor, one.refundable))
        told.errors = {"through": f"{asked} is more than the {most} that this payment can give."}
        told.back = told.promise = None


def rehearse_receipt(
    folder: Folder, actor: Actor, back: Return, values: Mapping[str, str]
) -> Rehearsed:
    """Find out what taking goods in would do now."""
    errors: dict[str, str] = {}
    lines = received(folder, back, values, errors)
    told = Rehearsed(came=True, receipt=True, errors=errors)
    if errors:
        return told
    if not lines:
        told.empty, told.errors = True, {"": NOTHING_CAME}
        return told
    asked = Asked(actor=actor, source="portal")

    def run() -> None:
        units = {line.item_id: line.quantity for line in lines}
        told.found = _worth(folder, back, units)
        _take(told, receive_return(folder, asked=asked, return_id=back.id, lines=lines))

    return _judged(told, run, folder.order.currency)


def wanted_return(
    folder: Folder, bag_id: str, values: Mapping[str, str], errors: dict[str, str]
) -> WantedReturn:
    """Read the form; what cannot be read is an error of its field."""
    currency, resolution = folder.order.currency, values.get("resolution", "")
    here = values.get("arrived") != "no"
    reason = values.get("reason_code") or "OTHER"
    if reason not in RETURN_REASONS:
        errors["reason_code"] = "Choose one of the reasons."
    if resolution and resolution not in RESOLUTIONS:
        errors["resolution"] = NO_RESOLUTION
    fee, refund = 0, ReturnRefund()
    if resolution != "NONE" and values.get("fee"):
        fee = _money(values["fee"], currency, "fee", errors)
    if resolution == "REFUND":
        refund = _wanted_refund(values, currency, errors)
    exchange = resolution == "EXCHANGE"
    return WantedReturn(
        lines=_lines(folder, bag_id, values, errors, here=here),
        resolution=resolution,
        reason_code=reason,
        note=values.get("note") or None,
        restock_items=bool(values.get("restock_items")),
        notify_customer=bool(values.get("notify_customer")),
        received=here,
        fee=fee,
        shipment_id=values.get("shipment") or None,
        override_window=bool(values.get("override_window")),
        replacement=replacements(folder, bag_id, values, errors) if exchange else (),
        refund=refund,
    )


def _wanted_refund(
    values: Mapping[str, str], currency: str, errors: dict[str, str]
) -> ReturnRefund:
    """Read how the money goes back: shipping, reference, and through which payment."""
    through, shipping = values.get("through", ""), 0
    if values.get("shipping"):
        shipping = _money(values["shipping"], currency, "shipping", errors)
    return ReturnRefund(
        reference=values.get("reference") or None,
        shipping_amount=shipping or None,
        payment_id=through.removeprefix(PAYMENT) if through.startswith(PAYMENT) else None,
        payment_order=through if through in PAYMENT_ORDERS else None,
    )


def chosen(folder: Folder, bag_id: str, values: Mapping[str, str]) -> dict[str, int]:
    """Tell which lines come back with how many units, as far as that can be read."""
    found = {}
    for item in folder.items:
        text = values.get(UNITS + item.id, "")
        if item.bag_id == bag_id and _is_units(text) and int(text):
            found[item.id] = int(text)
    return found


def proposed_swaps(
    folder: Folder, bag_id: str, values: Mapping[str, str], before: Mapping[str, int]
) -> dict[str, str]:
    """Fill in what is sent instead: the same again, as many as come back.

    `before` are the units for which it was filled in last; what was typed since is kept.
    """
    currency, items = folder.order.currency, {item.id: item for item in folder.items}
    filled = {}
    for key, units in chosen(folder, bag_id, values).items():
        item = items[key]
        usual = {"sku": item.sku or "", "name": item.name, "quantity": str(units),
                 "price": plain(item.unit_price, currency)}  # fmt: skip
        kept = values.get(f"swap-quantity-{key}")
        if kept is not None and kept != str(before.get(key, "")):
            usual["quantity"] = kept
        for what, text in usual.items():
            name = f"swap-{what}-{key}"
            filled[name] = text if what == "quantity" else values.get(name, text)
    return filled


def replacements(
    folder: Folder, bag_id: str, values: Mapping[str, str], errors: dict[str, str]
) -> list[Replacement]:
    """Read what is sent instead: a row for each line that comes back, and one for something new."""
    found = []
    for key in (*chosen(folder, bag_id, values), NEW):
        typed = {what: values.get(f"swap-{what}-{key}", "") for what in SWAPS}
        if typed["quantity"] in ("", "0"):
            continue
        row: dict[str, str] = {}
        if not _is_units(typed["quantity"]):
            row["quantity"] = "Write a whole number of units."
        if not typed["name"]:
            row["name"] = "Say what is sent instead."
        price = 0
        try:
            price = read_money(typed["price"], folder.order.currency)
        except Unreadable as wrong:
            row["price"] = f"Price of what is sent instead: {wrong}"
        errors |= {f"swap-{what}-{key}": sentence for what, sentence in row.items()}
        if not row:
            found.append(
                Replacement(
                    sku=typed["sku"] or None,
                    name=typed["name"],
                    quantity=int(typed["quantity"]),
                    unit_price=price,
                )
            )
    return found


def received(
    folder: Folder, back: Return, values: Mapping[str, str], errors: dict[str, str]
) -> list[ReceivedLine]:
    """Read what came in of a return; what cannot be is an error of its field."""
    items = {item.id: item for item in folder.items}
    lines = []
    for line in back.lines:
        name = UNITS + line.item_id
        units = _units(items[line.item_id], values.get(name, ""), name, line.missing, errors)
        if not units:
            continue
        off: int | None = None
        if text := values.get(OFF + line.item_id, ""):
            off = _units(items[line.item_id], text, OFF + line.item_id, units, errors)
        lines.append(
            ReceivedLine(
                item_id=line.item_id,
                quantity=units,
                condition=_condition(values, line.item_id, errors),
                written_off=off,
            )
        )
    return lines


def _lines(
    folder: Folder, bag_id: str, values: Mapping[str, str], errors: dict[str, str], *, here: bool
) -> list[WantedReturnLine]:
    free = returnable(folder, bag_id)
    lines = []
    for item in folder.items:
        name = UNITS + item.id
        if item.bag_id != bag_id or not values.get(name):
            continue
        units = _units(item, values[name], name, free.get(item.id, 0), errors)
        why = values.get(WHY + item.id) or None
        if why is not None and why not in RETURN_REASONS:
            errors[WHY + item.id] = "Choose one of the reasons."
        if units:
            condition = _condition(values, item.id, errors) if here else None
            lines.append(
                WantedReturnLine(
                    item_id=item.id, quantity=units, reason_code=why, condition=condition
                )
            )
    return lines


def _condition(values: Mapping[str, str], item_id: str, errors: dict[str, str]) -> str | None:
    condition = values.get(STATE + item_id) or None
    if condition is not None and condition not in CONDITIONS:
        errors[STATE + item_id] = "Choose one of the conditions."
        return None
    return condition


def _units(item: Item, text: str, name: str, most: int, errors: dict[str, str]) -> int:
    """Read a number of units; one that cannot be is said at its field."""
    called = item.sku or item.name
    if not text:
        return 0
    if not _is_units(text):
        errors[name] = f"{called}: write a whole number of units."
        return 0
    if int(text) > most:
        errors[name] = f"{called}: no more than {most} of it."
        return 0
    return int(text)


def _is_units(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text[:12]) <= _UNITS_MAX


def _money(text: str, currency: str, field: str, errors: dict[str, str]) -> int:
    try:
        return read_money(text, currency)
    except Unreadable as wrong:
        errors[field] = str(wrong)
        return 0


def _worth(folder: Folder, back: Return, units: dict[str, int]) -> ReturnWorth:
    """Reckon what units are worth that come in now; `back` is as it was before."""
    reckoned = reckon_refund if back.resolution == "REFUND" else reckon_credit
    return reckoned(folder, back, units)


def _take(told: Rehearsed, change: Change) -> None:
    """Keep what a change would do."""
    told.back = change.result
    told.promise = next(iter(change.inserts.get("refunds", [])), None)  # type: ignore[assignment]
    told.linked = next((one.after.order for one in change.new_orders), None)


def _judged(told: Rehearsed, run: Callable[[], None], currency: str) -> Rehearsed:
    """Run a rehearsal; a refusal becomes an error of the form. Raises what is none of a form."""
    try:
        run()
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        field = "reference" if problem.code == "refund_reference_conflict" else ""
        field = "fee" if "fee" in problem.facts else field
        told.errors = {field: in_words(problem, currency)}
        told.back = None
    return told


def in_words(problem: Problem, currency: str) -> str:
    """Put a refusal into a sentence with amounts as people read them."""
    facts = problem.facts
    if problem.code == "amount_invalid" and {"asked", "left"} <= facts.keys():
        asked, left = (money(int(facts[name]), currency) for name in ("asked", "left"))
        return f"{asked} of shipping is more than the {left} that is left."
    if problem.code == "amount_invalid" and {"fee", "worth"} <= facts.keys():
        fee, worth = (money(int(facts[name]), currency) for name in ("fee", "worth"))
        return f"A fee of {fee} is more than the {worth} that these are worth."
    if problem.code == "refund_reference_conflict":
        return "This reference was used before. Choose another one, or none."
    if problem.code == "refund_window_closed":
        return "The time for returns is over. Tick that it is taken back all the same."
    return SENTENCES.get(problem.code, problem.detail)
