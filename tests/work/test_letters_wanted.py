"""Letters that go by themselves, once for each fact, where the store wants them. [U-31, M-2]"""

import pytest
import pytest_asyncio

from counterfoil.actions.letter import resend_letter
from counterfoil.actions.move_shipment import send_shipment
from counterfoil.actions.ship import WantedShipment, ship
from counterfoil.book.placing import Placing
from counterfoil.book.run import Command
from counterfoil.kernel.db import Pool, counter
from counterfoil.mail.send import Post
from counterfoil.mail.texts import Text
from counterfoil.order.config import Account
from counterfoil.order.intake import Person, WantedItem, WantedOrder
from counterfoil.order.letter import Letter, language_of
from counterfoil.order.problems import InvalidState
from counterfoil.order.shipment import ShipmentItem
from counterfoil.setup.letter_templates import save_own_text
from counterfoil.setup.stores import StoreChange, change_store
from counterfoil.setup.suppressed import find_suppressed
from counterfoil.work.resending import AddressSuppressed, clear_address
from tests.db import Clock
from tests.work.post_office import PostOffice
from tests.work.shop import CANCEL, Shop, open_shop

pytestmark = pytest.mark.database
SENDER = "Kaffebutikken <shop@example.com>"
ITEMS = [
    WantedItem(sku="MUG", name="Mug", quantity=2, unit_price=1250),
    WantedItem(sku="TEE", name="T-shirt", quantity=1, unit_price=2000),
]


@pytest_asyncio.fixture
async def office(tmp_path):
    opened = await PostOffice(tmp_path / "letters").open()
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def writing(pool: Pool, account: Account, office: PostOffice):
    opened = await open_shop(pool, account, None, post=Post(office.url, sender=SENDER))
    yield opened
    await opened.works.aclose()


async def want(shop: Shop, *kinds: str, **more: str) -> None:
    """Let letters of some kinds go by themselves."""
    change = StoreChange(letters=list(kinds), **more)  # type: ignore[arg-type]
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        await change_store(connection, shop.actor, "main", change)


async def place(shop: Shop, *, instant: bool = False, is_test: bool = False, **who: str) -> str:
    asked = shop.works.asked(shop.actor)
    if instant:
        asked = type(asked)(actor=shop.actor, source="import", instant=True)
    person = {"email": "kari@example.com", "first_name": "Kari", **who}
    wanted = WantedOrder(
        currency="EUR", customer=Person(**person), items=ITEMS, is_test=is_test,
    )
    ran = await shop.placer.place(
        Placing(asked=asked, wanted=wanted, channel="api", fingerprint="-",
                key=shop.key(None, "place"))
    )
    assert ran.change is not None
    return str(ran.change.after.order.id)


async def letters(shop: Shop, order_id: str) -> list[Letter]:
    return sorted((await shop.folder(order_id)).letters, key=lambda one: one.id)


async def parcel(shop: Shop, order_id: str, *, tracking: str | None = None, **what: object) -> str:
    bag = (await shop.folder(order_id)).bags[0].id
    wanted = WantedShipment(tracking_number=tracking, **what)  # type: ignore[arg-type]
    ran = await shop.works.book.run(
        Command(order_id=order_id, actor=shop.actor, key=shop.key(None, "ship")), ship,
        asked=shop.works.asked(shop.actor), bag_id=bag, wanted=wanted,
    )
    assert ran.change is not None
    return str(ran.change.result.id)


async def send(shop: Shop, order_id: str, shipment_id: str) -> None:
    await shop.works.book.run(
        Command(order_id=order_id, actor=shop.actor, key=shop.key(None, shipment_id)),
        send_shipment, asked=shop.works.asked(shop.actor), shipment_id=shipment_id,
    )


async def test_nobody_is_written_to_where_the_store_does_not_want_it(writing: Shop):
    order_id = await place(writing)
    await send(writing, order_id, await parcel(writing, order_id))
    assert await letters(writing, order_id) == []


