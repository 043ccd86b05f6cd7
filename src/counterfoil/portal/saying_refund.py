"""What the refund form shows, and what it says before it is sent. [Z-7 to Z-12, V-12 to V-16]

Above: the sums and both ways. Below: the rehearsal in sentences, each figure with its own, through
which payments it goes, and who would have to approve it. [design guide 3.5; faults R-1, R-7]
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from counterfoil.order.actor import Actor
from counterfoil.order.folder import Folder
from counterfoil.order.item import Item
from counterfoil.order.refund import PAYMENT_ORDERS, Refund, RefundLine
from counterfoil.order.refunding import shipping_left
from counterfoil.portal.figures import money
from counterfoil.portal.forms import Form, Say
from counterfoil.portal.reading import gateway_name, gateway_of
from counterfoil.portal.refund_form import PAYMENT, UNITS, Rehearsal, figures_of
from counterfoil.portal.saying import FINAL, REASON_CHOICES

#: Types of lines that the fields of their own stand for, or that cannot be refunded at all.
_NO_LINE = ("shipping", "tax", "discount", "store_credit")
NAMED_MAX = 3


class AskLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of goods to refund: how many units are left, and the price of each."""

    id: str
    field: str
    name: str
    sku: str
    left: int
    quantity: int
    price: int


class AskBag(msgspec.Struct, frozen=True, kw_only=True):
    """A bag with its lines; it is named where there are several. [V-13]"""

    name: str
    lines: tuple[AskLine, ...]


class AskRefund(msgspec.Struct, frozen=True, kw_only=True):
    """What the refund form asks. `under_way` is what other refunds have set aside. Minor units."""

    open_minor: int
    sums: tuple[tuple[str, int], ...]
    hint: str
    bags: tuple[AskBag, ...]
    shipping_left: int
    through: tuple[tuple[str, str], ...]
    through_hint: str
    under_way: int
    email: str
    email_question: str
    reasons: tuple[tuple[str, str], ...] = REASON_CHOICES


class Comes(msgspec.Struct, frozen=True, kw_only=True):
    """What the units of a line come to, less their discount and with their tax. Minor units."""

    amount: int
    discount: int
    tax: int


class SayRefund(Say, frozen=True, kw_only=True):
    """What a refund form will do, figure by figure and payment by payment."""

    figures: Sequence[tuple[str, str]] = ()
    through: Sequence[tuple[str, str]] = ()
    through_order: str = ""
    approval: str = ""
    how: str = ""
    empty: bool = False
    comes: Mapping[str, Comes] = MappingProxyType({})


def ask_refund(folder: Folder, email: str) -> AskRefund:
    """Collect what the refund form asks."""
    order = folder.order
    most = money(order.refundable, order.currency)
    return AskRefund(
        open_minor=order.refundable,
        sums=(
            ("Captured", order.captured),
            ("Refunded", order.refunded),
            *((("Under way", order.refund_pending),) if order.refund_pending else ()),
            ("Can be refunded", order.refundable),
        ),
        hint=f"You can refund up to {most}.",
        bags=_bags(folder),
        shipping_left=min(shipping_left(folder), order.refundable),
        through=ways_through(folder),
        through_hint="A payment gives back no more than it took.",
        under_way=order.refund_pending,
        email=email,
        email_question=f"Send an e-mail to {email}",
    )


def units_left(item: Item) -> int:
    """How many units of a line can still be refunded."""
    return 0 if item.type in _NO_LINE else max(0, item.live - item.quantity_refunded)


def say_refund(
    folder: Folder, told: Rehearsal, *, approvers: Sequence[str] = (), actor: Actor
) -> SayRefund:
    """Say what a refund does."""
    currency, promise = folder.order.currency, told.promise
    if promise is None:
        return SayRefund(
            label="See what it comes to" if told.empty else "Refund",
            shown_minor=0,
            grave=not told.empty,
            refused=told.refused,
            empty=told.empty,
        )
    amount = money(promise.amount, currency)
    if told.first:
        return SayRefund(
            label=f"Show refund of {amount}",
            shown_minor=promise.amount,
            lines=(_again(promise.reference),),
        )
    return SayRefund(
        label=f"Ask for approval of {amount}" if told.waits else f"Refund {amount}",
        shown_minor=promise.amount,
        lines=(_sentence(folder, told),),
        final="Nothing leaves before that." if told.waits else FINAL,
        grave=not told.waits,
        figures=figures_of(told, currency) if promise.lines or promise.shipping_amount else (),
        through=plan_of(folder, promise),
        through_order=order_of(promise),
        approval=approval_of(actor, promise.currency, approvers) if told.waits else "",
        how=told.how,
        comes=_comes(folder, told),
    )


