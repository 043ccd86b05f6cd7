"""Random lives through PostgreSQL: what an action decided, no trigger, key or CHECK refuses."""

import random
from collections import Counter
from typing import Any

import asyncpg
import msgspec
import pytest

from counterfoil.actions.acknowledge import acknowledge
from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.change_state import change_state
from counterfoil.actions.choose_method import choose_method
from counterfoil.actions.decide_review import fail_review, pass_review
from counterfoil.actions.edit import edit
from counterfoil.actions.edit_lines import edit_lines
from counterfoil.actions.expire import expire
from counterfoil.actions.hold import WantedHold, hold, release
from counterfoil.actions.move_shipment import (
    NewShipping,
    carry_shipment,
    deliver_shipment,
    fail_shipment,
    send_shipment,
    update_shipment,
)
from counterfoil.actions.note import note
from counterfoil.actions.rearrange import (
    WantedSplit,
    cancel_shipment,
    merge_shipments,
    split_shipment,
)
from counterfoil.actions.refund import WantedLine, WantedRefund, refund
from counterfoil.actions.review import send_to_review, take_review
from counterfoil.actions.set_delivery_state import set_delivery_state
from counterfoil.actions.settle import settle
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.actions.void import void
from counterfoil.book.invariants import check
from counterfoil.book.numbers import Numbers
from counterfoil.book.opening import Key, open_folder
from counterfoil.book.placing import Placer, Placing
from counterfoil.book.run import Book, Command
from counterfoil.kernel.due import claim_one
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import Problem
from counterfoil.order import answers
from counterfoil.order.editing import WantedAddition, WantedEdit, WantedUnits
from counterfoil.order.folder import SECTIONS
from counterfoil.order.gateway import Answer, Outcome
from counterfoil.order.intake import WantedOrder
from counterfoil.order.intent import Asked
from counterfoil.order.life import ITEM
from counterfoil.order.shipment import Parcel, ShipmentItem
from counterfoil.order.terms import terms_of_order
from counterfoil.order.transaction import UNSETTLED
from tests.actions.laws import assert_lawful
from tests.actions.making import body

EVERYTHING = frozenset({*SECTIONS, "states", "gateways", "methods", "merchants"})
STATES = ["new", "processing", "completed", "cancel_requested", "fraud", "suspended", "canceled"]
OUTCOMES = [Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.DECLINED, Outcome.UNKNOWN]
GOODS = [
    {"sku": "MUG-1", "name": "Mug", "quantity": 3, "unit_price": 700},
    {"sku": "SONG", "name": "Song", "quantity": 1, "unit_price": 400, "digital": True},
    {"name": "Voucher", "quantity": 1, "unit_price": -100},
]
BAGS = [
    {"merchant": "acme", "shipping_total": 500, "items": GOODS},
    {"merchant": "zeta", "items": [{"sku": "TEE", "name": "Tee", "quantity": 2, "unit_price": 9}]},
]


