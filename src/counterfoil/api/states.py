"""Order configurations: a store's states and shipment methods. [U-4, U-11; rulings 37, 41]"""

from typing import Annotated

import msgspec
from msgspec import Meta

from counterfoil.actions.cancel import cancelable
from counterfoil.actions.change_state import check_state
from counterfoil.api.ask import Ask
from counterfoil.api.configuration import write
from counterfoil.api.door import Door
from counterfoil.api.lists import Cursor, PageQuery
from counterfoil.api.reading import read_folder
from counterfoil.book.kept import find_kept
from counterfoil.book.once import once
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import Page
from counterfoil.kernel.problem import Problem
from counterfoil.kernel.shape import Code
from counterfoil.order.change import Answered
from counterfoil.order.config import OrderState, ShipmentMethod
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.problems import RequestInProgress, UnknownReference
from counterfoil.setup.methods import (
    MethodChange,
    NewMethod,
    change_method,
    create_method,
    list_methods,
)
from counterfoil.setup.problems import CodeTaken, StateInUse, StateNotMappable
from counterfoil.setup.states import (
    NewState,
    ShownState,
    StateChange,
    add_state,
    change_state,
    delete_state,
    find_state,
    list_states,
    note_migration,
)
from counterfoil.work.migrating import BATCH, BATCH_MAX, Migrated, Migration, migrate

door = Door("Order configurations")
_RIGHT = "states.manage"
_SEEN_BY = (_RIGHT, "orders.read")
_encode = msgspec.json.Encoder().encode


class StoreQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose: the store's code, needed only where there are several."""

    store: Code | None = None


class StoresQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which page, and of which store; without one, of all stores."""

    store: Code | None = None


class MigrateBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Where the orders of a state go, and how many of them now. `dry_run` moves none."""

    to: Code
    dry_run: bool = False
    limit: Annotated[int, Meta(ge=1, le=BATCH_MAX)] = BATCH
    cursor: Cursor | None = None


class StateOfOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A state of the order's store. Where the order may not go there now, `why_not` says why."""

    code: str
    name: str
    system_state: str
    colour: str
    description: str
    current: bool
    allowed: bool
    why_not: str | None


@door.get("/v1/order-states", right=_SEEN_BY, answers={200: Page[ShownState]})
async def show_states(ask: Ask, query: StoresQuery) -> Page[ShownState]:
    """List the states in their order, store by store, with how many orders are in each."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await list_states(
            connection, store=query.store, limit=query.limit, cursor=query.cursor
        )


@door.post(
    "/v1/order-states", right=_RIGHT, answers={201: ShownState},
    raises=(UnknownReference, CodeTaken, StateNotMappable),
)
async def make_state(ask: Ask, body: NewState) -> Answered:
    """Make a state of a store, which counts as NEW, PROCESSING, FRAUD or SUSPENDED."""
    return await write(ask, lambda connection: add_state(connection, ask.actor, body), status=201)


@door.get(
    "/v1/order-states/{code}", right=_SEEN_BY, answers={200: ShownState},
    raises=(UnknownReference,),
)
async def show_state(ask: Ask, query: StoreQuery) -> ShownState:
    """Show a state, and how many orders are in it."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await find_state(connection, ask.path["code"], store=query.store)


@door.patch(
    "/v1/order-states/{code}", right=_RIGHT, answers={200: ShownState},
    raises=(UnknownReference, StateInUse, StateNotMappable),
)
async def edit_state(ask: Ask, query: StoreQuery, body: StateChange) -> Answered:
    """Change a state; of one that is in use or built in only description and position."""
    code = ask.path["code"]

    async def change(connection: Connection) -> ShownState:
        return await change_state(connection, ask.actor, code, body, store=query.store)

    return await write(ask, change)


@door.delete(
    "/v1/order-states/{code}", right=_RIGHT, answers={204: None},
    raises=(UnknownReference, StateInUse),
)
async def end_state(ask: Ask, query: StoreQuery) -> Answered:
    """Delete a state that no order is in and that no other state leads to."""
    actor, code = ask.actor, ask.path["code"]
    actor.require_whole_order()
    async with ask.office.pool.connection(actor.account_id) as connection:

        async def effect() -> Answered:
            await delete_state(connection, actor, code, store=query.store)
            return Answered(status=204, body="")

        return await once(connection, ask.key, effect)


