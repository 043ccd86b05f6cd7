"""How gateways did in the last hour, and what is reserved at them."""

from counterfoil.book.answered import Held, answered_lately, held_at
from counterfoil.order.actor import Actor
from counterfoil.setup.accounts import create_account
from tests.db import Clock
from tests.sandbox.server import Sandbox
from tests.work.shop import Shop


async def test_answers_of_the_last_hour_are_counted(
    shop: Shop, sandbox: Sandbox, clock: Clock, admin: Actor
) -> None:
    first = await shop.order(5000)
    second = await shop.order(7000)
    await shop.run("capture", first, amount=5000)
    folder = await shop.folder(second)
    sandbox.fault("decline", kind="capture", payment=folder.payments[0].provider_reference)
    await shop.run("capture", second, amount=7000)
    await shop.order(100, gateway="manual")
    pool, account = shop.works.pool, admin.account_id
    async with pool.connection(account) as connection:
        lately = await answered_lately(connection)
        card = lately["card"]
        assert (card.answers, card.declined, card.unknown) == (4, 1, 0)
        assert (card.unknown_now, card.pending_now) == (0, 0)
        assert card.p95_ms is not None
        assert card.p95_ms >= 0
        assert await held_at(connection, "card") == [Held("EUR", 1, 7000)]
    other = await create_account(pool, "Other")
    async with pool.connection(other.id) as connection:
        assert await answered_lately(connection) == {}
        assert await held_at(connection, "card") == []
    await clock.advance(3601)
    async with pool.connection(account) as connection:
        assert "card" not in await answered_lately(connection)


async def test_what_waits_is_counted_however_old_it_is(
    shop: Shop, sandbox: Sandbox, clock: Clock
) -> None:
    order_id = await shop.order(5000)
    await shop.intend("capture", order_id, leased=False, amount=2000)
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        assert (await answered_lately(connection))["card"].pending_now == 1
        await clock.advance(7200)
        waiting = (await answered_lately(connection))["card"]
        assert (waiting.answers, waiting.pending_now, waiting.unknown_now) == (0, 1, 0)
        assert await held_at(connection, "card") == [Held("EUR", 1, 5000)]
