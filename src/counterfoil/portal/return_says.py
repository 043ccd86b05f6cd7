"""What the forms of a return ask, and what they say before they are sent. [V-6…V-11]

Above: what left and may come back, until when. Below: the rehearsal in sentences, each figure with
its own; or that no money moves. [design guide 3.9]
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from counterfoil.actions.return_goods import returnable
from counterfoil.order.actor import Actor
from counterfoil.order.bag import Bag
from counterfoil.order.folder import Folder
from counterfoil.order.goods_return import Return
from counterfoil.order.refund import Refund
from counterfoil.order.refunding import shipping_left
from counterfoil.order.return_worth import ReturnWorth
from counterfoil.order.shapes import OrderShape
from counterfoil.order.window import window_end
from counterfoil.portal import words
from counterfoil.portal.figures import money, plural, read_money
from counterfoil.portal.forms import Say
from counterfoil.portal.reading import gateway_name, gateway_of
from counterfoil.portal.return_form import NEW, OFF, STATE, UNITS, WHY, Rehearsed
from counterfoil.portal.return_words import RESOLUTIONS
from counterfoil.portal.saying import FINAL
from counterfoil.portal.saying_refund import approval_of, order_of, plan_of, ways_through

OVERRIDE = "payments.approve"
_TAKEN_OFF = ("is kept", "of it")


class ComingLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of which units may come back: `left` of the `sent` ones. `fields` by what they ask."""

    id: str
    name: str
    sku: str
    left: int
    sent: int
    fields: dict[str, str]


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What the shopper may get; `why` closes it."""

    code: str
    label: str
    hint: str
    why: str = ""


class Undelivered(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel that could not be delivered: what is in it, and the form filled in with that."""

    number: str
    contents: str
    href: str


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """A row of what is sent instead; `instead_of` is what comes back, or empty for a new row."""

    key: str
    instead_of: str
    units: int


class AskReturn(msgspec.Struct, frozen=True, kw_only=True):
    """What the form of a return asks. Amounts are minor units.

    `until` is set where it is late, `may_override` where the reader may take it back all the same.
    """

    bag_id: str
    bag_name: str
    open_minor: int
    lines: tuple[ComingLine, ...]
    choices: tuple[Choice, ...]
    parcels: tuple[Undelivered, ...]
    shipping_left: int
    until: datetime | None
    may_override: bool
    days: int
    email: str
    through: tuple[tuple[str, str], ...] = ()


class SayReturn(Say, frozen=True, kw_only=True):
    """What a form of a return will do, figure by figure."""

    figures: Sequence[tuple[str, str]] = ()
    total: tuple[str, str] = ("", "")
    through: Sequence[tuple[str, str]] = ()
    through_order: str = ""
    approval: str = ""
    how: str = ""
    empty: bool = False


def ask_return(folder: Folder, actor: Actor, bag: Bag) -> AskReturn:
    """Collect what the form of a return asks."""
    end = window_end(folder, [bag.id])
    late = end is not None and folder.at > end
    left = min(shipping_left(folder), bag.shipping_total, bag.refundable)
    name = folder.merchants.get(bag.merchant, bag.merchant)
    return AskReturn(
        bag_id=bag.id,
        bag_name=name if len(folder.bags) > 1 else "",
        open_minor=bag.refundable,
        lines=_coming(folder, bag),
        choices=_choices(folder, actor, bag),
        parcels=_undelivered(folder, bag),
        shipping_left=left,
        until=end if late else None,
        may_override=actor.can(OVERRIDE),
        days=folder.store.refund_window_days or 0,
        email=str(folder.order.customer.get("email") or ""),
        through=ways_through(folder) if actor.merchants is None else (),
    )


def swaps_of(folder: Folder, units: Mapping[str, int]) -> list[Swap]:
    """List the rows of what is sent instead: one for each line that comes back, and a new one."""
    called = {item.id: item.sku or item.name for item in folder.items}
    rows = [Swap(key=key, instead_of=called[key], units=count) for key, count in units.items()]
    return [*rows, Swap(key=NEW, instead_of="", units=0)]


