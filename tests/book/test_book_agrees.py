"""The book against the pure actions: what it reads back is what the action said it would be."""

import random

import msgspec
import pytest

from counterfoil.actions.cancel import WantedCancel, cancel
from counterfoil.actions.capture import capture
from counterfoil.actions.edit import edit
from counterfoil.actions.hold import WantedHold, hold, release
from counterfoil.actions.move_shipment import (
    NewShipping,
    deliver_shipment,
    send_shipment,
    update_shipment,
)
from counterfoil.actions.note import note
from counterfoil.actions.refund import WantedRefund, refund
from counterfoil.actions.settle import settle
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.actions.void import void
from counterfoil.book.numbers import Numbers
from counterfoil.book.opening import Key, open_folder
from counterfoil.book.placing import Placer, Placing
from counterfoil.book.run import Book, Command
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import Problem
from counterfoil.order.folder import SECTIONS, UNOPENED
from counterfoil.order.gateway import Answer, Outcome
from counterfoil.order.intake import WantedOrder
from counterfoil.order.intent import Asked
from tests.actions.laws import assert_lawful
from tests.actions.making import body

EVERYTHING = frozenset({*SECTIONS, "states", "gateways", "methods", "merchants"})


def _step(chance, folder, count):
    """Choose what to do next, with its arguments."""
    parcels = folder.shipments
    amount = chance.choice([None, None, 700, 1300])
    unsettled = [row for row in folder.transactions if row.settled_at is None]
    choices = [
        (capture, {"amount": amount}),
        (void, {"amount": amount}),
        (
            refund,
            {
                "wanted": WantedRefund(
                    reference=f"R-{folder.order.number}-{count}", amount=chance.choice([1, 400])
                )
            },
        ),
        (note, {"body": "Kari ringte. Æøå 株式会社"}),
        (edit, {"fields": {"invoice_number": f"INV-{count}", "tags": ["vip", f"t{count}"]}}),
        (hold, {"wanted": WantedHold(handle="h", blocks=("shipment",))}),
        (release, {"handle": "h"}),
        (
            ship,
            {
                "bag_id": chance.choice(folder.bags).id,
                "wanted": WantedShipment(tracking_number=f"TN{count}"),
            },
        ),
    ]
    if parcels:
        parcel = chance.choice(parcels).id
        choices += [
            (send_shipment, {"shipment_id": parcel}),
            (deliver_shipment, {"shipment_id": parcel}),
            (
                update_shipment,
                {"shipment_id": parcel, "wanted": NewShipping(tracking_number=f"U{count}")},
            ),
        ]
    if count > 12:
        choices.append((cancel, {"wanted": WantedCancel(notify_customer=True)}))
    if unsettled:
        row = unsettled[0]
        answer = Answer(outcome=chance.choice([Outcome.SUCCEEDED, Outcome.DECLINED]))
        return settle, {"transaction_id": row.id, "answer": answer, "lease": row.lease_token}
    return chance.choice(choices)


@pytest.mark.parametrize("gateway", ["manual", "sandbox"])
async def test_what_is_read_back_is_what_was_decided(pool, admin, owner, gateway):
    await owner.execute(
        "insert into gateways (account_id, id, code, kind) values ($1, $2, 'sandbox', 'sandbox')",
        admin.account_id,
        new_id(),
    )
    chance = random.Random(f"seed {gateway}")
    placer, book = Placer(pool, Numbers()), Book(pool)
    wanted = msgspec.convert(
        body(payment={"gateway": gateway}, shipping_method="standard"), WantedOrder
    )
    written, refusals = 0, []
    for _ in range(6):
        asked = Asked(actor=admin, lease=new_id())
        ran = await placer.place(
            Placing(asked=asked, wanted=wanted, channel="api", fingerprint="f")
        )
        order_id = ran.change.after.order.id
        for count in range(18):
            async with pool.connection(admin.account_id) as connection:
                opened = await open_folder(connection, order_id, EVERYTHING)
            folder = opened.folder
            assert_lawful(folder)
            action, arguments = _step(chance, folder, count)
            key = Key(credential=admin.credential, key=new_id(), fingerprint=str(count))
            reference = arguments["wanted"].reference if action is refund else None
            command = Command(
                order_id=order_id,
                actor=admin,
                key=None if action is settle else key,
                reference=reference,
                answer_to=(lambda change: None) if action is settle else None,
            )
            try:
                ran = await book.run(
                    command, action, asked=Asked(actor=admin, lease=new_id()), **arguments
                )
            except Problem as refused:
                refusals.append(refused.code)
                continue
            if ran.change.nothing:
                continue
            written += 1
            await _compare(pool, admin, ran.change)
    assert written > 40
    assert not {"internal", "unavailable"} & set(refusals)


async def _compare(pool, admin, change):
    async with pool.connection(admin.account_id) as connection:
        opened = await open_folder(connection, change.after.order.id, EVERYTHING)
        count = await connection.value(
            "select count(*) from facts where account_id = $1 and order_id = $2",
            connection.account,
            change.after.order.id,
        )
    read = opened.folder
    assert read.order == change.after.order
    assert count == read.order.version
    for section in SECTIONS:
        decided = getattr(change.after, section)
        if decided is UNOPENED:
            continue
        fields = {"lease_until": None, "lease_token": None, "attempts": 0}
        drop = fields if section == "transactions" else {}
        mine, theirs = (
            sorted(
                (msgspec.structs.replace(n, **drop) for n in rows if still_open(n)),
                key=lambda n: n.id,
            )
            for rows in (decided, getattr(read, section))
        )
        assert mine == theirs, section


def still_open(noun):
    """Released holds are read only while another hold is open."""
    return getattr(noun, "released_at", None) is None
