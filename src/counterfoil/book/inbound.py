"""The calls that providers made to us, for people to look at. [faults W-6, W-8]"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import LIMIT, Page, check_limit, read_cursor, read_page
from counterfoil.kernel.problem import NotFound

_LIST = """select row_to_json(x)::text as told, (select count(*) from (select from inbound_events c
    where c.account_id = $1 and ($2::text is null or c.status = $2)
      and ($3::text is null or c.gateway = $3) limit 10001) y) as total
  from (select i.id, i.gateway, i.event_id, i.topic, i.payment_reference, i.our_reference,
      i.status, i.error, i.order_id, i.attempts, i.received_at, i.settled_at, i.due_at
    from inbound_events i where i.account_id = $1 and ($2::text is null or i.status = $2)
      and ($3::text is null or i.gateway = $3)
      and ($4::timestamptz is null or (i.received_at, i.id) < ($4, $5::uuid))
    order by i.received_at desc, i.id desc limit $6) x"""
_READ = """select json_build_object('id', i.id, 'gateway', i.gateway, 'event_id', i.event_id,
    'topic', i.topic, 'payment_reference', i.payment_reference, 'our_reference', i.our_reference,
    'status', i.status, 'error', i.error, 'order_id', i.order_id, 'attempts', i.attempts,
    'received_at', i.received_at, 'settled_at', i.settled_at, 'due_at', i.due_at,
    'headers', i.headers)::text as told, i.body
  from inbound_events i where i.account_id = $1 and i.id = $2"""
_AGAIN = """update inbound_events set due_at = cf_now(), attempts = 0,
    status = case when status = 'FAILED' then 'UNMATCHED' else status end, settled_at = null
  where account_id = $1 and id = $2 and status <> 'DONE'
    and (lease_until is null or lease_until < cf_now()) returning 1"""
_BODY_SHOWN_MAX = 65_536


class InboundEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A call as stored. FAILED: nobody owned it for a day. `due_at`: when it is looked at again."""

    id: str
    gateway: str
    event_id: str
    topic: str
    payment_reference: str | None
    our_reference: str | None
    status: str
    error: str | None
    order_id: str | None
    attempts: int
    received_at: datetime
    settled_at: datetime | None
    due_at: datetime | None


class WholeEvent(InboundEvent, frozen=True, kw_only=True):
    """A call with what was sent, as text; bytes that are none are marked."""

    headers: dict[str, Any]
    body: str = ""


async def list_inbound(
    connection: Connection, *, status: str | None = None, gateway: str | None = None,
    limit: int = LIMIT, cursor: str | None = None,
) -> Page[InboundEvent]:
    """List calls, the newest first."""
    after = read_cursor(cursor, datetime, UUID) or (None, None)
    rows = await connection.rows(
        _LIST, connection.account, status, gateway, *after, check_limit(limit) + 1
    )
    return read_page(rows, InboundEvent, limit, "received_at", "id")


async def read_inbound(connection: Connection, event_id: str) -> WholeEvent:
    """Read a call with its headers and its body. Raises NotFound."""
    row = await connection.row(_READ, connection.account, event_id)
    if row is None:
        raise NotFound("There is no such call.")
    found = msgspec.json.decode(row["told"], type=WholeEvent)
    text = bytes(row["body"][:_BODY_SHOWN_MAX]).decode("utf-8", "replace").replace("\x00", "�")
    return msgspec.structs.replace(found, body=text)


async def try_again(connection: Connection, event_id: str) -> InboundEvent:
    """Let the worker look into a call now. Raises NotFound; one that is done stays as it is."""
    await connection.rows(_AGAIN, connection.account, event_id)
    return await read_inbound(connection, event_id)