def say_return(
    folder: Folder, order: OrderShape, told: Rehearsed, actor: Actor, named: Sequence[str]
) -> SayReturn:
    """Say what recording a return, or taking goods in, does."""
    if told.back is None or told.found is None:
        return SayReturn(
            label=_plain_label(told), shown_minor=0, refused=told.refused, empty=told.empty
        )
    if told.back.resolution == "REFUND":
        return _say_refund(folder, told, told.found, actor, named)
    return _say_no_money(folder, order, told, told.found)


def _say_refund(
    folder: Folder, told: Rehearsed, found: ReturnWorth, actor: Actor, named: Sequence[str]
) -> SayReturn:
    currency, promise = folder.order.currency, told.promise
    if promise is None or found.reckoned is None:
        return SayReturn(
            label=_plain_label(told),
            shown_minor=0,
            figures=_told(found.sentences, currency),
            lines=("No money goes back.",),
            how=told.how,
        )
    amount = money(promise.amount, currency)
    figures = _told(found.sentences, currency)
    if not told.came:
        return SayReturn(
            label=_plain_label(told),
            shown_minor=0,
            figures=figures,
            total=(amount, "goes back when all of it has come in."),
            lines=("Nothing goes back before that.",),
        )
    through = _through(folder, promise, actor)
    when = "once it is approved" if told.waits else "usually in 3–5 days"
    verb = "Take in" if told.receipt else "Return"
    does = "ask for approval of" if told.waits else "refund"
    return SayReturn(
        label=f"{verb} and {does} {amount}",
        shown_minor=promise.amount,
        figures=figures,
        total=(amount, f"goes back to the shopper{through}, {when}."),
        final="The goods are recorded at once; no money leaves before that."
        if told.waits
        else FINAL,
        grave=not told.waits,
        through=plan_of(folder, promise) if actor.merchants is None else (),
        through_order=order_of(promise) if actor.merchants is None else "",
        approval=approval_of(actor, currency, named) if told.waits else "",
        how=told.how,
    )


def _through(folder: Folder, promise: Refund, actor: Actor) -> str:
    """Name the way the money goes; payments are none of a merchant's business."""
    if actor.merchants is not None:
        return ""
    if len(promise.plan) > 1:
        return f" through {len(promise.plan)} payments"
    named = gateway_name(promise.plan[0].gateway) if promise.plan else gateway_of(folder)
    return f" through {named}"


def _say_no_money(
    folder: Folder, order: OrderShape, told: Rehearsed, found: ReturnWorth
) -> SayReturn:
    """Say that no money moves, and what the goods are worth where that counts. [V-10, V-11]"""
    assert told.back is not None
    currency, resolution = folder.order.currency, told.back.resolution
    payment = words.payment_word(order.financial_status, order.amounts).label
    lines = [f"No money moves. Payment stays {payment}."]
    figures: list[tuple[str, str]] = []
    total = ("", "")
    if resolution != "NONE":
        figures = _told(found.sentences, currency)
        total = (money(found.left, currency), "is what it is worth to the shopper.")
    if resolution == "EXCHANGE":
        lines += _swapped(folder, told, found)
    elif resolution == "STORE_CREDIT":
        lines.append("Give the credit where you keep it: here it is written down.")
    label = _plain_label(told)
    if told.came and told.linked is not None:
        label = "Take in and replace" if told.receipt else "Return and replace"
    return SayReturn(
        label=label,
        shown_minor=0,
        figures=figures,
        total=total,
        lines=tuple(lines),
        how=told.how,
    )


def _plain_label(told: Rehearsed) -> str:
    return "Take in" if told.receipt else "Record return"


