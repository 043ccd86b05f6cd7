"""What happens in the demo today: goods come back, parts are cancelled, orders are edited.

Orders are brought along with their past; what an import cannot tell is done to some of them here,
by the same commands as people use. Only money at the manual gateway moves, so nobody is waited for.
"""

from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any, Final

from msgspec import UNSET, Struct

from counterfoil.actions.cancel import cancel
from counterfoil.actions.decide_return import approve_return, close_return, reject_return
from counterfoil.actions.edit_lines import edit_lines
from counterfoil.actions.move_shipment import carry_shipment, fail_shipment, send_shipment
from counterfoil.actions.receive_return import receive_return
from counterfoil.actions.request_cancel import request_cancel
from counterfoil.actions.return_goods import return_goods
from counterfoil.actions.review import put_review_off
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.book.opening import open_folder
from counterfoil.book.run import Action, Book, Command
from counterfoil.kernel.db import Pool
from counterfoil.kernel.problem import Problem
from counterfoil.order.actor import Actor
from counterfoil.order.cancellation import CanceledLine, WantedCancel
from counterfoil.order.editing import WantedAddition, WantedEdit, WantedUnits
from counterfoil.order.folder import Folder
from counterfoil.order.goods_return import (
    ReceivedLine,
    Replacement,
    WantedReturn,
    WantedReturnLine,
)
from counterfoil.order.intent import Asked
from counterfoil.order.item import Item
from counterfoil.order.shipment import Parcel, Shipment

#: A command and its arguments; its result comes back.
Step = tuple[Action, dict[str, Any]]
Play = Generator[Step, Any, None]

_CHOSEN = """select o.id::text as id from orders o where o.account_id = $1
    and o.fulfillment_status = $2 and o.financial_status = any($3::text[])
    and o.system_state = any($4::text[]) and o.fraud_status = $5
    and o.total > 0 and o.unit_count >= $6 and (o.fraud_status <> 'NOT_REQUIRED'
      or not (o.hold_shipment or o.hold_capture))
    and (select count(*) from bags b where b.account_id = $1 and b.order_id = o.id) >= $7
    and (o.fraud_status <> 'NOT_REQUIRED' or not exists (select from payments p
      where p.account_id = $1 and p.order_id = o.id and p.gateway <> 'manual'))
    and o.id <> all($8::uuid[])
  order by o.placed_at desc, o.id limit $9"""
_NEEDS: Final = frozenset({"bags", "items", "shipments", "fraud_reviews"})
_MONEY: Final = ("AUTHORIZED", "PAID")
_WORK: Final = ("NEW", "PROCESSING")


class Act(Struct, frozen=True, kw_only=True):
    """Something that is done to orders of a kind, `times` in a demo of 2,000 orders."""

    name: str
    times: int
    play: Callable[[Folder], Play]
    fulfillment: str = "DELIVERED"
    financial: tuple[str, ...] = ("PAID",)
    states: tuple[str, ...] = ("COMPLETED",)
    fraud: str = "NOT_REQUIRED"
    units: int = 1
    bags: int = 1


def _goods(order: Folder) -> list[Item]:
    return [item for item in order.items if item.deliverable and not item.digital]


def _back(order: Folder, units: int = 1, **more: Any) -> Step:
    """Announce units of the first line that has them."""
    item = next((one for one in _goods(order) if one.live >= units), _goods(order)[0])
    line = WantedReturnLine(item_id=item.id, quantity=min(units, item.live))
    return return_goods, {"bag_id": item.bag_id, "wanted": WantedReturn(lines=[line], **more)}


def _asked_for(order: Folder) -> Play:
    yield _back(order, reason_code="WRONG_SIZE", note="One size too small, she says.")


def _approved(order: Folder) -> Play:
    made = yield _back(order, reason_code="UNWANTED", fee=390 if _worth(order) > 2000 else 0)
    yield approve_return, {"return_id": made.id}


