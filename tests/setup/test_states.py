"""A store's own states: made, changed, reordered, deleted, and kept while orders are in them.

[U-4, U-11; rulings 6, 37]
"""

import asyncio
from typing import Any

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from counterfoil.actions.change_state import change_state as move_order
from counterfoil.book.opening import open_folder
from counterfoil.book.run import Command
from counterfoil.kernel.page import Count
from counterfoil.kernel.problem import NotFound, ValidationFailed
from counterfoil.order.config import BUILT_IN_STATES, COLOURS, MAPPABLE_STATES, SYSTEM_STATES
from counterfoil.order.problems import UnknownReference
from counterfoil.setup.accounts import create_account
from counterfoil.setup.problems import CodeTaken, StateInUse, StateNotMappable
from counterfoil.setup.states import (
    DOWN,
    STATES_MAX,
    UP,
    NewState,
    StateChange,
    add_state,
    change_state,
    delete_state,
    find_state,
    list_states,
    move_state,
    own_states,
)
from counterfoil.setup.stores import NewStore, create_store
from tests.work.shop import open_shop

pytestmark = pytest.mark.database
PICKING = {"code": "picking", "name": "Picking", "system_state": "PROCESSING"}


@pytest.fixture
def pool(module_pool):
    """One database for the file: each test has an account of its own."""
    return module_pool


@pytest_asyncio.fixture
async def connection(pool, account):
    async with pool.connection(account.id) as lent:
        yield lent


@pytest_asyncio.fixture
async def shop(pool, account):
    opened = await open_shop(pool, account, None)
    yield opened
    await opened.works.aclose()


async def add(connection, actor, **what):
    async with connection.transaction():
        return await add_state(connection, actor, NewState(**{**PICKING, **what}))


async def change(connection, actor, code="picking", *, store=None, **what):
    async with connection.transaction():
        return await change_state(connection, actor, code, StateChange(**what), store=store)


async def move(connection, actor, code, way):
    async with connection.transaction():
        await move_state(connection, actor, code, way, store=None)


async def delete(connection, actor, code="picking"):
    async with connection.transaction():
        await delete_state(connection, actor, code, store=None)


async def order_in(shop, code="picking"):
    """Place an order and bring it into a state."""
    order_id = await shop.order(gateway="manual")
    await put(shop, order_id, code)
    return order_id


async def put(shop, order_id, code):
    command = Command(order_id=order_id, actor=shop.actor)
    await shop.works.book.run(command, move_order, asked=shop.works.asked(shop.actor), state=code)


async def entries(connection):
    rows = await connection.rows(
        "select type, subject, data::text as data, actor ->> 'name' as who from audit_entry"
        " where type like 'order_state.%' order by id"
    )
    return [(r["type"], r["subject"], msgspec.json.decode(r["data"]), r["who"]) for r in rows]


async def test_a_state_is_made_listed_last_and_entered_in_the_audit(connection, admin):
    made = await add(connection, admin, colour="teal", description="In the warehouse")
    assert (made.store, made.position, made.built_in, made.next) == ("main", 7, False, None)
    assert (made.in_use, made.orders) == (False, Count(0))
    listed = (await list_states(connection)).data
    assert [one.code for one in listed] == [*(one.code for one in BUILT_IN_STATES), "picking"]
    assert listed[-1] == await find_state(connection, "picking", store=None) == made
    assert [one.code for one in await own_states(connection)] == ["picking"]
    ((kind, subject, data, who),) = await entries(connection)
    assert (kind, subject, who) == ("order_state.created", "picking", admin.name)
    assert data["after"]["description"] == "In the warehouse"
    assert not {"in_use", "orders"} & data["after"].keys()


