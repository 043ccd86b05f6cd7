"""Stores, merchants, gateways, states and methods: made, changed, listed, refused."""

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from counterfoil.kernel.problem import NotFound, ValidationFailed
from counterfoil.kernel.secrets import CannotOpen, KeyRing
from counterfoil.order.config import BUILT_IN_STATES, MAPPABLE_STATES, SYSTEM_STATES
from counterfoil.order.problems import UnknownReference
from counterfoil.order.rights import BUILT_IN_ROLES
from counterfoil.setup.accounts import create_account, list_accounts
from counterfoil.setup.gateways import (
    GatewayChange,
    NewGateway,
    change_gateway,
    create_gateway,
    find_gateway,
    list_gateways,
    open_credentials,
)
from counterfoil.setup.merchants import (
    MerchantChange,
    NewMerchant,
    change_merchant,
    create_merchant,
    list_merchants,
)
from counterfoil.setup.methods import (
    MethodChange,
    NewMethod,
    change_method,
    create_method,
    list_methods,
)
from counterfoil.setup.problems import CodeTaken
from counterfoil.setup.states import list_states
from counterfoil.setup.stores import (
    NewStore,
    StoreChange,
    change_store,
    create_store,
    find_store,
    list_stores,
    resolve_store,
)

pytestmark = pytest.mark.database
KEYS = KeyRing([bytes(32)])
SECRET = {"api_key": "CANARY-1"}


@pytest.fixture
def pool(module_pool):
    """One database for the file: each test has an account of its own."""
    return module_pool


@pytest_asyncio.fixture
async def connection(pool, account):
    async with pool.connection(account.id) as lent:
        yield lent


@pytest_asyncio.fixture
async def entries(module_database, account):
    """Tell the audit entries of the account: (type, subject, data, actor)."""
    owner = await asyncpg.connect(module_database.owner_url)

    async def told():
        rows = await owner.fetch(
            "select type, subject, data::text, actor::text from audit_entry"
            " where account_id = $1 order by id",
            account.id,
        )
        return [
            (
                r["type"],
                r["subject"],
                msgspec.json.decode(r["data"]),
                msgspec.json.decode(r["actor"]),
            )
            for r in rows
        ]

    yield told
    await owner.close()


async def test_a_new_account_can_take_orders_at_once(pool, account, connection, entries):
    (store,) = (await list_stores(connection)).data
    assert (store.code, store.name, store.currency) == ("main", "Test", "EUR")
    assert store.create_merchants
    assert store.default_merchant == "main"
    assert not store.captures_in_part
    assert [m.code for m in (await list_merchants(connection)).data] == ["main"]
    (gateway,) = (await list_gateways(connection)).data
    assert (gateway.code, gateway.kind, gateway.store, gateway.enabled) == (
        "manual",
        "manual",
        None,
        True,
    )
    methods = (await list_methods(connection)).data
    assert [m.code for m in methods] == ["express", "standard"]
    roles = await connection.rows("select code from roles order by code")
    assert [row["code"] for row in roles] == sorted(role.code for role in BUILT_IN_ROLES)
    assert account in await list_accounts(pool)
    types = [entry[0] for entry in await entries()]
    assert sorted(types) == [
        "account.created",
        "gateway.created",
        "merchant.created",
        "store.created",
    ]


async def test_a_store_has_the_seven_built_in_states_from_its_first_day(connection, admin):
    await create_store(connection, admin, NewStore(code="oslo", name="Oslo", currency="NOK"))
    states = (await list_states(connection, store="oslo")).data
    assert [state.code for state in states] == [state.code for state in BUILT_IN_STATES]
    assert {state.system_state for state in states} == set(SYSTEM_STATES)
    assert all(state.built_in and not state.in_use and state.next is None for state in states)
    assert set(MAPPABLE_STATES) < set(SYSTEM_STATES)
    both = await list_states(connection, limit=10)
    rest = await list_states(connection, limit=10, cursor=both.next_cursor)
    assert both.count.value == 14
    assert [(s.store, s.position) for s in (*both.data, *rest.data)] == [
        (store, position) for store in ("main", "oslo") for position in range(7)
    ]


async def test_a_state_that_an_order_is_in_is_in_use(connection, account, module_database):
    owner = await asyncpg.connect(module_database.owner_url)
    from tests.schema.rows import insert_alone, make_row

    given = {"store": "main", "state": "processing", "system_state": "PROCESSING"}
    row = await make_row(owner, "orders", account.id, **given)
    await insert_alone(owner, "orders", row)
    await owner.close()
    states = (await list_states(connection)).data
    assert [state.code for state in states if state.in_use] == ["processing"]


