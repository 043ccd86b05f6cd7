"""What is printed: packing slips as PDF, for warehouses that print them by themselves."""

from typing import Literal

import msgspec

from counterfoil.api.ask import Ask
from counterfoil.api.door import Door
from counterfoil.api.reading import read_folder
from counterfoil.api.reply import Reply
from counterfoil.kernel.problem import NotFound
from counterfoil.order.problems import InvalidState
from counterfoil.paper.pdf import MEDIA, file_name, set_slips
from counterfoil.paper.slip import SLIP, Slip, slip_of_shipment, slips_of_order

door = Door("Shipments")


class PaperQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Whether prices stand on the slip, and which sheet it is for."""

    prices: Literal["yes", "no"] = "no"
    paper: Literal["a4", "letter"] = "a4"


@door.get(
    "/v1/orders/{order_id}/packing-slip", right="orders.read", answers={200: None},
    media=MEDIA, raises=(InvalidState,),
)
async def print_order(ask: Ask, query: PaperQuery) -> Reply:
    """Print what is still to be packed of an order: a slip for each bag, none with prices.

    A bag that has left altogether is printed as it was packed.
    """
    folder, _ = await read_folder(ask, ask.path["order_id"], SLIP)
    slips = slips_of_order(folder, ask.actor, priced=query.prices == "yes")
    if not slips:
        raise InvalidState("Everything was cancelled; there is nothing to pack.")
    return await _printed(slips, query)


@door.get(
    "/v1/shipments/{shipment_id}/packing-slip", right="orders.read", answers={200: None},
    media=MEDIA,
)
async def print_shipment(ask: Ask, query: PaperQuery) -> Reply:
    """Print what one shipment carries, and what of its bag was sent before or follows later."""
    shipment_id = ask.path["shipment_id"]
    folder, _ = await read_folder(ask, shipment_id, SLIP, found_by="shipments")
    slip = slip_of_shipment(folder, ask.actor, shipment_id, priced=query.prices == "yes")
    if slip is None:
        raise NotFound("There is no such shipment, or it was cancelled.")
    return await _printed([slip], query)


async def _printed(slips: list[Slip], query: PaperQuery) -> Reply:
    made = await set_slips(slips, query.paper)
    named = f'inline; filename="{file_name(slips)}.pdf"'.encode()
    return Reply(200, made, media=MEDIA.encode(), headers=((b"content-disposition", named),))
