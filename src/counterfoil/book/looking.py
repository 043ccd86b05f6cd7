"""Looking at one order's past, and at what is unfinished; one statement each, trimmed."""

from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec

from counterfoil.book.fragments import filled, rows
from counterfoil.book.trimming import PlacedFact, tell_fact
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import COUNT_MAX, LIMIT, Page, check_limit, read_cursor, read_page
from counterfoil.kernel.problem import NotFound
from counterfoil.order.actor import Actor
from counterfoil.order.letter import Try
from counterfoil.order.shapes import FactShape

#: The orders that an actor may see, all where the list is null: {stores}, {merchants}.
_SEEN = """({stores}::text[] is null or o.store = any({stores}))
    and ({merchants}::text[] is null or exists (select from bags b
      where b.account_id = $1 and b.order_id = o.id and b.merchant = any({merchants})))"""
_ORDER = "orders o where o.account_id = $1 and o.id = {order}::uuid and <seen>"
_FACTS = """select (select coalesce(json_agg(row_to_json(f)), '[]') from (
  select f.* from facts f where f.account_id = $1 and f.order_id = o.id
  order by f.sequence<way> limit {limit}) f)::text as told from <order>"""
_CALLS = """select (select coalesce(json_agg(row_to_json(c) order by c.at, c.id), '[]')
  from gateway_calls c where c.account_id = $1 and c.order_id = o.id)::text as told from <order>"""
_SHIPMENT = """select s.order_id::text as id from shipments s
  join bags g on g.account_id = $1 and g.id = s.bag_id
  join orders o on o.account_id = $1 and o.id = s.order_id
  where s.account_id = $1 and s.id = {shipment}::uuid
    and ({merchants}::text[] is null or g.merchant = any({merchants})) and <seen>"""
_MOVEMENT = """select o.id from transactions t
  join orders o on o.account_id = $1 and o.id = t.order_id
  where t.account_id = $1 and t.id = {movement}::uuid and <seen>"""
_UNSETTLED = """select row_to_json(w)::text as told from (
  select t.id, t.order_id, o.number as order_number, o.store, t.type, t.status, t.amount,
    t.currency, p.gateway, t.attempts, t.due_at, t.created_at, t.error_code, t.error_message,
    p.attention
  from transactions t join orders o on o.account_id = $1 and o.id = t.order_id
  join payments p on p.account_id = $1 and p.id = t.payment_id
  where t.account_id = $1 and t.settled_at is null and <seen>
  order by t.created_at, t.id limit {limit}) w"""
#: Orders whose cancellation runs or has stopped are the few that wait in CANCEL_REQUESTED.
_UNFINISHED = """select row_to_json(w)::text as told from (
  select c.id, c.order_id, o.number as order_number, c.status, c.reason_code, c.created_at
  from orders o cross join lateral (select * from cancellations c
    where c.account_id = $1 and c.order_id = o.id and c.amount is null
    order by c.created_at desc limit 1) c
  where o.account_id = $1 and o.system_state = 'CANCEL_REQUESTED' and <seen>
  order by o.placed_at, o.id limit {limit}) w"""
_LETTERS = """select row_to_json(w)::text as told, (select count(*) from (
    select from letters l join orders o on o.account_id = $1 and o.id = l.order_id
    where l.account_id = $1 and <seen> limit {cap}) x) as total
  from (select l.id, l.order_id, o.number as order_number, l.kind, l.recipient, l.language,
      l.status, l.message_id, l.subject, l.text, l.error, l.tries, l.repeats_id, l.attempts,
      l.due_at, l.created_at, l.sent_at, o.store
    from letters l join orders o on o.account_id = $1 and o.id = l.order_id
    where l.account_id = $1 and <seen><which>
    order by l.created_at desc, l.id desc limit {limit}) w"""
_OLDER = " and (l.created_at, l.id) < ({at}::timestamptz, {id}::uuid)"
_THIS = " and l.id = {letter}::uuid"
_ABOUT = " and l.order_id = {order}::uuid"
_NUMBERED = """select o.id::text from orders o
  where o.account_id = $1 and o.store = {store} and o.number = {number} and <seen>"""
FACTS_MAX = 2_000
T = TypeVar("T")
Instant: Any = Annotated[datetime, msgspec.Meta(tz=True)]


class GatewayCall(msgspec.Struct, frozen=True, kw_only=True):
    """What was said to a provider and what it answered, secrets left out."""

    id: str
    transaction_id: str
    purpose: str
    outcome: str
    raw: dict[str, Any]
    at: datetime


class Unsettled(msgspec.Struct, frozen=True, kw_only=True):
    """A movement whose end is not known, and when it will be asked about again.

    `attention` says why a person has to decide about its payment first, where one has to.
    """

    id: str
    order_id: str
    order_number: str
    store: str
    type: str
    status: str
    amount: int
    currency: str
    gateway: str
    attempts: int
    due_at: datetime | None
    created_at: datetime
    error_code: str | None
    error_message: str | None
    attention: dict[str, Any] | None = None


class Unfinished(msgspec.Struct, frozen=True, kw_only=True):
    """A cancellation that runs, or that stopped before its end."""

    id: str
    order_id: str
    order_number: str
    status: str
    reason_code: str
    created_at: datetime


class WrittenLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter to a customer, and what became of it."""

    id: str
    order_id: str
    order_number: str
    kind: str
    recipient: str
    language: str
    status: str
    message_id: str
    subject: str | None
    text: str | None
    error: str | None
    tries: list[Try]
    repeats_id: str | None
    store: str
    attempts: int
    due_at: datetime | None
    created_at: datetime
    sent_at: datetime | None


async def facts_of(
    connection: Connection,
    actor: Actor,
    order_id: str,
    *,
    newest_first: bool = False,
    limit: int = FACTS_MAX,
) -> list[FactShape]:
    """List the facts of an order, each as the actor may see it. Raises NotFound. [rulings 5]"""
    text = filled(_FACTS, way=" desc" if newest_first else "")
    told = await _of_order(connection, actor, text, {"order": order_id, "limit": limit})
    return [tell_fact(fact, actor) for fact in msgspec.json.decode(told, type=list[PlacedFact])]


async def timeline(
    connection: Connection, actor: Actor, order_id: str, *, limit: int = FACTS_MAX
) -> list[FactShape]:
    """List the newest facts of an order, newest first. Raises NotFound."""
    return await facts_of(connection, actor, order_id, newest_first=True, limit=limit)


async def gateway_calls(
    connection: Connection, actor: Actor, order_id: str
) -> list[GatewayCall]:
    """List what was said to providers about an order, oldest first; nothing to the limited.

    Raises NotFound.
    """
    told = await _of_order(connection, actor, _CALLS, {"order": order_id})
    if actor.merchants is not None:
        return []
    return msgspec.json.decode(told, type=list[GatewayCall])


async def order_of_shipment(connection: Connection, actor: Actor, shipment_id: str) -> str:
    """Find the id of the order that a shipment belongs to. Raises NotFound."""
    found = await _seen(connection, actor, _SHIPMENT, {"shipment": shipment_id})
    if not found:
        raise NotFound("There is no such shipment.")
    return str(found[0]["id"])


async def check_movement(connection: Connection, actor: Actor, transaction_id: str) -> None:
    """Go on where a movement is of an order that the actor may see. Raises NotFound."""
    if not await _seen(connection, actor, _MOVEMENT, {"movement": transaction_id}):
        raise NotFound("There is no such movement of money.")


async def unsettled(
    connection: Connection, actor: Actor, *, limit: int = LIMIT
) -> list[Unsettled]:
    """List the movements whose end is not known, oldest first; money of whole orders. [V4]"""
    return await _told(connection, actor, _UNSETTLED, Unsettled, limit)


async def unfinished(
    connection: Connection, actor: Actor, *, limit: int = LIMIT
) -> list[Unfinished]:
    """List the cancellations that run or have stopped before their end."""
    return await _told(connection, actor, _UNFINISHED, Unfinished, limit)


async def letters(
    connection: Connection, actor: Actor, *, limit: int = LIMIT, cursor: str | None = None
) -> Page[WrittenLetter]:
    """List the letters to customers, newest first. Raises ValidationFailed."""
    place = read_cursor(cursor, Instant, UUID)
    text = filled(_LETTERS, which=_OLDER if place else "")
    values: dict[str, Any] = {"limit": check_limit(limit) + 1, "cap": COUNT_MAX + 1}
    if place:
        values |= {"at": place[0], "id": place[1]}
    found = [] if actor.merchants is not None else await _seen(connection, actor, text, values)
    return read_page(found, WrittenLetter, limit, "created_at", "id")


async def letter_of(connection: Connection, actor: Actor, letter_id: str) -> WrittenLetter:
    """Read one letter's entry. Raises NotFound."""
    text = filled(_LETTERS, which=_THIS)
    found = await _seen(connection, actor, text, {"letter": letter_id, "limit": 1, "cap": 1})
    if not found or actor.merchants is not None:
        raise NotFound("There is no such letter.")
    return msgspec.json.decode(found[0]["told"], type=WrittenLetter)


async def letters_of(
    connection: Connection, actor: Actor, order_id: str
) -> list[WrittenLetter]:
    """List the letters about one order, newest first; none to the limited. Raises NotFound."""
    await facts_of(connection, actor, order_id, limit=1)
    if actor.merchants is not None:
        return []
    text = filled(_LETTERS, which=_ABOUT)
    values: dict[str, Any] = {"order": order_id, "limit": FACTS_MAX, "cap": 1}
    found = await _seen(connection, actor, text, values)
    return [msgspec.json.decode(row["told"], type=WrittenLetter) for row in found]


async def order_numbered(
    connection: Connection, actor: Actor, store: str, number: str
) -> str | None:
    """Find an order's id by its number."""
    found = await _seen(connection, actor, _NUMBERED, {"store": store, "number": number})
    return str(found[0]["id"]) if found else None


async def _told(
    connection: Connection, actor: Actor, text: str, kind: type[T], limit: int
) -> list[T]:
    """Read what is about whole orders; who is limited to merchants sees nothing of it."""
    if actor.merchants is not None:
        return []
    found = await _seen(connection, actor, text, {"limit": limit})
    return [msgspec.json.decode(row["told"], type=kind) for row in found]


async def _of_order(
    connection: Connection, actor: Actor, text: str, values: dict[str, Any]
) -> str:
    found = await _seen(connection, actor, text, values)
    if not found:
        raise NotFound("There is no such order.")
    return str(found[0]["told"])


async def _seen(
    connection: Connection, actor: Actor, text: str, values: dict[str, Any]
) -> list[Any]:
    """Run a statement with what the actor may see. An id that is none finds nothing."""
    for name in ("order", "shipment", "letter", "movement"):
        if name in values:
            try:
                values[name] = UUID(values[name])
            except ValueError:
                return []
    own = {"stores": actor.stores, "merchants": actor.merchants}
    limits = {name: None if codes is None else sorted(codes) for name, codes in own.items()}
    return await rows(
        connection, filled(text, order=_ORDER, seen=_SEEN), {**values, **limits}
    )
