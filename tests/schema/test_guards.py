"""What is final stays, life cycles hold whoever writes, and constraints have names of their own."""

import json
import re
import subprocess
import sys
from itertools import permutations
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from counterfoil.order.life import MACHINES
from tests.schema.rows import bind, insert, insert_alone, make_row

pytestmark = pytest.mark.database
OURS = "0199c000-0000-7000-8000-00000000000a"
TOP = Path(__file__).parents[2]
PLACES = {"order": ("orders", "system_state"), "item": ("items", "delivery_state")}


def place_of(machine):
    return PLACES.get(machine.name, (f"{machine.name}s", "status"))


def settled(table, status):
    """A transaction says when it was decided exactly when it is."""
    if table != "transactions":
        return {}
    return {"settled_at": None if status in {"PENDING", "UNKNOWN"} else "2026-01-01T00:00:00Z"}


def setting(table, column, status):
    told = {column: status, **settled(table, status)}
    words = [f"{name} = " + ("null" if v is None else f"'{v}'") for name, v in told.items()]
    return f"update {table} set " + ", ".join(words)


async def refusal(connection, attempt):
    """Tell how the database refuses, or None; what was tried is undone."""
    trial = connection.transaction()
    await trial.start()
    await connection.execute("set local session_replication_role = replica")
    try:
        await attempt()
    except asyncpg.PostgresError as problem:
        return problem.sqlstate
    else:
        return None
    finally:
        await trial.rollback()


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
async def test_a_status_goes_only_where_its_life_cycle_says(machine, owner):
    table, column = place_of(machine)
    declared = set(machine.pairs())
    await insert_alone(owner, table, await make_row(owner, table, OURS))
    wrong = []
    for source, target in permutations(machine.statuses, 2):

        async def attempt(source=source, target=target):
            await owner.execute(setting(table, column, source))
            await owner.execute(f"alter table {table} enable always trigger {table}_life_cycle")
            await owner.execute(setting(table, column, target))

        expected = None if (source, target) in declared else "CF001"
        if await refusal(owner, attempt) != expected:
            wrong.append((source, target))
    assert wrong == []


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
async def test_a_row_is_born_only_as_its_life_cycle_says(machine, owner):
    table, column = place_of(machine)
    wrong = []
    for status in machine.statuses:
        row = await make_row(owner, table, OURS, **{column: status}, **settled(table, status))

        async def attempt(row=row):
            await owner.execute(f"alter table {table} enable always trigger {table}_birth")
            await insert(owner, table, row)

        if await refusal(owner, attempt) != (None if ("", status) in machine.pairs() else "CF001"):
            wrong.append(status)
    assert wrong == []


async def test_every_trigger_is_on(owner):
    rows = await owner.fetch("select tgname, tgenabled from pg_trigger where not tgisinternal")
    assert rows
    assert [row["tgname"] for row in rows if row["tgenabled"] != b"O"] == []