def also_asked(folder: Folder, form: Form) -> str:
    """Say that another refund is under way, where it was not confirmed by its amount. [R-1]"""
    pending = folder.order.refund_pending
    if not pending or form.values.get("also") == str(pending):
        return ""
    told = money(pending, folder.order.currency)
    return f"Another refund of {told} is in progress. Tick that this one is wanted as well."


def _again(reference: str) -> str:
    return (
        f"Reference {reference} was used for just this before."
        " You will see that refund; no more money goes back."
    )


def _sentence(folder: Folder, told: Rehearsal) -> str:
    assert told.promise is not None
    currency, amount = folder.order.currency, told.promise.amount
    plan = told.promise.plan
    through = gateway_name(plan[0].gateway) if len(plan) == 1 else f"{len(plan)} payments"
    if not plan:
        through = gateway_of(folder)
    stays = money(folder.order.refundable - amount, currency)
    if told.waits:
        return (
            f"{money(amount, currency)} is set aside, and goes back to the shopper through"
            f" {through} once it is approved. {stays} stays with you."
        )
    return (
        f"{money(amount, currency)} goes back to the shopper through {through}, usually in"
        f" 3–5 days. {stays} stays with you."
    )


def approval_of(actor: Actor, currency: str, approvers: Sequence[str]) -> str:
    """Say why it waits, and whose word it takes."""
    limit = money(actor.limit("refund", currency) or 0, currency)
    why = f"It is more than the {limit} that you may give back alone."
    if not actor.can("payments.refund"):
        why = "You may take goods back, but not give money back."
    if not approvers:
        return f"{why} Nobody else may approve so much yet: ask who manages access."
    named, more = list(approvers[:NAMED_MAX]), len(approvers) - NAMED_MAX
    if more > 0:
        named.append(f"{more} more")
    who = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} or {named[-1]}"
    return f"{why} {who} can approve it."


def order_of(promise: Refund) -> str:
    """Say in which order payments are gone through, where several are."""
    if len(promise.plan) < 2 or not promise.payment_order:
        return ""
    return PAYMENT_ORDERS[promise.payment_order]


def plan_of(folder: Folder, promise: Refund) -> list[tuple[str, str]]:
    """Which payment gives how much, in the order in which they are gone through."""
    if len([one for one in folder.payments if one.captured]) < 2:
        return []
    currency = folder.order.currency
    return [
        (money(part.amount, currency), _payment_name(folder, part.payment_id))
        for part in promise.plan
    ]


def _comes(folder: Folder, told: Rehearsal) -> dict[str, Comes]:
    price = {item.id: item.unit_price for item in folder.items}
    return {
        item_id: Comes(
            amount=line.amount, discount=_discount(line, price[item_id]), tax=line.tax_amount
        )
        for item_id, line in told.lines.items()
    }


def _discount(line: RefundLine, price: int) -> int:
    return max(0, line.quantity * price - line.amount)


def _bags(folder: Folder) -> tuple[AskBag, ...]:
    found = []
    for bag in folder.bags:
        lines = tuple(
            AskLine(
                id=item.id,
                field=UNITS + item.id,
                name=item.name,
                sku=item.sku or "",
                left=units_left(item),
                quantity=item.quantity,
                price=item.unit_price,
            )
            for item in folder.items
            if item.bag_id == bag.id and item.type not in _NO_LINE and item.live
        )
        if lines:
            name = folder.merchants.get(bag.merchant, bag.merchant)
            found.append(AskBag(name=name if len(folder.bags) > 1 else "", lines=lines))
    return tuple(found)


def ways_through(folder: Folder) -> tuple[tuple[str, str], ...]:
    """The orders to go through payments in, and each payment; none where there is no choice."""
    able = [one for one in folder.payments if one.refundable > 0]
    if len(able) < 2:
        return ()
    currency = folder.order.currency
    usual = PAYMENT_ORDERS[folder.store.refund_order].rstrip(".")
    return (
        ("", f"As the store does: {usual[0].lower()}{usual[1:]}"),
        *((code, words.rstrip(".")) for code, words in PAYMENT_ORDERS.items()),
        *(
            (
                PAYMENT + one.id,
                f"Only {_payment_name(folder, one.id)}, up to {money(one.refundable, currency)}",
            )
            for one in able
        ),
    )


def _payment_name(folder: Folder, payment_id: str) -> str:
    """Name a payment: its gateway, and which one it is where there are several there."""
    one = next(payment for payment in folder.payments if payment.id == payment_id)
    name = gateway_name(one.gateway)
    same = [p for p in folder.payments if p.gateway == one.gateway and p.captured]
    if len(same) < 2:
        return name
    reference = one.reference or one.provider_reference
    return f"{name}, {reference}" if reference else f"{name}, payment {one.position}"
