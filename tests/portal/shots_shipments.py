"""The list of shipments to look at: to send, on their way, nothing."""

from datetime import timedelta
from typing import Any

import msgspec

from counterfoil.book.shipments import ListedShipment
from counterfoil.kernel.page import Count
from counterfoil.portal.routes.shipments_list import PRINT, TABS, address
from counterfoil.portal.shipment_rows import shipment_row
from tests.portal.samples import FRAME, NOW

AT_SHIPMENTS = msgspec.structs.replace(FRAME, here="shipments", path="/portal/shipments")
LONG = "Wolfeschlegelsteinhausenbergerdorff " * 3


def _listed(place: int, **more: Any) -> ListedShipment:
    plain = {
        "id": f"s{place}", "order_id": f"o{place}", "order_number": str(10410 - place),
        "store": "oslo", "customer": {"first_name": "Ola", "last_name": "Nordmann"},
        "shipping_address": {"name": "Ola Nordmann", "country": "NO"}, "is_test": False,
        "held": False, "merchant": "wool", "merchant_name": "Nordic Wool", "method": "Bring home",
        "carrier": None, "tracking_number": "370730000000000001", "parcels": [], "status": "OPEN",
        "items": [{"item_id": "1", "quantity": 2}], "created_at": NOW - timedelta(hours=5 * place),
        "shipped_at": None, "names": {str(n): f"SKU-{n}" for n in range(6)},
    }
    return msgspec.convert({**plain, **more}, ListedShipment)


OPEN = [
    _listed(0),
    _listed(1, customer={}, shipping_address={"name": LONG, "country": "DE"}, held=True,
            names={"1": "ハット — Hat with a very long name that a supplier wrote in one breath"}),
    _listed(2, is_test=True, tracking_number=None, method=None, merchant_name=LONG,
            items=[{"item_id": str(n), "quantity": n + 1} for n in range(6)]),
    _listed(3, tracking_number="TN-" + "8" * 60,
            parcels=[{"tracking_number": f"37073000000000000{n}"} for n in range(2, 4)]),
]  # fmt: skip


def listed(which: str = "open", *rows: ListedShipment, **given: Any) -> dict[str, Any]:
    """Make the list of shipments."""
    return {
        "rows": [shipment_row(one, NOW) for one in rows], "which": which,
        "tabs": [(key, label, address(key)) for key, label in TABS], "found": Count(len(rows)),
        "more": "", "print": PRINT, "all_here": f"{PRINT}?id=x", "unticked": False, **given,
    }  # fmt: skip


def sent() -> dict[str, Any]:
    """Make the list of what is on its way, with a page after it."""
    left = {"shipped_at": NOW - timedelta(hours=1)}
    return listed("sent", _listed(1, status="SHIPPED", **left), _listed(2, status="IN_TRANSIT"),
                  found=Count(1204), more="/portal/shipments?status=sent&after=x")


PAGES: tuple[Any, ...] = (
    ("shipments", "operations/shipments.html", lambda: listed("open", *OPEN), AT_SHIPMENTS),
    ("shipments-unticked", "operations/shipments.html",
     lambda: listed("open", OPEN[0], unticked=True), AT_SHIPMENTS),
    ("shipments-sent", "operations/shipments.html", sent, AT_SHIPMENTS),
    ("shipments-empty", "operations/shipments.html", listed, AT_SHIPMENTS),
)  # fmt: skip
