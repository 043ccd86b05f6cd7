"""Split orders through the book: what the model says of them is what is stored, and is lawful."""

import random
from typing import Any

import msgspec

from counterfoil.book.invariants import check
from counterfoil.book.numbers import Numbers
from counterfoil.book.opening import Key, open_folder
from counterfoil.book.placing import Placer, Placing
from counterfoil.book.run import Book, Command
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import Problem
from counterfoil.order.folder import SECTIONS, Folder
from counterfoil.order.intake import WantedOrder
from counterfoil.order.intent import Asked
from tests.actions.laws import assert_lawful
from tests.actions.making import body
from tests.actions.split_model import Model
from tests.actions.split_moves import OFTEN, drawn_bags, moves

EVERYTHING = frozenset({*SECTIONS, "states", "gateways", "methods", "merchants"})
LIVES, STEPS = 15, 45


async def test_some_split_orders_live_in_the_database(pool, account, admin):
    """Every promise that doctor looks for is kept, exchanges and all."""
    chance, book = random.Random(5), Book(pool)
    placer = Placer(pool, Numbers())

    def key() -> Key:
        return Key(credential=admin.credential, key=new_id(), fingerprint="f")

    async def read(order_id: str) -> Folder:
        async with pool.connection(account.id) as connection:
            opened = await open_folder(connection, order_id, EVERYTHING)
        assert opened.folder is not None
        return opened.folder

    async def run(order: Folder, action: Any, arguments: dict[str, Any]) -> Any:
        wanted = arguments.get("wanted")
        command = Command(order_id=order.order.id, actor=admin, key=key(),
                          reference=getattr(wanted, "reference", None))
        return (await book.run(command, action, asked=Asked(actor=admin), **arguments)).change

    done = 0
    for _ in range(LIVES):
        sent = body(bags=drawn_bags(chance), payment={"gateway": "manual"})
        placed = await placer.place(Placing(
            asked=Asked(actor=admin), wanted=msgspec.convert(sent, WantedOrder), channel="api",
            fingerprint="f", key=key()))
        assert placed.change is not None
        order, model = await read(placed.change.after.order.id), Model()
        for _ in range(STEPS):
            drawn = chance.choice(OFTEN), chance.randint(0, 8), chance.randint(1, 3)
            for what, action, arguments, told in moves(order, *drawn):
                try:
                    change = await run(order, action, arguments)
                except Problem:
                    continue
                if change is None or change.nothing:
                    continue
                done += 1
                model.happened(what, order, told(change) if callable(told) else told)
                order = await read(order.order.id)
                assert_lawful(order)
                model.judge(order)
    assert done > 6 * LIVES
    assert await check(pool, account.id) == []
