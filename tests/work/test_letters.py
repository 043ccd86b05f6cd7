"""Letters against a real mail server that says yes, not now, never, or nothing. [M-1…M-3]"""

import msgspec
import pytest
import pytest_asyncio

from counterfoil.kernel.db import Pool
from counterfoil.mail.compose import Envelope, NoSuchAddress, address_of, compose, one_line, write
from counterfoil.mail.send import Post, WrongPost
from counterfoil.order.config import Account
from tests.db import Clock
from tests.work.post_office import HANG, HANG_AFTER, PostOffice
from tests.work.shop import CANCEL, CAPTURE, REFUND, Shop, open_shop

pytestmark = pytest.mark.database
SENDER = "Kaffebutikken <shop@example.com>"


@pytest_asyncio.fixture
async def office(tmp_path):
    opened = await PostOffice(tmp_path / "letters").open()
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def writing(pool: Pool, account: Account, office: PostOffice):
    """A shop whose letters go to the office; its gateway is manual."""
    opened = await open_shop(pool, account, None, post=Post(office.url, sender=SENDER))
    yield opened
    await opened.works.aclose()


async def canceled(shop: Shop, **more: object) -> str:
    order_id = await shop.order(5000, gateway="manual")
    await shop.run(CAPTURE, order_id, amount=2000)
    await shop.run(CANCEL, order_id, notify_customer=True, **more)
    return order_id


async def facts(shop: Shop, order_id: str) -> list[str]:
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        rows = await connection.rows(
            "select type from facts where account_id = $1 and order_id = $2 order by sequence",
            connection.account, order_id,
        )
    return [row["type"] for row in rows if row["type"].startswith("letter.")]


async def test_a_cancellation_is_written_about(writing: Shop, office: PostOffice):
    order_id = await canceled(writing, reason="<b>Sold out</b>")
    assert await writing.worked() == 1
    (letter,) = office.read()
    folder = await writing.folder(order_id)
    assert office.recipients == ["kari@example.com"]
    assert letter["To"] == "kari@example.com"
    assert letter["From"] == SENDER
    assert letter["Subject"] == f"Your order {folder.order.number} from Test was cancelled"
    assert letter["Message-ID"] == folder.letters[0].message_id
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"].datetime.utcoffset() is not None
    text = letter.get_body(("plain",)).get_content()
    page = letter.get_body(("html",)).get_content()
    assert "20.00 EUR" in text
    assert "30.00 EUR" in text
    assert "Reason: <b>Sold out</b>" in text
    assert "<b>Sold out</b>" not in page
    assert "&lt;b&gt;Sold out" in page
    assert "1 × Mug  50.00 EUR" in text
    sent = folder.letters[0]
    assert (sent.status, sent.subject, sent.due_at) == ("SENT", letter["Subject"], None)
    assert sent.sent_at is not None
    assert await facts(writing, order_id) == ["letter.sent"]
    assert await writing.worked() == 0


async def test_a_refund_is_written_about_where_that_was_asked_for(
    writing: Shop, office: PostOffice
):
    order_id = await writing.order(5000, gateway="manual", flow="payment")
    await writing.run(REFUND, order_id, amount=700)
    await writing.run(REFUND, order_id, amount=500, reference="R-77", notify_customer=True)
    await writing.worked()
    (letter,) = office.read()
    text = letter.get_body(("plain",)).get_content()
    assert "5.00 EUR" in text
    assert "R-77" in text


@pytest.mark.parametrize("answer", ["451 4.7.1 Greylisted", "421 Busy", HANG])
async def test_not_now_is_tried_again(
    writing: Shop, office: PostOffice, clock: Clock, answer: str
):
    order_id = await canceled(writing)
    (office.to_letter if answer != "421 Busy" else office.to_recipient).append(answer)
    assert await writing.worked() == 1
    letter = (await writing.folder(order_id)).letters[0]
    assert letter.status == "QUEUED"
    assert letter.error is not None
    assert answer[:3] in letter.error or "in time" in letter.error
    assert await writing.worked() == 0
    await clock.advance(80)
    assert await writing.worked() == 1
    assert len(office.read()) == 1
    letter = (await writing.folder(order_id)).letters[0]
    assert (letter.status, letter.error) == ("SENT", None)


async def test_silence_after_the_letter_costs_one_repeat_that_can_be_recognised(
    writing: Shop, office: PostOffice, clock: Clock
):
    await canceled(writing)
    office.to_letter.append(HANG_AFTER)
    await writing.worked()
    await clock.advance(80)
    await writing.worked()
    first, second = office.read()
    assert first["Message-ID"] == second["Message-ID"]


