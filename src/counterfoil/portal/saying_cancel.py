"""What the cancel form shows, and what it says before it is sent. [U-31 to U-33; design guide 3.6]

Both amounts before: what is released and what is refunded, each a step of its own.
"""

from collections.abc import Sequence

import msgspec

from counterfoil.order.actor import Actor
from counterfoil.order.canceling_again import left_of
from counterfoil.order.cancellation import Cancellation
from counterfoil.order.folder import Folder
from counterfoil.order.telling import visible_bags
from counterfoil.portal.cancel_form import (
    AGAIN,
    BAG,
    ITEMS,
    ORDER,
    UNITS,
    Rehearsal,
    rehearse_whole,
    scopes_of,
)
from counterfoil.portal.figures import money
from counterfoil.portal.forms import Ask, Say
from counterfoil.portal.saying import FINAL, REASON_CHOICES, question

LABELS = {ORDER: "Everything", BAG: "One bag", ITEMS: "Items", AGAIN: "Try again"}
NAMED_MAX = 3
#: Statuses of a refund that gave money back, or is to.
GIVEN = ("PROCESSING", "COMPLETED", "EXTERNAL", "AWAITING_APPROVAL")


class AskLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of goods: how many units have not left, and the price of each. Minor units."""

    field: str
    name: str
    sku: str
    left: int
    price: int


class AskBag(msgspec.Struct, frozen=True, kw_only=True):
    """A bag with the lines of it that can be cancelled; it is named where there are several."""

    id: str
    name: str
    goods: str
    whole: bool
    lines: tuple[AskLine, ...]


class AskAgain(msgspec.Struct, frozen=True, kw_only=True):
    """A part whose money did not all go back: what was cancelled, and what is left. Minor units."""

    id: str
    goods: str
    left: int


class AskCancel(Ask, frozen=True, kw_only=True):
    """What the cancel form asks: how much of the order, why, and about the e-mail."""

    scopes: tuple[tuple[str, str], ...] = ()
    whole_why: str = ""
    bags: tuple[AskBag, ...] = ()
    again: tuple[AskAgain, ...] = ()


class SayCancel(Say, frozen=True, kw_only=True):
    """What a cancellation will do, step by step."""

    steps: tuple[str, ...] = ()
    how: str = ""
    empty: bool = False


def balance_of(folder: Folder, actor: Actor) -> int:
    """Count what the form is based on: all that may go back of the bags that are seen."""
    return sum(bag.open + bag.refundable for bag in visible_bags(folder, actor))


def ask_cancel(folder: Folder, actor: Actor, email: str) -> AskCancel:
    """Collect what the cancel form asks."""
    scopes = scopes_of(folder, actor)
    whole = {bag.id for bag in scopes.bags}
    several = len([bag for bag in folder.bags if bag.live]) > 1
    bags = []
    for bag in visible_bags(folder, actor):
        lines = [item for item in scopes.lines if item.bag_id == bag.id]
        if lines or bag.id in whole:
            name = folder.merchants.get(bag.merchant, bag.merchant) if several else ""
            bags.append(
                AskBag(
                    id=bag.id,
                    name=name,
                    goods=_named(folder, {item.id: item.waiting for item in lines}),
                    whole=bag.id in whole,
                    lines=tuple(
                        AskLine(
                            field=UNITS + item.id,
                            name=item.name,
                            sku=item.sku or "",
                            left=item.waiting,
                            price=item.unit_price,
                        )
                        for item in lines
                    ),
                )
            )
    return AskCancel(
        open_minor=balance_of(folder, actor),
        partial=False,
        email=email,
        email_question=question(email),
        reasons=REASON_CHOICES,
        scopes=tuple((scope, LABELS[scope]) for scope in scopes.offered),
        whole_why="" if actor.merchants is not None else scopes.whole_why,
        bags=tuple(bags),
        again=tuple(
            AskAgain(
                id=plan.id,
                goods=_named(folder, units_of(folder, plan)),
                left=sum(part.amount for part in left_of(folder, plan)),
            )
            for plan in scopes.again
        ),
    )


def say_cancel(folder: Folder, told: Rehearsal) -> SayCancel:
    """Say what cancelling does; the steps name the amounts."""
    currency = folder.order.currency
    if told.refused:
        return SayCancel(
            label="See what it comes to" if told.empty else "Cancel",
            shown_minor=0,
            refused=told.refused,
            empty=told.empty,
            grave=not told.empty,
        )
    minor = told.minor
    label = "Cancel order" if told.ends_order else "Cancel these items"
    if minor:
        label = f"Cancel and return {money(minor, currency)}"
    if told.scope == AGAIN:
        label = f"Try again to return {money(minor, currency)}"
    return SayCancel(
        label=label,
        shown_minor=minor,
        final=FINAL,
        grave=True,
        steps=tuple(_steps(folder, told)),
        how=told.how,
    )


def whole_steps(folder: Folder) -> tuple[Ask, SayCancel]:
    """Say what cancelling all of it does, where nothing else is asked."""
    say = say_cancel(folder, rehearse_whole(folder))
    order = folder.order
    return Ask(open_minor=order.open + order.refundable, partial=False, steps=say.steps), say


def _steps(folder: Folder, told: Rehearsal) -> list[str]:
    currency = folder.order.currency
    found = []
    if told.released:
        found.append(f"Release {money(told.released, currency)} that is only authorised.")
    if told.refunded:
        found.append(f"Refund {money(told.refunded, currency)} that was captured.")
    if told.unknown:
        unknown = money(told.unknown, currency)
        found.append(f"Wait for {unknown} that is not known yet, and return it.")
    if told.kept:
        found.append(
            f"Leave {money(told.kept, currency)} authorised: it cannot be released in part."
            " It is not captured any more."
        )
    if told.scope == AGAIN:
        return [*found, "Leave the goods as they are: they are cancelled."]
    if favour := _favour(folder, told):
        found.append(
            f"{money(favour, currency)} went back before for no goods in particular. It stays with"
            " the customer, and is not counted against this."
        )
    found.append(_goods(folder, told))
    before = sum(line.refunded for line in told.part.lines) if told.part else 0
    if before and not told.ends_order:
        units = "1 unit was" if before == 1 else f"{before} units were"
        found.append(f"{units} refunded before: nothing goes back for that again.")
    if told.part is not None:
        found.append(
            "Cancel the order: nothing else of it is left."
            if told.ends_order
            else "Keep the rest of the order as it is."
        )
    return found


def _favour(folder: Folder, told: Rehearsal) -> int:
    """Tell what went back of these bags for nothing that was named, and stays beside this."""
    bags = {one.bag_id for one in told.part.back} if told.part and not told.ends_order else set()
    return sum(
        part.amount
        for refund in folder.refunds
        if refund.status in GIVEN and not (refund.for_less or refund.return_id or refund.lines
                                           or refund.shipping_amount)
        for part in refund.allocations
        if part.bag_id in bags
    )


def units_of(folder: Folder, plan: Cancellation) -> dict[str, int]:
    """Count the units that a part cancelled, by line."""
    if plan.lines:
        return {line.item_id: line.quantity for line in plan.lines}
    return {
        item.id: item.quantity_canceled
        for item in folder.items
        if item.bag_id == plan.bag_id and item.deliverable and item.quantity_canceled
    }


def _goods(folder: Folder, told: Rehearsal) -> str:
    if told.part is None:
        lines = len(told.units)
        return f"Cancel {lines} {'line' if lines == 1 else 'lines'} that have not left."
    return f"Cancel {_named(folder, told.units)}."


def _named(folder: Folder, units: dict[str, int]) -> str:
    """Name units as people say them, three lines at the most."""
    names = {item.id: item.name for item in folder.items}
    told = [f"{count} × {names[item_id]}" for item_id, count in units.items()]
    if len(told) > NAMED_MAX:
        more = len(told) - NAMED_MAX
        told = [*told[:NAMED_MAX], "1 more line" if more == 1 else f"{more} more lines"]
    return in_a_row(told)


def in_a_row(told: Sequence[str]) -> str:
    """Write several as one: a, b and c."""
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}" if told else ""
