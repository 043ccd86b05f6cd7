"""Orders: take in, read, change, move from state to state, cancel, annotate."""

import hashlib

import msgspec

from counterfoil.api.ask import Ask
from counterfoil.api.door import Door
from counterfoil.book.opening import open_folder
from counterfoil.book.placing import PlacedBefore, Placing
from counterfoil.kernel.problem import NotFound
from counterfoil.order.actor import Actor
from counterfoil.order.answers import tell_whole
from counterfoil.order.change import Answered
from counterfoil.order.intake import WantedOrder
from counterfoil.order.problems import (
    AmountInvalid,
    DuplicateExternalId,
    GatewayDeclined,
    TotalsMismatch,
    UnknownReference,
)
from counterfoil.order.shapes import OrderShape
from counterfoil.order.telling import TOLD

door = Door("Orders")
CHANNEL = "api"
_encode = msgspec.json.Encoder(order="deterministic").encode


@door.post(
    "/v1/orders", right="orders.create",
    answers={200: OrderShape, 201: OrderShape, 202: OrderShape},
    raises=(UnknownReference, TotalsMismatch, AmountInvalid, DuplicateExternalId, GatewayDeclined),
)
async def place_order(ask: Ask, body: WantedOrder) -> Answered:
    """Take in an order. The same external id and body again is the order that is here already."""
    asked = ask.asked()
    placing = Placing(
        asked=asked, wanted=body, channel=CHANNEL, fingerprint=fingerprint(body), key=ask.key
    )
    try:
        ran = await ask.office.placer.place(placing)
    except PlacedBefore as before:
        return await read_order(ask, before.order_id)
    return await ask.settled(ran, asked)


@door.get("/v1/orders/{order_id}", right="orders.read", answers={200: OrderShape}, versioned=True)
async def show_order(ask: Ask) -> Answered:
    """Read an order with everything that hangs on it."""
    return await read_order(ask, ask.path["order_id"])


async def read_order(ask: Ask, order_id: str) -> Answered:
    """Read an order in one statement. Raises NotFound."""
    actor = ask.actor
    async with ask.office.pool.connection(actor.account_id) as connection:
        opened = await open_folder(connection, order_id, frozenset(TOLD))
    folder = opened.folder
    if folder is None or not _sees_store(actor, folder.order.store):
        raise NotFound("There is no such order.")
    if actor.merchants is not None and not actor.merchants & {b.merchant for b in folder.bags}:
        raise NotFound("There is no such order.")
    return tell_whole(folder, actor, 200)


def _sees_store(actor: Actor, store: str) -> bool:
    return actor.stores is None or store in actor.stores


def fingerprint(wanted: WantedOrder) -> str:
    """Digest what an order asks for, whatever its spelling in JSON."""
    return hashlib.sha256(_encode(wanted)).hexdigest()
