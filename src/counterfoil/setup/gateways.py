"""Gateways: list, make, change. Credentials go in sealed and never come out through here.

Only `open_credentials` reads them, for the adapter that calls the provider.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from counterfoil.kernel.db import Connection
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.page import LIMIT, Page, check_limit, read_cursor, read_page
from counterfoil.kernel.problem import NotFound
from counterfoil.kernel.secrets import KeyRing
from counterfoil.kernel.shape import Code, check_shape, refuse, to_json
from counterfoil.order.actor import Actor
from counterfoil.order.config import Gateway
from counterfoil.order.problems import UnknownReference
from counterfoil.setup.problems import CodeTaken

Kind = Literal["manual", "sandbox", "zip", "stripe"]
Words = dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=8192)]]
SETTINGS_BYTES_MAX = 16_384


# What is told of a gateway beside its columns; the credentials are not.
_TOLD = """to_jsonb(g) - 'credentials' || jsonb_build_object(
    'has_credentials', g.credentials is not null,
    'default_for', (select coalesce(jsonb_agg(s.code order by s.code), '[]') from stores s
      where s.account_id = $1 and s.default_gateway = g.code))"""

_CHANGE = """with was as (
  select g as old, jsonb_populate_record(g, $3::text::jsonb) as new
  from gateways g where g.account_id = $1 and g.code = $2 for update),
 made as (
  update gateways g set store = (w.new).store, settings = (w.new).settings,
    enabled = (w.new).enabled,
    credentials = case when $4 then $5::bytea else g.credentials end
  from was w where g.account_id = $1 and g.code = $2 returning g.*),
 told as (select g.code, <told> as it from made g),
 entry as (
  insert into audit_entry (account_id, id, type, subject, data, actor, at)
  select $1, $6, 'gateway.changed', told.code, jsonb_build_object(
    'before', to_jsonb(was.old) - 'account_id' - 'credentials',
    'after', told.it - 'account_id' - 'default_for', 'credentials_replaced', $4),
    $7::text::jsonb, cf_now() from told, was)
 select it::text from told"""


class NewGateway(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What it takes to connect a gateway. `store` None serves every store."""

    code: Code
    kind: Kind
    store: Code | None = None
    settings: dict[str, Any] = {}
    credentials: Words | None = None
    enabled: bool = True


class GatewayChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What may change of a gateway. `credentials` replace all there are; None removes them."""

    store: Code | UnsetType | None = UNSET
    settings: dict[str, Any] | UnsetType = UNSET
    credentials: Words | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


async def list_gateways(
    connection: Connection, *, limit: int = LIMIT, cursor: str | None = None
) -> Page[Gateway]:
    """List the account's gateways by code."""
    after = read_cursor(cursor, str)
    rows = await connection.rows(
        _filled(
            "select (<told>)::text as told,"
            " (select count(*) from gateways where account_id = $1) as total"
            " from gateways g where account_id = $1 and code > $2 order by code limit $3"
        ),
        connection.account,
        after[0] if after else "",
        check_limit(limit) + 1,
    )
    return read_page(rows, Gateway, limit, "code")


async def find_gateway(connection: Connection, code: str) -> Gateway:
    """Return a gateway. Raises NotFound."""
    told = await connection.value(
        _filled("select (<told>)::text from gateways g where account_id = $1 and code = $2"),
        connection.account,
        code,
    )
    if told is None:
        raise NotFound(f"There is no gateway {code!r}.")
    return msgspec.json.decode(told, type=Gateway)


async def open_credentials(connection: Connection, code: str, keys: KeyRing) -> dict[str, str]:
    """Return a gateway's credentials, for the adapter alone. Raises NotFound, CannotOpen."""
    row = await connection.row(
        "select credentials from gateways where account_id = $1 and code = $2",
        connection.account,
        code,
    )
    if row is None:
        raise NotFound(f"There is no gateway {code!r}.")
    if row["credentials"] is None:
        return {}
    plain = keys.open(row["credentials"], seal_context(connection.account, code))
    return msgspec.json.decode(plain, type=dict[str, str])


