"""No account reaches another's rows, whatever SQL the application's role is made to run. [H-13]"""

import json

import asyncpg
import pytest
import pytest_asyncio

from tests.schema.rows import GLOBAL, bind, insert, insert_alone, make_row, tables

pytestmark = pytest.mark.database
OURS = "0199c000-0000-7000-8000-00000000000a"
THEIRS = "0199c000-0000-7000-8000-00000000000b"


@pytest_asyncio.fixture(scope="module")
async def watcher(module_database):
    """The owner, who sees what the application may not."""
    connection = await asyncpg.connect(module_database.owner_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture(scope="module")
async def filled(watcher):
    """Every table with one row of ours and one of theirs."""
    names = await tables(watcher)
    for table in names:
        for account in (OURS, THEIRS):
            await insert_alone(watcher, table, await make_row(watcher, table, account))
    return names


@pytest_asyncio.fixture
async def app(module_database):
    connection = await asyncpg.connect(module_database.app_url)
    yield connection
    await connection.close()


async def test_every_table_leads_its_key_with_the_account(watcher):
    rows = await watcher.fetch(
        "select c.relname, a.attname from pg_class c"
        " left join pg_index i on i.indrelid = c.oid and i.indisprimary"
        " left join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]"
        " where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')"
    )
    first = {row["relname"]: row["attname"] for row in rows if row["relname"] not in GLOBAL}
    assert first
    assert {name: key for name, key in first.items() if key != "account_id"} == {}


async def test_every_foreign_key_leads_with_the_account(watcher):
    rows = await watcher.fetch(
        "select k.conname, a.attname from pg_constraint k"
        " join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]"
        " where k.contype = 'f'"
    )
    assert rows
    assert [row["conname"] for row in rows if row["attname"] != "account_id"] == []


async def test_row_level_security_is_forced_on_every_table(watcher):
    loose = await watcher.fetch(
        "select relname from pg_class where relnamespace = 'public'::regnamespace"
        " and relkind in ('r', 'p') and not (relrowsecurity and relforcerowsecurity)"
    )
    assert {row["relname"] for row in loose} == GLOBAL


async def test_no_policy_of_the_application_looks_further(watcher):
    wide = await watcher.fetch(
        "select tablename, policyname from pg_policies where"
        " ('counterfoil_app' = any(roles) or 'public' = any(roles))"
        " and (qual is distinct from with_check or qual not like '%app.account_id%')"
    )
    assert [tuple(row) for row in wide] == []


async def test_without_an_account_there_is_nothing(filled, app):
    seen = {table: await app.fetchval(f"select count(*) from {table}") for table in filled}
    assert {table: count for table, count in seen.items() if count} == {}


async def test_without_an_account_nothing_can_be_added(filled, app, watcher):
    for table in filled:
        row = await make_row(watcher, table, OURS)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await insert(app, table, row)


async def test_an_account_sees_its_own_rows_alone(filled, app):
    await bind(app, OURS)
    for table in filled:
        seen = await app.fetch(f"select account_id::text from {table}")
        assert [row["account_id"] for row in seen] == [OURS], table


async def test_an_account_cannot_write_into_another(filled, app, watcher):
    await bind(app, OURS)
    for table in filled:
        row = await make_row(watcher, table, THEIRS)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await insert(app, table, row)


async def test_an_account_cannot_change_or_delete_anothers_rows(filled, app, watcher):
    await bind(app, OURS)
    for table in filled:
        before = await watcher.fetchval(
            f"select to_jsonb(t)::text from {table} t where account_id = $1", THEIRS
        )
        for sql in (
            f"update {table} set account_id = '{OURS}' where account_id = '{THEIRS}'",
            f"update {table} set account_id = '{THEIRS}'",
            f"delete from {table} where account_id = '{THEIRS}'",
        ):
            try:
                done = await app.execute(sql)
            except (asyncpg.InsufficientPrivilegeError, asyncpg.ForeignKeyViolationError):
                continue
            assert done.endswith(" 0"), sql
        assert before, table
        after = await watcher.fetchval(
            f"select to_jsonb(t)::text from {table} t where account_id = $1", THEIRS
        )
        assert json.loads(after) == json.loads(before), table


async def test_the_application_cannot_lift_its_own_bounds(app):
    for sql in (
        "set role counterfoil_gate",
        "set role postgres",
        "alter table orders disable row level security",
        "drop policy own_account on orders",
        "create table mine (id int)",
        "update clock_offset set seconds = 1",
        "update life_cycle set to_status = 'NEW'",
        "truncate orders",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(sql)


async def test_the_functions_that_look_across_belong_to_a_role_that_cannot_log_in(watcher):
    rows = await watcher.fetch(
        "select p.proname, r.rolname, r.rolcanlogin, r.rolsuper, p.proconfig,"
        " has_function_privilege('public', p.oid, 'execute') as for_all"
        " from pg_proc p join pg_roles r on r.oid = p.proowner"
        " where p.pronamespace = 'public'::regnamespace and p.prosecdef"
    )
    assert rows
    for row in rows:
        assert row["rolname"] == "counterfoil_gate", row["proname"]
        assert not row["rolcanlogin"]
        assert not row["rolsuper"]
        assert not row["for_all"], row["proname"]
        assert any("search_path" in word for word in row["proconfig"]), row["proname"]


async def test_the_gate_reads_only_what_it_must(watcher):
    reads = await watcher.fetch(
        "select distinct table_name from information_schema.table_privileges"
        " where grantee = 'counterfoil_gate'"
    )
    assert {row["table_name"] for row in reads} == {
        *("accounts", "users", "facts", "transactions", "payments", "letters", "clock_offset"),
        *("inbound_events", "reconciliations", "holds"),
    }
