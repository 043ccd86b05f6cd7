"""Which orders of a channel are here already, by the ids that their channel gave them."""

from collections.abc import Sequence

from msgspec import Struct

from counterfoil.kernel.db import Connection


class Placed(Struct, frozen=True, kw_only=True):
    """An order that is here, and what it was made of."""

    id: str
    number: str
    external_id: str
    create_fingerprint: str | None


async def find_placed(
    connection: Connection, channel: str, external_ids: Sequence[str]
) -> dict[str, Placed]:
    """Find orders by their external ids."""
    if not external_ids:
        return {}
    rows = await connection.rows(
        "select id::text, number, external_id, create_fingerprint from orders"
        " where account_id = $1 and channel = $2 and external_id = any($3::text[])",
        connection.account,
        channel,
        list(external_ids),
    )
    return {row["external_id"]: Placed(**dict(row)) for row in rows}