class Chance(random.Random):
    """What happens next to an order."""

    def step(self, folder, count):
        """Choose an action and its arguments."""
        unsettled = [row for row in folder.transactions if row.status in UNSETTLED]
        if unsettled and self.random() < 0.5:
            row = self.choice(unsettled)
            answer = Answer(outcome=self.choice(OUTCOMES), payment_reference="p")
            return settle, {"transaction_id": row.id, "answer": answer, "lease": row.lease_token}
        return self.choice([self.money, self.money, self.goods, self.goods, self.rest])(
            folder, count
        )

    def money(self, folder, count):
        amount = self.choice([None, None, 1, 700, 1300])
        if self.random() < 0.6:
            if self.random() < 0.7:
                return capture, {"amount": amount}
            return void, {"amount": self.choice([amount, 1, 700])}
        reference = f"R-{folder.order.number}-{self.choice([count, 1])}"
        bag = self.choice([None, *folder.bags])
        items = [item for item in folder.items if bag is None or item.bag_id == bag.id]
        lines = [
            WantedLine(item_id=item.id, quantity=self.randint(1, item.quantity))
            for item in self.sample(items, self.choice([0, 0, 1, min(2, len(items))]))
        ]
        wanted = WantedRefund(
            reference=reference,
            amount=amount if not lines else None,
            bag_id=bag.id if bag else None,
            lines=lines,
            shipping_amount=self.choice([None, None, 100]) if lines or amount is None else None,
            notify_customer=self.random() < 0.2,
        )
        return refund, {"wanted": wanted}

    def goods(self, folder, count):
        item = self.choice([i for i in folder.items if i.deliverable])
        parts = [ShipmentItem(item.id, self.randint(1, 3))] if self.random() < 0.6 else []
        number = self.choice([None, None, f"T{count}", "T1"])
        wanted = WantedShipment(items=parts, tracking_number=number)
        if not folder.shipments or self.random() < 0.3:
            return ship, {"bag_id": item.bag_id, "wanted": wanted}
        parcel = self.choice(folder.shipments).id
        some = ShipmentItem(self.choice(self.choice(folder.shipments).items).item_id, 1)
        boxes = [Parcel(tracking_number=f"B{count}-{n}", weight_g=n or None) for n in range(2)]
        moves: list[tuple[Any, dict[str, Any]]] = [
            *[(send_shipment, {})] * 4,
            *[(deliver_shipment, {}), (fail_shipment, {})] * 2,
            (carry_shipment, {"carrier_status": "Sortiert"}),
            (cancel_shipment, {}),
            (update_shipment, {"wanted": NewShipping(tracking_number=number, method="express")}),
            (update_shipment, {"wanted": NewShipping(parcels=boxes)}),
            (split_shipment, {"wanted": WantedSplit(items=[some], tracking_number=number)}),
            (merge_shipments, {"shipment_ids": [self.choice(folder.shipments).id]}),
            (set_delivery_state, {"item_id": item.id, "state": self.choice(ITEM.statuses)}),
            (choose_method, {"method": "standard", "items": self.choice([None, [item.id]])}),
        ]
        move, more = self.choice(moves)
        if move in (set_delivery_state, choose_method):
            return move, more
        return move, {"shipment_id": parcel, **more}

    def edit(self, folder):
        lines = [item for item in folder.items if item.deliverable and item.live]
        fewer = [
            WantedUnits(item_id=item.id, quantity=self.randint(0, item.live))
            for item in self.sample(lines, min(len(lines), self.choice([0, 1, 2])))
        ]
        bag = self.choice(folder.bags).id
        new = WantedAddition(bag_id=bag, sku="CAP", name="Cap", quantity=2, unit_price=350)
        return WantedEdit(
            lines=fewer,
            add=[new] if self.random() < 0.4 else [],
            shipping={bag: self.choice([0, 100, 900])} if self.random() < 0.4 else {},
            hold_until_paid=self.random() < 0.5,
        )

    def rest(self, folder, count):
        blocks = (self.choice(["capture", "shipment"]),)
        choices = [
            (note, {"body": "株式会社 ringte"}),
            (edit, {"fields": {"tags": [f"t{count}", "VIP"], "invoice_number": f"F-{count}"}}),
            (hold, {"wanted": WantedHold(handle="h", blocks=blocks)}),
            (release, {"handle": self.choice(["h", "fraud-review"])}),
            (release, {"handle": "fraud-review"}),
            (self.choice([pass_review, send_to_review, take_review]), {}),
            (change_state, {"state": self.choice(STATES)}),
            (acknowledge, {}),
            *[(edit_lines, {"wanted": self.edit(folder)})] * 3,
        ]
        if count > 12 or self.random() < 0.1:
            choices.append((cancel, {"wanted": WantedCancel(notify_customer=True)}))
            choices.append((fail_review, {}))
        choices += [
            (expire, {"payment_id": payment.id, "lease": "nobody"})
            for payment in folder.payments
            if payment.expires_at
        ]
        return self.choice(choices)


