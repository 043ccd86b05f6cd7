"""Fraud reviews: open, take and decide them; the queue; the rules that open them by themselves."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from counterfoil.actions.decide_review import fail_review, pass_review
from counterfoil.actions.review import (
    SENDERS,
    give_review_back,
    put_review_off,
    send_to_review,
    take_review,
    take_review_up,
)
from counterfoil.api.ask import Ask
from counterfoil.api.bodies import Sentence
from counterfoil.api.configuration import write
from counterfoil.api.door import Door
from counterfoil.api.lists import PageQuery
from counterfoil.book.reviews import QueuedReview, Status, list_reviews, screened
from counterfoil.kernel.page import Page
from counterfoil.kernel.problem import NotFound
from counterfoil.order.change import Answered
from counterfoil.order.problems import (
    ApprovalRequired,
    AttentionRequired,
    GatewayDeclined,
    InvalidState,
    RequestInProgress,
)
from counterfoil.order.screening import Judged, ReviewRules, judge
from counterfoil.order.shapes import OrderShape
from counterfoil.setup.review_rules import StoreRules, read_rules, save_rules

door = Door("Holds and reviews")
_DECIDES, _SETTINGS = "reviews.decide", "settings.manage"
Id = Annotated[str, Meta(min_length=1, max_length=64)]


class ReviewBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What becomes of the review. `open` sends an order to review that is here already."""

    decision: Literal["pass", "fail", "open", "take", "give_back", "put_off", "take_up"]
    note: Sentence | None = None


class ReviewQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which reviews: those that wait, oldest first, or those decided so, newest first."""

    status: Status = "waiting"


class TryBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which order to try the rules on; other rules than the store's where they are sent."""

    order_id: Id
    rules: ReviewRules | None = None


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What each rule that is set makes of the order; the first that matches would be the reason."""

    would_review: bool
    judged: list[Judged]


class _Canceled(msgspec.Struct):
    order: msgspec.Raw | UnsetType = UNSET


@door.post(
    "/v1/orders/{order_id}/fraud-review", right=SENDERS, versioned=True,
    answers={200: OrderShape, 202: OrderShape},
    raises=(InvalidState, RequestInProgress, AttentionRequired, ApprovalRequired, GatewayDeclined),
)
async def decide_fraud_review(ask: Ask, body: ReviewBody) -> Answered:
    """Pass or fail the review of an order, open one, take it, give it back, put it off.

    `pass` lets the order go back to where it was, unless somebody has put it elsewhere. `fail`
    cancels it: what is held is released, what was captured is given back, and the customer is not
    written to; 202 while a provider has not answered. Deciding takes the right reviews.decide.
    """
    if body.decision == "pass":
        return await ask.run(pass_review, note=body.note)
    if body.decision == "open":
        return await ask.run(send_to_review, note=body.note)
    if body.decision in ("put_off", "take_up"):
        action = put_review_off if body.decision == "put_off" else take_review_up
        return await ask.run(action, note=body.note)
    if body.decision == "fail":
        return _order_in(await ask.run(fail_review, note=body.note))
    return await ask.run(take_review if body.decision == "take" else give_review_back)


def _order_in(answered: Answered) -> Answered:
    """Take the order out of a cancellation's answer, first or repeated."""
    if answered.status >= 400:
        return answered
    order = msgspec.json.decode(answered.body, type=_Canceled).order
    if order is UNSET:
        return answered
    return msgspec.structs.replace(answered, body=bytes(order).decode())


@door.get(
    "/v1/fraud-reviews", right=("orders.read", _DECIDES), answers={200: Page[QueuedReview]}
)
async def show_fraud_reviews(ask: Ask, query: ReviewQuery) -> Page[QueuedReview]:
    """List the reviews that wait for somebody, or those that were decided."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await list_reviews(
            connection, ask.actor, status=query.status, limit=query.limit, cursor=query.cursor
        )


@door.get(
    "/v1/stores/{code}/review-rules", right=(_SETTINGS, _DECIDES), answers={200: StoreRules}
)
async def show_review_rules(ask: Ask) -> StoreRules:
    """Show what a store screens new orders by."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await read_rules(connection, ask.path["code"])


@door.declare(
    "PUT", "/v1/stores/{code}/review-rules", right=_SETTINGS, answers={200: StoreRules}
)
async def save_review_rules(ask: Ask, body: ReviewRules) -> Answered:
    """Write what a store screens new orders by; what is absent is not looked at any more.

    Orders of `POST /v1/orders` are screened as they come in. Imports are not: they open reviews
    only where they ask for them.
    """
    return await write(
        ask, lambda connection: save_rules(connection, ask.actor, ask.path["code"], body)
    )


@door.post(
    "/v1/stores/{code}/review-rules/try", right=(_SETTINGS, _DECIDES), answers={200: Tried}
)
async def try_review_rules(ask: Ask, body: TryBody) -> Tried:
    """Tell what the rules would have made of an order when it came in; nothing changes."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        rules: ReviewRules = body.rules or await read_rules(connection, ask.path["code"])
        order_id = ask.as_id(body.order_id, "order")
        found = await screened(connection, ask.actor, order_id, rules.checked())
    if found is None or found[0].store != ask.path["code"]:
        raise NotFound("The store has no such order.")
    order, screening = found
    judged = judge(screening, order)
    return Tried(would_review=any(one.matched for one in judged), judged=judged)
