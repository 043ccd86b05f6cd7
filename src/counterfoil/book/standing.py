"""How an account stands: what waits for a provider, for the sequencer, for the post.

One statement an account, over partial indexes of rows that wait; for `/metrics` and alerts.
[faults §4 G27]
"""

from msgspec import Struct

from counterfoil.kernel.db import Connection

UNPLACED_MAX = 10_000


class Standing(Struct, frozen=True, kw_only=True):
    """What waits in one account. Ages are whole milliseconds, 0 where nothing waits."""

    unsettled: int
    unsettled_age_ms: int
    unplaced: int
    feed_lag_ms: int
    letters: int
    due: int
    hooks: int
    drift: int


async def read_standing(connection: Connection) -> Standing:
    """Count what waits in the connection's account. Unplaced facts are counted to 10,000.

    A fact's age is that of its id: the facts of an imported order tell of days long gone.
    """
    row = await connection.row(
        "select t.waiting as unsettled, coalesce(t.age_ms, 0) as unsettled_age_ms,"
        " f.waiting as unplaced, coalesce(f.age_ms, 0) as feed_lag_ms, l.waiting as letters,"
        " d.transactions + d.payments + d.letters + d.hooks + d.runs as due,"
        " h.waiting as hooks, r.waiting as drift"
        " from (select count(*) as waiting,"
        "   (extract(epoch from cf_now() - min(created_at)) * 1000)::bigint as age_ms"
        "   from transactions where account_id = $1 and settled_at is null) as t,"
        " (select count(*) as waiting, greatest(0,"
        "   (extract(epoch from clock_timestamp()) * 1000)::bigint"
        "   - ('x' || translate(left(min(id::text), 13), '-', ''))::bit(48)::bigint) as age_ms"
        "   from (select id from facts where account_id = $1 and position is null order by id"
        "     limit $2) late) as f,"
        " (select count(*) as waiting from letters where account_id = $1 and due_at is not null)"
        "   as l,"
        " (select"
        "   (select count(*) from transactions where account_id = $1 and due_at <= cf_now())"
        "     as transactions,"
        "   (select count(*) from payments where account_id = $1 and due_at <= cf_now())"
        "     as payments,"
        "   (select count(*) from letters where account_id = $1 and due_at <= cf_now()) as letters,"
        "   (select count(*) from inbound_events where account_id = $1 and due_at <= cf_now())"
        "     as hooks,"
        "   (select count(*) from reconciliations where account_id = $1 and due_at <= cf_now())"
        "     as runs) as d,"
        " (select count(*) as waiting from inbound_events where account_id = $1"
        "   and due_at is not null) as h,"
        " (select count(*) as waiting from drift_lines where account_id = $1"
        "   and status = 'OPEN') as r",
        connection.account,
        UNPLACED_MAX,
    )
    return Standing(**dict(row))