@pytest.mark.parametrize("system_state", SYSTEM_STATES)
async def test_a_state_counts_as_one_of_four(connection, admin, system_state):
    if system_state in MAPPABLE_STATES:
        assert (await add(connection, admin, system_state=system_state)).code == "picking"
        return
    with pytest.raises(StateNotMappable) as refused:
        await add(connection, admin, system_state=system_state)
    assert (refused.value.code, refused.value.status) == ("state_not_mappable", 422)
    await add(connection, admin)
    with pytest.raises(StateNotMappable):
        await change(connection, admin, system_state=system_state)
    assert (await find_state(connection, "picking", store=None)).system_state == "PROCESSING"


@pytest.mark.parametrize(
    ("what", "problem", "pointer"),
    [
        ({"code": "two words"}, ValidationFailed, "/code"),
        ({"name": " "}, ValidationFailed, "/name"),
        ({"name": "In\nwork"}, ValidationFailed, "/name"),
        ({"name": "In work\n"}, ValidationFailed, "/name"),
        ({"name": "\u202ekrow nI"}, ValidationFailed, "/name"),
        ({"name": "New\u200f"}, ValidationFailed, "/name"),
        ({"colour": "#ff0000"}, ValidationFailed, "/colour"),
        ({"description": "x" * 201}, ValidationFailed, "/description"),
        ({"position": -1}, ValidationFailed, "/position"),
        ({"next": ["new", "nowhere"]}, UnknownReference, "/next/1"),
        ({"next": ["picking"]}, UnknownReference, "/next/0"),
        ({"store": "nowhere"}, UnknownReference, "/store"),
    ],
)
async def test_a_wrong_state_is_refused_by_field(connection, admin, what, problem, pointer):
    with pytest.raises(problem) as refused:
        await add(connection, admin, **what)
    assert [one["pointer"] for one in refused.value.errors] == [pointer]
    assert len((await list_states(connection)).data) == len(BUILT_IN_STATES)
    if not {"code", "store"} & what.keys():
        await add(connection, admin)
        with pytest.raises(problem):
            await change(connection, admin, **what)


async def test_every_colour_of_the_palette_can_be_chosen(connection, admin):
    await add(connection, admin)
    for colour in COLOURS:
        assert (await change(connection, admin, colour=colour)).colour == colour


@pytest.mark.parametrize("code", ["picking", "new", "NEW", "Cancel_Requested"])
async def test_a_code_is_taken_once_and_no_built_in_word_in_any_case(connection, admin, code):
    await add(connection, admin)
    with pytest.raises(CodeTaken):
        await add(connection, admin, code=code)


async def test_two_stores_have_states_of_the_same_code(connection, admin):
    await create_store(connection, admin, NewStore(code="oslo", name="Oslo", currency="NOK"))
    with pytest.raises(UnknownReference):
        await add(connection, admin)
    await add(connection, admin, store="main")
    await add(connection, admin, store="oslo", name="Plukkes")
    assert (await change(connection, admin, store="oslo", colour="red")).name == "Plukkes"
    assert (await find_state(connection, "picking", store="main")).colour == "blue"
    assert [one.store for one in await own_states(connection)] == ["main", "oslo"]
    page = await list_states(connection, limit=9)
    rest = await list_states(connection, limit=9, cursor=page.next_cursor)
    assert (page.count.value, len(page.data), len(rest.data)) == (16, 9, 7)


async def test_a_free_state_changes_in_every_way(connection, admin):
    await add(connection, admin)
    told = {
        "name": "Packing", "system_state": "NEW", "colour": "amber", "position": 2,
        "description": "On the bench", "next": ["processing", "canceled"],
    }
    changed = await change(connection, admin, **told)
    for name, value in told.items():
        found = getattr(changed, name)
        assert (list(found) if name == "next" else found) == value
    assert (await change(connection, admin, next=None)).next is None
    assert (await change(connection, admin, description="On the bench")).name == "Packing"
    told = await entries(connection)
    assert [one[0] for one in told] == ["order_state.created", *["order_state.changed"] * 2]
    assert told[1][2]["before"]["name"] == "Picking"
    assert told[1][2]["after"]["name"] == "Packing"
    with pytest.raises(NotFound):
        await change(connection, admin, "nothing", name="x")


