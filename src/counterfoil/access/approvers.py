"""Who may approve a refund that is more than its asker may give back alone. [faults R-7]"""

import msgspec

from counterfoil.access.roles import Limits
from counterfoil.kernel.db import Connection
from counterfoil.order.actor import Actor
from counterfoil.order.rights import rights_of

LOOKED_AT_MAX = 1_000
_RIGHT = "payments.approve"


async def approvers(
    connection: Connection, asker: Actor, *, store: str, amount: int, currency: str
) -> list[str]:
    """Name the people who may approve a refund of `amount` minor units, by name.

    Those are active users other than the asker who may approve, see the store and every merchant,
    and whose own limit is not below the amount.
    """
    rows = await connection.rows(
        "select u.id::text, u.name, r.permissions::text, r.limits::text from users u"
        " join roles r on r.account_id = $1 and r.code = u.role"
        " where u.account_id = $1 and u.status = 'ACTIVE' and u.merchants is null"
        " and (u.stores is null or u.stores ? $2) order by u.name, u.id limit $3",
        connection.account,
        store,
        LOOKED_AT_MAX,
    )
    named = []
    for row in rows:
        other = Actor(
            kind="user",
            id=row["id"],
            name=row["name"],
            account_id=asker.account_id,
            rights=rights_of(msgspec.json.decode(row["permissions"], type=list[str])),
            limits=msgspec.json.decode(row["limits"], type=Limits),
            credential=f"user:{row['id']}",
        )
        limit = other.limit("refund", currency)
        if other.id != asker.id and other.can(_RIGHT) and (limit is None or amount <= limit):
            named.append(other.name)
    return named
