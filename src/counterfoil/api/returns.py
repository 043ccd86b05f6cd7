"""Goods that come back: announce them, decide about it, take them in, end it, list them."""

import msgspec

from counterfoil.actions.decide_return import approve_return, close_return, reject_return
from counterfoil.actions.receive_return import receive_return
from counterfoil.actions.return_goods import return_goods
from counterfoil.api.ask import Ask
from counterfoil.api.bodies import ApprovalBody, RejectionBody
from counterfoil.api.door import Door
from counterfoil.api.reading import read_folder
from counterfoil.api.rehearse import look
from counterfoil.api.return_bodies import ReceiptBody, ReturnBody, ReturnQuery
from counterfoil.book.opening import open_folder
from counterfoil.book.returned import ReturnFilters, list_returned
from counterfoil.book.run import Action
from counterfoil.kernel.machine import TransitionNotAllowed
from counterfoil.kernel.page import Page
from counterfoil.kernel.problem import MerchantLimited, NotFound, ValidationFailed
from counterfoil.order.allowed import require_bag, return_actions
from counterfoil.order.change import Answered, Change
from counterfoil.order.folder import Folder
from counterfoil.order.goods_return import Return
from counterfoil.order.goods_shapes import ReturnShape
from counterfoil.order.opening import needs_of
from counterfoil.order.problems import (
    AmountInvalid,
    InvalidState,
    RefundReferenceConflict,
    RefundWindowClosed,
    UnknownReference,
)
from counterfoil.order.return_shapes import ListedReturn, RehearsedReturn
from counterfoil.order.return_worth import reckon_receipt
from counterfoil.order.telling import tell_brief_to
from counterfoil.order.telling_return import rehearsed_return
from counterfoil.order.tells import tell_return

door = Door("Returns")
_RIGHT = "returns.write"
_RETURN = {200: ReturnShape}


@door.post(
    "/v1/orders/{order_id}/bags/{bag_id}/returns", right=_RIGHT, versioned=True,
    answers={200: RehearsedReturn, 201: RehearsedReturn, 202: RehearsedReturn},
    raises=(MerchantLimited, UnknownReference, AmountInvalid, InvalidState, RefundWindowClosed,
            RefundReferenceConflict),
)
async def announce_return(ask: Ask, body: ReturnBody) -> Answered:
    """Announce goods that come back, or take them in at once with `received`.

    Only units that have left come back. 202: the refund that it led to is not settled yet, or
    waits for approval. A dry run tells what follows when all of it has come in, with a sentence
    for each figure.
    """
    wanted, bag_id = body.wanted(), ask.path["bag_id"]
    reference = wanted.refund.reference if wanted.resolution == "REFUND" else None
    if body.dry_run:
        folder = await look(ask, return_goods, reference=reference)
        both = [
            return_goods(folder, asked=ask.asked(), bag_id=bag_id, wanted=one)
            for one in (wanted, msgspec.structs.replace(wanted, received=True))
        ]
        return _rehearsed(ask, folder, *both)
    command = ask.command(ask.path["order_id"], reference=reference)
    return await ask.carry_out(command, return_goods, bag_id=bag_id, wanted=wanted)


@door.post(
    "/v1/returns/{return_id}/approve", right=_RIGHT, versioned=True, answers=_RETURN,
    raises=(TransitionNotAllowed,),
)
async def accept_return(ask: Ask, body: ApprovalBody) -> Answered:
    """Let the shopper send it."""
    return await _run(ask, approve_return, note=body.note)


@door.post(
    "/v1/returns/{return_id}/reject", right=_RIGHT, versioned=True, answers=_RETURN,
    raises=(TransitionNotAllowed,),
)
async def refuse_return(ask: Ask, body: RejectionBody) -> Answered:
    """Do not take it back; its units may be announced again."""
    return await _run(ask, reject_return, note=body.note)


