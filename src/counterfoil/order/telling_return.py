"""Telling a return as it would be: what follows from it, with a sentence for each figure."""

from typing import Any

import msgspec

from counterfoil.order.actor import Actor
from counterfoil.order.allowed import return_actions
from counterfoil.order.change import Answered, Change
from counterfoil.order.goods_return import Return
from counterfoil.order.refund import Refund
from counterfoil.order.refund_plan import explain
from counterfoil.order.return_shapes import RehearsedReturn
from counterfoil.order.return_worth import ReturnWorth
from counterfoil.order.telling import tell_brief_to, tell_order
from counterfoil.order.tells import tell_refund, tell_return


def rehearsed_return(
    change: Change, arrived: Change, before: Return, *, actor: Actor, worth: ReturnWorth
) -> Answered:
    """Tell what `change` would answer, and what follows when what it waits for has `arrived`.

    `before` is the return with what of it is here already, `worth` what then comes in. Nothing was
    written.
    """
    back: Return = arrived.result
    made: list[Any] = arrived.inserts.get("refunds", [])
    promise: Refund | None = next((one for one in made if one.return_id == back.id), None)
    waits = promise is not None and promise.waits_for_approval
    told = tell_return(
        change.result, return_actions(change.result, actor), tell_brief_to(change.after, actor)
    )
    fields = {name: getattr(told, name) for name in told.__struct_fields__}
    plan = explain(promise) if promise is not None else []
    shape = RehearsedReturn(
        **fields,
        currency=change.after.order.currency,
        worth_of_all=back.worth,
        fee_kept=back.fee_kept - before.fee_kept,
        refund=tell_refund(promise) if promise is not None else None,
        exchange=tell_order(arrived.new_orders[0].after, actor) if arrived.new_orders else None,
        approval="needed" if waits else "not_needed",
        explanation=[*worth.sentences, *plan],
    )
    return Answered(status=200, body=msgspec.json.encode(shape).decode())
