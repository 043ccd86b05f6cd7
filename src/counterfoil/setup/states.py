"""Order states: list, make, change, reorder, delete. [U-3, U-4, U-11; rulings 6, 35, 37]

A state that orders are in, and each that every store has from its first day, keeps its name,
colour and meaning. An order enters a state under a key-share lock on it (its foreign key takes
that), and whoever changes or deletes one locks it first and counts afterwards: so neither can
slip in between. The foreign key stands behind it all.
"""

from typing import Annotated, Any, Literal

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from counterfoil.kernel.db import Connection
from counterfoil.kernel.guard import in_transaction
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.page import LIMIT, Count, Page, check_limit, read_cursor, read_page
from counterfoil.kernel.problem import NotFound
from counterfoil.kernel.shape import Code, Name, check_shape, folded, refuse, to_json
from counterfoil.order.actor import Actor
from counterfoil.order.config import MAPPABLE_STATES, SYSTEM_STATES, OrderState
from counterfoil.order.problems import UnknownReference
from counterfoil.setup.problems import CodeTaken, StateInUse, StateNotMappable
from counterfoil.setup.stores import resolve_store

STATES_MAX = 100
DOWN, UP = "down", "up"
_BUILT_IN = frozenset(name.lower() for name in SYSTEM_STATES)
_FREE = frozenset({"description", "position"})

Colour = Literal["blue", "teal", "green", "amber", "orange", "red", "purple", "grey"]
Description = Annotated[str, Meta(max_length=200)]
Position = Annotated[int, Meta(ge=0, le=10_000)]
Codes = Annotated[list[Code], Meta(max_length=STATES_MAX)]


class ShownState(OrderState, frozen=True, kw_only=True):
    """A state, and whether and how many orders are in it, counted to 1,000."""

    in_use: bool
    orders: Count


