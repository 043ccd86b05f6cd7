"""Order states: the list of them, and whether orders are in them. [U-4, U-11; rulings 6, 37]"""

from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import COUNT_MAX, LIMIT, Page, check_limit, read_cursor, read_page
from counterfoil.order.config import OrderState


class StateInUse(OrderState, frozen=True, kw_only=True):
    """A state, and whether any order is in it; one that is used keeps its code and meaning."""

    in_use: bool


async def list_states(
    connection: Connection,
    *,
    store: str | None = None,
    limit: int = LIMIT,
    cursor: str | None = None,
) -> Page[StateInUse]:
    """List a store's states in their order, or those of all stores, store by store."""
    after = read_cursor(cursor, str, int, str) or ("", 0, "")
    rows = await connection.rows(
        "select (to_jsonb(s) || jsonb_build_object('in_use', exists ("
        "   select from orders o where o.account_id = $1 and o.state = s.code"
        "   and o.store = s.store)))::text as told,"
        " (select count(*) from (select from order_states where account_id = $1"
        "   and ($2::text is null or store = $2) limit $7) as capped) as total"
        " from order_states s where account_id = $1 and ($2::text is null or store = $2)"
        " and (store, position, code) > ($3, $4, $5) order by store, position, code limit $6",
        connection.account,
        store,
        *after,
        check_limit(limit) + 1,
        COUNT_MAX + 1,
    )
    return read_page(rows, StateInUse, limit, "store", "position", "code")
