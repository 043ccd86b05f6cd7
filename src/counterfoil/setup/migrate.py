"""Bring a database to the newest schema, and check at start that it is fit to run on.

Two roles of the cluster carry the isolation of accounts: `counterfoil_app`, as whom every process
connects and who sees one account's rows at a time, and `counterfoil_gate`, who owns the few
functions that look across accounts and cannot log in. [rulings 4, 14, 18; faults D-8]
"""

import secrets
from collections.abc import Iterable
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from counterfoil.kernel.db import NO_ACCOUNT, Pool
from counterfoil.kernel.machine import Machine

APP = "counterfoil_app"
GATE = "counterfoil_gate"
OLDEST = 160000
_LOCK = 4711_0001  # any number of ours: two starting processes queue for it
# A migration that cannot have its lock soon gives up: who waits for one makes all others wait.
_LIMITS = {"lock_timeout": "5s", "statement_timeout": "10min", "application_name": "migrate"}


class DatabaseUnfit(Exception):
    """The database cannot be used as it is; the message says why and what to do."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("counterfoil") / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def newest_revision() -> str:
    """Return the revision that this program's files end with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "there are no migrations"
    return head


async def migrate(owner_url: str, *, new_password: bool = False) -> str:
    """Make the roles, run what is missing of the schema, and return the application's address.

    Safe to repeat and to run from several processes at once. The address has a password only when
    this call made the role, or when `new_password` asks for another one; elsewhere (a socket that
    trusts its user, or a password that is already known) it has none. Raises DatabaseUnfit.
    """
    try:
        owner = await asyncpg.connect(owner_url, timeout=10)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as problem:
        raise DatabaseUnfit(f"The database cannot be reached: {problem}") from problem
    try:
        found = int(await owner.fetchval("show server_version_num"))
        if found < OLDEST:
            raise DatabaseUnfit(
                f"PostgreSQL {found // 10000} is too old; Counterfoil needs 16 or newer."
            )
        await owner.fetchval("select pg_advisory_lock($1)", _LOCK)
        try:
            password = await _make_roles(owner, new_password=new_password)
            await _run_revisions(owner_url)
            await _grant(owner)
        finally:
            await owner.fetchval("select pg_advisory_unlock($1)", _LOCK)
    finally:
        await owner.close()
    return as_application(owner_url, password)


def as_application(owner_url: str, password: str | None = None) -> str:
    """Return the address of the same database for the application's role."""
    parts = urlsplit(owner_url)
    host = parts.netloc.rpartition("@")[2]
    who = APP if password is None else f"{APP}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{who}@{host}"))


async def _make_roles(owner: "asyncpg.Connection[Any]", *, new_password: bool) -> str | None:
    """Make what is missing of the two roles; return the application's password where it is new."""
    there = {
        row["rolname"]
        for row in await owner.fetch(
            "select rolname from pg_roles where rolname = any($1::text[])", [APP, GATE]
        )
    }
    password = secrets.token_urlsafe(24)
    login = await owner.fetchval("select format('login password %L', $1::text)", password)
    made = False
    for role, sql in (
        (APP, "create role counterfoil_app nosuperuser nobypassrls " + login),
        (GATE, "create role counterfoil_gate nosuperuser nobypassrls nologin"),
    ):
        if role in there:
            continue
        try:
            await owner.execute(sql)
            made = made or role == APP
        except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
            continue  # roles belong to the cluster: a migration of another database was first
    if new_password and not made:
        await owner.execute("alter role counterfoil_app " + login)
    # To hand functions over to the gate, an owner who is no superuser must be able to become it.
    if not await owner.fetchval("select pg_has_role(current_user, $1, 'set')", GATE):
        await owner.execute("grant counterfoil_gate to current_user with set true, inherit false")
    await owner.execute("grant usage on schema public to counterfoil_app, counterfoil_gate")
    await owner.execute("grant create on schema public to counterfoil_gate")
    return password if made or new_password else None