@door.post(
    "/v1/order-states/{code}/migrate", right=_RIGHT, answers={200: Migrated},
    raises=(UnknownReference, RequestInProgress),
)
async def migrate_orders(ask: Ask, query: StoreQuery, body: MigrateBody) -> Answered:
    """Move the orders of a state to another, up to `limit` of them; each gets a fact of its own.

    Send it again with the answer's `next_cursor` until that is null. Orders that a rule keeps in
    place are counted by rule, with the first 20 numbers of each. A dry run moves none.
    """
    actor, code = ask.actor, ask.path["code"]
    async with ask.office.pool.connection(actor.account_id) as connection:
        store = (await find_state(connection, code, store=query.store)).store
        key = ask.key
        known = await find_kept(connection, key.credential, key.key)
    wanted = Migration(
        store=store, source=code, target=body.to, limit=body.limit, cursor=body.cursor,
        dry_run=body.dry_run,
    )
    told = None if known else await migrate(ask.office, ask.asked(), wanted)
    if told is not None and told.dry_run:
        return _told(told)
    async with ask.office.pool.connection(actor.account_id) as connection:

        async def effect() -> Answered:
            if told is None:
                raise RequestInProgress("The same request is ending just now; send it again.")
            if told.moved:
                await note_migration(
                    connection, actor, code, store=store, to=body.to, moved=told.moved
                )
            return _told(told)

        return await once(connection, key, effect)


def _told(told: Migrated) -> Answered:
    return Answered(status=200, body=_encode(told).decode())


@door.get(
    "/v1/orders/{order_id}/states", right="orders.read", answers={200: list[StateOfOrder]}
)
async def show_states_of_order(ask: Ask) -> list[StateOfOrder]:
    """List the states of the order's store, and which of them it may go to now. [U-3, U-11]"""
    needs = ("bags", "items", "holds", "states", "cancellations", "payments", "refunds")
    folder, _ = await read_folder(ask, ask.path["order_id"], needs)
    return [_of_order(folder, state, ask.asked()) for state in folder.states]


def _of_order(folder: Folder, state: OrderState, asked: Asked) -> StateOfOrder:
    """Judge a state as `POST …/state` would: `canceled` is not put, the order is cancelled."""
    current, why = state.code == folder.order.state, None
    try:
        if not current and state.system_state == "CANCELED":
            cancelable(folder, asked)
        elif not current:
            check_state(folder, state)
    except Problem as problem:
        why = problem.detail
    return StateOfOrder(
        code=state.code, name=state.name, system_state=state.system_state, colour=state.colour,
        description=state.description, current=current, allowed=not current and why is None,
        why_not=why,
    )


@door.get("/v1/shipment-methods", right=_SEEN_BY, answers={200: Page[ShipmentMethod]})
async def show_methods(ask: Ask, query: StoresQuery) -> Page[ShipmentMethod]:
    """List the shipment methods by code, store by store."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await list_methods(
            connection, store=query.store, limit=query.limit, cursor=query.cursor
        )


@door.post(
    "/v1/shipment-methods", right=_RIGHT, answers={201: ShipmentMethod},
    raises=(UnknownReference, CodeTaken),
)
async def make_method(ask: Ask, body: NewMethod) -> Answered:
    """Make a shipment method of a store."""
    return await write(
        ask, lambda connection: create_method(connection, ask.actor, body), status=201
    )


@door.patch(
    "/v1/shipment-methods/{code}", right=_RIGHT, answers={200: ShipmentMethod},
    raises=(UnknownReference,),
)
async def edit_method(ask: Ask, query: StoreQuery, body: MethodChange) -> Answered:
    """Change a shipment method; one that is not enabled is offered for no new parcel."""
    code = ask.path["code"]

    async def change(connection: Connection) -> ShipmentMethod:
        return await change_method(connection, ask.actor, code, body, store=query.store)

    return await write(ask, change)
