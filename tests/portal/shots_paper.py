"""Slips to look at: one parcel with everything, and a long one in Norwegian with prices."""

import msgspec

from counterfoil.order.note import Note
from counterfoil.paper.slip import Slip, slip_of_shipment, slips_of_order
from tests.paper.making import ADMIN, NAMES, NOON, STORE, folder, line, parcel


def one() -> list[Slip]:
    """A parcel of two, of a test order, with names of many scripts."""
    lines = [line(str(n), n + 1, name=name) for n, name in enumerate((*NAMES, "W" * 200))]
    shipments = (
        parcel("a", {"0": 1}, "SHIPPED", tracking_number="7072001234567890"),
        parcel("b", {str(n): 1 for n in range(8)}, minute=1, carrier="Bring"),
    )
    note = Note(id="n", order_id="o", body="Leave it with the neighbour. " * 6,
                visibility="customer", author={}, created_at=NOON)
    whole = folder(*lines, shipments=shipments, notes=(note,),
                   order={"is_test": True, "tags": ["gift"]})
    slip = slip_of_shipment(whole, ADMIN, "b")
    assert slip is not None
    return [slip]


def many() -> list[Slip]:
    """Two bags, sixty lines, with prices."""
    norwegian = msgspec.structs.replace(STORE, language="nb")
    lines = [line(str(n), name=f"Ullgenser {n}") for n in range(60)]
    whole = folder(*lines, line("z", bag="b2"), bags={"b1": "acme", "b2": "zeta"}, store=norwegian,
                   order={"number": "ORD-2026-0001234"})
    return slips_of_order(whole, ADMIN, priced=True)


BACK = {"back": ("Back to the order", "/portal/orders/x"), "note": "",
        "pdf": "/portal/orders/x/print/packing-slip.pdf"}
MISSING = "2 parcels are not here: cancelled meanwhile, or not yours to see."
PAGES = (
    ("slip", "paper/slip.html", lambda: {"slips": one(), **BACK}),
    ("slip-many", "paper/slip.html", lambda: {"slips": many(), **BACK}),
    ("slips", "paper/slip.html", lambda: {"slips": [*one(), *many()], **BACK, "note": MISSING}),
)