async def _run_revisions(owner_url: str) -> None:
    config = _config()

    async def connect() -> "asyncpg.Connection[Any]":
        return await asyncpg.connect(owner_url, timeout=10, server_settings=_LIMITS)

    def upgrade(connection: SyncConnection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(upgrade)
    finally:
        await engine.dispose()


async def _grant(owner: "asyncpg.Connection[Any]") -> None:
    """Give and take what no single revision can know of."""
    await owner.execute(
        "do $$ begin execute format('grant connect on database %I to counterfoil_app',"
        " current_database()); end $$"
    )
    await owner.execute(
        "revoke create on schema public from public, counterfoil_app, counterfoil_gate"
    )
    await owner.execute("grant select on alembic_version to counterfoil_app")


async def check_database(pool: Pool, machines: Iterable[Machine] = ()) -> list[str]:
    """Say, in sentences, what is wrong with the database that this process would run on.

    Looks at the role (row-level security does not bind superusers, owners and BYPASSRLS), at the
    schema's revision, at the clock, and compares the life cycles there with those of the code.
    An empty list is a healthy database. Raises Unavailable where it cannot be reached.
    """
    async with pool.connection(NO_ACCOUNT) as connection:
        if await connection.value("select to_regclass('public.alembic_version')") is None:
            return ["The database has no schema yet: run `counterfoil migrate`."]
        state = await connection.row(
            "select current_user as name, r.rolsuper, r.rolbypassrls,"
            " current_setting('server_version_num')::int as server,"
            " current_setting('transaction_isolation') as isolation,"
            " (select version_num from alembic_version) as revision,"
            " exists (select from pg_class t where t.relowner = r.oid and t.relrowsecurity) owns,"
            " c.seconds as clock_seconds, c.allowed as clock_allowed"
            " from pg_roles r left join clock_offset c on true where r.rolname = current_user"
        )
        rows = await connection.rows("select machine, from_status, to_status from life_cycle")
    return [*_wrong_role(state), *_wrong_state(state), *_wrong_life_cycles(rows, machines)]


def _wrong_role(state: Any) -> list[str]:
    name = state["name"]
    wrong = []
    if state["rolsuper"]:
        wrong.append(f"The role {name} is a superuser, whom row-level security does not bind.")
    if state["rolbypassrls"]:
        wrong.append(f"The role {name} has BYPASSRLS: accounts would not be kept apart.")
    if state["owns"]:
        wrong.append(f"The role {name} owns the tables; connect as {APP}.")
    return wrong


def _wrong_state(state: Any) -> list[str]:
    wrong = []
    head = newest_revision()
    if state["server"] < OLDEST:
        wrong.append("The server is older than PostgreSQL 16.")
    if state["revision"] != head:
        wrong.append(
            f"The schema is at revision {state['revision']}, this program needs {head}:"
            " run `counterfoil migrate`."
        )
    if state["isolation"] != "read committed":
        wrong.append(f"The default isolation is {state['isolation']}; it must be read committed.")
    if state["clock_seconds"] is None:
        wrong.append("The clock's row is missing.")
    elif state["clock_seconds"] and not state["clock_allowed"]:
        wrong.append(f"The clock is moved by {state['clock_seconds']} s, which is for tests only.")
    return wrong


def _wrong_life_cycles(rows: list[Any], machines: Iterable[Machine]) -> list[str]:
    stored: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        stored.setdefault(row["machine"], set()).add((row["from_status"], row["to_status"]))
    wrong = []
    for machine in machines:
        there, here = stored.get(machine.name, set()), set(machine.pairs())
        for source, target in sorted(here - there):
            wrong.append(f"The database does not know {machine.name} {source or '∅'} → {target}.")
        for source, target in sorted(there - here):
            wrong.append(f"The code does not know {machine.name} {source or '∅'} → {target}.")
    return wrong
