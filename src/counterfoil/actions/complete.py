"""Complete an order of which everything has left. [U-6, domain.md §2]"""

from counterfoil.order.draft import Draft
from counterfoil.order.status import Units


def complete(draft: Draft) -> None:
    """End the work on an order where all that is wanted has left and no hold keeps it open.

    Nothing to do where none of it has left the house: what is digital alone needs no parcel.
    Needs items opened.
    """
    order = draft.order
    units = Units.of(draft.section("items"))
    gone = units.all_shipped and units.shipped > units.digital
    if gone and order.system_state == "PROCESSING" and not (
        order.hold_shipment or order.hold_capture
    ):
        draft.go_to_built_in("completed")
        draft.fact("order.completed")
