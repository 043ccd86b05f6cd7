"""Letters about goods that came back, and about their money. [U-31, U-32, M-2]"""

import pytest
import pytest_asyncio

from counterfoil.kernel.db import Pool
from counterfoil.mail.send import Post
from counterfoil.order.config import Account
from counterfoil.order.goods_return import Replacement, ReturnRefund, WantedReturn
from counterfoil.setup.stores import StoreChange, change_store
from tests.db import Clock
from tests.sandbox.server import Sandbox
from tests.work.post_office import PostOffice
from tests.work.returning import announce, delivered, newest, receive, units
from tests.work.shop import Shop, open_shop

pytestmark = pytest.mark.database
SENDER = "Kaffebutikken <shop@example.com>"
QUIETLY = WantedReturn(resolution="NONE")


@pytest_asyncio.fixture
async def office(tmp_path):
    opened = await PostOffice(tmp_path / "letters").open()
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def writing(pool: Pool, account: Account, office: PostOffice, sandbox: Sandbox):
    opened = await open_shop(pool, account, sandbox, post=Post(office.url, sender=SENDER))
    yield opened
    await opened.works.aclose()


async def want(shop: Shop, *kinds: str) -> None:
    """Let letters of some kinds go by themselves."""
    change = StoreChange(letters=list(kinds))  # type: ignore[arg-type]
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        await change_store(connection, shop.actor, "main", change)


async def kinds(shop: Shop, order_id: str) -> list[str]:
    return sorted(letter.kind for letter in (await shop.folder(order_id)).letters)


def body_of(mail) -> str:
    return str(mail.get_body(("plain",)).get_content())


async def test_goods_that_come_in_are_written_about_where_the_store_wants_it(
    writing: Shop, office: PostOffice
):
    order_id = await delivered(writing)
    await announce(writing, order_id, QUIETLY)
    back = await newest(writing, order_id)
    await receive(writing, back.id, await units(writing, order_id, 1))
    assert await kinds(writing, order_id) == [], "the store does not want it"
    await want(writing, "return_received")
    await receive(writing, back.id)
    assert await kinds(writing, order_id) == ["return_received"]
    await writing.worked()
    (mail,) = office.read()
    number = (await writing.folder(order_id)).order.number
    assert number in mail["Subject"]
    assert "1 × Mug" in body_of(mail), "what came in now, not what came before"


async def test_each_part_is_written_about_once_however_it_is_wanted(
    writing: Shop, office: PostOffice
):
    await want(writing, "return_received")
    order_id = await delivered(writing)
    asked = WantedReturn(resolution="NONE", notify_customer=True)
    await announce(writing, order_id, asked)
    assert await kinds(writing, order_id) == [], "nothing has come in"
    back = await newest(writing, order_id)
    for _ in range(2):
        await receive(writing, back.id, await units(writing, order_id, 1))
    await writing.worked()
    assert len(office.read()) == 2


async def test_whoever_asks_for_it_writes_where_the_store_would_not(
    writing: Shop, office: PostOffice
):
    order_id = await delivered(writing)
    asked = WantedReturn(resolution="NONE", notify_customer=True, received=True)
    await announce(writing, order_id, asked)
    await writing.worked()
    (mail,) = office.read()
    assert "2 × Mug" in body_of(mail)


async def test_the_refund_is_written_about_when_asked_and_once_it_is_through(
    writing: Shop, office: PostOffice, sandbox: Sandbox, clock: Clock
):
    order_id = await delivered(writing)
    sandbox.fault("5xx_after_effect", kind="refund")
    refund = ReturnRefund(reference=f"RMA-{order_id}", notify_customer=True)
    await announce(writing, order_id, WantedReturn(received=True, fee=200, refund=refund))
    await writing.worked()
    assert await kinds(writing, order_id) == [], "nobody knows yet"
    await clock.advance(6)
    await writing.worked()
    await writing.worked()
    assert await kinds(writing, order_id) == ["refunded"]
    (mail,) = office.read()
    assert "48.00 EUR" in body_of(mail)
    assert f"RMA-{order_id}" in body_of(mail)


async def test_a_refund_that_is_refused_or_not_asked_for_is_not_written_about(
    writing: Shop, office: PostOffice, sandbox: Sandbox
):
    order_id = await delivered(writing)
    sandbox.fault("decline", kind="refund")
    refund = ReturnRefund(notify_customer=True)
    await announce(writing, order_id, WantedReturn(received=True, refund=refund))
    await writing.worked()
    other = await delivered(writing)
    await announce(writing, other, WantedReturn(received=True))
    await writing.worked()
    assert [one.status for one in (await writing.folder(order_id)).refunds] == ["FAILED"]
    assert [one.status for one in (await writing.folder(other)).refunds] == ["COMPLETED"]
    assert office.read() == []


async def test_an_exchange_is_written_about_once_as_any_order_that_is_placed(
    writing: Shop, office: PostOffice
):
    order_id = await delivered(writing)
    await want(writing, "order_received")
    jug = [Replacement(name="Jug", quantity=1, unit_price=4000)]
    await announce(writing, order_id, WantedReturn(resolution="EXCHANGE", replacement=jug))
    back = await newest(writing, order_id)
    await receive(writing, back.id, key="in")
    await receive(writing, back.id, key="in")
    linked = (await newest(writing, order_id)).exchange_order_id
    assert linked is not None
    assert await kinds(writing, linked) == ["order_received"]
    await writing.worked()
    (mail,) = office.read()
    assert (await writing.folder(linked)).order.number in mail["Subject"]
    assert mail["To"] == "kari@example.com"
