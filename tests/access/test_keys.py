"""API keys: told once, known by their hash, and never more than their maker."""

import hashlib

import asyncpg
import pytest
import pytest_asyncio

from counterfoil.access.keys import KeyCheck, NewKey, create_key, list_keys, revoke_key
from counterfoil.access.me import describe
from counterfoil.kernel.db import counter
from counterfoil.kernel.problem import (
    NotFound,
    PermissionDenied,
    Unauthenticated,
    ValidationFailed,
)
from counterfoil.order.actor import Actor
from counterfoil.order.problems import UnknownReference
from counterfoil.order.rights import ALL_RIGHTS
from counterfoil.setup.accounts import create_account
from counterfoil.setup.merchants import NewMerchant, create_merchant

pytestmark = pytest.mark.database


@pytest.fixture
def pool(module_pool):
    """One database for the file: each test has an account of its own."""
    return module_pool


@pytest_asyncio.fixture
async def owner(module_database):
    connection = await asyncpg.connect(module_database.owner_url)
    yield connection
    await connection.close()


def limited(account, *rights, merchants=None):
    return Actor(
        kind="user",
        id="0199c000-0000-7000-8000-000000000002",
        name="Kari",
        account_id=account.id,
        rights=frozenset(rights),
        merchants=merchants and frozenset(merchants),
        credential="user:0199c000-0000-7000-8000-000000000002",
    )


async def make(pool, actor, *scopes, merchants=None, name="ci"):
    async with pool.connection(actor.account_id) as connection:
        new = NewKey(name=name, scopes=list(scopes), merchants=merchants)
        return await create_key(connection, actor, new)


async def test_a_key_opens_its_account_with_its_scopes(pool, account, admin):
    made = await make(pool, admin, "orders:read", "orders:write")
    actor = await KeyCheck(pool).authenticate(f"Bearer {made.key}")
    assert made.key.startswith(f"cf_{account.id.replace('-', '')}_{made.id.replace('-', '')}_")
    assert (actor.kind, actor.id, actor.name, actor.account_id) == (
        "key",
        made.id,
        "ci",
        account.id,
    )
    assert actor.credential == f"key:{made.id}"
    assert actor.can("orders.read")
    assert actor.can("orders.cancel")
    assert not actor.can("orders.cancel_completed")
    assert not actor.can("payments.capture")
    with pytest.raises(PermissionDenied) as refused:
        actor.require("payments.capture")
    assert refused.value.facts == {"permission": "payments.capture", "scope": "payments:capture"}


async def test_the_secret_is_kept_nowhere(pool, admin, owner):
    made = await make(pool, admin, "*")
    secret = made.key.split("_", 3)[3]
    stored = await owner.fetchval("select secret_hash from api_keys where id = $1", made.id)
    assert stored == hashlib.sha256(secret.encode()).hexdigest()
    entries = await owner.fetch("select data::text from audit_entry")
    assert entries
    assert not any(secret in row["data"] or stored in row["data"] for row in entries)
    async with pool.connection(admin.account_id) as connection:
        page = await list_keys(connection)
    assert [key.id for key in page.data] == [made.id]
    assert not hasattr(page.data[0], "key")


async def test_a_known_key_is_asked_for_once_in_a_while(pool, admin):
    made = await make(pool, admin, "*")
    check = KeyCheck(pool)
    await check.authenticate(f"Bearer {made.key}")
    before = counter.statements
    await check.authenticate(f"Bearer {made.key}")
    assert counter.statements == before
    await KeyCheck(pool).authenticate(f"Bearer {made.key}")
    assert counter.statements == before + 1


@pytest.mark.parametrize(
    "change",
    [
        lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"),
        lambda key: key[:-1],
        lambda key: key + "\n",
        lambda key: key.upper(),
        lambda key: "cf__" + key,
        lambda key: key.replace("cf_", "cf_" + "0" * 32 + "_", 1),
        lambda key: "",
        lambda key: "x" * 100_000,
        lambda key: key.replace("_", "\0"),
    ],
)
async def test_a_key_that_is_not_right_opens_nothing(pool, admin, change):
    made = await make(pool, admin, "*")
    with pytest.raises(Unauthenticated) as refused:
        await KeyCheck(pool).authenticate(f"Bearer {change(made.key)}")
    assert refused.value.headers["WWW-Authenticate"] == "Bearer"


