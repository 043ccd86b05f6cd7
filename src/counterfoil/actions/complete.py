"""Complete an order of which everything has left. [U-6, domain.md §2]"""

from collections.abc import Sequence

from counterfoil.order.draft import Draft
from counterfoil.order.item import Item
from counterfoil.order.status import Units


def complete(draft: Draft) -> None:
    """End the work on an order where all that is wanted has left and no hold keeps it open.

    Nothing to do where none of it has left the house: what is digital alone needs no parcel.
    Needs items opened.
    """
    order = draft.order
    if all_left(draft.section("items")) and order.system_state == "PROCESSING" and not (
        order.hold_shipment or order.hold_capture
    ):
        draft.go_to_built_in("completed")
        draft.fact("order.completed")


def all_left(items: Sequence[Item]) -> bool:
    """Whether all that is wanted has left, and something of it in a parcel."""
    units = Units.of(list(items))
    return units.all_shipped and units.shipped > units.digital
