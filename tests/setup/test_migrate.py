"""Migrations: repeatable, safe together, possible without a superuser; and the check at start."""

import asyncio
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import msgspec
import pytest

from counterfoil.kernel import postgres
from counterfoil.kernel.db import Pool
from counterfoil.kernel.machine import Edge
from counterfoil.order.life import MACHINES, ORDER
from counterfoil.setup.accounts import create_account, list_accounts
from counterfoil.setup.migrate import (
    DatabaseUnfit,
    as_application,
    check_database,
    migrate,
    newest_revision,
)
from tests.db import FAST, VERSION, roomy_folder

pytestmark = pytest.mark.database


async def as_owner(url, sql):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_a_healthy_database_has_nothing_wrong(pool):
    assert await check_database(pool, MACHINES) == []


async def test_migrating_again_changes_nothing(database, pool, account):
    again = await migrate(database.owner_url)
    assert urlsplit(again).username == "counterfoil_app"
    assert urlsplit(again).password is None
    assert await check_database(pool, MACHINES) == []
    assert await list_accounts(pool) == [account]


async def test_processes_that_start_together_do_not_collide(server):
    url = await server.empty("cf_together")
    await asyncio.gather(*(migrate(url) for _ in range(4)))
    revisions = await as_owner(url, "select string_agg(version_num, ',') from alembic_version")
    assert revisions == newest_revision()


async def test_a_new_password_is_told_and_works_as_an_address(database):
    address = await migrate(database.owner_url, new_password=True)
    assert len(urlsplit(address).password or "") == 32
    hashed = await as_owner(
        database.owner_url, "select rolpassword from pg_authid where rolname = 'counterfoil_app'"
    )
    assert hashed.startswith("SCRAM-SHA-256$")
    assert await as_owner(address, "select current_user") == "counterfoil_app"


@pytest.mark.parametrize(
    ("owner", "application"),
    [
        (
            "postgresql://me:pw@db:5432/shop?ssl=on",
            "postgresql://counterfoil_app:p%2F@db:5432/shop?ssl=on",
        ),
        ("postgresql://db/shop", "postgresql://counterfoil_app:p%2F@db/shop"),
        (
            "postgresql://postgres@/shop?host=/run",
            "postgresql://counterfoil_app:p%2F@/shop?host=/run",
        ),
    ],
)
def test_the_applications_address_differs_only_in_who(owner, application):
    assert as_application(owner, "p/") == application


@pytest.fixture
def fresh_cluster():
    """A cluster that has never seen our roles."""
    with tempfile.TemporaryDirectory(dir=roomy_folder()) as folder:
        running = postgres.start(Path(folder) / "pg", version=VERSION, settings=FAST)
        yield running
        running.stop()


async def test_an_owner_who_is_no_superuser_can_migrate(fresh_cluster):
    superuser = fresh_cluster.url("counterfoil")
    for sql in (
        "create role managed login createrole",
        "alter database counterfoil owner to managed",
        "alter schema public owner to managed",
    ):
        await as_owner(superuser, sql)
    url = fresh_cluster.url("counterfoil", "managed")
    app_url = await migrate(url)
    assert urlsplit(app_url).password
    assert await migrate(url) == fresh_cluster.url("counterfoil", "counterfoil_app")
    pool = Pool(app_url)
    try:
        account = await create_account(pool, "Managed")
        assert await list_accounts(pool) == [account]
        assert await check_database(pool, MACHINES) == []
        async with pool.connection("") as connection:
            assert await connection.rows("select * from due_claim('money', 5, 1)") == []
    finally:
        await pool.close()
    created = "select has_schema_privilege('counterfoil_gate', 'public', 'create')"
    assert await as_owner(superuser, created) is False


async def test_a_database_that_cannot_be_reached_is_told_in_a_sentence():
    with pytest.raises(DatabaseUnfit, match="cannot be reached"):
        await migrate("postgresql://nobody@127.0.0.1:1/none")


async def wrong_with(url):
    pool = Pool(url)
    try:
        return await check_database(pool, MACHINES)
    finally:
        await pool.close()


async def test_a_superuser_and_an_owner_are_not_who_we_run_as(database):
    wrong = await wrong_with(database.owner_url)
    assert any("superuser" in sentence for sentence in wrong)
    assert any("owns the tables" in sentence for sentence in wrong)


async def test_a_role_that_bypasses_row_level_security_is_refused(server):
    made = await server.create()
    await as_owner(made.owner_url, "create role passes login bypassrls in role counterfoil_app")
    wrong = await wrong_with(server.server.url(made.name, "passes"))
    assert len(wrong) == 1
    assert "BYPASSRLS" in wrong[0]


async def test_a_database_without_a_schema_says_what_to_do(server):
    url = await server.empty("cf_bare")
    assert await wrong_with(url) == ["The database has no schema yet: run `counterfoil migrate`."]


async def test_an_older_schema_says_what_to_do(pool, owner):
    await owner.execute("update alembic_version set version_num = '0001'")
    (sentence,) = await check_database(pool, MACHINES)
    assert "revision 0001" in sentence
    assert "counterfoil migrate" in sentence


async def test_a_clock_that_was_moved_is_for_tests_only(pool, owner, clock):
    await clock.advance(60)
    assert await check_database(pool) == []
    await owner.execute("update clock_offset set allowed = false")
    (sentence,) = await check_database(pool)
    assert "60" in sentence


async def test_life_cycles_that_differ_are_named_in_both_directions(pool, owner):
    more = msgspec.structs.replace(
        ORDER, edges=(*ORDER.edges, Edge("revive", ("CANCELED",), "NEW", "Not really."))
    )
    others = [machine for machine in MACHINES if machine is not ORDER]
    assert await check_database(pool, [*others, more]) == [
        "The database does not know order CANCELED → NEW."
    ]
    await owner.execute("insert into life_cycle values ('bag', '', 'REJECTED')")
    assert await check_database(pool, MACHINES) == ["The code does not know bag ∅ → REJECTED."]
