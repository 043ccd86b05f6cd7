"""Payments: pay what is due, renew, decide; and what waits for a person."""

from typing import Annotated, Literal

from msgspec import Meta

from counterfoil.actions.decide_payment import decide_payment
from counterfoil.actions.finish_task import RIGHTS, finish_task
from counterfoil.actions.pay import pay
from counterfoil.actions.renew import renew
from counterfoil.api.ask import Ask
from counterfoil.api.bodies import DecisionBody, PaymentBody, TaskDoneBody
from counterfoil.api.door import ANY_KEY, Door
from counterfoil.api.lists import PageQuery
from counterfoil.api.reading import read_folder
from counterfoil.book.requests import RequestShape, request_of
from counterfoil.book.waiting import HOURS_MAX, ExpiringPayment, expiring, tasks
from counterfoil.kernel.page import Page
from counterfoil.kernel.problem import NotFound
from counterfoil.order.allowed import payment_actions
from counterfoil.order.change import Answered
from counterfoil.order.intake import WantedPayment
from counterfoil.order.problems import (
    AmountInvalid,
    AttentionRequired,
    GatewayDeclined,
    InvalidState,
    RequestInProgress,
    UnknownReference,
)
from counterfoil.order.shapes import OrderShape, PaymentShape, TaskShape
from counterfoil.order.tells import tell_payment

door = Door("Money")
_AT = "/v1/orders/{order_id}/payments"
_PAID = {201: PaymentShape, 202: PaymentShape}


class ExpiringQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which authorisations: those that end within so many hours."""

    within_hours: Annotated[int, Meta(ge=0, le=HOURS_MAX)] = 24


class TaskQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which tasks."""

    status: Literal["open", "done"] = "open"


@door.post(
    _AT, right="orders.edit", versioned=True, answers=_PAID,
    raises=(InvalidState, UnknownReference, AmountInvalid, GatewayDeclined),
)
async def open_payment(ask: Ask, body: PaymentBody) -> Answered:
    """Pay what is due, or a part of it; `redirect_url` is where the shopper confirms it.

    That is the shopper's own payment, as it comes with an order: whoever may change the order may
    record it. To take money that is held wants `payments:capture`. A `reference` says that a
    checkout authorised already; the gateway is asked whether that is so.
    """
    wanted = WantedPayment(
        gateway=body.gateway,
        flow=body.flow,
        amount=body.amount,
        reference=body.reference,
        return_url=body.return_url,
    )
    return await ask.run(pay, wanted=wanted)


@door.get(_AT, right="orders.read", answers={200: list[PaymentShape]})
async def show_payments(ask: Ask) -> list[PaymentShape]:
    """List the payments of an order, the oldest first."""
    return await _payments(ask)


async def _payments(ask: Ask) -> list[PaymentShape]:
    """Read an order's payments; they are not for who sees some merchants alone. [rulings 5]"""
    folder, _ = await read_folder(ask, ask.path["order_id"], ("bags", "payments"))
    if ask.actor.merchants is not None:
        return []
    return [
        tell_payment(payment, payment_actions(folder.order, payment, ask.actor))
        for payment in folder.payments
    ]


@door.get(f"{_AT}/{{payment_id}}", right="orders.read", answers={200: PaymentShape})
async def show_payment(ask: Ask) -> PaymentShape:
    """Read one payment."""
    wanted = ask.path["payment_id"]
    found = next((one for one in await _payments(ask) if one.id == wanted), None)
    if found is None:
        raise NotFound("The order has no such payment.")
    return found


@door.post(
    f"{_AT}/{{payment_id}}/reauthorize", right="payments.capture", versioned=True, answers=_PAID,
    raises=(InvalidState, AttentionRequired, RequestInProgress, GatewayDeclined),
)
async def reauthorize_payment(ask: Ask) -> Answered:
    """Have a gateway hold again what a payment holds still or has let expire.

    It is a payment of its own. When it is held, what is open of the earlier one is released.
    """
    return await ask.run(renew, payment_id=ask.path["payment_id"])


@door.post(
    f"{_AT}/{{payment_id}}/decide", right="payments.sync", versioned=True,
    answers={200: OrderShape}, raises=(InvalidState, AmountInvalid),
)
async def decide_about_payment(ask: Ask, body: DecisionBody) -> Answered:
    """Say what became of a payment that waits for a person; it wants `payments:capture`, too.

    `happened` and `did_not_happen` settle the movement in question, `take_theirs` books the
    provider's amount in its place, `keep_ours` opens the payment and changes nothing.
    """
    return await ask.run(
        decide_payment,
        payment_id=ask.path["payment_id"],
        decision=body.decision,
        note=body.note,
    )


@door.get("/v1/payments/expiring", right="orders.read", answers={200: Page[ExpiringPayment]})
async def list_expiring(ask: Ask, query: ExpiringQuery) -> Page[ExpiringPayment]:
    """List the authorisations that end soon, the soonest first."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await expiring(
            connection, ask.actor, within_hours=query.within_hours, limit=query.limit,
            cursor=query.cursor,
        )  # fmt: skip


@door.get("/v1/tasks", right="orders.read", answers={200: Page[TaskShape]})
async def list_tasks(ask: Ask, query: TaskQuery) -> Page[TaskShape]:
    """List what a person has to see to, the newest last."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await tasks(
            connection, ask.actor, status=query.status.upper(), limit=query.limit,
            cursor=query.cursor,
        )  # fmt: skip


@door.post(
    "/v1/tasks/{task_id}/done", right=RIGHTS, versioned=True, answers={200: TaskShape},
    raises=(InvalidState,),
)
async def end_task(ask: Ask, body: TaskDoneBody) -> Answered:
    """Say that a task is seen to; again is the same."""
    task_id = ask.path["task_id"]
    command = ask.command(task_id, found_by="tasks", created=False)
    return await ask.carry_out(command, finish_task, task_id=task_id, note=body.note)


@door.get("/v1/me/requests/{idempotency_key}", right=ANY_KEY, answers={200: RequestShape})
async def show_request(ask: Ask) -> RequestShape:
    """Tell what became of a request of this credential, by its Idempotency-Key."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await request_of(connection, ask.actor, ask.path["idempotency_key"])
