"""The refund form: what was asked for, one way or the other, and what it would come to.

The rehearsal is the action itself on the order as it was read, as in a dry run of the API; nothing
is written. Fields are text as typed; `units-<item>` are the units of a line. [V-12 to V-16]
"""

import msgspec

from counterfoil.actions.refund import REASON_CODES, refund
from counterfoil.kernel.money import to_decimal
from counterfoil.kernel.problem import Problem
from counterfoil.order.actor import Actor
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.refund import PAYMENT_ORDERS, Refund, RefundLine, WantedLine, WantedRefund
from counterfoil.order.refunding import Reckoned, reckon
from counterfoil.portal.figures import Unreadable, money, read_money
from counterfoil.portal.reading import SENTENCES

AMOUNT, LINES = "amount", "lines"
UNITS = "units-"
#: What `through` says where one payment is chosen; else it is one of PAYMENT_ORDERS, or empty.
PAYMENT = "payment:"
TEXTS = ("reference", "reason", "reason_code", "restock_items", "notify_customer", "through")
NOTHING_CHOSEN = "Say how many units go back, or how much of the shipping."
_UNITS_MAX = 10**6


class Rehearsal(msgspec.Struct, kw_only=True):
    """What a refund would be: the promise and its figures, or why it cannot be.

    `errors` are by field; one under "" has no field. `first` is the refund that has the reference
    already and is just this one. Amounts are minor units.
    """

    way: str
    wanted: WantedRefund
    promise: Refund | None = None
    parts: list[Reckoned] = []
    first: bool = False
    empty: bool = False
    errors: dict[str, str] = {}

    @property
    def minor(self) -> int:
        """The amount that the button names; 0 where it cannot be."""
        return 0 if self.promise is None else self.promise.amount

    @property
    def refused(self) -> str:
        """Why it cannot be, in one sentence."""
        return next(iter(self.errors.values()), "")

    @property
    def waits(self) -> bool:
        """Whether a second person would have to approve it."""
        return self.promise is not None and self.promise.waits_for_approval and not self.first

    @property
    def how(self) -> str:
        """The way the money goes and whether it waits, where there is more than one way."""
        if self.promise is None or (len(self.promise.plan) == 1 and not self.waits):
            return ""
        parts = [f"{part.payment_id}={part.amount}" for part in self.promise.plan]
        return ",".join([*parts, "waits"] if self.waits else parts)

    @property
    def lines(self) -> dict[str, RefundLine]:
        """The lines that go back, by item."""
        return {line.item_id: line for line in self.promise.lines} if self.promise else {}


def rehearse(folder: Folder, actor: Actor, values: dict[str, str]) -> Rehearsal:
    """Find out what a form would do now."""
    way = LINES if values.get("way") == LINES else AMOUNT
    errors: dict[str, str] = {}
    wanted = _wanted(folder, way, values, errors)
    told = Rehearsal(way=way, wanted=wanted, errors=errors)
    if errors:
        return told
    if way == LINES and not wanted.itemised:
        told.empty, told.errors = True, {"": NOTHING_CHOSEN}
        return told
    first = next((one for one in folder.refunds if one.reference == wanted.reference), None)
    folder = msgspec.structs.replace(folder, same_reference=first)
    named = msgspec.structs.replace(wanted, reference=wanted.reference or "-")
    try:
        change = refund(folder, asked=Asked(actor=actor, source="portal"), wanted=named)
        told.first = change.nothing
        told.parts = [] if told.first else reckon(folder, named).parts
    except Problem as problem:
        field, sentence = in_words(problem, told, folder.order.currency)
        told.errors = {field: sentence}
        return told
    told.promise = change.result
    return told


def _wanted(
    folder: Folder, way: str, values: dict[str, str], errors: dict[str, str]
) -> WantedRefund:
    """Read the fields; what cannot be read is an error of its field."""
    currency, through = folder.order.currency, values.get("through", "")
    wanted = WantedRefund(
        reference=values.get("reference") or None,
        reason=values.get("reason") or None,
        reason_code=values.get("reason_code") or "OTHER",
        restock_items=bool(values.get("restock_items")),
        notify_customer=bool(values.get("notify_customer")),
        payment_id=through.removeprefix(PAYMENT) if through.startswith(PAYMENT) else None,
        payment_order=through if through in PAYMENT_ORDERS else None,
    )
    if wanted.reason_code not in REASON_CODES:
        errors["reason_code"] = "Choose one of the reasons."
    if way == AMOUNT:
        amount = _money(values.get("amount", ""), currency, "amount", errors)
        if amount == 0 and not errors.get("amount"):
            errors["amount"] = "Write an amount above zero."
        return msgspec.structs.replace(wanted, amount=amount)
    typed = values.get("shipping", "")
    shipping = _money(typed, currency, "shipping", errors) if typed else 0
    return msgspec.structs.replace(
        wanted, lines=_lines(folder, values, errors), shipping_amount=shipping or None
    )


def _money(text: str, currency: str, field: str, errors: dict[str, str]) -> int:
    try:
        return read_money(text, currency)
    except Unreadable as wrong:
        errors[field] = str(wrong)
        return 0


def _lines(folder: Folder, values: dict[str, str], errors: dict[str, str]) -> list[WantedLine]:
    """Read how many units of each line go back."""
    lines = []
    for item in folder.items:
        text = values.get(UNITS + item.id, "")
        if not text:
            continue
        if not (text.isascii() and text.isdecimal()) or int(text[:12]) > _UNITS_MAX:
            errors[UNITS + item.id] = f"{item.sku or item.name}: write a whole number of units."
        elif int(text):
            lines.append(WantedLine(item_id=item.id, quantity=int(text)))
    return lines


def in_words(problem: Problem, told: Rehearsal, currency: str) -> tuple[str, str]:
    """Put a refusal to its field, in words with amounts as people read them.

    Raises the problem where it is none of a form.
    """
    facts, lines = problem.facts, told.way == LINES
    field = "" if lines else "amount"
    if problem.code in ("refund_reference_required", "refund_reference_conflict"):
        reference = told.wanted.reference
        return "reference", (
            f"Reference {reference} was used before, for something else. Choose another one."
            if reference
            else "A refund needs a reference of its own."
        )
    if problem.code == "amount_invalid" and "item_id" in facts:
        left = facts.get("left", 0)
        units = "1 unit" if left == 1 else f"{left} units"
        return UNITS + facts["item_id"], f"Only {units} of this line can still be refunded."
    if problem.code == "amount_invalid" and "asked" in facts:
        asked, most = (
            money(int(facts[name]), currency)
            for name in ("asked", "refundable" if "refundable" in facts else "left")
        )
        if "left" in facts:
            return "shipping", f"{asked} is more than the {most} of shipping that is left."
        if told.wanted.payment_id is not None:
            return "through", f"{asked} is more than the {most} that this payment can give back."
        return field, f"{asked} is more than the {most} that is left."
    if problem.code == "invalid_state":
        return field, "There is nothing left to give back."
    if problem.code == "amount_invalid":
        return field, problem.title
    if problem.status not in (409, 422):
        raise problem
    return "", SENTENCES.get(problem.code, problem.detail)


def figures_of(told: Rehearsal, currency: str) -> list[tuple[str, str]]:
    """Each figure as people read it, with the rest of its sentence."""
    return [
        (
            money(part.amount, currency),
            part.sentence.removeprefix(f"{to_decimal(part.amount, currency)} {currency} "),
        )
        for part in told.parts
    ]