@pytest.mark.parametrize("stage", ["to_recipient", "to_letter"])
async def test_never_is_final(writing: Shop, office: PostOffice, clock: Clock, stage: str):
    order_id = await canceled(writing)
    getattr(office, stage).append("550 5.1.1 No such mailbox")
    await writing.worked()
    letter = (await writing.folder(order_id)).letters[0]
    assert (letter.status, letter.due_at) == ("FAILED", None)
    assert letter.error is not None
    assert "550" in letter.error
    assert await facts(writing, order_id) == ["letter.failed"]
    await clock.advance(3600)
    assert await writing.worked() == 0


async def test_after_a_day_it_is_given_up(writing: Shop, office: PostOffice, clock: Clock):
    order_id = await canceled(writing)
    tries = 0
    while (await writing.folder(order_id)).letters[0].status == "QUEUED":
        office.to_letter.append("451 Later")
        tries += await writing.worked()
        await clock.advance(4500)
    assert 15 < tries < 40
    letter = (await writing.folder(order_id)).letters[0]
    assert letter.error is not None
    assert letter.error.startswith("Given up after a day")
    assert office.read() == []


async def test_without_a_mail_server_letters_wait(pool: Pool, account: Account):
    shop = await open_shop(pool, account, None)
    order_id = await canceled(shop)
    assert await shop.worked() == 1
    letter = (await shop.folder(order_id)).letters[0]
    assert (letter.status, letter.tries) == ("QUEUED", [])
    assert await shop.worked() == 0
    await shop.works.aclose()


async def test_a_mail_server_that_is_away_is_waited_for(
    writing: Shop, office: PostOffice, clock: Clock
):
    order_id = await canceled(writing)
    await office.close()
    assert await writing.worked() == 1
    assert (await writing.folder(order_id)).letters[0].status == "QUEUED"


# ----------------------------------------------------------------------------------- what it reads


@pytest.mark.parametrize(
    "text",
    ["", "kari", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example", "<a@b.example>",
     "Kari <a@b.example>", "a b@c.example", "a@b@c.example", "a@b..example", "a@" + "x" * 300,
     "a@b.example;c@d.example", "\x00a@b.example", "@b.example", "a@"],
)
def test_what_is_not_one_address_is_refused(text: str):
    with pytest.raises(NoSuchAddress):
        address_of(text)


def test_a_domain_of_another_script_is_written_in_ascii():
    assert address_of("kari@bücher.example").addr_spec == "kari@xn--bcher-kva.example"


async def test_no_name_starts_a_header_of_its_own(writing: Shop, office: PostOffice, owner):
    evil = "Shop\r\nBcc: everybody@example.com\r\n\r\n<script>"
    await owner.execute("update stores set name = $1", evil)
    order_id = await canceled(writing, reason="x\r\n.\r\nMAIL FROM:<a@b.example>")
    await writing.worked()
    (letter,) = office.read()
    assert letter["Bcc"] is None
    assert office.recipients == ["kari@example.com"]
    assert "everybody@example.com" in letter["Subject"], "as text, on one line"
    assert (await writing.folder(order_id)).letters[0].status == "SENT"


async def test_an_address_that_is_none_fails_at_once(writing: Shop, office: PostOffice, owner):
    order_id = await canceled(writing)
    await owner.execute("update letters set recipient = 'a@b.example, c@d.example'")
    await writing.worked()
    assert (await writing.folder(order_id)).letters[0].status == "FAILED"
    assert office.recipients == []


async def test_names_of_any_script_arrive(writing: Shop, office: PostOffice, owner):
    await owner.execute("update stores set name = $1", "北京商店 – Kaffe & Kræmmer")
    order_id = await canceled(writing)
    await writing.worked()
    (letter,) = office.read()
    assert "北京商店 – Kaffe & Kræmmer" in letter["Subject"]
    folder = await writing.folder(order_id)
    written = write(folder.letters[0], folder)
    envelope = Envelope(message_id="<1@x>", recipient="kari@example.com", sender=SENDER)
    message = compose(envelope, written, at=folder.at)
    assert all(byte < 128 for byte in message.as_bytes()), "any server takes it"


async def test_amounts_are_written_as_their_currency_counts(writing: Shop):
    order_id = await canceled(writing)
    folder = await writing.folder(order_id)
    for currency, text in (("JPY", "2000 JPY"), ("KWD", "2.000 KWD")):
        order = msgspec.structs.replace(folder.order, currency=currency)
        told = write(folder.letters[0], msgspec.structs.replace(folder, order=order))
        assert text in told.text


def test_one_line_leaves_text_alone():
    assert one_line("Åse \t Ø\u202e\r\nX") == "Åse Ø X"


@pytest.mark.parametrize("url", ["localhost:25", "http://x", "smtp://", "smtp://x:port"])
def test_a_wrong_address_of_the_mail_server_is_named(url: str):
    with pytest.raises(WrongPost, match="COUNTERFOIL_SMTP_URL"):
        Post(url, sender=SENDER)
