"""Set-up: stores, merchants, gateways."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from counterfoil.api.ask import Ask
from counterfoil.api.door import Door
from counterfoil.api.lists import PageQuery
from counterfoil.book.once import once
from counterfoil.gateways import GatewayMisconfigured
from counterfoil.kernel.db import Connection
from counterfoil.kernel.page import Count, Page
from counterfoil.order.capability import capabilities
from counterfoil.order.change import Answered
from counterfoil.order.config import Gateway, Merchant, Store
from counterfoil.order.gateway import Capabilities
from counterfoil.order.problems import UnknownReference
from counterfoil.setup.gateways import GatewayChange, NewGateway, find_gateway, list_gateways
from counterfoil.setup.merchants import (
    MerchantChange,
    NewMerchant,
    change_merchant,
    create_merchant,
    list_merchants,
)
from counterfoil.setup.problems import CodeTaken
from counterfoil.setup.stores import NewStore, StoreChange, add_store, change_store, list_stores
from counterfoil.work.connecting import Tested, connect, hook_address, reconnect, try_out

door = Door("Set-up")
_SETTINGS, _GATEWAYS = "settings.manage", "gateways.manage"
_encode = msgspec.json.Encoder().encode


class ShownGateway(Gateway, frozen=True, kw_only=True):
    """A gateway, what it can do, and where its provider may call us; null where it never does.

    `hook_url` is a path alone where the installation's public address is not set.
    """

    capabilities: Capabilities
    hook_url: str | None


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


@door.get("/v1/gateways", right=_GATEWAYS, answers={200: Page[ShownGateway]})
async def show_gateways(ask: Ask, query: PageQuery) -> Page[ShownGateway]:
    """List the gateways by code with what each can do, without their credentials."""
    ask.actor.require_whole_account()
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        page = await list_gateways(connection, limit=query.limit, cursor=query.cursor)
    return Page([_shown(ask, one) for one in page.data], page.next_cursor, page.count)


@door.post(
    "/v1/gateways", right=_GATEWAYS, answers={201: ShownGateway},
    raises=(UnknownReference, CodeTaken, GatewayMisconfigured),
)
async def make_gateway(ask: Ask, body: NewGateway) -> Answered:
    """Connect a gateway. Its credentials are sealed and never come out again."""
    ask.actor.require_whole_account()

    async def make(connection: Connection) -> ShownGateway:
        return _shown(ask, await connect(connection, ask.actor, body, ask.office.ring))

    return await write(ask, make, status=201)


@door.get(
    "/v1/gateways/{code}", right=_GATEWAYS, answers={200: ShownGateway}
)
async def show_gateway(ask: Ask) -> ShownGateway:
    """Show a gateway with what it can do, without its credentials."""
    ask.actor.require_whole_account()
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return _shown(ask, await find_gateway(connection, ask.path["code"]))


@door.patch(
    "/v1/gateways/{code}", right=_GATEWAYS, answers={200: ShownGateway},
    raises=(UnknownReference, GatewayMisconfigured),
)
async def edit_gateway(ask: Ask, body: GatewayChange) -> Answered:
    """Change a gateway; credentials that are sent replace all there are, null removes them."""
    ask.actor.require_whole_account()
    code = ask.path["code"]

    async def change(connection: Connection) -> ShownGateway:
        changed = await reconnect(connection, ask.actor, code, body, ask.office.ring)
        return _shown(ask, changed)

    answered = await write(ask, change)
    ask.office.adapters.forget(ask.actor.account_id, code)
    return answered


@door.post(
    "/v1/gateways/{code}/test", right=_GATEWAYS, answers={200: Tested},
    raises=(GatewayMisconfigured,),
)
async def test_gateway(ask: Ask) -> Tested:
    """Try to reach a gateway with its credentials; no money moves."""
    ask.actor.require_whole_account()
    return await try_out(ask.office.adapters, ask.actor.account_id, ask.path["code"])


def _shown(ask: Ask, gateway: Gateway) -> ShownGateway:
    able = capabilities(gateway.kind, gateway.settings)
    return ShownGateway(
        **msgspec.structs.asdict(gateway),
        capabilities=able,
        hook_url=hook_address(
            ask.actor.account_id, gateway.code, ask.office.settings.public_url
        ) if able.hooks else None,
    )