async def test_of_a_state_in_use_only_description_and_place_change(connection, admin, shop):
    await add(connection, admin, colour="teal")
    await order_in(shop)
    found = await find_state(connection, "picking", store=None)
    assert (found.in_use, found.orders) == (True, Count(1))
    meanings: list[dict[str, Any]] = [
        {"name": "Packing"}, {"system_state": "NEW"}, {"colour": "red"}, {"next": []},
        {"name": "Packing", "description": "x"},
    ]
    for what in meanings:
        with pytest.raises(StateInUse) as refused:
            await change(connection, admin, **what)
        assert (refused.value.code, refused.value.status) == ("state_in_use", 409)
        assert refused.value.detail.startswith("1 order is in Picking")
        assert refused.value.facts["orders"] == {"value": 1, "at_least": False}
    same = {"name": "Picking", "colour": "teal", "system_state": "PROCESSING", "next": None}
    changed = await change(connection, admin, **same, description="On the bench", position=1)
    assert (changed.description, changed.position, changed.in_use) == ("On the bench", 1, True)
    with pytest.raises(StateInUse):
        await delete(connection, admin)
    await put(shop, await order_in(shop), "processing")
    assert (await find_state(connection, "picking", store=None)).orders == Count(1)


async def test_a_built_in_state_keeps_its_meaning_and_stays(connection, admin):
    meanings: list[dict[str, Any]] = [
        {"name": "Neu"}, {"system_state": "PROCESSING"}, {"colour": "red"}, {"next": []},
    ]
    for what in meanings:
        with pytest.raises(StateInUse, match="built in"):
            await change(connection, admin, "new", **what)
    told = await change(connection, admin, "completed", system_state="COMPLETED", description="x")
    assert told.description == "x"
    with pytest.raises(StateInUse, match="built in"):
        await delete(connection, admin, "suspended")


async def test_the_database_keeps_built_in_states_whoever_writes(connection):
    for sql in (
        "delete from order_states where code = 'new'",
        "update order_states set name = 'Neu' where code = 'new'",
        "update order_states set built_in = false where code = 'new'",
        "update order_states set next = '[]' where code = 'new'",
    ):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await connection.rows(sql)
        assert refused.value.sqlstate == "CF004"
    await connection.rows("update order_states set description = 'x', position = 9"
                          " where code = 'new'")


async def test_states_change_places(connection, admin):
    await add(connection, admin)
    await move(connection, admin, "picking", UP)
    await move(connection, admin, "picking", UP)
    await move(connection, admin, "new", DOWN)
    await move(connection, admin, "processing", UP)
    await move(connection, admin, "suspended", DOWN)
    listed = (await list_states(connection)).data
    assert [one.code for one in listed] == [
        "processing", "new", "completed", "canceled", "cancel_requested", "picking", "fraud",
        "suspended",
    ]
    assert [one.position for one in listed] == list(range(8))
    with pytest.raises(NotFound):
        await move(connection, admin, "nothing", UP)


async def test_a_free_state_is_deleted_and_its_code_free_again(connection, admin):
    await add(connection, admin)
    await add(connection, admin, code="packed", name="Packed", next=["picking"])
    with pytest.raises(StateInUse, match="from Packed"):
        await delete(connection, admin)
    await change(connection, admin, "packed", next=None)
    await delete(connection, admin)
    with pytest.raises(NotFound):
        await delete(connection, admin)
    assert (await entries(connection))[-1][0] == "order_state.deleted"
    assert (await add(connection, admin, system_state="NEW")).system_state == "NEW"


async def test_another_accounts_states_are_not_there(connection, admin, pool):
    other = await create_account(pool, "Other")
    async with pool.connection(other.id) as theirs:
        await add(theirs, admin)
    with pytest.raises(NotFound):
        await find_state(connection, "picking", store=None)
    with pytest.raises(NotFound):
        await delete(connection, admin)


