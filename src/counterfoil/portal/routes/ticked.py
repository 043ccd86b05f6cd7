"""Ticked lines that get a tracking number: straight to the form, or which of several. [U-18]"""

from typing import NamedTuple

from litestar import Response, get

from counterfoil.portal.goods_view import NEW
from counterfoil.portal.goods_words import listed
from counterfoil.portal.reading import Read, read_order
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.items import RIGHT, Place, find_line, why_no_number
from counterfoil.portal.routes.parcels import ask_tracking, find_shipment
from counterfoil.portal.routes.shipments import ask_shipment
from counterfoil.portal.visit import Visit

SEVERAL_MAX = 200


class Parcel(NamedTuple):
    """What was ticked of one shipment, or of a new one of a bag, and its form."""

    bag_id: str
    into: str
    places: list[Place]

    def href(self, page: str) -> str:
        """The address of its form."""
        if self.into != NEW:
            return f"{page}/shipments/{self.into}/tracking"
        items = "&".join(f"item={place.line.item.id}" for place in self.places)
        return f"{page}/bags/{self.bag_id}/ship?{items}"


@get("/orders/{order_id:str}/items/tracking")
async def ticked_tracking(request: Asking, order_id: str) -> Response[bytes]:
    """Open the form of the parcel that the ticked lines are in, or go into."""
    visit = await Visit.begin(request, RIGHT)
    read = await read_order(visit, order_id)
    ticked = dict.fromkeys(request.query_params.getall("item", [])[:SEVERAL_MAX])
    places = [find_line(read, one) for one in ticked]
    parcels = _parcels([place for place in places if place.line.missing == "add"])
    whys: dict[str, list[str]] = {}
    for place in places:
        if place.line.missing != "add":
            whys.setdefault(why_no_number(read, place.line), []).append(_name(place))
    left_out = [f"{listed(names)}: {why}" for why, names in whys.items()]
    if len(parcels) == 1 and not left_out:
        one = parcels[0]
        if one.into != NEW:
            return ask_tracking(visit, read, find_shipment(read, one.into))
        return ask_shipment(visit, read, one.bag_id, list(ticked))
    return _which(visit, read, parcels, left_out)


def _parcels(places: list[Place]) -> list[Parcel]:
    found: dict[tuple[str, str], Parcel] = {}
    for place in places:
        key = (place.bag.id, place.line.into)
        found.setdefault(key, Parcel(*key, [])).places.append(place)
    return list(found.values())


def _which(visit: Visit, read: Read, parcels: list[Parcel], left_out: list[str]) -> Response[bytes]:
    page = f"/portal/orders/{read.order.id}"
    question = "Each shipment has a tracking number of its own. Which one first?"
    if len(parcels) == 1:
        question = "Not every line that is ticked takes a tracking number now."
    elif not parcels:
        question = "Nothing that is ticked takes a tracking number now."
        left_out = left_out or ["Tick the items first."]
    return visit.page(
        "goods/which.html",
        heading=f"Add tracking, order {read.order.number}",
        question=question,
        choices=[
            (
                listed([_name(place) for place in one.places]),
                _where(read, one),
                one.href(page),
            )
            for one in parcels
        ],
        left_out=left_out,
        back=f"{page}#order-items",
    )


def _where(read: Read, parcel: Parcel) -> str:
    of = ""
    if len(read.order.bags) > 1:
        of = f" of {next(b.merchant.name for b in read.order.bags if b.id == parcel.bag_id)}"
    return f"In a new shipment{of}" if parcel.into == NEW else f"In the shipment it is in{of}"


def _name(place: Place) -> str:
    return place.line.item.sku or place.line.item.name


ROUTES = [ticked_tracking]
