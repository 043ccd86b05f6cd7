"""A store's default gateway is one that serves it; its order of refunds is one of three."""

import asyncpg
import pytest
import pytest_asyncio

from counterfoil.kernel.problem import ValidationFailed
from counterfoil.kernel.secrets import KeyRing
from counterfoil.order.config import REFUND_ORDERS
from counterfoil.order.problems import UnknownReference
from counterfoil.setup.gateways import (
    GatewayChange,
    NewGateway,
    change_gateway,
    create_gateway,
    credentials_set,
    find_gateway,
    list_gateways,
)
from counterfoil.setup.stores import (
    NewStore,
    StoreChange,
    change_store,
    create_store,
    find_store,
    list_stores,
)

pytestmark = pytest.mark.database
KEYS = KeyRing([bytes(32)])


@pytest.fixture
def pool(module_pool):
    """One database for the file: each test has an account of its own."""
    return module_pool


@pytest_asyncio.fixture
async def connection(pool, account):
    async with pool.connection(account.id) as lent:
        yield lent


async def test_a_store_begins_without_a_default_and_with_the_last_payment_first(connection):
    (store,) = (await list_stores(connection)).data
    assert (store.default_gateway, store.refund_order) == (None, "last_in_first")


async def test_a_default_gateway_serves_its_store(connection, admin, owner_entries):
    await create_store(connection, admin, NewStore(code="oslo", name="Oslo", currency="NOK"))
    new = NewGateway(code="card", kind="manual", store="oslo")
    assert (await create_gateway(connection, admin, new, None)).default_for == ()
    for code, sentence in (
        ("nothing", "There is no gateway 'nothing'."),
        ("card", "The gateway 'card' serves the store 'oslo' alone."),
    ):
        with pytest.raises(UnknownReference, match=sentence) as refused:
            await change_store(connection, admin, "main", StoreChange(default_gateway=code))
        assert refused.value.errors[0]["pointer"] == "/default_gateway"
    changed = await change_store(connection, admin, "oslo", StoreChange(default_gateway="card"))
    assert changed.default_gateway == "card"
    assert await find_store(connection, "oslo") == changed
    assert (await find_gateway(connection, "card")).default_for == ("oslo",)
    with pytest.raises(ValidationFailed, match="the default of the store 'oslo'"):
        await change_gateway(connection, admin, "card", GatewayChange(store="main"), None)
    wider = await change_gateway(connection, admin, "card", GatewayChange(store=None), None)
    assert (wider.store, wider.default_for) == (None, ("oslo",))
    await change_store(connection, admin, "main", StoreChange(default_gateway="card"))
    listed = {one.code: one.default_for for one in (await list_gateways(connection)).data}
    assert listed == {"card": ("main", "oslo"), "manual": ()}
    cleared = await change_store(connection, admin, "main", StoreChange(default_gateway=None))
    assert cleared.default_gateway is None
    assert "default_for" not in str(await owner_entries())


@pytest.mark.parametrize("order", REFUND_ORDERS)
async def test_refunds_take_payments_in_the_stores_order(connection, admin, order):
    new = NewStore(code="oslo", name="Oslo", currency="NOK", refund_order=order)
    assert (await create_store(connection, admin, new)).refund_order == order
    changed = await change_store(connection, admin, "main", StoreChange(refund_order=order))
    assert changed.refund_order == order
    with pytest.raises(ValidationFailed):
        await change_store(connection, admin, "main", StoreChange(refund_order="random"))


async def test_a_new_store_may_begin_with_a_default(connection, admin):
    new = NewStore(code="oslo", name="Oslo", currency="NOK", default_gateway="manual")
    assert (await create_store(connection, admin, new)).default_gateway == "manual"
    with pytest.raises(UnknownReference):
        await create_store(
            connection, admin,
            NewStore(code="x", name="X", currency="NOK", default_gateway="nothing"),
        )


async def test_it_is_known_when_credentials_were_set_and_by_whom(connection, admin):
    await create_gateway(connection, admin, NewGateway(code="card", kind="manual"), None)
    assert await credentials_set(connection, "card") is None
    change = GatewayChange(credentials={"token": "CANARY"})
    await change_gateway(connection, admin, "card", change, KEYS)
    await change_gateway(connection, admin, "card", GatewayChange(enabled=False), KEYS)
    first = await credentials_set(connection, "card")
    assert first.by == "Anna Berg"
    await change_gateway(connection, admin, "card", change, KEYS)
    assert (await credentials_set(connection, "card")).at > first.at
    assert await credentials_set(connection, "manual") is None
    made = NewGateway(code="born", kind="manual", credentials={"token": "CANARY"})
    await create_gateway(connection, admin, made, KEYS)
    assert (await credentials_set(connection, "born")).by == "Anna Berg"


@pytest_asyncio.fixture
async def owner_entries(module_database, account):
    """Tell the audit entries of the account."""
    owner = await asyncpg.connect(module_database.owner_url)

    async def told():
        rows = await owner.fetch(
            "select data::text from audit_entry where account_id = $1", account.id
        )
        return [row[0] for row in rows]

    yield told
    await owner.close()