@pytest.mark.parametrize("name", ["picking", "  PICKING ", "Pick\uff49ng", "processing"])
async def test_no_two_states_of_a_store_read_alike(connection, admin, name):
    await add(connection, admin)
    for refused in (
        add(connection, admin, code="other", name=name),
        change(connection, admin, code=(await add(connection, admin, code="s", name="S")).code,
               name=name),
    ):
        with pytest.raises(ValidationFailed, match="is called") as why:
            await refused
        assert why.value.errors[0]["pointer"] == "/name"
    assert (await change(connection, admin, name="PICKING")).name == "PICKING", "its own name"


async def test_two_at_once_get_no_two_states_that_read_alike(connection, admin, pool):
    async def one(code):
        async with pool.connection(connection.account) as lent:
            return await add(lent, admin, code=code, name="Twin")

    ended = await asyncio.gather(*(one(code) for code in ("a", "b", "c")), return_exceptions=True)
    assert [type(one) for one in ended].count(ValidationFailed) == 2


async def test_a_store_has_only_so_many_states(connection, admin):
    for index in range(STATES_MAX - len(BUILT_IN_STATES)):
        await add(connection, admin, code=f"s{index}", name=f"State {index}")
    with pytest.raises(ValidationFailed, match="100 states at the most"):
        await add(connection, admin)


@pytest.mark.parametrize("what", ["delete", "rename"])
async def test_an_order_that_enters_while_the_state_goes(connection, admin, shop, pool, what):
    """The order is first by a moment: the state stays, as it was. [rulings 6]"""
    await add(connection, admin)
    order_id = await shop.order(gateway="manual")
    async with pool.connection(shop.actor.account_id) as entering:
        async with entering.transaction():
            await entering.rows(
                "update orders set state = 'picking', system_state = 'PROCESSING' where id = $1",
                order_id,
            )
            attempt = delete if what == "delete" else change
            wanted = {} if what == "delete" else {"name": "Other"}
            trying = asyncio.create_task(attempt(connection, admin, **wanted))
            await asyncio.sleep(0.3)
            assert not trying.done(), "it waits for the order"
        with pytest.raises(StateInUse):
            await trying
    assert (await find_state(connection, "picking", store=None)).name == "Picking"


async def test_an_order_that_enters_after_the_state_went(connection, admin, shop):
    """The state is first: the order stays where it was, and is told why. [rulings 6]"""
    await add(connection, admin)
    order_id = await shop.order(gateway="manual")
    async with connection.transaction():
        await delete_state(connection, admin, "picking", store=None)
        entering = asyncio.create_task(put(shop, order_id, "picking"))
        await asyncio.sleep(0.3)
        assert not entering.done(), "it waits for the state"
    with pytest.raises(UnknownReference, match="no such state any more"):
        await entering
    opened = await open_folder(connection, order_id, frozenset())
    assert opened.folder is not None
    assert opened.folder.order.state == "new"


async def test_many_enter_and_one_deletes(connection, admin, shop):
    """Whoever wins, an order is never in a state that is not there. [rulings 6]"""
    orders = [await shop.order(gateway="manual") for _ in range(6)]
    for _ in range(3):
        await add(connection, admin)
        tries = [put(shop, order_id, "picking") for order_id in orders]
        results = await asyncio.gather(
            *tries, delete(connection, admin), return_exceptions=True
        )
        refused = [one for one in results if isinstance(one, BaseException)]
        assert all(isinstance(one, StateInUse | UnknownReference) for one in refused), refused
        inside = await connection.value(
            "select count(*) from orders o where state = 'picking' and not exists"
            " (select from order_states s where s.store = o.store and s.code = o.state)"
        )
        assert inside == 0
        for order_id in orders:
            await put(shop, order_id, "processing")
        if isinstance(results[-1], StateInUse):
            await delete(connection, admin)
