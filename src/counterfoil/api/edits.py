"""Edits: other lines, shipping and addresses after an order was placed, and looking first."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from counterfoil.actions.edit_lines import edit_lines
from counterfoil.api.ask import Ask
from counterfoil.api.bodies import Id, Sentence
from counterfoil.api.door import Door
from counterfoil.api.reading import read_folder
from counterfoil.api.rehearse import look
from counterfoil.kernel.problem import NotFound
from counterfoil.order.change import Answered
from counterfoil.order.edit_told import tell_done_edit
from counterfoil.order.editing import WantedAddition, WantedEdit, WantedUnits
from counterfoil.order.folder import Folder
from counterfoil.order.goods_shapes import EditShape
from counterfoil.order.intake import Address, Minor, Name, Quantity, plain
from counterfoil.order.problems import (
    AmountInvalid,
    AttentionRequired,
    InvalidState,
    RequestInProgress,
    UnknownReference,
)
from counterfoil.order.telling import tell_brief_to
from counterfoil.order.tells import tell_edit

door = Door("Orders")
_SECTIONS = ("bags", "edits")
_encode = msgspec.json.Encoder().encode


class UnitsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line, and how many live units it is to have: fewer than now, 0 for none."""

    item_id: Id
    quantity: Annotated[int, Meta(ge=0, le=1_000_000)]


class AdditionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line to add; `bag_id` may be left out where the order has one bag that is live."""

    bag_id: Id | None = None
    sku: Annotated[str, Meta(max_length=200)] | None = None
    name: Name
    quantity: Quantity
    unit_price: Minor
    digital: bool = False


class LinesBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; absent fields stay. `shipping` is by bag, `shipping_total` for the order.

    Without `refund_difference` an edit that would give money back is refused; without
    `hold_until_paid` goods may leave while something is due.
    """

    lines: Annotated[list[UnitsBody], Meta(max_length=1000)] = []
    add: Annotated[list[AdditionBody], Meta(max_length=100)] = []
    shipping_total: Minor | None = None
    shipping: dict[Id, Minor] = {}
    shipping_address: Address | UnsetType | None = UNSET
    billing_address: Address | UnsetType | None = UNSET
    note: Sentence | None = None
    refund_difference: bool = True
    hold_until_paid: bool = True
    dry_run: bool = False


@door.post(
    "/v1/orders/{order_id}/edits", right="orders.edit", versioned=True,
    answers={200: EditShape, 201: EditShape},
    raises=(
        RequestInProgress, InvalidState, UnknownReference, AmountInvalid, AttentionRequired,
    ),
)
async def edit_order_lines(ask: Ask, body: LinesBody) -> Answered:
    """Edit an order: fewer units, further lines, other shipping, other addresses.

    What it is worth less is not captured; what was taken too much goes back as the refund
    `edit-<edit id>`, by the limits of whoever asks. What it is worth more is due, and the goods
    wait for it. A dry run tells the same and writes nothing.
    """
    wanted = _wanted(body)
    if not body.dry_run:
        return await ask.run(edit_lines, wanted=wanted)
    folder = await look(ask, edit_lines)
    change = edit_lines(folder, asked=ask.asked(), wanted=wanted)
    told = tell_done_edit(change, tell_brief_to(change.after, ask.actor))
    told = msgspec.structs.replace(told, id=None)
    return Answered(status=200, body=_encode(told).decode())


@door.get(
    "/v1/orders/{order_id}/edits", right="orders.read", answers={200: list[EditShape]}
)
async def show_edits(ask: Ask) -> list[EditShape]:
    """List an order's edits, the oldest first, each with the order before and after."""
    folder = await _whole(ask)
    return [tell_edit(edit, folder.order.currency) for edit in folder.edits]


@door.get(
    "/v1/orders/{order_id}/edits/{position}", right="orders.read", answers={200: EditShape}
)
async def show_edit(ask: Ask) -> EditShape:
    """Read one edit by its number; the first is 1."""
    folder = await _whole(ask)
    found = next((one for one in folder.edits if str(one.position) == ask.path["position"]), None)
    if found is None:
        raise NotFound("The order has no such edit.")
    return tell_edit(found, folder.order.currency)


async def _whole(ask: Ask) -> Folder:
    """Open the order with its edits, which are about all bags. Raises NotFound, MerchantLimited."""
    folder, _ = await read_folder(ask, ask.path["order_id"], _SECTIONS)
    ask.actor.require_whole_order()
    return folder


def _wanted(body: LinesBody) -> WantedEdit:
    return WantedEdit(
        lines=[
            WantedUnits(item_id=line.item_id.lower(), quantity=line.quantity)
            for line in body.lines
        ],
        add=[msgspec.convert(line, WantedAddition, from_attributes=True) for line in body.add],
        shipping_total=body.shipping_total,
        shipping={bag_id.lower(): amount for bag_id, amount in body.shipping.items()},
        shipping_address=_stored(body.shipping_address),
        billing_address=_stored(body.billing_address),
        note=body.note,
        refund_difference=body.refund_difference,
        hold_until_paid=body.hold_until_paid,
    )


def _stored(sent: Address | UnsetType | None) -> dict[str, Any] | UnsetType | None:
    return plain(sent) if isinstance(sent, Address) else sent
