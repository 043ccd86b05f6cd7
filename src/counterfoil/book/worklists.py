"""What waits for people, in figures: tasks, decisions, and reservations by how soon they end."""

from typing import Any, NamedTuple

import msgspec

from counterfoil.book.fragments import filled, rows
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import COUNT_MAX
from counterfoil.order.actor import Actor

_SEEN = "({stores}::text[] is null or o.store = any({stores}))"
_OPEN = """select t.kind from tasks t join orders o on o.account_id = $1 and o.id = t.order_id
  where t.account_id = $1 and t.status = 'OPEN' and <seen> limit {cap}"""
_ENDING = """from payments p join orders o on o.account_id = $1 and o.id = p.order_id
  where p.account_id = $1 and p.expires_at is not null
    and p.expires_at <= cf_now() + make_interval(hours => {hours}::integer)
    and p.authorized > p.captured + p.voided + p.expired and <seen>"""
_COUNTS = filled(
    """with waiting as (<open>)
select (select count(*) from waiting) as tasks,
  (select count(*) from waiting w where w.kind = 'payment_attention') as decisions,
  (select count(*) from (select <ending> limit {cap}) e) as expiring""",
    open=_OPEN,
    ending=_ENDING,
)
_SUMS = filled(
    """select width_bucket(extract(epoch from e.expires_at - cf_now()),
    array[0, 900, 3600, 86400]::numeric[]) as nearness, e.currency, count(*) as payments,
  sum(e.open)::bigint as open
from (select p.expires_at, p.currency, p.authorized - p.captured - p.voided - p.expired
    - p.capture_pending - p.void_pending as open <ending>) e
group by 1, 2 order by 2, 1""",
    ending=_ENDING,
)


class WorkCounts(NamedTuple):
    """How much waits for a person; `decisions` are among the tasks. Each is counted to 10,000."""

    tasks: int = 0
    decisions: int = 0
    expiring: int = 0


class EndingSum(msgspec.Struct, frozen=True, kw_only=True):
    """What ends about as soon, in one currency, in minor units.

    `nearness`: 0 over already, 1 within a quarter of an hour, 2 an hour, 3 a day, 4 later.
    """

    nearness: int
    currency: str
    payments: int
    open: int


async def work_counts(connection: Connection, actor: Actor, *, hours: int = 24) -> WorkCounts:
    """Count open tasks, and reservations that end within so many hours."""
    found = await _read(connection, actor, _COUNTS, {"hours": hours, "cap": COUNT_MAX})
    return WorkCounts(**dict(found[0])) if found else WorkCounts()


async def ending_sums(connection: Connection, actor: Actor, *, hours: int) -> list[EndingSum]:
    """Add up the reservations that end within so many hours, by how soon and by currency."""
    found = await _read(connection, actor, _SUMS, {"hours": hours})
    return [EndingSum(**dict(row)) for row in found]


async def _read(
    connection: Connection, actor: Actor, text: str, values: dict[str, Any]
) -> list[Any]:
    """Read figures about whole orders; who is limited to merchants sees nothing of it."""
    if actor.merchants is not None:
        return []
    stores = None if actor.stores is None else sorted(actor.stores)
    return await rows(connection, filled(text, seen=_SEEN), {**values, "stores": stores})
