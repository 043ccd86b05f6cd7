"""The review queue: what waits for a person and what was decided; and screening what is there."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from counterfoil.book.fragments import filled, rows
from counterfoil.book.sources import STANDS
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import COUNT_MAX, LIMIT, Page, check_limit, read_cursor, read_page
from counterfoil.order.actor import Actor
from counterfoil.order.order import Order
from counterfoil.order.screening import EARLIER_MAX, ReviewRules, Screening
from counterfoil.order.shapes import FraudReviewShape
from counterfoil.order.terms import email_term

Status = Literal["waiting", "passed", "failed"]
_COLUMNS = """r.id, r.order_id, o.number as order_number, o.store, o.currency, o.total,
  o.authorized, o.captured, o.state, o.system_state, o.customer, o.shipping_address,
  r.status, r.rule, r.explanation, r.assignee, r.opened_by, r.opened_at, r.resolved_at,
  r.decided_by, r.note"""
#: Reviews of orders that were cancelled or finished meanwhile wait for nobody.
_WHICH = {
    "waiting": "r.resolved_at is null and " + STANDS,
    "passed": "r.resolved_at is not null and r.status = 'PASSED'",
    "failed": "r.resolved_at is not null and r.status = 'FAILED'",
}
_FROM = """fraud_reviews r join orders o on o.account_id = $1 and o.id = r.order_id
  where r.account_id = $1 and <which>
    and ({stores}::text[] is null or o.store = any({stores}))"""
_PAGE = """select row_to_json(w)::text as told,
  (select count(*) from (select from <from> limit {cap}) x) as total
  from (select <columns> from <from><after> order by <order> limit {limit}) w"""
_ORDERED = {
    "waiting": ("r.opened_at, r.id", " and (r.opened_at, r.id) > ({at}::timestamptz, {id}::uuid)"),
    "decided": (
        "r.resolved_at desc, r.id desc",
        " and (r.resolved_at, r.id) < ({at}::timestamptz, {id}::uuid)",
    ),
}
_COUNTS = """select
  (select count(*) from (select from <waiting> limit {cap}) x) as waiting,
  (select count(*) from (select from <passed>
    and r.resolved_at >= {since}::timestamptz limit {cap}) x) as passed,
  (select count(*) from (select from <failed>
    and r.resolved_at >= {since}::timestamptz limit {cap}) x) as failed"""
_WAITING = "select count(*) as waiting from (select from <waiting> limit {cap}) x"
_SCREENED = """select json_build_object('order', row_to_json(o), 'earlier', (
    select coalesce(json_agg(x.placed_at), '[]') from (
      select t.placed_at from order_term t where t.account_id = $1 and t.term = $3
        and t.placed_at <= o.placed_at and t.order_id <> o.id
      order by t.placed_at desc limit $4) x))::text
  from orders o where o.account_id = $1 and o.id = $2"""
_EMAIL = "select customer ->> 'email' from orders where account_id = $1 and id = $2"
Instant: Any = Annotated[datetime, msgspec.Meta(tz=True)]


class QueuedReview(FraudReviewShape, frozen=True, kw_only=True):
    """A review with what one has to know of its order; amounts in minor units of `currency`."""

    order_number: str
    store: str
    currency: str
    total: int
    authorized: int
    captured: int
    state: str
    system_state: str
    customer: dict[str, Any]
    shipping_address: dict[str, Any] | None


class Counted(msgspec.Struct, frozen=True):
    """How many reviews wait, and how many were decided since some instant; up to 10,001."""

    waiting: int = 0
    passed: int = 0
    failed: int = 0


class _Seen(msgspec.Struct, frozen=True, kw_only=True):
    order: Order
    earlier: tuple[datetime, ...]


async def list_reviews(
    connection: Connection,
    actor: Actor,
    *,
    status: Status = "waiting",
    limit: int = LIMIT,
    cursor: str | None = None,
) -> Page[QueuedReview]:
    """List reviews: those that wait oldest first, those that were decided newest first.

    They are about whole orders: who is limited to merchants sees none. Raises ValidationFailed.
    """
    ordered = "waiting" if status == "waiting" else "decided"
    order, after = _ORDERED[ordered]
    place = read_cursor(cursor, Instant, UUID)
    values: dict[str, Any] = {"limit": check_limit(limit) + 1, "cap": COUNT_MAX + 1}
    if place:
        values |= {"at": place[0], "id": place[1]}
    found: list[Any] = []
    if actor.merchants is None:
        source = filled(_FROM, which=_WHICH[status])
        text = filled(
            _PAGE, columns=_COLUMNS, after=after if place else "", order=order, **{"from": source}
        )
        found = await rows(connection, text, {**values, **_stores(actor)})
    at = "opened_at" if ordered == "waiting" else "resolved_at"
    return read_page(found, QueuedReview, limit, at, "id")


async def count_waiting(connection: Connection, actor: Actor) -> int:
    """Count the reviews that wait, up to 10,001."""
    if actor.merchants is not None:
        return 0
    text = filled(_WAITING, waiting=filled(_FROM, which=_WHICH["waiting"]))
    found = await rows(connection, text, {"cap": COUNT_MAX + 1, **_stores(actor)})
    return int(found[0]["waiting"])


async def count_reviews(connection: Connection, actor: Actor, since: datetime) -> Counted:
    """Count the reviews that wait, and those decided since an instant."""
    if actor.merchants is not None:
        return Counted()
    text = filled(_COUNTS, **{name: filled(_FROM, which=which) for name, which in _WHICH.items()})
    values = {"since": since, "cap": COUNT_MAX + 1, **_stores(actor)}
    return Counted(**dict((await rows(connection, text, values))[0]))


async def screened(
    connection: Connection, actor: Actor, order_id: str, rules: ReviewRules
) -> tuple[Order, Screening] | None:
    """Read what an order would have been screened by when it came in; None where it is not here."""
    email = await connection.value(_EMAIL, connection.account, order_id)
    told = await connection.value(
        _SCREENED, connection.account, order_id, email_term(email), EARLIER_MAX
    )
    if told is None:
        return None
    seen = msgspec.json.decode(told, type=_Seen)
    if actor.stores is not None and seen.order.store not in actor.stores:
        return None
    return seen.order, Screening(rules=rules, earlier=seen.earlier)


def _stores(actor: Actor) -> dict[str, Any]:
    return {"stores": None if actor.stores is None else sorted(actor.stores)}