def _rejected(order: Folder) -> Play:
    made = yield _back(order, reason_code="UNWANTED")
    yield reject_return, {"return_id": made.id, "note": "It has been worn."}


def _refunded(order: Folder) -> Play:
    made = yield _back(order, reason_code="DEFECTIVE")
    yield approve_return, {"return_id": made.id}
    yield receive_return, {"return_id": made.id}


def _in_part(order: Folder) -> Play:
    made = yield _back(order, 2, reason_code="NOT_AS_DESCRIBED")
    first = ReceivedLine(item_id=made.lines[0].item_id, quantity=1, condition="OPENED")
    yield receive_return, {"return_id": made.id, "lines": [first]}


def _closed(order: Folder) -> Play:
    made = yield _back(order, resolution="NONE", received=True, reason_code="LATE")
    yield close_return, {"return_id": made.id}


def _credited(order: Folder) -> Play:
    yield _back(order, resolution="STORE_CREDIT", received=True, reason_code="UNWANTED")


def _exchanged(order: Folder) -> Play:
    item = _goods(order)[0]
    other = Replacement(
        sku=item.sku, name=f"{item.name} (other size)", quantity=1, unit_price=item.unit_price)
    yield _back(
        order, resolution="EXCHANGE", received=True, replacement=[other], reason_code="WRONG_SIZE")


def _leaving(order: Folder) -> Shipment:
    return next(one for one in order.shipments if one.status == "SHIPPED")


def _failed(order: Folder) -> Play:
    yield fail_shipment, {"shipment_id": _leaving(order).id}


def _failed_and_back(order: Folder) -> Play:
    parcel = _leaving(order)
    yield fail_shipment, {"shipment_id": parcel.id}
    wanted = WantedReturn(shipment_id=parcel.id, reason_code="COULD_NOT_DELIVER")
    yield return_goods, {"bag_id": parcel.bag_id, "wanted": wanted}


def _on_its_way(order: Folder) -> Play:
    yield carry_shipment, {"shipment_id": _leaving(order).id}


def _parcels(order: Folder) -> Play:
    """One shipment of several parcels, each with a number of its own."""
    number = order.order.number
    further = [Parcel(tracking_number=f"{number}-{place}", weight_g=900) for place in (2, 3)]
    wanted = WantedShipment(tracking_number=f"{number}-1", parcels=further)
    made = yield ship, {"bag_id": order.bags[0].id, "wanted": wanted}
    yield send_shipment, {"shipment_id": made.id}


def _packed(order: Folder) -> Play:
    """A shipment that waits for the van."""
    for bag in order.bags:
        wanted = WantedShipment(tracking_number=f"3707{int(bag.id[-12:], 16):015}")
        yield ship, {"bag_id": bag.id, "wanted": wanted}


def _fewer(order: Folder) -> Play:
    item = max(_goods(order), key=lambda one: one.live)
    line = CanceledLine(item.id, 1)
    yield cancel, {"wanted": WantedCancel(lines=(line,), reason="Sold out", reason_code="OTHER")}


def _without_a_bag(order: Folder) -> Play:
    yield cancel, {"wanted": WantedCancel(bag_id=order.bags[-1].id, reason="Sold out")}


def _edited_down(order: Folder) -> Play:
    item = max(_goods(order), key=lambda one: one.live)
    line = WantedUnits(item_id=item.id, quantity=item.live - 1)
    yield edit_lines, {"wanted": WantedEdit(lines=[line], note="One less, by telephone.")}


def _edited_up(order: Folder) -> Play:
    like = _goods(order)[0]
    more = WantedAddition(
        bag_id=like.bag_id, sku=like.sku, name=like.name, quantity=1, unit_price=like.unit_price)
    yield edit_lines, {"wanted": WantedEdit(add=[more], note="One more, by telephone.")}


def _moved_house(order: Folder) -> Play:
    address = {**(order.order.shipping_address or {}), "line2": "c/o Nachbar"}
    wanted = WantedEdit(shipping_address=address, billing_address=UNSET, note="Moved house.")
    yield edit_lines, {"wanted": wanted}