async def test_an_order_that_came_in_is_written_about(writing: Shop, office: PostOffice):
    await want(writing, "order_received")
    before = counter.statements
    order_id = await place(writing)
    assert counter.statements - before <= 3, "the letter is a row of the change"
    await writing.worked()
    (letter,) = office.read()
    number = (await writing.folder(order_id)).order.number
    assert letter["Subject"] == f"We have received your order {number} from Test"
    text = letter.get_body(("plain",)).get_content()
    assert "2 × Mug  25.00 EUR" in text
    assert "Total  45.00 EUR" in text
    (kept,) = await letters(writing, order_id)
    assert (kept.kind, kept.status) == ("order_received", "SENT")
    assert kept.text == text.replace("\r\n", "\n")
    assert [one.outcome for one in kept.tries] == ["sent"]


@pytest.mark.parametrize("how", [{"instant": True}, {"is_test": True}])
async def test_the_past_and_tests_are_not_written_about(writing: Shop, how: dict[str, bool]):
    await want(writing, "order_received", "shipped")
    order_id = await place(writing, **how)
    await send(writing, order_id, await parcel(writing, order_id))
    expected = 0 if "is_test" in how else 1
    assert len(await letters(writing, order_id)) == expected, "what is done today is no past"


async def test_each_parcel_is_written_about_once(writing: Shop, office: PostOffice):
    await want(writing, "shipped")
    order_id = await place(writing)
    mug = (await writing.folder(order_id)).items[0].id
    one = await parcel(writing, order_id, tracking="PN-1", carrier="Posten",
                       items=[ShipmentItem(mug, 1)])
    await send(writing, order_id, one)
    await writing.worked()
    await send(writing, order_id, await parcel(writing, order_id))
    await writing.worked()
    first, second = (mail.get_body(("plain",)).get_content() for mail in office.read())
    assert "1 × Mug" in first
    assert "T-shirt" not in first
    assert "with Posten" in first
    assert "PN-1" in first
    assert "The rest of your order" in first
    assert "1 × Mug" in second
    assert "1 × T-shirt" in second
    assert "The rest of your order" not in second


async def test_a_letter_speaks_the_customers_language_or_the_stores(
    writing: Shop, office: PostOffice
):
    await want(writing, "order_received", language="nb")
    for language in ("nn-NO", "en-GB", "de"):
        await place(writing, language=language)
    await place(writing)
    await writing.worked()
    subjects = sorted(str(mail["Subject"])[:8] for mail in office.read())
    assert subjects == ["Vi har m", "Vi har m", "Vi har m", "We have "]


@pytest.mark.parametrize(
    ("customer", "store", "language"),
    [({}, "en", "en"), ({"language": "no"}, "en", "nb"), ({"language": "nb_NO"}, "en", "nb"),
     ({"language": "fr"}, "nb", "nb"), ({"language": None}, "xx", "en"),
     ({"language": "EN-us"}, "nb", "en")],
)
def test_the_language_is_one_that_letters_are_written_in(customer, store, language):
    assert language_of(customer, store) == language


async def test_a_stores_own_text_is_used_and_one_that_breaks_costs_no_letter(
    writing: Shop, office: PostOffice
):
    await want(writing, "order_received")
    text = Text(subject="Hei {{ first_name }}", body="<p>Ordre {{ number }} &amp; takk</p>")
    async with writing.works.pool.connection(writing.actor.account_id) as connection:
        place_ = ("main", "order_received", "en")
        await save_own_text(connection, writing.actor, place_, (text.subject, text.body), 0)
        await place(writing)
        await writing.worked()
        await save_own_text(connection, writing.actor, place_, ("x", "{{ gone }}"), None)
        await place(writing)
        await writing.worked()
    own, usual = office.read()
    assert own["Subject"] == "Hei Kari"
    assert "& takk" in own.get_body(("plain",)).get_content()
    assert str(usual["Subject"]).startswith("We have received")


# ----------------------------------------------------------------------------------------- bounces


