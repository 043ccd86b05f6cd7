"""Load the demo: set-up, users, a key, and orders whose open money a card gateway really holds.

Every step may be repeated: what is there already stays, so a start that was interrupted is simply
started again.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec

from counterfoil.access.keys import NewKey, create_key
from counterfoil.access.problems import EmailTaken
from counterfoil.access.users import NewUser, create_user, list_users, set_password
from counterfoil.gateways import Gateway, open_gateway
from counterfoil.kernel.db import Connection, Pool
from counterfoil.kernel.http import Http
from counterfoil.kernel.secrets import KeyRing
from counterfoil.order.actor import Actor, system
from counterfoil.order.gateway import Call, Kind, Outcome
from counterfoil.setup.gateways import GatewayChange, NewGateway, change_gateway, create_gateway
from counterfoil.setup.merchants import NewMerchant, create_merchant
from counterfoil.setup.methods import MethodChange, NewMethod, change_method, create_method
from counterfoil.setup.problems import CodeTaken
from counterfoil.setup.states import NewState, add_state
from counterfoil.setup.stores import NewStore, StoreChange, change_store, create_store
from counterfoil.transfer.booking import Fault, Held
from counterfoil.transfer.demo import demo_orders, demo_setup
from counterfoil.transfer.demo_acts import act_today
from counterfoil.transfer.importing import Into, Tally
from counterfoil.transfer.line import Line
from counterfoil.transfer.runs import run_import

SANDBOX_KEY = "sandbox"
#: Stores that work with states of their own; the others with the built-in ones alone.
OWN_STATES = frozenset({"berlin"})
_AT_ONCE = 16

Follow = Callable[[int, str], Awaitable[None]]


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """How to get into the demo. The password is that of all its users."""

    email: str
    password: str
    api_key: str
    others: list[str]


class Demo(msgspec.Struct, frozen=True, kw_only=True):
    """Where the demo goes: the account, the ring that seals secrets, the sandbox, how many."""

    account_id: str
    keys: KeyRing
    sandbox_url: str
    count: int

    @property
    def actor(self) -> Actor:
        """Who makes it."""
        return system(self.account_id, "Demo")


async def load_demo(pool: Pool, demo: Demo, *, follow: Follow) -> Login:
    """Fill an account; `follow` hears how many orders are done. Raises what set-up refuses."""
    setup = demo_setup()
    async with pool.connection(demo.account_id) as connection:
        await _set_up(connection, demo, setup)
        login = await _let_in(connection, demo.actor, setup["users"])
        now: datetime = await connection.value("select cf_now()")
    orders = list(demo_orders(now, count=demo.count, custom_states=OWN_STATES))
    held = await _authorise(demo, orders, follow)
    lines = [
        Line(number=place, order=order, raw=msgspec.json.encode(order))
        for place, order in enumerate(orders, start=1)
    ]

    async def tell(tally: Tally, faults: list[Fault]) -> None:
        # An order of an earlier try was told at another moment: it stays as it is.
        wrong = [fault for fault in faults if fault.code != "duplicate_external_id"]
        assert not wrong, f"the demo cannot be booked: {wrong[0]}"
        await follow(tally.lines, "orders")

    into = Into(actor=demo.actor, channel="demo", held=held)
    await run_import(pool, lines, into, source="demo", digest=f"demo-{now.date()}", tell=tell)
    await act_today(pool, await _clerk(pool, demo), count=demo.count)
    return login


async def _clerk(pool: Pool, demo: Demo) -> Actor:
    """Find who does in the demo what is done today: the one from customer service."""
    async with pool.connection(demo.account_id) as connection:
        users = (await list_users(connection)).data
    user = next(one for one in users if one.email.startswith("service@"))
    return msgspec.structs.replace(demo.actor, kind="user", id=user.id, name=user.name)


async def _set_up(connection: Connection, demo: Demo, setup: dict[str, Any]) -> None:
    actor = demo.actor
    for merchant in setup["merchants"]:
        with suppress(CodeTaken):
            await create_merchant(connection, actor, NewMerchant(**merchant))
    for store in setup["stores"]:
        try:
            await create_store(connection, actor, NewStore(**store))
        except CodeTaken:
            fields = {name: value for name, value in store.items() if name != "code"}
            await change_store(connection, actor, store["code"], StoreChange(**fields))
    for method in setup["shipment_methods"]:
        store, code = method["store"], method["code"]
        fields = {name: value for name, value in method.items() if name not in ("store", "code")}
        try:
            await create_method(connection, actor, NewMethod(**method))
        except CodeTaken:
            change = MethodChange(**fields)
            await change_method(connection, actor, code, change, store=store)
    for state in setup["order_states"]:
        if state["store"] in OWN_STATES:
            with suppress(CodeTaken):
                await add_state(connection, actor, NewState(**state))
    settings = sandbox_settings(demo.sandbox_url)
    for gateway in setup["gateways"]:
        given: dict[str, Any] = {}
        if gateway["kind"] == "sandbox":
            given = {"settings": settings, "credentials": {"api_key": SANDBOX_KEY}}
        try:
            await create_gateway(connection, actor, NewGateway(**gateway, **given), demo.keys)
        except CodeTaken:
            if given:
                again = GatewayChange(**given)
                await change_gateway(connection, actor, gateway["code"], again, demo.keys)


def sandbox_settings(url: str) -> dict[str, Any]:
    """Make the settings of a gateway at our own sandbox, where amounts may choose faults."""
    return {"base_url": url, "magic_amounts": True}


async def _let_in(connection: Connection, actor: Actor, users: list[dict[str, Any]]) -> Login:
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    for user in users:
        try:
            await create_user(connection, actor, NewUser(password=password, **user))
        except EmailTaken:
            known = {one.email: one.id for one in (await list_users(connection)).data}
            await set_password(connection, actor, known[user["email"]], password)
    key = await create_key(connection, actor, NewKey(name="demo", scopes=["*"]))
    first, *others = [user["email"] for user in users]
    return Login(email=first, password=password, api_key=key.key, others=others)


async def _authorise(demo: Demo, orders: list[dict[str, Any]], follow: Follow) -> dict[str, Held]:
    """Have the sandbox hold what orders say is held there; returns it by their references."""
    wanted = [order for order in orders if order.get("payment", {}).get("reference")]
    places = asyncio.Semaphore(_AT_ONCE)
    held: dict[str, Held] = {}
    async with Http(trusted=True) as http:
        settings = sandbox_settings(demo.sandbox_url)
        gateway = open_gateway("sandbox", settings, {"api_key": SANDBOX_KEY}, http=http)

        async def authorise(order: dict[str, Any]) -> None:
            async with places:
                name = f"{demo.account_id}-{order['payment']['reference']}"
                held[order["payment"]["reference"]] = await _hold(gateway, order, name)
            if len(held) % 20 == 0:
                await follow(0, f"{len(held)} payments authorised")

        await asyncio.gather(*(authorise(order) for order in wanted))
    return held


async def _hold(gateway: Gateway, order: dict[str, Any], name: str) -> Held:
    payment = order["payment"]
    answer = await gateway.send(
        Call(
            kind=Kind.AUTHORIZE,
            # Another moment tells other orders, and an amount is authorised once under a key.
            transaction_id=f"{name}-{payment['amount']}-{order['currency']}",
            our_reference=name,
            payment_reference=None,
            amount=payment["amount"],
            currency=order["currency"],
            order_number=order["external_id"],
            flow=payment["flow"],
        )
    )
    assert answer.outcome is Outcome.SUCCEEDED, f"the sandbox says {answer.error_message}"
    assert answer.payment_reference is not None
    statement = await gateway.statement(answer.payment_reference)
    return Held(
        payment_reference=answer.payment_reference,
        expires_at=None if statement is None else statement.expires_at,
    )