async def create_gateway(
    connection: Connection, actor: Actor, new: NewGateway, keys: KeyRing | None
) -> Gateway:
    """Connect a gateway. Raises ValidationFailed, UnknownReference, CodeTaken."""
    check_shape(new)
    _check_settings(new.settings)
    sealed = _seal(connection.account, new.code, new.credentials, keys)
    try:
        told = await connection.value(
            "with made as ("
            "  insert into gateways"
            "    (account_id, id, code, kind, store, settings, credentials, enabled, created_at)"
            "  values ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8, cf_now()) returning *),"
            " told as (select created_at, code, to_jsonb(made) - 'credentials'"
            "    || jsonb_build_object('has_credentials', credentials is not null) as it"
            "  from made),"
            " entry as ("
            "  insert into audit_entry (account_id, id, type, subject, data, actor, at)"
            "  select $1, $9, 'gateway.created', code,"
            "    jsonb_build_object('after', it - 'account_id'), $10::text::jsonb, created_at"
            "  from told)"
            " select it::text from told",
            connection.account,
            new_id(),
            new.code,
            new.kind,
            new.store,
            to_json(new.settings),
            sealed,
            new.enabled,
            new_id(),
            to_json(actor.told()),
        )
    except asyncpg.UniqueViolationError as problem:
        raise CodeTaken(f"There is a gateway {new.code!r} already.") from problem
    except asyncpg.ForeignKeyViolationError as problem:
        raise _no_store(new.store) from problem
    return msgspec.json.decode(told, type=Gateway)


async def change_gateway(
    connection: Connection, actor: Actor, code: str, change: GatewayChange, keys: KeyRing | None
) -> Gateway:
    """Change what is named of a gateway. Raises ValidationFailed, UnknownReference, NotFound.

    A gateway that is the default of a store goes on serving it. The audit entry says whether
    credentials were replaced, never what they are.
    """
    check_shape(change)
    if change.settings is not UNSET:
        _check_settings(change.settings)
    if change.store is not UNSET:
        await _check_defaults(connection, code, change.store)
    replaces = change.credentials is not UNSET
    given = None if change.credentials is UNSET else change.credentials
    sealed = _seal(connection.account, code, given, keys)
    try:
        told = await connection.value(
            _filled(_CHANGE),
            connection.account,
            code,
            to_json(msgspec.structs.replace(change, credentials=UNSET)),
            replaces,
            sealed,
            new_id(),
            to_json(actor.told()),
        )
    except asyncpg.ForeignKeyViolationError as problem:
        raise _no_store(None if change.store is UNSET else change.store) from problem
    if told is None:
        raise NotFound(f"There is no gateway {code!r}.")
    return msgspec.json.decode(told, type=Gateway)


def _filled(statement: str) -> str:
    return statement.replace("<told>", _TOLD)


def seal_context(account_id: str, code: str) -> str:
    """Name the place that a gateway's credentials are sealed for."""
    return f"gateway:{account_id}:{code}"


def _seal(
    account_id: str, code: str, credentials: dict[str, str] | None, keys: KeyRing | None
) -> bytes | None:
    if not credentials:
        return None
    assert keys is not None, "credentials are sealed before they are kept"
    return keys.seal(msgspec.json.encode(credentials), seal_context(account_id, code))


def _check_settings(settings: dict[str, Any]) -> None:
    if len(to_json(settings)) > SETTINGS_BYTES_MAX:
        raise refuse("/settings", f"Settings take {SETTINGS_BYTES_MAX} bytes at most.")


async def _check_defaults(connection: Connection, code: str, store: str | None) -> None:
    """Refuse to take a gateway away from a store whose default it is. Raises ValidationFailed."""
    left = await connection.value(
        "select min(code) from stores where account_id = $1 and default_gateway = $2"
        " and code is distinct from coalesce($3, code)",
        connection.account,
        code,
        store,
    )
    if left is not None:
        raise refuse("/store", f"It is the default of the store {left!r}; choose another first.")


class Replaced(msgspec.Struct, frozen=True):
    """When the credentials of a gateway were last set, and by whom."""

    at: datetime
    by: str


async def credentials_set(connection: Connection, code: str) -> Replaced | None:
    """Tell when somebody last set the credentials of a gateway; None where nothing says so."""
    told = await connection.value(
        "select json_build_object('at', at, 'by', actor ->> 'name')::text from audit_entry"
        " where account_id = $1 and subject = $2 and ("
        "   (type = 'gateway.created' and (data -> 'after' ->> 'has_credentials')::boolean)"
        "   or (type = 'gateway.changed' and (data ->> 'credentials_replaced')::boolean))"
        " order by id desc limit 1",
        connection.account,
        code,
    )
    return None if told is None else msgspec.json.decode(told, type=Replaced)


def _no_store(store: str | None) -> UnknownReference:
    return UnknownReference(
        f"There is no store {store!r}.",
        errors=[{"pointer": "/store", "detail": f"No store {store!r}."}],
    )