async def test_a_store_is_made_and_changed_in_part(connection, admin, entries):
    made = await create_store(
        connection,
        admin,
        NewStore(code="oslo", name="Oslo", currency="NOK", scopes=["partial_capture"]),
    )
    assert made.captures_in_part
    assert await find_store(connection, "oslo") == made
    changed = await change_store(
        connection, admin, "oslo", StoreChange(name="Oslo sentrum", auth_hold_seconds=3600)
    )
    assert changed == msgspec.structs.replace(made, name="Oslo sentrum", auth_hold_seconds=3600)
    cleared = await change_store(
        connection, admin, "oslo", StoreChange(auth_hold_seconds=None, scopes=[])
    )
    assert (cleared.auth_hold_seconds, cleared.scopes, cleared.name) == (None, (), "Oslo sentrum")
    kinds = [entry for entry in await entries() if entry[1] == "oslo"]
    assert [entry[0] for entry in kinds] == ["store.created", "store.changed", "store.changed"]
    assert kinds[1][2]["before"]["name"] == "Oslo"
    assert kinds[1][2]["after"]["name"] == "Oslo sentrum"
    assert kinds[1][3] == admin.told()
    assert "account_id" not in kinds[1][2]["after"]


async def test_what_a_store_answers_is_the_shape_of_the_api(connection):
    told = msgspec.json.decode(msgspec.json.encode(await list_stores(connection)))
    assert set(told) == {"data", "next_cursor", "count"}
    assert told["count"] == {"value": 1, "at_least": False}
    assert set(told["data"][0]) == {
        *("id", "code", "name", "currency", "number_prefix", "scopes", "default_merchant"),
        *("create_merchants", "auth_hold_seconds", "cancel_email_default", "test_orders"),
        *("default_gateway", "refund_order", "language", "letters", "capture_on_ship"),
        *("refund_window_days", "return_fee", "delivery_labels", "created_at"),
    }


@pytest.mark.parametrize(
    ("what", "problem", "pointer"),
    [
        ({"code": "Oslo sentrum"}, ValidationFailed, "/code"),
        ({"code": "oslo\n"}, ValidationFailed, "/code"),
        ({"code": ""}, ValidationFailed, "/code"),
        ({"code": "x" * 65}, ValidationFailed, "/code"),
        ({"name": " "}, ValidationFailed, "/name"),
        ({"currency": "EURO"}, ValidationFailed, "/currency"),
        ({"currency": "eur"}, ValidationFailed, "/currency"),
        ({"scopes": ["everything"]}, ValidationFailed, "/scopes/0"),
        ({"auth_hold_seconds": 0}, ValidationFailed, "/auth_hold_seconds"),
        ({"default_merchant": "nobody"}, UnknownReference, "/default_merchant"),
    ],
)
async def test_a_wrong_store_is_refused_by_field(connection, admin, what, problem, pointer):
    with pytest.raises(problem) as refused:
        await create_store(
            connection,
            admin,
            NewStore(**{"code": "oslo", "name": "Oslo", "currency": "NOK", **what}),
        )
    assert [error["pointer"] for error in refused.value.errors] == [pointer]
    assert [store.code for store in (await list_stores(connection)).data] == ["main"]
    if "code" not in what:
        with pytest.raises(problem):
            await change_store(connection, admin, "main", StoreChange(**what))


async def test_a_code_belongs_to_one_thing(connection, admin):
    for attempt in (
        create_store(connection, admin, NewStore(code="main", name="x", currency="EUR")),
        create_merchant(connection, admin, NewMerchant(code="main", name="x")),
        create_gateway(connection, admin, NewGateway(code="manual", kind="manual"), KEYS),
        create_method(connection, admin, NewMethod(code="express", name="x")),
    ):
        with pytest.raises(CodeTaken) as refused:
            await attempt
        assert (refused.value.code, refused.value.status) == ("code_taken", 409)