async def canceled(shop: Shop) -> str:
    order_id = await shop.order(5000, gateway="manual")
    await shop.run(CANCEL, order_id, notify_customer=True)
    return order_id


async def resent(shop: Shop, order_id: str, letter_id: str, to: str | None = None) -> Letter:
    ran = await shop.works.book.run(
        Command(order_id=order_id, actor=shop.actor, key=shop.key(None, "resend")),
        resend_letter, asked=shop.works.asked(shop.actor), letter_id=letter_id, recipient=to,
    )
    assert ran.change is not None
    again: Letter = ran.change.result
    return again


async def suppressed(shop: Shop, address: str = "kari@example.com") -> bool:
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        return await find_suppressed(connection, address) is not None


@pytest.mark.parametrize(
    ("stage", "answer", "bounces"),
    [
        ("to_recipient", "550 5.1.1 No such mailbox", True),
        ("to_recipient", "553 no such user", True),
        ("to_recipient", "550 5.2.1 Mailbox disabled", True),
        ("to_recipient", "554 5.7.1 Relay access denied", False),
        ("to_letter", "554 5.7.1 Looks like spam", False),
        ("to_letter", "552 5.3.4 Too large", False),
        ("to_letter", "550 5.1.1 No such mailbox", True),
    ],
)
async def test_a_mailbox_that_is_not_there_gets_no_more(
    writing: Shop, office: PostOffice, stage: str, answer: str, bounces: bool
):
    order_id = await canceled(writing)
    getattr(office, stage).append(answer)
    await writing.worked()
    (letter,) = await letters(writing, order_id)
    assert letter.status == "FAILED"
    assert letter.tries[-1].outcome == ("bounced" if bounces else "failed")
    assert await suppressed(writing) == bounces
    assert await suppressed(writing, "KARI@example.com") == bounces
    second = await canceled(writing)
    await writing.worked()
    (later,) = await letters(writing, second)
    assert later.status == ("FAILED" if bounces else "SENT")
    assert len(office.recipients) == (0 if bounces else 1)


async def test_sending_again_needs_a_word_where_the_address_bounced(
    writing: Shop, office: PostOffice
):
    order_id = await canceled(writing)
    office.to_recipient.append("550 5.1.1 No such mailbox")
    await writing.worked()
    (first,) = await letters(writing, order_id)
    async with writing.works.pool.connection(writing.actor.account_id) as connection:
        with pytest.raises(AddressSuppressed, match=r"5\.1\.1"):
            await clear_address(connection, writing.actor, "Kari@example.com", confirmed=False)
        await clear_address(connection, writing.actor, "other@example.com", confirmed=False)
        await clear_address(connection, writing.actor, "kari@example.com", confirmed=True)
    assert not await suppressed(writing)
    again = await resent(writing, order_id, first.id)
    assert again.repeats_id == first.id
    assert again.message_id != first.message_id
    with pytest.raises(InvalidState):
        await resent(writing, order_id, again.id)
    await writing.worked()
    (mail,) = office.read()
    assert mail["Message-ID"] == again.message_id
    assert [one.status for one in await letters(writing, order_id)] == ["FAILED", "SENT"]


async def test_a_letter_is_sent_again_to_another_address(writing: Shop, office: PostOffice):
    order_id = await canceled(writing)
    await writing.worked()
    (first,) = await letters(writing, order_id)
    await resent(writing, order_id, first.id, "new@example.com")
    await writing.worked()
    assert office.recipients == ["kari@example.com", "new@example.com"]


async def test_every_try_is_in_the_log(writing: Shop, office: PostOffice, clock: Clock):
    order_id = await canceled(writing)
    office.to_letter += ["451 4.7.1 Greylisted", "451 Later"]
    for _ in range(3):
        await writing.worked()
        await clock.advance(400)
    (letter,) = await letters(writing, order_id)
    assert [(one.outcome, one.said[:3]) for one in letter.tries] == [
        ("later", "451"), ("later", "451"), ("sent", ""),
    ]
