"""Stores: list, make, change. A new one has the built-in states and methods at once."""

from typing import Annotated, Literal

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from counterfoil.kernel.db import Connection
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.page import LIMIT, Page, check_limit, read_cursor, read_page
from counterfoil.kernel.problem import NotFound
from counterfoil.kernel.shape import Code, Name, check_currency, check_shape, to_json
from counterfoil.order.actor import Actor
from counterfoil.order.config import BUILT_IN_METHODS, BUILT_IN_STATES, Store
from counterfoil.order.problems import UnknownReference
from counterfoil.setup.problems import CodeTaken

Scope = Literal["partial_capture"]
RefundOrder = Literal["last_in_first", "first_in_first", "card_first"]
Language = Literal["en", "nb"]
LetterKind = Literal["order_received", "shipped", "return_received"]
Prefix = Annotated[str, Meta(max_length=16, pattern=r"^[A-Za-z0-9._/-]*$(?!\n)")]
WindowDays = Annotated[int, Meta(ge=1, le=3660)]
Fee = Annotated[int, Meta(ge=0, le=10**12 - 1)]
HoldSeconds = Annotated[int, Meta(ge=60, le=366 * 86400)]


class NewStore(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What it takes to make a store."""

    code: Code
    name: Name
    currency: str
    number_prefix: Prefix = ""
    scopes: list[Scope] = []
    default_merchant: Code | None = None
    create_merchants: bool = False
    auth_hold_seconds: HoldSeconds | None = None
    cancel_email_default: bool = False
    test_orders: bool = True
    default_gateway: Code | None = None
    refund_order: RefundOrder = "last_in_first"
    language: Language = "en"
    letters: list[LetterKind] = []
    capture_on_ship: bool = False
    refund_window_days: WindowDays | None = None
    return_fee: Fee = 0


class StoreChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What may change of a store; its code may not, for it stands in numbers and addresses."""

    name: Name | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    number_prefix: Prefix | UnsetType = UNSET
    scopes: list[Scope] | UnsetType = UNSET
    default_merchant: Code | UnsetType | None = UNSET
    create_merchants: bool | UnsetType = UNSET
    auth_hold_seconds: HoldSeconds | UnsetType | None = UNSET
    cancel_email_default: bool | UnsetType = UNSET
    test_orders: bool | UnsetType = UNSET
    default_gateway: Code | UnsetType | None = UNSET
    refund_order: RefundOrder | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    letters: list[LetterKind] | UnsetType = UNSET
    capture_on_ship: bool | UnsetType = UNSET
    refund_window_days: WindowDays | UnsetType | None = UNSET
    return_fee: Fee | UnsetType = UNSET


async def list_stores(
    connection: Connection, *, limit: int = LIMIT, cursor: str | None = None
) -> Page[Store]:
    """List the account's stores by code."""
    after = read_cursor(cursor, str)
    rows = await connection.rows(
        "select to_jsonb(s)::text as told,"
        " (select count(*) from stores where account_id = $1) as total"
        " from stores s where account_id = $1 and code > $2 order by code limit $3",
        connection.account,
        after[0] if after else "",
        check_limit(limit) + 1,
    )
    return read_page(rows, Store, limit, "code")


async def find_store(connection: Connection, code: str) -> Store:
    """Return a store. Raises NotFound."""
    told = await connection.value(
        "select to_jsonb(s)::text from stores s where account_id = $1 and code = $2",
        connection.account,
        code,
    )
    if told is None:
        raise NotFound(f"There is no store {code!r}.")
    return msgspec.json.decode(told, type=Store)


async def resolve_store(connection: Connection, code: str | None) -> str:
    """Return the code of the store that is meant: the one named, or the account's only one.

    Raises UnknownReference for a name that is none, and where there are several and none is named.
    """
    codes = [
        row["code"]
        for row in await connection.rows(
            "select code from stores where account_id = $1 and ($2::text is null or code = $2)"
            " limit 2",
            connection.account,
            code,
        )
    ]
    if len(codes) == 1:
        return str(codes[0])
    detail = "There are several stores; say which." if codes else f"There is no store {code!r}."
    raise UnknownReference(detail, errors=[{"pointer": "/store", "detail": detail}])


async def create_store(connection: Connection, actor: Actor, new: NewStore) -> Store:
    """Make a store. Raises ValidationFailed, UnknownReference, CodeTaken."""
    async with connection.transaction():
        return await add_store(connection, actor, new)


async def add_store(connection: Connection, actor: Actor, new: NewStore) -> Store:
    """Make a store inside the caller's transaction, with its built-in states and methods."""
    check_shape(new)
    check_currency(new.currency)
    await _check_merchant(connection, new.default_merchant)
    await _check_gateway(connection, new.default_gateway, new.code)
    try:
        told = await connection.value(
            "with made as ("
            "  insert into stores (account_id, id, code, name, currency, number_prefix, scopes,"
            "    default_merchant, create_merchants, auth_hold_seconds, cancel_email_default,"
            "    test_orders, default_gateway, refund_order, language, letters, capture_on_ship,"
            "    refund_window_days, return_fee, created_at)"
            "  select $1, $2, n.code, n.name, n.currency, n.number_prefix, n.scopes,"
            "    n.default_merchant, n.create_merchants, n.auth_hold_seconds,"
            "    n.cancel_email_default, n.test_orders, n.default_gateway, n.refund_order,"
            "    n.language, n.letters, n.capture_on_ship, n.refund_window_days, n.return_fee,"
            "    cf_now()"
            "  from jsonb_populate_record(null::stores, $3::text::jsonb) n returning *),"
            " entry as ("
            "  insert into audit_entry (account_id, id, type, subject, data, actor, at)"
            "  select $1, $4, 'store.created', code,"
            "    jsonb_build_object('after', to_jsonb(made) - 'account_id'), $5::text::jsonb,"
            "    created_at from made)"
            " select to_jsonb(made)::text from made",
            connection.account,
            new_id(),
            to_json(new),
            new_id(),
            to_json(actor.told()),
        )
    except asyncpg.UniqueViolationError as problem:
        raise CodeTaken(f"There is a store {new.code!r} already.") from problem
    await _add_built_in(connection, new.code)
    return msgspec.json.decode(told, type=Store)


async def _add_built_in(connection: Connection, store: str) -> None:
    states = [
        {**msgspec.to_builtins(state), "id": new_id(), "position": position}
        for position, state in enumerate(BUILT_IN_STATES)
    ]
    await connection.rows(
        "insert into order_states (account_id, id, store, code, name, system_state, colour,"
        "   description, position, built_in)"
        " select $1, s.id, $2, s.code, s.name, s.system_state, s.colour, s.description,"
        "   s.position, true"
        " from jsonb_populate_recordset(null::order_states, $3::text::jsonb) s",
        connection.account,
        store,
        to_json(states),
    )
    methods = [{"id": new_id(), "code": code, "name": name} for code, name in BUILT_IN_METHODS]
    await connection.rows(
        "insert into shipment_methods (account_id, id, store, code, name)"
        " select $1, m.id, $2, m.code, m.name"
        " from jsonb_populate_recordset(null::shipment_methods, $3::text::jsonb) m",
        connection.account,
        store,
        to_json(methods),
    )


async def change_store(
    connection: Connection, actor: Actor, code: str, change: StoreChange
) -> Store:
    """Change what is named of a store. Raises ValidationFailed, UnknownReference, NotFound.

    Orders keep the currency they came in with.
    """
    check_shape(change)
    if change.currency is not UNSET:
        check_currency(change.currency)
    if change.default_merchant is not UNSET:
        await _check_merchant(connection, change.default_merchant)
    if change.default_gateway is not UNSET:
        await _check_gateway(connection, change.default_gateway, code)
    told = await connection.value(
        "with was as ("
        "  select s as old, jsonb_populate_record(s, $3::text::jsonb) as new"
        "  from stores s where s.account_id = $1 and s.code = $2 for update),"
        " made as ("
        "  update stores s set name = (w.new).name, currency = (w.new).currency,"
        "    number_prefix = (w.new).number_prefix, scopes = (w.new).scopes,"
        "    default_merchant = (w.new).default_merchant,"
        "    create_merchants = (w.new).create_merchants,"
        "    auth_hold_seconds = (w.new).auth_hold_seconds,"
        "    cancel_email_default = (w.new).cancel_email_default,"
        "    test_orders = (w.new).test_orders, default_gateway = (w.new).default_gateway,"
        "    refund_order = (w.new).refund_order, language = (w.new).language,"
        "    letters = (w.new).letters, capture_on_ship = (w.new).capture_on_ship,"
        "    refund_window_days = (w.new).refund_window_days,"
        "    return_fee = (w.new).return_fee"
        "  from was w where s.account_id = $1 and s.code = $2 returning s.*),"
        " entry as ("
        "  insert into audit_entry (account_id, id, type, subject, data, actor, at)"
        "  select $1, $4, 'store.changed', made.code, jsonb_build_object("
        "    'before', to_jsonb(was.old) - 'account_id', 'after', to_jsonb(made) - 'account_id'),"
        "    $5::text::jsonb, cf_now() from made, was)"
        " select to_jsonb(made)::text from made",
        connection.account,
        code,
        to_json(change),
        new_id(),
        to_json(actor.told()),
    )
    if told is None:
        raise NotFound(f"There is no store {code!r}.")
    return msgspec.json.decode(told, type=Store)


async def _check_merchant(connection: Connection, code: str | None) -> None:
    if code is not None and not await connection.value(
        "select exists (select from merchants where account_id = $1 and code = $2)",
        connection.account,
        code,
    ):
        raise UnknownReference(
            f"There is no merchant {code!r}.",
            errors=[{"pointer": "/default_merchant", "detail": f"No merchant {code!r}."}],
        )


async def _check_gateway(connection: Connection, code: str | None, store: str) -> None:
    """Refuse a gateway that is not there or serves another store. Raises UnknownReference."""
    if code is None:
        return
    serves = await connection.rows(
        "select store from gateways where account_id = $1 and code = $2",
        connection.account,
        code,
    )
    if serves and serves[0]["store"] in (None, store):
        return
    detail = f"There is no gateway {code!r}."
    if serves:
        detail = f"The gateway {code!r} serves the store {serves[0]['store']!r} alone."
    raise UnknownReference(detail, errors=[{"pointer": "/default_gateway", "detail": detail}])
