"""Returns as they are looked at: the list, the dialogs, the order's page; usual, long, refused."""

from datetime import timedelta
from typing import Any

import msgspec

from counterfoil.book.returns import ListedReturn
from counterfoil.kernel.page import Count
from counterfoil.portal.return_view import listed_row
from counterfoil.portal.routes.returns_list import CHOICES, TABS, address
from tests.portal.samples import ANNA, FRAME, NOW

AT_RETURNS = msgspec.structs.replace(FRAME, here="returns", path="/portal/returns", returning=4)
LONG = "ハット — Hat with a very long name that a supplier wrote in one breath, " * 2


def line(index: int, quantity: int, **more: Any) -> dict[str, Any]:
    """Make a line of a return."""
    return {"item_id": f"item-{index}", "quantity": quantity, **more}


def _listed(place: int, status: str, resolution: str, **more: Any) -> ListedReturn:
    plain = {
        "id": f"r{place}", "order_id": f"o{place}", "order_number": str(10410 - place),
        "currency": "NOK", "store": "oslo", "merchant": "wool", "merchant_name": "Nordic Wool",
        "position": 1, "status": status, "resolution": resolution, "lines": [line(1, 1)],
        "reason_code": "WRONG_SIZE", "fee": 0, "credit": 0, "late": False, "requested_by": ANNA,
        "created_at": NOW - timedelta(hours=3 + 26 * place), "received_at": None,
        "exchange_order_id": None, "exchange_number": None,
        "items": {"item-1": "SKU-001", "item-2": "SKU-002", "item-3": LONG}, "refunds": [],
    }
    return msgspec.convert({**plain, **more}, ListedReturn)


WAITING = [
    _listed(15, "REQUESTED", "REFUND"),
    _listed(40, "APPROVED", "EXCHANGE", lines=[line(1, 2), line(3, 1)], late=True,
            exchange_order_id="o99", exchange_number="10399"),
    _listed(1, "RECEIVED", "REFUND", lines=[line(1, 2, received=1, restocked=1, condition="OPENED"),
                                           line(2, 1)],
            refunds=[{"reference": "return-0190a000-0000-7000-8000-000000000000",
                      "status": "AWAITING_APPROVAL", "amount": 19900}]),
    _listed(0, "REQUESTED", "STORE_CREDIT"),
]  # fmt: skip
OVER = [
    _listed(2, "CLOSED", "NONE", lines=[line(2, 3, received=3, restocked=1, written_off=2,
                                             condition="DAMAGED")]),
    _listed(3, "CLOSED", "REFUND", lines=[line(1, 1, received=1, restocked=1)],
            refunds=[{"reference": "R-1", "status": "COMPLETED", "amount": 19900}]),
]  # fmt: skip


def listed(rows: list[ListedReturn], which: str = "waiting", **given: Any) -> dict[str, Any]:
    """Make the list of returns."""
    chosen = given.get("resolution", "")
    return {
        "rows": [listed_row(one, NOW) for one in rows], "which": which, "resolution": chosen,
        "tabs": [(key, label, address(key, chosen)) for key, label in TABS],
        "choices": [(key, label, address(which, key)) for key, label in (("", "All"), *CHOICES)],
        "counts": {"waiting": len(rows), "received": 12, "closed": 1041, "rejected": 0},
        "found": Count(len(rows)), "more": "", **given,
    }  # fmt: skip


PAGES: tuple[Any, ...] = (
    ("returns", "returns/list.html", lambda: listed(WAITING, more="/portal/returns?after=x"),
     AT_RETURNS),
    ("returns-closed", "returns/list.html", lambda: listed(OVER, "closed"), AT_RETURNS),
    ("returns-none", "returns/list.html", lambda: listed([], "received", resolution="EXCHANGE"),
     AT_RETURNS),
    ("returns-empty", "returns/list.html", lambda: listed([]), AT_RETURNS),
)  # fmt: skip
