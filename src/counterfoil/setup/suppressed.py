"""Addresses that refused a letter for good: they get no more until somebody says so. [M-2]"""

from datetime import datetime

import msgspec

from counterfoil.kernel.db import Connection
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.shape import to_json
from counterfoil.order.actor import Actor


class Suppressed(msgspec.Struct, frozen=True, kw_only=True):
    """An address that gets no letters, since when and why."""

    address: str
    reason: str
    letter_id: str | None = None
    at: datetime


async def find_suppressed(connection: Connection, address: str) -> Suppressed | None:
    """Tell whether an address gets no letters; capital letters make no other address."""
    told = await connection.value(
        "select to_jsonb(s)::text from suppressed_addresses s"
        " where account_id = $1 and address = $2",
        connection.account,
        address.lower(),
    )
    return None if told is None else msgspec.json.decode(told, type=Suppressed)


async def suppress(connection: Connection, address: str, *, reason: str, letter_id: str) -> None:
    """Send no more letters to an address; the first reason stays."""
    await connection.rows(
        "insert into suppressed_addresses (account_id, address, reason, letter_id, at)"
        " values ($1, $2, $3, $4, cf_now()) on conflict do nothing",
        connection.account,
        address.lower(),
        reason,
        letter_id,
    )


async def lift(connection: Connection, actor: Actor, address: str) -> bool:
    """Send letters to an address again, because somebody says that it works."""
    gone = await connection.value(
        "with gone as (delete from suppressed_addresses where account_id = $1 and address = $2"
        "   returning letter_id),"
        " entry as (insert into audit_entry (account_id, id, type, subject, data, actor, at)"
        "   select $1, $3, 'address.lifted', coalesce(letter_id::text, ''), '{}', $4::text::jsonb,"
        "     cf_now() from gone)"
        " select 1 from gone",
        connection.account,
        address.lower(),
        new_id(),
        to_json(actor.told()),
    )
    return gone is not None