def _swapped(folder: Folder, told: Rehearsed, found: ReturnWorth) -> list[str]:
    """Say what the replacement costs, who pays the difference, and when it leaves."""
    assert told.back is not None
    back, currency = told.back, folder.order.currency
    if not back.replacement:
        return ["No order is made for a replacement: nothing is to be sent instead."]
    goods = sum(one.quantity * one.unit_price for one in back.replacement)
    lines = [f"The replacement costs {money(goods, currency)}."]
    if told.linked is None:
        return [*lines, "Its order is made when all of this has come in."]
    due, over = told.linked.due, back.worth - back.fee_kept - goods
    when = "Its order is made now" if told.came else "Its order is made when all has come in"
    if due > 0:
        lines.append(
            f"{money(due, currency)} is left to pay. {when}, and held until that is paid."
        )
    elif over > 0:
        lines.append(f"{money(over, currency)} is left over and stays with you. {when}.")
    else:
        lines.append(f"Nothing is left to pay. {when}.")
    return lines


def _told(sentences: Sequence[str], currency: str) -> list[tuple[str, str]]:
    """Each figure as people read it, with the rest of its sentence; what is taken off is less."""
    told = []
    for sentence in sentences:
        figure, code, rest = (*sentence.split(" ", 2), "", "")[:3]
        if code != currency:
            told.append(("", sentence))
            continue
        minor = read_money(figure, currency)
        told.append((money(-minor if rest.startswith(_TAKEN_OFF) else minor, currency), rest))
    return told


def _coming(folder: Folder, bag: Bag) -> tuple[ComingLine, ...]:
    free = returnable(folder, bag.id)
    return tuple(
        ComingLine(
            id=item.id,
            name=item.name,
            sku=item.sku or "",
            left=free[item.id],
            sent=item.quantity_shipped,
            fields={"units": UNITS + item.id, "why": WHY + item.id, "state": STATE + item.id},
        )
        for item in folder.items
        if item.id in free
    )


def expected_lines(folder: Folder, back: Return) -> tuple[ComingLine, ...]:
    """List the lines of a return of which units have not come in."""
    items = {item.id: item for item in folder.items}
    return tuple(
        ComingLine(
            id=line.item_id,
            name=items[line.item_id].name,
            sku=items[line.item_id].sku or "",
            left=line.missing,
            sent=line.quantity,
            fields={
                "units": UNITS + line.item_id,
                "state": STATE + line.item_id,
                "off": OFF + line.item_id,
            },
        )
        for line in back.lines
        if line.missing
    )


def _choices(folder: Folder, actor: Actor, bag: Bag) -> tuple[Choice, ...]:
    closed = {}
    if bag.captured <= 0:
        closed["REFUND"] = "Nothing was captured that could go back."
    return tuple(
        Choice(code=code, label=label, hint=hint, why=closed.get(code, ""))
        for code, (label, hint) in RESOLUTIONS.items()
        if code != "EXCHANGE" or actor.merchants is None
    )


def _undelivered(folder: Folder, bag: Bag) -> tuple[Undelivered, ...]:
    called = {item.id: item.sku or item.name for item in folder.items}
    free = returnable(folder, bag.id)
    found = []
    for parcel in folder.shipments:
        inside = [part for part in parcel.items if free.get(part.item_id)]
        if parcel.bag_id != bag.id or parcel.status != "COULD_NOT_DELIVER" or not inside:
            continue
        page = f"/portal/orders/{folder.order.id}/returns/new?bag={bag.id}&shipment={parcel.id}"
        found.append(
            Undelivered(
                number=parcel.tracking_number or "",
                contents=", ".join(f"{part.quantity} × {called[part.item_id]}" for part in inside),
                href=page,
            )
        )
    return tuple(found)


def came_of(back: Return) -> str:
    """Say how much of a return has come in."""
    came = sum(line.received for line in back.lines)
    whole = sum(line.quantity for line in back.lines)
    return plural(whole, "unit", "units") if came == whole else f"{came} of {whole} units"