def _asked_to_cancel(order: Folder) -> Play:
    yield request_cancel, {"reason": "Ordered by mistake.", "reason_code": "CUSTOMER"}


def _put_off(order: Folder) -> Play:
    yield put_review_off, {"note": "Waiting for a call back."}


def _worth(order: Folder) -> int:
    return order.order.total


_NOT_LEFT: Final[dict[str, Any]] = {
    "fulfillment": "PROCESSING", "financial": _MONEY, "states": _WORK}
_LEFT: Final[dict[str, Any]] = {"fulfillment": "SHIPPED"}
ACTS: Final = (
    Act(name="return asked for", times=4, play=_asked_for),
    Act(name="return approved", times=3, play=_approved),
    Act(name="return rejected", times=1, play=_rejected),
    Act(name="return refunded", times=3, play=_refunded),
    Act(name="return received in part", times=2, play=_in_part, units=2),
    Act(name="return closed", times=1, play=_closed),
    Act(name="store credit", times=1, play=_credited),
    Act(name="exchange", times=2, play=_exchanged),
    Act(name="could not deliver", times=3, play=_failed, **_LEFT),
    Act(name="came back undelivered", times=1, play=_failed_and_back, **_LEFT),
    Act(name="on its way", times=6, play=_on_its_way, **_LEFT),
    Act(name="several parcels", times=3, play=_parcels, **_NOT_LEFT, units=2),
    Act(name="a bag cancelled", times=2, play=_without_a_bag, **_NOT_LEFT, bags=2),
    Act(name="a unit cancelled", times=3, play=_fewer, **_NOT_LEFT, units=2),
    Act(name="edited down", times=2, play=_edited_down, **_NOT_LEFT, units=2),
    Act(name="edited up", times=2, play=_edited_up, **_NOT_LEFT),
    Act(name="another address", times=1, play=_moved_house, **_NOT_LEFT),
    Act(name="cancel asked for", times=3, play=_asked_to_cancel, **_NOT_LEFT),
    Act(
        name="review put off", times=2, play=_put_off, fulfillment="PROCESSING",
        financial=(*_MONEY, "UNPAID"), states=("SUSPENDED",), fraud="PENDING",
    ),
    Act(name="packed", times=14, play=_packed, **_NOT_LEFT),
)


async def act_today(pool: Pool, actor: Actor, *, count: int) -> dict[str, int]:
    """Do what each act says to the newest orders that fit, one act an order; tell how often.

    `count` is how many orders there are: with fewer every act is done less often, but once where
    an order fits. What an order does not allow after all is left undone.
    """
    book, used, done = Book(pool), list[str](), dict[str, int]()
    for act in ACTS:
        times = max(1, act.times * count // 2000)
        async with pool.connection(actor.account_id) as connection:
            rows = await connection.rows(
                _CHOSEN, connection.account, act.fulfillment, list(act.financial),
                list(act.states), act.fraud, act.units, act.bags, used, times,
            )
        for order_id in [str(row["id"]) for row in rows]:
            used.append(order_id)
            with suppress(Problem):
                await _play(pool, book, actor, order_id, act.play)
                done[act.name] = done.get(act.name, 0) + 1
    return done


async def _play(
    pool: Pool, book: Book, actor: Actor, order_id: str, play: Callable[[Folder], Play]
) -> None:
    async with pool.connection(actor.account_id) as connection:
        folder = (await open_folder(connection, order_id, _NEEDS)).folder
    assert folder is not None
    asked = Asked(actor=actor, source="portal")
    steps, result = play(folder), None
    while True:
        try:
            action, arguments = steps.send(result)
        except StopIteration:
            return
        command = Command(order_id=order_id, actor=actor)
        ran = await book.run(command, action, asked=asked, **arguments)
        assert ran.change is not None
        result = ran.change.result