class NewState(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What it takes to make a state. `store` is not needed where there is only one.

    It counts as `system_state`: NEW, PROCESSING, FRAUD or SUSPENDED. `next` are the codes of the
    states that an order may go to from it, as far as the life cycle allows; null leaves it to that.
    Without `position` it comes last.
    """

    code: Code
    name: Name
    system_state: str
    store: Code | None = None
    colour: Colour = "blue"
    description: Description = ""
    position: Position | None = None
    next: Codes | None = None


class StateChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What may change of a state: everything but its code; in use or built in, the last two."""

    name: Name | UnsetType = UNSET
    system_state: str | UnsetType = UNSET
    colour: Colour | UnsetType = UNSET
    next: Codes | UnsetType | None = UNSET
    description: Description | UnsetType = UNSET
    position: Position | UnsetType = UNSET


#: How many orders are in the state `s`: read from the index of statuses, and never further.
_SHOWN = """(to_jsonb(s) || jsonb_build_object('in_use', u.used > 0, 'orders',
    jsonb_build_object('value', least(u.used, 1000), 'at_least', u.used > 1000)))::text"""
_USED = """lateral (select count(*) as used from (select from orders o where o.account_id = $1
    and o.system_state = s.system_state and o.state = s.code and o.store = s.store
    limit 1001) as counted) u"""
_LIST = """select {shown} as told, (select count(*) from order_states where account_id = $1
    and ($2::text is null or store = $2)) as total
  from (select * from order_states where account_id = $1 and ($2::text is null or store = $2)
    and (store, position, code) > ($3, $4, $5) order by store, position, code limit $6) s, {used}
  order by store, position, code"""
_FIND = """select {shown} as told from order_states s, {used}
  where s.account_id = $1 and s.store = $2 and s.code = $3"""
#: With the first, no order enters the state until we have committed.
_LOCK_ALONE = """select from order_states where account_id = $1 and store = $2 and code = $3
  for update"""
_LOCK = """select from order_states where account_id = $1 and store = $2 and code = $3
  for no key update"""
_ENTRY = """insert into audit_entry (account_id, id, type, subject, data, actor, at)
  values ($1, $2, $3, $4, $5::text::jsonb, $6::text::jsonb, cf_now())"""
_INSERT = """insert into order_states (account_id, id, store, code, name, system_state, colour,
    description, position, next)
  select $1, $2, $3, n.code, n.name, n.system_state, n.colour, n.description,
    coalesce(n.position, (select max(position) + 1 from order_states
      where account_id = $1 and store = $3), 0), n.next
  from jsonb_populate_record(null::order_states, $4::text::jsonb) n"""
_UPDATE = """with new as (
    select (jsonb_populate_record(s, $4::text::jsonb)).* from order_states s
    where s.account_id = $1 and s.store = $2 and s.code = $3)
  update order_states s set name = n.name, system_state = n.system_state, colour = n.colour,
    description = n.description, position = n.position, next = n.next
  from new n where s.account_id = $1 and s.store = $2 and s.code = $3"""


async def list_states(
    connection: Connection,
    *,
    store: str | None = None,
    limit: int = LIMIT,
    cursor: str | None = None,
) -> Page[ShownState]:
    """List a store's states in their order, or those of all stores, store by store."""
    after = read_cursor(cursor, str, int, str) or ("", -1, "")
    rows = await connection.rows(
        _told(_LIST), connection.account, store, *after, check_limit(limit) + 1
    )
    return read_page(rows, ShownState, limit, "store", "position", "code")


async def own_states(connection: Connection) -> list[OrderState]:
    """List the states that the stores have made, for filters and menus; 1,000 at the most."""
    rows = await connection.rows(
        "select to_jsonb(s)::text as told from order_states s where account_id = $1"
        " and not built_in order by store, position, code limit 1000",
        connection.account,
    )
    return [msgspec.json.decode(row["told"], type=OrderState) for row in rows]


async def find_state(connection: Connection, code: str, *, store: str | None) -> ShownState:
    """Return a state of a store. Raises UnknownReference, NotFound."""
    at = await resolve_store(connection, store)
    told = await connection.value(_told(_FIND), connection.account, at, code)
    if told is None:
        raise NotFound(f"The store {at!r} has no state {code!r}.")
    return msgspec.json.decode(told, type=ShownState)


async def add_state(connection: Connection, actor: Actor, new: NewState) -> ShownState:
    """Make a state inside the caller's transaction.

    Raises ValidationFailed, StateNotMappable, UnknownReference, CodeTaken.
    """
    check_shape(new)
    _check_mappable(new.system_state)
    store = await resolve_store(connection, new.store)
    if new.code.upper() in SYSTEM_STATES:
        raise CodeTaken(f"{new.code!r} is what a built-in state is called.")
    await _check_next(connection, store, new.next, itself=new.code)
    await _check_room(connection, store)
    await _check_name(connection, store, new.name, itself=new.code)
    try:
        await connection.rows(_INSERT, connection.account, new_id(), store, to_json(new))
    except asyncpg.UniqueViolationError as problem:
        raise CodeTaken(f"The store has a state {new.code!r} already.") from problem
    made = await find_state(connection, new.code, store=store)
    await _enter(connection, actor, "created", made.code, after=_plain(made))
    return made


async def change_state(
    connection: Connection, actor: Actor, code: str, change: StateChange, *, store: str | None
) -> ShownState:
    """Change what is named of a state, inside the caller's transaction.

    Raises ValidationFailed, StateNotMappable, UnknownReference, NotFound, StateInUse. What is sent
    as it is already is no change.
    """
    check_shape(change)
    if change.system_state is not UNSET:
        _check_mappable(change.system_state, built_in=code in _BUILT_IN)
    at = await resolve_store(connection, store)
    wanted = msgspec.to_builtins(change)
    meaning = bool(wanted.keys() - _FREE)
    was = await _locked(connection, at, code, alone=meaning)
    before = _plain(was)
    changed = {name for name, value in wanted.items() if before[name] != value}
    if not changed:
        return was
    if changed - _FREE:
        _check_free(was, f"its {', '.join(sorted(changed - _FREE))} cannot change")
    if change.next is not UNSET:
        await _check_next(connection, at, change.next, itself=code)
    if "name" in changed:
        await _check_name(connection, at, wanted["name"], itself=code)
    await connection.rows(_UPDATE, connection.account, at, code, to_json(change))
    now = await find_state(connection, code, store=at)
    await _enter(connection, actor, "changed", code, before=before, after=_plain(now))
    return now


async def move_state(
    connection: Connection, actor: Actor, code: str, way: str, *, store: str | None
) -> None:
    """Let a state change places with the one above or below, inside the caller's transaction.

    Raises UnknownReference, NotFound. At the end of the list nothing happens.
    """
    at = await resolve_store(connection, store)
    rows = await connection.rows(
        "select code from order_states where account_id = $1 and store = $2"
        " order by position, code for no key update",
        connection.account,
        at,
    )
    codes = [row["code"] for row in rows]
    if code not in codes:
        raise NotFound(f"The store {at!r} has no state {code!r}.")
    here = codes.index(code)
    there = here - 1 if way == UP else here + 1
    if not 0 <= there < len(codes):
        return
    codes[here], codes[there] = codes[there], codes[here]
    await connection.rows(
        "update order_states s set position = o.place - 1"
        " from unnest($3::text[]) with ordinality o(code, place)"
        " where s.account_id = $1 and s.store = $2 and s.code = o.code"
        " and s.position <> o.place - 1",
        connection.account,
        at,
        codes,
    )
    await _enter(connection, actor, "moved", code, store=at, order=codes)


async def delete_state(
    connection: Connection, actor: Actor, code: str, *, store: str | None
) -> None:
    """Delete a state that no order is in, inside the caller's transaction.

    Raises UnknownReference, NotFound, StateInUse: also while another state names it in its `next`.
    """
    at = await resolve_store(connection, store)
    was = await _locked(connection, at, code, alone=True)
    _check_free(was, "it cannot be deleted")
    leading = await connection.rows(
        "select name from order_states where account_id = $1 and store = $2 and next ? $3"
        " order by position, code",
        connection.account,
        at,
        code,
    )
    if leading:
        names = ", ".join(row["name"] for row in leading)
        raise StateInUse(f"Orders may go to {was.name} from {names}: take it out there first.")
    try:
        await connection.rows(
            "delete from order_states where account_id = $1 and store = $2 and code = $3",
            connection.account,
            at,
            code,
        )
    except asyncpg.ForeignKeyViolationError as problem:
        raise StateInUse(f"Orders are in {was.name}, so it cannot be deleted.") from problem
    await _enter(connection, actor, "deleted", code, before=_plain(was))


async def note_migration(
    connection: Connection, actor: Actor, code: str, *, store: str, to: str, moved: int
) -> None:
    """Keep who moved how many orders from one state to another; each has a fact of its own."""
    await _enter(connection, actor, "migrated", code, store=store, to=to, moved=moved)


def _told(sql: str) -> str:
    return sql.replace("{shown}", _SHOWN).replace("{used}", _USED)


async def _locked(connection: Connection, store: str, code: str, *, alone: bool) -> ShownState:
    """Lock a state, then count its orders; `alone` lets no order enter until we have committed.

    Two statements: the second sees what committed while the first waited.
    """
    assert in_transaction.get(), "a lock is held until the end of a transaction"
    lock = _LOCK_ALONE if alone else _LOCK
    await connection.rows(lock, connection.account, store, code)
    return await find_state(connection, code, store=store)


def _check_free(state: ShownState, what: str) -> None:
    if state.built_in:
        raise StateInUse(f"{state.name} is built in: {what}.", built_in=True)
    if state.in_use:
        found = state.orders
        many = f"{'More than ' if found.at_least else ''}{found.value:,}"
        said = "1 order is" if found.value == 1 else f"{many} orders are"
        raise StateInUse(f"{said} in {state.name}, so {what}.", orders=msgspec.to_builtins(found))


def _check_mappable(system_state: str, *, built_in: bool = False) -> None:
    if system_state not in MAPPABLE_STATES and not (built_in and system_state in SYSTEM_STATES):
        detail = f"A state counts as one of {', '.join(MAPPABLE_STATES)}, not {system_state!r}."
        raise StateNotMappable(detail, errors=[{"pointer": "/system_state", "detail": detail}])


async def _check_next(
    connection: Connection, store: str, codes: list[str] | None, *, itself: str
) -> None:
    """Refuse codes that the store has no state for; those it has stay until we have committed."""
    if not codes:
        return
    rows = await connection.rows(
        "select code from order_states where account_id = $1 and store = $2"
        " and code = any($3::text[]) order by code for key share",
        connection.account,
        store,
        codes,
    )
    known = {row["code"] for row in rows} - {itself}
    errors = [
        {"pointer": f"/next/{index}", "detail": f"{one!r} is no other state of the store."}
        for index, one in enumerate(codes)
        if one not in known
    ]
    if errors:
        raise UnknownReference(errors[0]["detail"], errors=errors)


async def _check_room(connection: Connection, store: str) -> None:
    count = await connection.value(
        "select count(*) from order_states where account_id = $1 and store = $2",
        connection.account,
        store,
    )
    if count >= STATES_MAX:
        raise refuse("/code", f"A store has {STATES_MAX} states at the most.")


async def _check_name(connection: Connection, store: str, name: str, *, itself: str) -> None:
    """Refuse a name that another state of the store has: in a menu nobody could tell them apart.

    Whoever names a state of the store waits for whoever did so before.
    """
    await connection.rows(
        "select from stores where account_id = $1 and code = $2 for no key update",
        connection.account,
        store,
    )
    others = await connection.rows(
        "select code, name from order_states where account_id = $1 and store = $2 and code <> $3",
        connection.account,
        store,
        itself,
    )
    same = next((one for one in others if folded(one["name"]) == folded(name)), None)
    if same is not None:
        raise refuse("/name", f"The state {same['code']!r} is called {same['name']} already.")


def _plain(state: OrderState) -> dict[str, Any]:
    """Tell a state as it is kept, without who is in it."""
    told: dict[str, Any] = msgspec.to_builtins(state)
    return {name: value for name, value in told.items() if name not in ("in_use", "orders")}


async def _enter(connection: Connection, actor: Actor, verb: str, code: str, **what: Any) -> None:
    await connection.rows(
        _ENTRY,
        connection.account,
        new_id(),
        f"order_state.{verb}",
        code,
        to_json(what),
        to_json(actor.told()),
    )