async def test_a_fact_is_never_changed_or_deleted(owner, database):
    await insert_alone(owner, "facts", await make_row(owner, "facts", OURS))
    for sql in (
        "update facts set type = 'order.canceled'",
        "update facts set position = 1, at = now()",
        "delete from facts",
    ):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await owner.execute(sql)
        assert refused.value.sqlstate == "CF004"
    await owner.execute("update facts set position = 1")
    with pytest.raises(asyncpg.PostgresError):
        await owner.execute("update facts set position = 2")
    app = await asyncpg.connect(database.app_url)
    await bind(app, OURS)
    for sql in ("update facts set type = 'x'", "delete from facts"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(sql)
    await app.close()


async def test_a_settled_transaction_is_never_changed_and_none_is_deleted(owner, database):
    pending = await make_row(owner, "transactions", OURS, status="PENDING")
    done = await make_row(
        owner, "transactions", OURS, status="SUCCEEDED", settled_at="2026-01-01T00:00:00Z"
    )
    for row in (pending, done):
        await insert_alone(owner, "transactions", row)
    for sql in (
        "update transactions set amount = 2 where status = 'SUCCEEDED'",
        "update transactions set due_at = now() where status = 'SUCCEEDED'",
        "delete from transactions where status = 'SUCCEEDED'",
        "delete from transactions where status = 'PENDING'",
    ):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await owner.execute(sql)
        assert refused.value.sqlstate == "CF004", sql
    app = await asyncpg.connect(database.app_url)
    await bind(app, OURS)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("delete from transactions")
    assert await app.execute("update transactions set attempts = 1 where status = 'PENDING'")
    await app.close()


async def test_a_ledger_entry_is_never_changed_or_deleted(owner, database):
    await insert_alone(owner, "ledger_entries", await make_row(owner, "ledger_entries", OURS))
    for sql in ("update ledger_entries set amount = 2", "delete from ledger_entries"):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await owner.execute(sql)
        assert refused.value.sqlstate == "CF004"
    app = await asyncpg.connect(database.app_url)
    await bind(app, OURS)
    for sql in ("update ledger_entries set amount = 2", "delete from ledger_entries"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(sql)
    await app.close()


async def test_what_is_entered_for_a_movement_adds_up_to_it_or_nothing_is_entered(owner):
    done = await make_row(
        owner, "transactions", OURS, status="SUCCEEDED", settled_at="2026-01-01T00:00:00Z"
    )
    done |= {"type": "CAPTURE", "amount": 500, "currency": "EUR"}
    await insert_alone(owner, "transactions", done)
    entry = await make_row(owner, "ledger_entries", OURS, transaction_id=done["id"])
    entry |= {"kind": "captured", "debit": "receivable", "credit": "payable", "currency": "EUR"}
    many = (
        "insert into ledger_entries select * from jsonb_populate_recordset("
        "null::ledger_entries, $1::text::jsonb)"
    )

    async def entered(*amounts, **more):
        rows = [entry | {"line": n, "amount": a} | more for n, a in enumerate(amounts, start=1)]
        await owner.execute(many, json.dumps(rows))

    for wrong in ([499], [501], [250, 249], [500, 500]):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await entered(*wrong)
        assert refused.value.sqlstate == "CF002", wrong
    for more in ({"currency": "SEK"}, {"transaction_id": str(uuid4())}):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await entered(500, **more)
        assert refused.value.sqlstate == "CF002", more
    for amount in (0, -500):
        with pytest.raises(asyncpg.CheckViolationError):
            await entered(amount)
    with pytest.raises(asyncpg.CheckViolationError):
        await entered(500, credit="receivable")
    await entered(300, 200)


async def test_every_constraint_and_index_has_a_name_that_somebody_chose(owner):
    rows = await owner.fetch(
        "select conname as name from pg_constraint k join pg_class c on c.oid = k.conrelid"
        " where c.relnamespace = 'public'::regnamespace and k.contype in ('c', 'f', 'u', 'x')"
    )
    made_up = re.compile(r".*_(fkey|key|check|excl)\d*\Z")
    assert rows
    assert [row["name"] for row in rows if made_up.match(row["name"])] == []


async def test_what_lists_filter_by_is_leakproof(owner):
    """Else row-level security would keep the condition out of the index. [rulings 15]"""
    rows = await owner.fetch(
        "select i.relname as index, a.attname as column, o.oprname, p.proname, p.proleakproof"
        " from pg_index x join pg_class i on i.oid = x.indexrelid"
        " join pg_class t on t.oid = x.indrelid and t.relnamespace = 'public'::regnamespace"
        " cross join lateral unnest(x.indclass::oid[]) with ordinality c(opclass, n)"
        " join pg_attribute a on a.attrelid = i.oid and a.attnum = c.n"
        " join pg_opclass oc on oc.oid = c.opclass"
        " join pg_amop m on m.amopfamily = oc.opcfamily and m.amoplefttype = oc.opcintype"
        "   and m.amoprighttype = oc.opcintype"
        " join pg_operator o on o.oid = m.amopopr join pg_proc p on p.oid = o.oprcode"
        " where t.relname <> 'alembic_version'"
    )
    assert len(rows) > 100
    assert {tuple(row) for row in rows if not row["proleakproof"]} == set()
    patterns = await owner.fetch(
        "select oprname, p.proleakproof from pg_operator o join pg_proc p on p.oid = o.oprcode"
        " where oprname in ('~>=~', '~<~') and oprleft = 'text'::regtype"
    )
    assert {row["oprname"]: row["proleakproof"] for row in patterns} == {"~>=~": True, "~<~": True}


async def test_every_index_leads_with_the_account_or_is_for_claiming(owner):
    rows = await owner.fetch(
        "select i.relname as name, a.attname as first from pg_index x"
        " join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid"
        " join pg_attribute a on a.attrelid = i.oid and a.attnum = 1"
        " where t.relnamespace = 'public'::regnamespace and t.relrowsecurity"
    )
    across = {row["name"]: row["first"] for row in rows if row["first"] != "account_id"}
    assert {name for name, first in across.items() if first != "due_at"} == {"users_email"}


def test_squawk_finds_nothing_dangerous_in_the_migrations():
    files = sorted((TOP / "src/counterfoil/migrations/sql").glob("*.sql"))
    assert files
    found = subprocess.run(
        [Path(sys.executable).parent / "squawk", "--reporter", "gcc", *files],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout) == (0, "")
