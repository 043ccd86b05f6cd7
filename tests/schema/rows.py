"""One row for every table, made from what the catalogue says a row must have."""

import json
import re
from typing import Any
from uuid import UUID, uuid4

import asyncpg

GLOBAL = {"alembic_version", "life_cycle", "clock_offset", "sign_in_tries"}
"""Tables that belong to no account."""

BY_TYPE: dict[str, Any] = {
    "text": "x",
    "integer": 1,
    "bigint": 1,
    "boolean": False,
    "jsonb": {},
    "json": {},
    "bytea": "x",
    "timestamp with time zone": "2026-01-01T00:00:00Z",
}


async def tables(owner: "asyncpg.Connection[Any]") -> list[str]:
    """Name every table of an account."""
    rows = await owner.fetch(
        "select relname from pg_class where relnamespace = 'public'::regnamespace"
        " and relkind in ('r', 'p') order by relname"
    )
    return [row["relname"] for row in rows if row["relname"] not in GLOBAL]


async def make_row(
    owner: "asyncpg.Connection[Any]", table: str, account_id: str, **given: Any
) -> dict[str, Any]:
    """Think of a row that the table's own CHECKs take; what it points at need not exist."""
    columns = await owner.fetch(
        "select column_name as name, data_type as type from information_schema.columns"
        " where table_schema = 'public' and table_name = $1 and is_nullable = 'NO'"
        " and column_default is null",
        table,
    )
    checks = await owner.fetch(
        "select pg_get_constraintdef(oid) as text from pg_constraint"
        " where conrelid = $1::text::regclass and contype = 'c'",
        table,
    )
    row: dict[str, Any] = {}
    for column in columns:
        name = column["name"]
        choices = [
            re.findall(r"'([A-Za-z_]+)'::text", check["text"])
            for check in checks
            if re.match(rf"CHECK \(\({name} = ANY", check["text"])
        ]
        if name == "account_id":
            row[name] = account_id
        elif choices:
            row[name] = choices[0][0]
        elif column["type"] == "uuid":
            row[name] = str(uuid4())
        elif name == "credit":
            row[name] = "another account"
        elif name in {"id", "code", "email", "key"}:
            row[name] = uuid4().hex
        else:
            row[name] = BY_TYPE[column["type"]]
    return {**row, **given}


async def insert(connection: "asyncpg.Connection[Any]", table: str, row: dict[str, Any]) -> None:
    """Insert a row, leaving what it does not name to the defaults."""
    names = ", ".join(row)
    await connection.execute(
        f"insert into {table} ({names})"
        f" select {names} from jsonb_populate_record(null::{table}, $1::text::jsonb)",
        json.dumps(row),
    )


async def insert_alone(owner: "asyncpg.Connection[Any]", table: str, row: dict[str, Any]) -> None:
    """Insert a row as the owner, with foreign keys and triggers looking away."""
    async with owner.transaction():
        await owner.execute("set local session_replication_role = replica")
        await insert(owner, table, row)


async def bind(connection: "asyncpg.Connection[Any]", account_id: str | UUID) -> None:
    """Set the account of a connection; the empty text is none."""
    await connection.execute("select set_config('app.account_id', $1, false)", str(account_id))
