"""Set-up: stores, merchants, gateways."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from msgspec import UNSET

from counterfoil.api.ask import Ask
from counterfoil.api.door import Door
from counterfoil.api.lists import PageQuery
from counterfoil.book.once import once
from counterfoil.gateways import GatewayMisconfigured, open_gateway
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import Count, Page
from counterfoil.kernel.problem import ValidationFailed
from counterfoil.order.capability import CAPABILITIES
from counterfoil.order.change import Answered
from counterfoil.order.config import Gateway, Merchant, Store
from counterfoil.order.gateway import Capabilities
from counterfoil.order.problems import UnknownReference
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
from counterfoil.setup.problems import CodeTaken
from counterfoil.setup.stores import NewStore, StoreChange, add_store, change_store, list_stores

door = Door("Set-up")
_SETTINGS, _GATEWAYS = "settings.manage", "gateways.manage"
_encode = msgspec.json.Encoder().encode
HOLD_SECONDS_MAX = 366 * 86400


class Tested(msgspec.Struct, frozen=True):
    """Whether a gateway can be reached with its credentials."""

    ok: bool
    message: str
    elapsed_ms: int


async def write(
    ask: Ask, effect: Callable[[Connection], Awaitable[Any]], *, status: int = 200,
    where: str | None = None,
) -> Answered:
    """Do a write of set-up once under its key; `where` is the address of what is made."""
    ask.actor.require_whole_order()

    async with ask.office.pool.connection(ask.actor.account_id) as connection:

        async def answer() -> Answered:
            made = await effect(connection)
            place = f"{where}/{made.code}" if where else None
            return Answered(status=status, body=_encode(made).decode(), location=place)

        return await once(connection, ask.key, answer)


@door.get("/v1/stores", right=(_SETTINGS, "orders.read"), answers={200: Page[Store]})
async def show_stores(ask: Ask, query: PageQuery) -> Page[Store]:
    """List the stores by code."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await list_stores(connection, limit=query.limit, cursor=query.cursor)


@door.post(
    "/v1/stores", right=_SETTINGS, answers={201: Store}, raises=(UnknownReference, CodeTaken)
)
async def make_store(ask: Ask, body: NewStore) -> Answered:
    """Make a store, with the built-in states and shipment methods."""
    return await write(
        ask, lambda connection: add_store(connection, ask.actor, body), status=201
    )


@door.patch(
    "/v1/stores/{code}", right=_SETTINGS, answers={200: Store}, raises=(UnknownReference,)
)
async def edit_store(ask: Ask, body: StoreChange) -> Answered:
    """Change a store; absent fields stay."""
    return await write(
        ask, lambda connection: change_store(connection, ask.actor, ask.path["code"], body)
    )


@door.get("/v1/merchants", right=(_SETTINGS, "orders.read"), answers={200: Page[Merchant]})
async def show_merchants(ask: Ask, query: PageQuery) -> Page[Merchant]:
    """List the merchants by code; to a limited key its own."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        page = await list_merchants(connection, limit=query.limit, cursor=query.cursor)
    own = ask.actor.merchants
    if own is None:
        return page
    shown = [merchant for merchant in page.data if merchant.code in own]
    return Page(shown, page.next_cursor, Count(len(own)))


@door.post("/v1/merchants", right=_SETTINGS, answers={201: Merchant}, raises=(CodeTaken,))
async def make_merchant(ask: Ask, body: NewMerchant) -> Answered:
    """Make a merchant."""
    return await write(
        ask, lambda connection: create_merchant(connection, ask.actor, body), status=201
    )


@door.patch("/v1/merchants/{code}", right=_SETTINGS, answers={200: Merchant})
async def edit_merchant(ask: Ask, body: MerchantChange) -> Answered:
    """Rename a merchant."""
    return await write(
        ask, lambda connection: change_merchant(connection, ask.actor, ask.path["code"], body)
    )


@door.get("/v1/gateways", right=_GATEWAYS, answers={200: Page[Gateway]})
async def show_gateways(ask: Ask, query: PageQuery) -> Page[Gateway]:
    """List the gateways by code, without their credentials."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await list_gateways(connection, limit=query.limit, cursor=query.cursor)


@door.post(
    "/v1/gateways", right=_GATEWAYS, answers={201: Gateway},
    raises=(UnknownReference, CodeTaken, GatewayMisconfigured),
)
async def make_gateway(ask: Ask, body: NewGateway) -> Answered:
    """Connect a gateway. Its credentials are sealed and never come out again."""
    _check_gateway(body.kind, body.settings, body.credentials or {})
    return await write(
        ask, lambda connection: create_gateway(connection, ask.actor, body, ask.office.ring),
        status=201,
    )


@door.patch(
    "/v1/gateways/{code}", right=_GATEWAYS, answers={200: Gateway},
    raises=(UnknownReference, GatewayMisconfigured),
)
async def edit_gateway(ask: Ask, body: GatewayChange) -> Answered:
    """Change a gateway; credentials that are sent replace all there are, null removes them."""
    code, ring = ask.path["code"], ask.office.ring

    async def change(connection: Connection) -> Gateway:
        now = await find_gateway(connection, code)
        settings = now.settings if body.settings is UNSET else body.settings
        if body.credentials is UNSET:
            credentials = await open_credentials(connection, code, ring)
        else:
            credentials = body.credentials or {}
        _check_gateway(now.kind, settings, credentials)
        return await change_gateway(connection, ask.actor, code, body, ring)

    return await write(ask, change)


@door.post(
    "/v1/gateways/{code}/test", right=_GATEWAYS, answers={200: Tested},
    raises=(GatewayMisconfigured,),
)
async def test_gateway(ask: Ask) -> Tested:
    """Try to reach a gateway with its credentials; no money moves."""
    gateway = await ask.office.adapters.of(ask.actor.account_id, ask.path["code"])
    return msgspec.convert(await gateway.test(), Tested)


def _check_gateway(kind: str, settings: dict[str, Any], credentials: dict[str, str]) -> None:
    """Open the adapter once: what it cannot use is refused now, not at the first payment."""
    if kind not in CAPABILITIES:
        raise _wrong("/kind", f"There is no gateway of kind {kind!r} yet.")
    able = open_gateway(kind, settings, credentials).capabilities
    try:
        msgspec.convert(msgspec.to_builtins(able), Capabilities)
    except msgspec.ValidationError as wrong:
        raise _wrong("/settings", f"A setting has the wrong type: {wrong}.") from wrong
    hold = able.hold_seconds
    if hold is not None and not 1 <= hold <= HOLD_SECONDS_MAX:
        raise _wrong("/settings/hold_seconds", f"It is 1 to {HOLD_SECONDS_MAX}.")


def _wrong(pointer: str, detail: str) -> ValidationFailed:
    return ValidationFailed(detail, errors=[{"pointer": pointer, "detail": detail}])
