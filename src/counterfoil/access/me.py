"""Who a credential is and what it may do: `GET /v1/me`."""

import msgspec

from counterfoil.kernel.db import Connection
from counterfoil.order.actor import Actor
from counterfoil.order.config import Account
from counterfoil.order.rights import RIGHTS


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """The credential of a request. `merchants` and `stores` null are all of them.

    `limits` are minor units: {"refund": {"EUR": 10000}}; a right without one is for any amount.
    """

    account: Account
    kind: str
    id: str
    name: str
    scopes: list[str]
    merchants: list[str] | None
    stores: list[str] | None
    limits: dict[str, dict[str, int]] = {}


async def describe(connection: Connection, actor: Actor) -> Me:
    """Tell an actor who they are."""
    row = await connection.row(
        "select name, created_at from accounts where account_id = $1", connection.account
    )
    return Me(
        account=Account(id=connection.account, name=row["name"], created_at=row["created_at"]),
        kind=actor.kind,
        id=actor.id,
        name=actor.name,
        scopes=[right.scope for right in RIGHTS if actor.can(right.name)],
        merchants=None if actor.merchants is None else sorted(actor.merchants),
        stores=None if actor.stores is None else sorted(actor.stores),
        limits=actor.limits,
    )
