"""Running a money form: the guards that no client can skip, the command, and its panel.

What was read back is what is done: the amount must be the one the button named and the balance the
one the form was based on; else nothing is sent and the form comes again with the new numbers. The
form's own key makes a second sending find the first answer. [design guide 1.2, 1.3, 3.3]
"""

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Response

from counterfoil.book.kept import find_kept
from counterfoil.book.opening import open_folder
from counterfoil.book.run import Command
from counterfoil.kernel.problem import Problem
from counterfoil.order.change import Answered, Change
from counterfoil.order.folder import Folder
from counterfoil.order.opening import needs_of
from counterfoil.order.problems import BalanceChanged, GatewayDeclined, RequestInProgress
from counterfoil.portal.cancel_panel import cancellation_panel
from counterfoil.portal.figures import money
from counterfoil.portal.forms import Form
from counterfoil.portal.reading import Read, own_id, read_order
from counterfoil.portal.refund_panel import became, refund_panel
from counterfoil.portal.return_panel import return_shown
from counterfoil.portal.saying import Typed
from counterfoil.portal.timeline import facts_of
from counterfoil.portal.visit import Visit
from counterfoil.work.settle import settle_now

Action = Callable[..., Change]
#: A number of the order that a form is based on, by name, or one that the form counts itself.
Measure = str | Callable[[Folder], int]
MEASURES: dict[str, Callable[[Folder], int]] = {
    "open": lambda folder: folder.order.open,
    "refundable": lambda folder: folder.order.refundable,
    "all": lambda folder: folder.order.open + folder.order.refundable,
}


class Wanted(msgspec.Struct, kw_only=True):
    """A money form that was sent: the action, its arguments, and how to show the form again."""

    action: Action
    arguments: dict[str, Any]
    measure: Measure
    show: Callable[[Read], Response[bytes]]
    form: Form
    typed: Typed | None = None
    reference: str | None = None
    return_id: str = ""
    shown: int | None = None
    typed_as: str = "You typed"


class How(msgspec.Struct, frozen=True, kw_only=True):
    """How a form's action is run: on which version, under which reference, as which step of it.

    `return_id`: the order is found by this return of it, with what its next refund depends on.
    """

    seen: int | None = None
    watch: tuple[str, ...] = ()
    reference: str | None = None
    return_id: str = ""
    step: str = ""


def measured(measure: Measure, folder: Folder) -> int:
    """Count what a form is based on."""
    return MEASURES[measure](folder) if isinstance(measure, str) else measure(folder)


def on_balance(action: Action, measure: Measure, shown: int) -> Action:
    """Let an action run only on the balance that the form was based on. Raises BalanceChanged."""

    def guarded(folder: Folder, **arguments: Any) -> Change:
        now = measured(measure, folder)
        if now != shown:
            raise BalanceChanged(now=now, before=shown)
        return action(folder, **arguments)

    guarded.needs = needs_of(action)  # type: ignore[attr-defined]
    return guarded


async def repeated(visit: Visit, order_id: str) -> Response[bytes] | None:
    """Show what became of this very form where it was sent before, else nothing.

    Asked before the form is judged: by now the money it was about has moved. Raises
    RequestInProgress, IdempotencyKeyReused.
    """
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        opened = await open_folder(connection, own_id(order_id), frozenset(), key=visit.key)
    return None if opened.answered is None else await shown(visit, order_id, opened.answered)


async def happened(visit: Visit, key: str) -> Response[bytes]:
    """Tell what became of a form whose answer was lost, by its key. [design guide 3.7]"""
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        kept = await find_kept(connection, visit.actor.credential, key)
    if kept is None or kept.order_id is None:
        return visit.page("money/nothing.html", back="/portal/orders/open")
    if kept.answered is not None:
        return await shown(visit, kept.order_id, kept.answered)
    read = await read_order(visit, kept.order_id)
    waiting = next((t for t in read.folder.transactions if t.idempotency_key == key), None)
    facts = facts_of(read)
    if waiting is not None:
        return became(visit, read, waiting.id, facts)
    plan = next((c for c in read.folder.cancellations if c.idempotency_key == key), None)
    if plan is None:
        raise RequestInProgress("It is still running; look again in a moment.")
    return cancellation_panel(visit, read, plan, facts)