async def test_a_key_does_not_open_another_account(pool, admin, account):
    other = await create_account(pool, "Other")
    made = await make(pool, admin, "*")
    moved = made.key.replace(account.id.replace("-", ""), other.id.replace("-", ""))
    with pytest.raises(Unauthenticated):
        await KeyCheck(pool).authenticate(f"Bearer {moved}")
    async with pool.connection(other.id) as connection:
        assert (await list_keys(connection)).data == []
        with pytest.raises(NotFound):
            await revoke_key(connection, admin, made.id)
    await KeyCheck(pool).authenticate(f"Bearer {made.key}")


async def test_a_revoked_key_is_out_when_it_is_forgotten(pool, admin, owner):
    made = await make(pool, admin, "*")
    here, elsewhere = KeyCheck(pool), KeyCheck(pool, remember_s=0)
    await here.authenticate(f"Bearer {made.key}")
    async with pool.connection(admin.account_id) as connection:
        await revoke_key(connection, admin, made.id)
        await revoke_key(connection, admin, made.id)
    await here.authenticate(f"Bearer {made.key}")
    here.forget(made.id)
    for check in (here, elsewhere):
        with pytest.raises(Unauthenticated):
            await check.authenticate(f"Bearer {made.key}")
    types = await owner.fetch(
        "select type from audit_entry where subject = $1 order by id", made.id
    )
    assert [row["type"] for row in types] == ["key.created", "key.revoked"]


async def test_nobody_gives_a_key_more_than_they_have(pool, account):
    maker = limited(account, "access.manage", "orders.read")
    await make(pool, maker, "orders:read")
    for scopes in (["orders:write"], ["*"], ["orders:read", "payments:refund"]):
        with pytest.raises(PermissionDenied) as refused:
            await make(pool, maker, *scopes)
        assert refused.value.facts["missing"]
    with pytest.raises(PermissionDenied) as refused:
        await make(pool, maker, "orders:read", "payments:refund")
    assert refused.value.facts["missing"] == ["payments.refund"]


async def test_who_sees_some_merchants_makes_keys_for_those_alone(pool, account, admin):
    async with pool.connection(account.id) as connection:
        for code in ("acme", "zeta"):
            await create_merchant(connection, admin, NewMerchant(code=code, name=code))
    maker = limited(account, "access.manage", "orders.read", merchants=["acme"])
    made = await make(pool, maker, "orders:read", merchants=["acme"])
    actor = await KeyCheck(pool).authenticate(f"Bearer {made.key}")
    assert actor.merchants == frozenset({"acme"})
    for beyond in (None, ["zeta"], ["acme", "zeta"]):
        with pytest.raises(PermissionDenied):
            await make(pool, maker, "orders:read", merchants=beyond)
    with pytest.raises(UnknownReference):
        await make(pool, admin, "orders:read", merchants=["nobody"])


@pytest.mark.parametrize(
    ("scopes", "name", "pointer"),
    [
        (["orders:fly"], "ci", "/scopes/0"),
        (["*", "orders"], "ci", "/scopes/1"),
        ([], "ci", "/scopes"),
        (["*"], "  ", "/name"),
    ],
)
async def test_a_wrong_key_is_refused_by_field(pool, admin, scopes, name, pointer):
    with pytest.raises(ValidationFailed) as refused:
        await make(pool, admin, *scopes, name=name)
    assert [error["pointer"] for error in refused.value.errors] == [pointer]


async def test_a_credential_can_ask_what_it_is(pool, account, admin):
    made = await make(pool, admin, "payments:capture", "orders:read")
    actor = await KeyCheck(pool).authenticate(f"Bearer {made.key}")
    async with pool.connection(account.id) as connection:
        me = await describe(connection, actor)
        everything = await describe(connection, admin)
    assert me.account == account
    assert me.scopes == ["orders:read", "payments:capture"]
    assert me.merchants is None
    assert len(everything.scopes) == len(ALL_RIGHTS)


async def test_lists_of_keys_are_paged(pool, account, admin):
    made = [(await make(pool, admin, "*", name=f"k{n}")).id for n in range(5)]
    found, cursor = [], None
    async with pool.connection(account.id) as connection:
        for _ in range(3):
            page = await list_keys(connection, limit=2, cursor=cursor)
            found += [key.id for key in page.data]
            assert (page.count.value, page.count.at_least) == (5, False)
            cursor = page.next_cursor
        assert cursor is None
        for wrong in ("x", "bm8", "!", "WyJ4Il0"):
            with pytest.raises(ValidationFailed):
                await list_keys(connection, cursor=wrong)
        for limit in (0, 101, -1):
            with pytest.raises(ValidationFailed):
                await list_keys(connection, limit=limit)
    assert found == made[::-1]
