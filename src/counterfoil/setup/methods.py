"""Shipment methods: list, make, change."""

from typing import Annotated

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from counterfoil.kernel.db import Connection
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.page import COUNT_MAX, LIMIT, Page, check_limit, read_cursor, read_page
from counterfoil.kernel.problem import NotFound
from counterfoil.kernel.shape import Code, Name, check_shape, to_json
from counterfoil.order.actor import Actor
from counterfoil.order.config import ShipmentMethod
from counterfoil.setup.problems import CodeTaken
from counterfoil.setup.stores import resolve_store

TrackingUrl = Annotated[
    str,
    Meta(
        # A web address only: it becomes a link that people click.
        pattern=r"^https?://\S*\{tracking_number\}\S*$(?!\n)",
        max_length=1000,
        description="A web address with {tracking_number} in it.",
    ),
]


class NewMethod(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What it takes to make a method. `store` is not needed where there is only one."""

    code: Code
    name: Name
    store: Code | None = None
    carrier: Name | None = None
    tracking_url: TrackingUrl | None = None
    enabled: bool = True


class MethodChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What may change of a method; shipments name it by its code, which may not."""

    name: Name | UnsetType = UNSET
    carrier: Name | UnsetType | None = UNSET
    tracking_url: TrackingUrl | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


async def list_methods(
    connection: Connection,
    *,
    store: str | None = None,
    limit: int = LIMIT,
    cursor: str | None = None,
) -> Page[ShipmentMethod]:
    """List the methods of a store by code, or those of all stores, store by store."""
    after = read_cursor(cursor, str, str) or ("", "")
    rows = await connection.rows(
        "select to_jsonb(m)::text as told,"
        " (select count(*) from (select from shipment_methods where account_id = $1"
        "   and ($2::text is null or store = $2) limit $6) as capped) as total"
        " from shipment_methods m where account_id = $1 and ($2::text is null or store = $2)"
        " and (store, code) > ($3, $4) order by store, code limit $5",
        connection.account,
        store,
        *after,
        check_limit(limit) + 1,
        COUNT_MAX + 1,
    )
    return read_page(rows, ShipmentMethod, limit, "store", "code")


async def create_method(connection: Connection, actor: Actor, new: NewMethod) -> ShipmentMethod:
    """Make a method. Raises ValidationFailed, UnknownReference, CodeTaken."""
    check_shape(new)
    store = await resolve_store(connection, new.store)
    try:
        told = await connection.value(
            "with made as ("
            "  insert into shipment_methods"
            "    (account_id, id, store, code, name, carrier, tracking_url, enabled)"
            "  values ($1, $2, $3, $4, $5, $6, $7, $8) returning *),"
            " entry as ("
            "  insert into audit_entry (account_id, id, type, subject, data, actor, at)"
            "  select $1, $9, 'shipment_method.created', code,"
            "    jsonb_build_object('after', to_jsonb(made) - 'account_id'), $10::text::jsonb,"
            "    cf_now() from made)"
            " select to_jsonb(made)::text from made",
            connection.account,
            new_id(),
            store,
            new.code,
            new.name,
            new.carrier,
            new.tracking_url,
            new.enabled,
            new_id(),
            to_json(actor.told()),
        )
    except asyncpg.UniqueViolationError as problem:
        raise CodeTaken(f"The store has a method {new.code!r} already.") from problem
    return msgspec.json.decode(told, type=ShipmentMethod)


async def change_method(
    connection: Connection, actor: Actor, code: str, change: MethodChange, *, store: str | None
) -> ShipmentMethod:
    """Change what is named of a method. Raises ValidationFailed, UnknownReference, NotFound."""
    check_shape(change)
    at_store = await resolve_store(connection, store)
    told = await connection.value(
        "with was as ("
        "  select m as old, jsonb_populate_record(m, $4::text::jsonb) as new"
        "  from shipment_methods m"
        "  where m.account_id = $1 and m.store = $2 and m.code = $3 for update),"
        " made as ("
        "  update shipment_methods m set name = (w.new).name, carrier = (w.new).carrier,"
        "    tracking_url = (w.new).tracking_url, enabled = (w.new).enabled"
        "  from was w where m.account_id = $1 and m.store = $2 and m.code = $3 returning m.*),"
        " entry as ("
        "  insert into audit_entry (account_id, id, type, subject, data, actor, at)"
        "  select $1, $5, 'shipment_method.changed', made.code, jsonb_build_object("
        "    'before', to_jsonb(was.old) - 'account_id', 'after', to_jsonb(made) - 'account_id'),"
        "    $6::text::jsonb, cf_now() from made, was)"
        " select to_jsonb(made)::text from made",
        connection.account,
        at_store,
        code,
        to_json(change),
        new_id(),
        to_json(actor.told()),
    )
    if told is None:
        raise NotFound(f"There is no shipment method {code!r}.")
    return msgspec.json.decode(told, type=ShipmentMethod)