@door.post(
    "/v1/returns/{return_id}/receive", right=_RIGHT, versioned=True,
    answers={200: RehearsedReturn, 202: RehearsedReturn},
    raises=(MerchantLimited, TransitionNotAllowed, InvalidState, UnknownReference, AmountInvalid),
)
async def take_in_return(ask: Ask, body: ReceiptBody) -> Answered:
    """Take in what came back, all or a part; once more while units are missing.

    The refund of what came in is made at once, the fee taken off the first; an exchange is sent
    when all is here.
    """
    if not body.dry_run:
        return await _run(ask, receive_return, lines=body.received())
    folder = await _look(ask, receive_return)
    change = receive_return(
        folder, asked=ask.asked(), return_id=ask.path["return_id"], lines=body.received()
    )
    return _rehearsed(ask, folder, change, change)


@door.post(
    "/v1/returns/{return_id}/close", right=_RIGHT, versioned=True, answers=_RETURN,
    raises=(MerchantLimited, TransitionNotAllowed),
)
async def end_return(ask: Ask) -> Answered:
    """Wait for nothing more; an exchange is sent for what came in."""
    return await _run(ask, close_return)


@door.get("/v1/returns", right="orders.read", answers={200: Page[ListedReturn]})
async def show_returns(ask: Ask, query: ReturnQuery) -> Page[ListedReturn]:
    """List returns, the newest first."""
    order_id = None if query.order is None else _order_of(ask, query.order)
    filters = ReturnFilters(
        status=tuple(query.status),
        resolution=tuple(query.resolution),
        store=tuple(query.store),
        order_id=order_id,
    )
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await list_returned(
            connection, ask.actor, filters, limit=query.limit, cursor=query.cursor
        )


def _order_of(ask: Ask, text: str) -> str:
    """Read the id of an order in a filter. Raises ValidationFailed."""
    try:
        return ask.as_id(text, "order")
    except NotFound as wrong:
        raise ValidationFailed(
            "An order is named by its id.",
            errors=[{"pointer": "/order", "detail": "This is no id."}],
        ) from wrong


@door.get(
    "/v1/returns/{return_id}", right="orders.read", answers={200: ReturnShape}, versioned=True
)
async def show_return(ask: Ask) -> Answered:
    """Read one return."""
    folder = await _look(ask, approve_return)
    back = next(one for one in folder.returns if one.id == ask.path["return_id"])
    require_bag(folder, back.bag_id, ask.actor)
    told = tell_return(back, return_actions(back, ask.actor), tell_brief_to(folder, ask.actor))
    return Answered(
        status=200, body=msgspec.json.encode(told).decode(), etag=f'"{folder.order.version}"'
    )


@door.get(
    "/v1/orders/{order_id}/returns", right="orders.read", answers={200: list[ReturnShape]}
)
async def show_returns_of_order(ask: Ask) -> list[ReturnShape]:
    """List the returns of an order, the oldest first."""
    folder, bags = await read_folder(ask, ask.path["order_id"], ("bags", "returns"))
    own = {bag.id for bag in bags}
    return [
        tell_return(back, return_actions(back, ask.actor))
        for back in folder.returns
        if back.bag_id in own
    ]


async def _run(ask: Ask, action: Action, **arguments: object) -> Answered:
    return_id = ask.path["return_id"]
    command = ask.command(return_id, found_by="returns", created=False)
    return await ask.carry_out(command, action, return_id=return_id, **arguments)


async def _look(ask: Ask, action: Action) -> Folder:
    """Open the order of a return. Raises NotFound."""
    actor = ask.actor
    async with ask.office.pool.connection(actor.account_id) as connection:
        opened = await open_folder(
            connection, ask.path["return_id"], needs_of(action), found_by="returns"
        )
    folder = opened.folder
    if folder is None or not (actor.stores is None or folder.order.store in actor.stores):
        raise NotFound("There is no such return.")
    return folder


def _rehearsed(ask: Ask, folder: Folder, change: Change, arrived: Change) -> Answered:
    """Tell a return as it would be, with a sentence for each figure."""
    back: Return = arrived.result
    unreceived = msgspec.structs.replace(
        back,
        lines=[msgspec.structs.replace(line, received=0) for line in back.lines],
        worth=0,
        credit=0,
    )
    before = next((one for one in folder.returns if one.id == back.id), unreceived)
    units = {
        now.item_id: now.received - then.received
        for now, then in zip(back.lines, before.lines, strict=True)
        if now.received > then.received
    }
    found = reckon_receipt(folder, before, units)
    return rehearsed_return(change, arrived, before, actor=ask.actor, worth=found)
