"""What clients want of an order's goods, and what must be true of them at the end.

Parts are cancelled, lines edited, goods leave and come back, while money moves and processes die.
One request has one effect on units as it has on money. [X-1, V-6…V-11, C-2]
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from counterfoil.order.cancellation import CanceledLine
from counterfoil.order.editing import WantedAddition, WantedEdit, WantedUnits
from counterfoil.order.folder import Folder
from counterfoil.order.goods_return import Replacement, WantedReturn, WantedReturnLine
from tests.soak.exchanged import assert_exchanges, assert_worth
from tests.work.shop import CANCEL, EDIT, METHOD, RETURN, STATE

if TYPE_CHECKING:
    from tests.soak.schedule import Request

#: Pieces of each line. What is edited leaves three of five, what is cancelled is two.
UNITS, LEFT, CUT = 5, 3, 2
#: What is asked of the order of an exchange, whichever is the first by then: its price is 6.00, and
#: 4.50 are set against it.
PAY_EXCHANGE, SEND_EXCHANGE = "pay the exchange", "send the exchange"
FEE = 50
SENDING: tuple[str, dict[str, Any]] = (STATE, {"line": 0, "state": "SHIPPED"})
EXCHANGING: tuple[str, dict[str, Any]] = (
    RETURN, {"line": 0, "units": 1, "for": "EXCHANGE", "price": 600})
#: Lines and bags by their place; the first line is cancelled in part, the second one edited.
GOODS: list[tuple[str, dict[str, Any], int]] = [
    (CANCEL, {"line": 0, "units": CUT}, 2),
    (CANCEL, {"bag": 1}, 1),
    (EDIT, {"line": 1, "left": LEFT}, 1),
    (EDIT, {"more": 700}, 1),
    (*SENDING, 2),
    (STATE, {"line": 1, "state": "SHIPPED"}, 1),
    (STATE, {"line": 0, "state": "DELIVERED"}, 1),
    (METHOD, {"method": "express"}, 1),
    (RETURN, {"line": 0, "units": 1}, 2),
    (*EXCHANGING, 3),
    (RETURN, {"line": 0, "units": 1, "for": "EXCHANGE", "price": 300}, 1),
    (RETURN, {"line": 0, "units": 1, "for": "STORE_CREDIT"}, 1),
    (RETURN, {"line": 0, "units": 1, "for": "NONE"}, 1),
    (PAY_EXCHANGE, {"amount": 150}, 3),
    (SEND_EXCHANGE, {"state": "SHIPPED"}, 3),
]


def concrete(kind: str, wanted: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Put the order's own ids in the place of places; what is about money alone stays as it is."""
    bags = body["bags"]
    items = [bag["items"][0]["id"] for bag in bags]
    match kind, wanted:
        case "cancel", {"line": place, "units": units}:
            return {"lines": (CanceledLine(items[place], units),)}
        case "cancel", {"bag": place}:
            return {"bag_id": bags[place]["id"]}
        case "edit", {"line": place, "left": left}:
            line = WantedUnits(item_id=items[place], quantity=left)
            return {"wanted": WantedEdit(lines=[line])}
        case "edit", {"more": price}:
            more = WantedAddition(bag_id=bags[0]["id"], name="Cup", quantity=1, unit_price=price)
            return {"wanted": WantedEdit(add=[more])}
        case "delivery state", {"line": place, "state": state}:
            return {"item_id": items[place], "state": state}
        case "return", {"line": place, "units": units}:
            piece = WantedReturnLine(item_id=items[place], quantity=units)
            back = WantedReturn(
                lines=[piece], received=True, fee=FEE, resolution=wanted.get("for", "REFUND"),
                replacement=[
                    Replacement(name="Jug", quantity=1, unit_price=wanted["price"])
                ] if "price" in wanted else [],
            )
            return {"bag_id": bags[place]["id"], "wanted": back}
    return dict(wanted)


def assert_goods(
    requests: "list[Request]", folder: Folder, linked: Sequence[Folder] = ()
) -> None:
    """Units, returns and edits are those of the requests that were told that they happened."""
    done = [one for one in requests if any(said.status < 300 for said in one.told)]
    edits = [one for one in done if one.kind == EDIT]
    backs = [one for one in done if one.kind == RETURN]
    parts = [one for one in done if one.kind == CANCEL and one.wanted]
    assert len(folder.edits) == len(edits), "an edit was lost or made twice"
    assert len(folder.returns) == len(backs), "a return was lost or recorded twice"
    plans = [plan for plan in folder.cancellations if not plan.whole]
    whole = folder.order.system_state == "CANCELED"
    assert whole or len(plans) == len(parts), "a part was cancelled twice or not at all"
    first, second = (
        next(i for i in folder.items if i.bag_id == bag.id and i.added_in is None)
        for bag in sorted(folder.bags, key=lambda bag: bag.position)
    )
    cut = sum(CUT for one in parts if "lines" in one.wanted)
    assert whole or first.quantity_canceled == cut, f"{first.quantity_canceled} is not {cut}"
    smaller = any(one.wanted["wanted"].lines for one in edits)
    alone = not any("bag_id" in one.wanted for one in parts)
    if not whole and alone:
        assert second.quantity_canceled == (UNITS - LEFT if smaller else 0)
    assert first.quantity_returned == len(backs)
    _assert_returns(folder)
    assert_worth(folder)
    assert_exchanges(folder, linked)
    taken = Counter(
        (row.payment_id, row.shipment_id)
        for row in folder.transactions
        if row.type == "CAPTURE" and row.shipment_id is not None
    )
    assert not taken or max(taken.values()) == 1, "money for a parcel was taken twice"


def _assert_returns(folder: Folder) -> None:
    """Each return is worth what a piece cost less its fee, once, and no more was given for it."""
    for back in folder.returns:
        given = [one for one in folder.refunds if one.return_id == back.id]
        assert len(given) <= 1, "one receipt was refunded twice"
        for refund in given:
            assert refund.amount + refund.fee_amount <= max(i.unit_price for i in folder.items)
            assert refund.id == back.refund_id
