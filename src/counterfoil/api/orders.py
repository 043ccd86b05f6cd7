"""Orders: take in, change, move from state to state, cancel, annotate."""

import hashlib
from typing import Any

import msgspec
from msgspec import UNSET

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.change_state import change_state
from counterfoil.actions.edit import edit
from counterfoil.actions.note import note
from counterfoil.api.ask import Ask
from counterfoil.api.bodies import EditBody, NoteBody, StateBody
from counterfoil.api.cancelling import CANCEL_REFUSED
from counterfoil.api.door import Door
from counterfoil.api.reading import read_order
from counterfoil.book.placing import PlacedBefore, Placing
from counterfoil.kernel.machine import TransitionNotAllowed
from counterfoil.order.change import Answered
from counterfoil.order.intake import Address, Person, WantedOrder, plain
from counterfoil.order.problems import (
    AmountInvalid,
    DuplicateExternalId,
    GatewayDeclined,
    OrderOnHold,
    TotalsMismatch,
    UnknownReference,
)
from counterfoil.order.shapes import NoteShape, OrderShape

door = Door("Orders")
CHANNEL = "api"
CANCELED = "canceled"
_encode = msgspec.json.Encoder(order="deterministic").encode


class _Canceled(msgspec.Struct):
    order: msgspec.Raw


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


@door.patch(
    "/v1/orders/{order_id}", right=("orders.edit", "orders.invoice"), versioned=True,
    answers={200: OrderShape},
)
async def edit_order(ask: Ask, body: EditBody) -> Answered:
    """Change an order's references, tags, customer or addresses; absent fields stay."""
    fields = {
        name: _stored(value)
        for name in body.__struct_fields__
        if (value := getattr(body, name)) is not UNSET
    }
    return await ask.run(edit, fields=fields)


def _stored(value: Any) -> Any:
    if isinstance(value, Person | Address):
        return plain(value)
    return list(dict.fromkeys(value)) if isinstance(value, list) else value


@door.post(
    "/v1/orders/{order_id}/state", right=("orders.state", "orders.cancel"), versioned=True,
    answers={200: OrderShape, 202: OrderShape},
    raises=(UnknownReference, TransitionNotAllowed, OrderOnHold, *CANCEL_REFUSED),
)
async def put_in_state(ask: Ask, body: StateBody) -> Answered:
    """Move an order to another state of its store; `canceled` runs the cancellation."""
    if body.state != CANCELED:
        return await ask.run(change_state, state=body.state)
    answered = await ask.run(cancel, wanted=WantedCancel())
    if answered.status >= 400:
        return answered
    order = bytes(msgspec.json.decode(answered.body, type=_Canceled).order)
    return msgspec.structs.replace(answered, body=order.decode())


@door.post(
    "/v1/orders/{order_id}/notes", right="orders.notes", versioned=True, answers={201: NoteShape}
)
async def write_note(ask: Ask, body: NoteBody) -> Answered:
    """Write something down about an order, for colleagues or for the customer too."""
    return await ask.run(note, body=body.body, visibility=body.visibility)


def fingerprint(wanted: WantedOrder) -> str:
    """Digest what an order asks for, whatever its spelling in JSON."""
    return hashlib.sha256(_encode(wanted)).hexdigest()