async def test_what_is_not_there_cannot_be_changed(connection, admin):
    for attempt in (
        find_store(connection, "x"),
        find_gateway(connection, "x"),
        open_credentials(connection, "x", KEYS),
        change_store(connection, admin, "x", StoreChange(name="y")),
        change_merchant(connection, admin, "x", MerchantChange(name="y")),
        change_gateway(connection, admin, "x", GatewayChange(enabled=False), KEYS),
        change_method(connection, admin, "x", MethodChange(name="y"), store=None),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_another_accounts_things_are_not_there(connection, admin, pool):
    other = await create_account(pool, "Other", store="their_store")
    async with pool.connection(other.id) as theirs:
        await create_merchant(theirs, admin, NewMerchant(code="theirs", name="Theirs"))
    with pytest.raises(NotFound):
        await find_store(connection, "their_store")
    with pytest.raises(NotFound):
        await change_merchant(connection, admin, "theirs", MerchantChange(name="Mine"))
    with pytest.raises(UnknownReference):
        await change_store(connection, admin, "main", StoreChange(default_merchant="theirs"))
    with pytest.raises(UnknownReference):
        await create_gateway(
            connection, admin, NewGateway(code="x", kind="manual", store="their_store"), KEYS
        )


async def test_merchants_are_renamed_and_paged(connection, admin, entries):
    for code in ("b", "C", "a"):
        await create_merchant(connection, admin, NewMerchant(code=code, name=code))
    changed = await change_merchant(connection, admin, "a", MerchantChange(name="Acme"))
    assert changed.name == "Acme"
    page = await list_merchants(connection, limit=2)
    rest = await list_merchants(connection, limit=2, cursor=page.next_cursor)
    assert [m.code for m in (*page.data, *rest.data)] == ["C", "a", "b", "main"]
    assert (page.count.value, rest.next_cursor) == (4, None)
    assert (await entries())[-1][0] == "merchant.changed"


async def test_credentials_go_in_sealed_and_never_come_out(
    connection, admin, account, entries, pool
):
    made = await create_gateway(
        connection,
        admin,
        NewGateway(code="card", kind="sandbox", settings={"url": "http://x"}, credentials=SECRET),
        KEYS,
    )
    assert made.has_credentials
    assert made.settings == {"url": "http://x"}
    assert await open_credentials(connection, "card", KEYS) == SECRET
    stored = await connection.value("select credentials from gateways where code = 'card'")
    assert b"CANARY" not in stored
    listed = msgspec.json.encode(await list_gateways(connection))
    assert b"CANARY" not in listed
    assert b'"credentials"' not in listed
    other = await create_account(pool, "Other")
    async with pool.connection(other.id) as theirs:
        await create_gateway(theirs, admin, NewGateway(code="card", kind="sandbox"), KEYS)
        await theirs.rows("update gateways set credentials = $1 where code = 'card'", stored)
        with pytest.raises(CannotOpen):
            await open_credentials(theirs, "card", KEYS)
    assert "CANARY" not in str(await entries())


async def test_credentials_stay_are_replaced_or_removed(connection, admin, entries):
    await create_gateway(
        connection, admin, NewGateway(code="card", kind="sandbox", credentials=SECRET), KEYS
    )

    async def change(**what):
        return await change_gateway(connection, admin, "card", GatewayChange(**what), KEYS)

    assert (await change(enabled=False, store="main")).store == "main"
    assert await open_credentials(connection, "card", KEYS) == SECRET
    assert (await change(store=None)).store is None
    assert (await change(credentials={"api_key": "CANARY-2"})).has_credentials
    assert await open_credentials(connection, "card", KEYS) == {"api_key": "CANARY-2"}
    assert not (await change(credentials=None)).has_credentials
    assert await open_credentials(connection, "card", KEYS) == {}
    assert not (await find_gateway(connection, "card")).enabled
    told = await entries()
    assert "CANARY" not in str(told)
    replaced = [e[2]["credentials_replaced"] for e in told if e[0] == "gateway.changed"]
    assert replaced == [False, False, True, True]
    with pytest.raises(UnknownReference):
        await change(store="nowhere")
    with pytest.raises(ValidationFailed):
        await change(settings={"much": "x" * 20_000})


async def test_methods_are_made_and_changed_where_the_store_is_clear(connection, admin):
    link = "https://track.example/{tracking_number}"
    made = await create_method(
        connection, admin, NewMethod(code="bike", name="Bike", tracking_url=link)
    )
    assert (made.store, made.tracking_url) == ("main", link)
    changed = await change_method(
        connection, admin, "bike", MethodChange(enabled=False, tracking_url=None), store="main"
    )
    assert (changed.enabled, changed.tracking_url, changed.name) == (False, None, "Bike")
    await create_store(connection, admin, NewStore(code="oslo", name="Oslo", currency="NOK"))
    for attempt in (
        create_method(connection, admin, NewMethod(code="van", name="Van")),
        create_method(connection, admin, NewMethod(code="van", name="Van", store="nowhere")),
        change_method(connection, admin, "bike", MethodChange(name="x"), store=None),
        resolve_store(connection, None),
    ):
        with pytest.raises(UnknownReference) as refused:
            await attempt
        assert refused.value.errors[0]["pointer"] == "/store"
    await create_method(connection, admin, NewMethod(code="bike", name="Bike", store="oslo"))
    page = await list_methods(connection, limit=4)
    rest = await list_methods(connection, limit=4, cursor=page.next_cursor)
    assert [(m.store, m.code) for m in (*page.data, *rest.data)] == [
        *(("main", code) for code in ("bike", "express", "standard")),
        *(("oslo", code) for code in ("bike", "express", "standard")),
    ]
    assert (await list_methods(connection, store="oslo")).count.value == 3


@pytest.mark.parametrize(
    "link", ["javascript:alert('{tracking_number}')", "https://x.example/", "{tracking_number}"]
)
async def test_a_tracking_link_is_a_web_address_with_a_place_for_the_number(
    connection, admin, link
):
    with pytest.raises(ValidationFailed) as refused:
        await create_method(connection, admin, NewMethod(code="x", name="X", tracking_url=link))
    assert refused.value.errors[0]["pointer"] == "/tracking_url"


async def test_an_account_needs_a_name_and_a_currency(pool):
    for name, currency in ((" ", "EUR"), ("Shop", "???")):
        before = await list_accounts(pool)
        with pytest.raises(ValidationFailed):
            await create_account(pool, name, currency=currency)
        assert await list_accounts(pool) == before
