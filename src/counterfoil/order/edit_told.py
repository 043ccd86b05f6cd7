"""Telling an edit: what the money makes of it, in figures and in sentences.

Told from the change alone, so that a dry run says word for word what the edit does.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from counterfoil.kernel.money import to_decimal
from counterfoil.order.change import Change
from counterfoil.order.folder import Folder
from counterfoil.order.goods_shapes import EditShape
from counterfoil.order.money_shapes import OrderBriefShape
from counterfoil.order.order_edit import OrderEdit
from counterfoil.order.refund import Refund
from counterfoil.order.tells import tell_edit


def tell_done_edit(change: Change, brief: OrderBriefShape) -> EditShape:
    """Tell an edit as its command does: with what is due, released and given back."""
    made: OrderEdit = change.result
    refunds: list[Any] = change.inserts.get("refunds", [])
    waits = any(refund.waits_for_approval for refund in refunds)
    needed: Literal["needed", "not_needed"] = "needed" if waits else "not_needed"
    return msgspec.structs.replace(
        tell_edit(made, change.after.order.currency, brief),
        due=change.after.order.due,
        release=_released(change) + _spare(change.after),
        give_back=sum(refund.amount for refund in refunds),
        approval=needed,
        explanation=_sentences(change, made, refunds),
    )


def _released(change: Change) -> int:
    """What the edit itself releases: nothing is owed any more."""
    rows: list[Any] = change.inserts.get("transactions", [])
    return sum(row.amount for row in rows if row.type == "VOID")


def _spare(folder: Folder) -> int:
    """What is authorised and will not be taken; it is released when the last has been taken."""
    return folder.order.open - folder.order.capturable


def _sentences(change: Change, made: OrderEdit, refunds: Sequence[Refund]) -> list[str]:
    order = change.after.order
    difference = made.after.total - made.before.total

    def money(minor: int) -> str:
        return f"{to_decimal(minor, order.currency)} {order.currency}"

    said = []
    if difference:
        more = "more" if difference > 0 else "less"
        said.append(
            f"The order comes to {money(made.after.total)}, {money(abs(difference))} {more} than"
            f" {money(made.before.total)}."
        )
    else:
        said.append(f"The order still comes to {money(made.after.total)}.")
    if spare := _spare(change.after):
        said.append(
            f"Of {money(order.open)} that is authorised, {money(order.capturable)} can be captured;"
            f" {money(spare)} is released then."
        )
        said += _cannot_take_less(change.after)
    if released := _released(change):
        said.append(f"{money(released)} is released at once: nothing is owed any more.")
    for refund in refunds:
        through = " and ".join(dict.fromkeys(part.gateway for part in refund.plan))
        said.append(f"{money(refund.amount)} that was taken goes back through {through}.")
        if refund.waits_for_approval:
            said.append(
                "It is more than may be given back alone: a second person has to approve it."
            )
    if order.due:
        said.append(f"{money(order.due)} is due: open a payment over it.")
    if order.hold_shipment and not change.before.order.hold_shipment:
        said.append("The goods stay here until it is paid.")
    if change.before.order.hold_shipment and not order.hold_shipment:
        said.append("Nothing is due any more: the goods may leave.")
    return said


def _cannot_take_less(folder: Folder) -> list[str]:
    names = [
        payment.gateway
        for payment in folder.payments
        if payment.open > 0 and not folder.gateway_of(payment).capabilities.partial_capture
    ]
    return [
        f"{name} takes all of it or nothing: release it and ask for a new payment."
        for name in dict.fromkeys(names)
    ]