@pytest.fixture
async def shop(pool, admin, owner):
    """A book, and an account that captures in part at two gateways."""
    for code, settings in (("sandbox", "{}"), ("once", '{"multi_capture": false}')):
        await owner.execute(
            "insert into gateways (account_id, id, code, kind, settings)"
            " values ($1, $2, $3, 'sandbox', $4)",
            admin.account_id,
            new_id(),
            code,
            settings,
        )
    await owner.execute(
        "update stores set scopes = '[\"partial_capture\"]', capture_on_ship = true"
    )
    return Placer(pool, Numbers()), Book(pool)


@pytest.mark.parametrize("gateway", ["manual", "sandbox", "once"])
async def test_no_life_is_refused_by_the_database(pool, admin, shop, gateway):
    placer, book = shop
    done: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    by_database = []
    for seed in range(24):
        chance = Chance(f"{gateway} {seed}")
        order_id = await _placed(placer, admin, gateway, chance)
        for count in range(28):
            read = await _read(pool, admin, order_id)
            assert_lawful(read)
            assert await _terms(pool, admin, order_id) == set(terms_of_order(read))
            action, arguments = chance.step(read, count)
            if action is settle and arguments["lease"] is None:
                arguments["lease"] = await _claimed(pool, admin, arguments["transaction_id"])
            try:
                ran = await book.run(
                    _command(admin, order_id, action, arguments),
                    action,
                    asked=Asked(actor=admin, key=f"k{count}", lease=new_id()),
                    **arguments,
                )
            except Problem as refused:
                problems[refused.code] += 1
                if isinstance(refused.__cause__, asyncpg.PostgresError):
                    by_database.append((action.__name__, refused.__cause__))
                continue
            if ran.change is not None and not ran.change.nothing:
                done[action.__name__] += 1
    assert by_database == []
    assert sum(done.values()) > 120
    often = {"capture", "void", "refund", "ship", "send_shipment", "cancel", "edit_lines"}
    assert often <= set(done)
    assert not {"internal", "unavailable"} & set(problems)
    assert await check(pool, admin.account_id) == []


async def _placed(placer, admin, gateway, chance):
    payment = {"gateway": gateway, "flow": chance.choice(["auth", "auth", "auth", "payment"])}
    sent = body(
        bags=BAGS,
        payment=chance.choice([payment, payment, payment, {**payment, "amount": 1234}]),
        fraud_review=chance.random() < 0.15,
        tags=["vip"],
    )
    wanted = msgspec.convert(sent, WantedOrder)
    asked = Asked(actor=admin, key=new_id(), lease=new_id())
    placed = await placer.place(Placing(asked=asked, wanted=wanted, channel="api", fingerprint="f"))
    return placed.change.after.order.id


async def _read(pool, admin, order_id):
    async with pool.connection(admin.account_id) as connection:
        return (await open_folder(connection, order_id, EVERYTHING)).folder


async def _claimed(pool, admin, transaction_id):
    async with pool.connection(admin.account_id) as connection:
        return (await claim_one(connection, "transaction", transaction_id, 30)).lease


async def _terms(pool, admin, order_id):
    async with pool.connection(admin.account_id) as connection:
        rows = await connection.rows(
            "select term from order_term where account_id = $1 and order_id = $2",
            connection.account,
            order_id,
        )
    return {row["term"] for row in rows}


def _command(admin, order_id, action, arguments):
    if action in (settle, expire):
        told = (
            None
            if action is expire
            else (lambda change: answers.answer_to_settled(change.after, change.result, admin))
        )
        return Command(order_id=order_id, actor=admin, answer_to=told or (lambda change: None))
    return Command(
        order_id=order_id,
        actor=admin,
        key=Key(credential=admin.credential, key=new_id(), fingerprint="f"),
        reference=arguments["wanted"].reference if action is refund else None,
    )
