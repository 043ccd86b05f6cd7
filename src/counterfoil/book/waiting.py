"""What waits for a person: tasks, and authorisations that are about to expire."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from counterfoil.book.fragments import filled, rows
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import COUNT_MAX, LIMIT, Page, check_limit, read_cursor, read_page
from counterfoil.order.actor import Actor
from counterfoil.order.allowed import MONEY_STATES
from counterfoil.order.capability import capabilities
from counterfoil.order.shapes import TaskShape
from counterfoil.order.task import Task
from counterfoil.order.tells import tell_task

HOURS_MAX = 24 * 366
_TASKS = """select row_to_json(w)::text as told, (select count(*) from (
    select from tasks t join orders o on o.account_id = $1 and o.id = t.order_id
    where t.account_id = $1 and t.status = {status} and <seen> limit {cap}) x) as total
  from (select t.*, o.number as order_number from tasks t
    join orders o on o.account_id = $1 and o.id = t.order_id
    where t.account_id = $1 and t.status = {status} and <seen><after>
    order by t.created_at, t.id limit {limit}) w"""
_EXPIRING = """select row_to_json(w)::text as told, (select count(*) from (
    select from payments p join orders o on o.account_id = $1 and o.id = p.order_id
    where <which> limit {cap}) x) as total
  from (select p.id, p.order_id, o.number as order_number, o.store, p.gateway, p.currency,
      p.status, p.authorized, p.captured, p.provider_reference,
      p.authorized - p.captured - p.voided - p.expired - p.capture_pending - p.void_pending
        as open,
      p.expires_at, p.warned_at, p.acknowledged_at, p.attention,
      o.system_state, o.hold_capture, g.kind, g.settings, g.enabled,
      greatest(0, floor(extract(epoch from p.expires_at - cf_now())))::bigint as seconds_left,
      exists (select from payments r where r.account_id = $1 and r.order_id = p.order_id
        and r.renews = p.id and r.status not in ('DECLINED', 'ABANDONED')) as renewed
    from payments p join orders o on o.account_id = $1 and o.id = p.order_id
    join gateways g on g.account_id = $1 and g.code = p.gateway
    where <which><after>
    order by p.expires_at, p.id limit {limit}) w"""
_WHICH = """p.account_id = $1 and p.expires_at is not null
      and p.expires_at <= cf_now() + make_interval(hours => {hours}::integer)
      and p.authorized > p.captured + p.voided + p.expired and <seen>"""
_SEEN = "({stores}::text[] is null or o.store = any({stores}))"
_TASK_AFTER = " and (t.created_at, t.id) > ({at}::timestamptz, {id}::uuid)"
_PAYMENT_AFTER = " and (p.expires_at, p.id) > ({at}::timestamptz, {id}::uuid)"
Instant: Any = Annotated[datetime, msgspec.Meta(tz=True)]


class _Row(Task, frozen=True, kw_only=True):
    order_number: str


class ExpiringPayment(msgspec.Struct, frozen=True, kw_only=True):
    """An authorisation with the time it ends, soonest first; amounts in minor units.

    `may_capture` and `may_reauthorise` say what the asker may do about it now.
    """

    id: str
    order_id: str
    order_number: str
    store: str
    gateway: str
    currency: str
    status: str
    authorized: int
    captured: int
    open: int
    expires_at: datetime
    warned_at: datetime | None
    acknowledged_at: datetime | None
    seconds_left: int
    may_capture: bool = False
    may_reauthorise: bool = False


class _Expiring(ExpiringPayment, frozen=True, kw_only=True):
    system_state: str
    hold_capture: bool
    attention: dict[str, Any] | None
    provider_reference: str | None
    renewed: bool
    kind: str
    settings: dict[str, Any]
    enabled: bool


async def tasks(
    connection: Connection,
    actor: Actor,
    *,
    status: str = "OPEN",
    limit: int = LIMIT,
    cursor: str | None = None,
) -> Page[TaskShape]:
    """List tasks, the oldest first; they are about whole orders. Raises ValidationFailed."""
    found = await _read(
        connection, actor, filled(_TASKS, after=_TASK_AFTER if cursor else ""),
        {"status": status}, limit, cursor,
    )  # fmt: skip
    page = read_page(found, _Row, limit, "created_at", "id")
    told = [
        msgspec.structs.replace(tell_task(row), order_number=row.order_number) for row in page.data
    ]
    return Page(told, page.next_cursor, page.count)


async def expiring(
    connection: Connection,
    actor: Actor,
    *,
    within_hours: int = 24,
    limit: int = LIMIT,
    cursor: str | None = None,
) -> Page[ExpiringPayment]:
    """List the authorisations that end within so many hours, soonest first.

    Those that are over and not booked yet are among them. Raises ValidationFailed. [faults A-4]
    """
    text = filled(_EXPIRING, which=_WHICH, after=_PAYMENT_AFTER if cursor else "")
    found = await _read(connection, actor, text, {"hours": within_hours}, limit, cursor)
    page = read_page(found, _Expiring, limit, "expires_at", "id")
    return Page([_judged(row, actor) for row in page.data], page.next_cursor, page.count)


def _judged(row: _Expiring, actor: Actor) -> ExpiringPayment:
    """Say what may be done; the actions judge again."""
    free = row.system_state in MONEY_STATES and row.attention is None and row.open > 0
    free = free and actor.can("payments.capture")
    able = capabilities(row.kind, row.settings)
    known = {name: getattr(row, name) for name in ExpiringPayment.__struct_fields__}
    known["may_capture"] = free and not row.hold_capture and row.seconds_left > 0
    known["may_reauthorise"] = (
        free
        and able.reauthorize
        and row.enabled
        and row.provider_reference is not None
        and not row.renewed
    )
    return ExpiringPayment(**known)


async def _read(
    connection: Connection,
    actor: Actor,
    text: str,
    values: dict[str, Any],
    limit: int,
    cursor: str | None,
) -> list[Any]:
    """Read a page's rows and one more; who is limited to merchants sees nothing of it."""
    place = read_cursor(cursor, Instant, UUID)
    values = {**values, "limit": check_limit(limit) + 1, "cap": COUNT_MAX + 1}
    if place:
        values |= {"at": place[0], "id": place[1]}
    if actor.merchants is not None:
        return []
    stores = None if actor.stores is None else sorted(actor.stores)
    return await rows(connection, filled(text, seen=_SEEN), {**values, "stores": stores})