async def run_money(visit: Visit, read: Read, wanted: Wanted) -> Response[bytes]:
    """Judge what was typed, run the command, and show what became of it."""
    typed = wanted.typed
    minor = typed.minor if typed else wanted.shown
    now, before = measured(wanted.measure, read.folder), visit.minor("open_minor")
    if now != before:
        _tell_balance(wanted.form, before, now, read.order.currency)
    elif not wanted.form.refused:
        if typed and typed.refused:
            wanted.form.errors["amount"] = typed.refused
        elif minor is not None and minor != visit.minor("shown_minor"):
            told = money(minor, read.order.currency)
            wanted.form.notices.append(
                f"{wanted.typed_as} {told}. Check the button and press again."
            )
    if wanted.form.refused:
        return wanted.show(read)
    action = on_balance(wanted.action, wanted.measure, visit.minor("open_minor"))
    try:
        how = How(reference=wanted.reference, return_id=wanted.return_id)
        answered = await run(visit, read.order.id, action, how, **wanted.arguments)
    except Problem as problem:
        return await _refused(visit, read, wanted, problem)
    return await shown(visit, read.order.id, answered)


async def run(
    visit: Visit, order_id: str, action: Action, how: How | None = None, **arguments: Any
) -> Answered:
    """Run an action under the form's key; where a provider is asked, wait for it a while."""
    how = how or How()
    key, actor, works = visit.key, visit.actor, visit.works
    if how.step:
        key = msgspec.structs.replace(key, key=f"{key.key}-{how.step}")
    asked = works.asked(actor, key=key.key, source="portal")
    command = Command(
        order_id=how.return_id or order_id,
        found_by="returns" if how.return_id else "orders",
        actor=actor,
        key=key,
        reference=how.reference,
        seen=how.seen,
        watch=how.watch,
    )
    ran = await works.book.run(command, action, asked=asked, **arguments)
    return await settle_now(works, asked, ran)


async def _refused(visit: Visit, read: Read, wanted: Wanted, problem: Problem) -> Response[bytes]:
    """Show the form again with what is true now; other problems are a page of their own."""
    again = await read_order(visit, read.order.id)
    form, currency = wanted.form, read.order.currency
    form.version = again.order.version
    if isinstance(problem, BalanceChanged):
        _tell_balance(form, problem.facts["before"], problem.facts["now"], currency)
    elif problem.code in ("refund_reference_required", "refund_reference_conflict"):
        form.errors["reference"] = (
            f"Reference {wanted.reference} was used before, for something else. Choose another one."
            if wanted.reference
            else "A refund needs a reference of its own."
        )
    elif problem.code == "amount_invalid":
        form.errors["amount"] = problem.title
    elif problem.status in (409, 422):
        form.notices.append(problem.detail)
    else:
        raise problem
    return wanted.show(again)


def _tell_balance(form: Form, before: int, now: int, currency: str) -> None:
    """Say that the balance is another one by now; what was typed wrong can wait."""
    form.errors.clear()
    form.notices.append(
        f"The amount left changed from {money(max(before, 0), currency)} to"
        f" {money(now, currency)} while this was open. Nothing was sent."
    )


async def shown(visit: Visit, order_id: str, answered: Answered) -> Response[bytes]:
    """Show the panel of an answer, first or repeated, from the order as it stands now."""
    body = msgspec.json.decode(answered.body)
    read = await read_order(visit, order_id)
    facts, status = facts_of(read), _own(answered.status)
    if "resolution" in body:
        return await return_shown(visit, order_id, str(body["id"]), status=_own(answered.status))
    if "reversed_amount" in body:
        plan = next(c for c in read.folder.cancellations if c.id == body["id"])
        return cancellation_panel(visit, read, plan, facts, status=status)
    if "restock_items" in body:
        promise = next(r for r in read.folder.refunds if r.id == body["id"])
        return refund_panel(visit, read, promise, facts, status=status)
    if "flow" in body:
        asked = next(t for t in read.folder.transactions if t.payment_id == body["id"])
        return became(visit, read, asked.id, facts, status=status)
    declined = body.get("code") == GatewayDeclined.code
    moved = str(body["transaction_id"] if declined else body["id"])
    return became(visit, read, moved, facts, status=status)


def _own(status: int) -> int:
    return 200 if status == 201 else status
