"""Merchants: list, make, rename."""

import asyncpg
import msgspec

from counterfoil.kernel.db import Connection
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.page import COUNT_MAX, LIMIT, Page, check_limit, read_cursor, read_page
from counterfoil.kernel.problem import NotFound
from counterfoil.kernel.shape import Code, Name, check_shape, to_json
from counterfoil.order.actor import Actor
from counterfoil.order.config import Merchant
from counterfoil.setup.problems import CodeTaken


class NewMerchant(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What it takes to make a merchant."""

    code: Code
    name: Name


class MerchantChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What may change of a merchant; its code may not."""

    name: Name


async def list_merchants(
    connection: Connection, *, limit: int = LIMIT, cursor: str | None = None
) -> Page[Merchant]:
    """List the account's merchants by code."""
    after = read_cursor(cursor, str)
    rows = await connection.rows(
        "select to_jsonb(m)::text as told, (select count(*) from"
        "   (select from merchants where account_id = $1 limit $4) as capped) as total"
        " from merchants m where account_id = $1 and code > $2 order by code limit $3",
        connection.account,
        after[0] if after else "",
        check_limit(limit) + 1,
        COUNT_MAX + 1,
    )
    return read_page(rows, Merchant, limit, "code")


async def create_merchant(connection: Connection, actor: Actor, new: NewMerchant) -> Merchant:
    """Make a merchant. Raises ValidationFailed, CodeTaken."""
    check_shape(new)
    try:
        told = await connection.value(
            "with made as ("
            "  insert into merchants (account_id, id, code, name, created_at)"
            "  values ($1, $2, $3, $4, cf_now()) returning *),"
            " entry as ("
            "  insert into audit_entry (account_id, id, type, subject, data, actor, at)"
            "  select $1, $5, 'merchant.created', code,"
            "    jsonb_build_object('after', to_jsonb(made) - 'account_id'), $6::text::jsonb,"
            "    created_at from made)"
            " select to_jsonb(made)::text from made",
            connection.account,
            new_id(),
            new.code,
            new.name,
            new_id(),
            to_json(actor.told()),
        )
    except asyncpg.UniqueViolationError as problem:
        raise CodeTaken(f"There is a merchant {new.code!r} already.") from problem
    return msgspec.json.decode(told, type=Merchant)


async def change_merchant(
    connection: Connection, actor: Actor, code: str, change: MerchantChange
) -> Merchant:
    """Rename a merchant. Raises ValidationFailed, NotFound."""
    check_shape(change)
    told = await connection.value(
        "with was as ("
        "  select m as old from merchants m where account_id = $1 and code = $2 for update),"
        " made as ("
        "  update merchants m set name = $3 from was"
        "  where m.account_id = $1 and m.code = $2 returning m.*),"
        " entry as ("
        "  insert into audit_entry (account_id, id, type, subject, data, actor, at)"
        "  select $1, $4, 'merchant.changed', made.code, jsonb_build_object("
        "    'before', to_jsonb(was.old) - 'account_id', 'after', to_jsonb(made) - 'account_id'),"
        "    $5::text::jsonb, cf_now() from made, was)"
        " select to_jsonb(made)::text from made",
        connection.account,
        code,
        change.name,
        new_id(),
        to_json(actor.told()),
    )
    if told is None:
        raise NotFound(f"There is no merchant {code!r}.")
    return msgspec.json.decode(told, type=Merchant)
