"""Roles: what they allow, and how many people have them."""

from typing import Any

import msgspec

from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import LIMIT, Page, check_limit, read_cursor, read_page
from counterfoil.order.problems import UnknownReference


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A named set of permissions. `limits` are amounts, such as {"refund": {"EUR": 10000}}."""

    id: str
    code: str
    name: str
    permissions: tuple[str, ...]
    limits: dict[str, Any] = {}
    built_in: bool = False
    user_count: int = 0


async def list_roles(
    connection: Connection, *, limit: int = LIMIT, cursor: str | None = None
) -> Page[Role]:
    """List the account's roles by code."""
    after = read_cursor(cursor, str)
    rows = await connection.rows(
        "select (to_jsonb(r) || jsonb_build_object('user_count', (select count(*) from users u"
        "   where u.account_id = $1 and u.role = r.code)))::text as told,"
        " (select count(*) from roles where account_id = $1) as total"
        " from roles r where account_id = $1 and code > $2 order by code limit $3",
        connection.account,
        after[0] if after else "",
        check_limit(limit) + 1,
    )
    return read_page(rows, Role, limit, "code")


async def permissions_of(connection: Connection, role: str) -> list[str]:
    """Return what a role allows. Raises UnknownReference."""
    text = await connection.value(
        "select permissions from roles where account_id = $1 and code = $2",
        connection.account,
        role,
    )
    if text is None:
        detail = f"There is no role {role!r}."
        raise UnknownReference(detail, errors=[{"pointer": "/role", "detail": detail}])
    return msgspec.json.decode(text, type=list[str])
