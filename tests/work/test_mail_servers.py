"""An account's own mail server: sealed, guarded, tried, and gone back from. [H-10, M-1, M-2]"""

import asyncio
from functools import partial

import msgspec
import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from counterfoil.kernel.address import AddressRefused, find_host
from counterfoil.kernel.db import Pool
from counterfoil.kernel.problem import RateLimited, ValidationFailed
from counterfoil.kernel.secrets import CannotOpen, KeyRing
from counterfoil.mail.send import NotNow, Post, Server
from counterfoil.mail.texts import Text
from counterfoil.order.config import Account
from counterfoil.setup.mail_servers import (
    NewMailServer,
    find_mail_server,
    open_mail_server,
    remove_mail_server,
)
from counterfoil.setup.sealed import look_at_seals, seal_again
from counterfoil.work.mailing import (
    TESTS_MAX,
    keep_mail_server,
    post_of,
    send_test,
    try_mail_server,
)
from counterfoil.work.previewing import preview
from tests.db import Clock
from tests.work.post_office import PostOffice
from tests.work.shop import CANCEL, RING, Shop, open_shop

pytestmark = pytest.mark.database
PASSWORD = "CANARY-mail-1"


class Guarded(PostOffice):
    """A post office that whoever names themselves has to sign in at."""

    async def open(self) -> "Guarded":
        make = partial(SMTP, self, authenticator=self._judge, auth_require_tls=False,
                        enable_SMTPUTF8=True)
        self.server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
        return self

    def _judge(self, server, session, envelope, mechanism, auth_data) -> AuthResult:
        assert isinstance(auth_data, LoginPassword)
        ok = (auth_data.login, auth_data.password) == (b"shop", PASSWORD.encode())
        return AuthResult(success=ok, handled=False)


@pytest_asyncio.fixture
async def office(tmp_path):
    opened = await Guarded(tmp_path / "letters").open()
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def own(pool: Pool, account: Account):
    """A shop without a mail server of the installation, in a network of its own."""
    opened = await open_shop(pool, account, None)
    opened.works.mail_private = True
    yield opened
    await opened.works.aclose()


def wanted(office: PostOffice, **more: object) -> NewMailServer:
    assert office.server is not None
    usual = {
        "host": "127.0.0.1", "port": office.server.sockets[0].getsockname()[1],
        "security": "none", "username": "shop", "password": PASSWORD,
        "sender_name": 'Kaffe, "Te" & Co', "sender_address": "shop@example.com",
        "reply_to": "help@example.com",
    }
    return NewMailServer(**{**usual, **more})  # type: ignore[arg-type]


async def keep(shop: Shop, new: NewMailServer) -> None:
    async with shop.works.pool.connection(shop.actor.account_id) as connection:
        await keep_mail_server(shop.works, connection, shop.actor, new)


async def canceled(shop: Shop) -> str:
    order_id = await shop.order(5000, gateway="manual")
    await shop.run(CANCEL, order_id, notify_customer=True)
    return order_id


async def status(shop: Shop, order_id: str) -> str:
    return (await shop.folder(order_id)).letters[0].status


async def test_letters_wait_for_a_mail_server_and_leave_when_it_is_set(
    own: Shop, office: Guarded
):
    order_id = await canceled(own)
    await own.worked()
    assert await status(own, order_id) == "QUEUED"
    await keep(own, wanted(office))
    await own.worked()
    assert await status(own, order_id) == "SENT"
    (letter,) = office.read()
    assert [one.addr_spec for one in letter["From"].addresses] == ["shop@example.com"]
    assert letter["From"].addresses[0].display_name == 'Kaffe, "Te" & Co'
    assert letter["Reply-To"] == "help@example.com"


async def test_a_letter_without_a_mail_server_is_looked_at_ever_more_seldom(
    own: Shop, clock: Clock
):
    order_id = await canceled(own)
    looks = 0
    for _ in range(60):
        looks += await own.worked()
        await clock.advance(1200)
    assert 15 < looks < 40
    assert (await own.folder(order_id)).letters[0].tries == []


async def test_a_wrong_password_waits_and_is_told(own: Shop, office: Guarded, clock: Clock):
    await keep(own, wanted(office, password="wrong"))
    order_id = await canceled(own)
    await own.worked()
    letter = (await own.folder(order_id)).letters[0]
    assert letter.status == "QUEUED"
    assert "535" in (letter.error or "")
    await keep(own, wanted(office))
    await clock.advance(80)
    await own.worked()
    assert await status(own, order_id) == "SENT"


async def test_the_password_is_sealed_kept_and_never_told(own: Shop, office: Guarded):
    await keep(own, wanted(office))
    await keep(own, wanted(office, password=msgspec.UNSET, sender_name="Other"))
    async with own.works.pool.connection(own.actor.account_id) as connection:
        told = await find_mail_server(connection)
        assert told is not None
        assert (told.sender_name, told.has_password) == ("Other", True)
        rows = await connection.rows(
            "select type, data::text from audit_entry where type like 'mail%' order by id")
        assert [row["type"] for row in rows] == ["mail_server.set"] * 2
        assert PASSWORD not in str([dict(row) for row in rows]) + str(told)
        assert '"password_replaced": false' in rows[1]["data"]
        opened = await open_mail_server(connection, KeyRing(RING))
        assert opened is not None
        assert opened[1] == PASSWORD
        with pytest.raises(CannotOpen):
            await open_mail_server(connection, KeyRing([b"x" * 32]))
        new = KeyRing([b"n" * 32, *RING])
        assert (await look_at_seals(connection, new)).older == 1
        assert (await seal_again(connection, own.actor, new, follow=lambda _: None)).done == 1
        opened = await open_mail_server(connection, KeyRing([b"n" * 32]))
        assert opened is not None
        assert opened[1] == PASSWORD
    await keep(own, wanted(office, username=None, password=None))
    async with own.works.pool.connection(own.actor.account_id) as connection:
        opened = await open_mail_server(connection, KeyRing(RING))
        assert opened is not None
        assert opened[1] is None
        assert await remove_mail_server(connection, own.actor)
        assert not await remove_mail_server(connection, own.actor)
        assert await post_of(own.works, connection) is None


async def test_a_password_that_cannot_be_opened_loses_no_letter(own: Shop, office: Guarded):
    await keep(own, wanted(office))
    own.works.ring = KeyRing([b"x" * 32])
    order_id = await canceled(own)
    await own.worked()
    assert await status(own, order_id) == "QUEUED"
    async with own.works.pool.connection(own.actor.account_id) as connection:
        told = await try_mail_server(own.works, connection, own.actor)
    assert not told.ok
    assert "cannot be opened" in told.message


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"host": "127.0.0.1\r\nx"}, "/host"), ({"host": ""}, "/host"), ({"host": "-"}, "/host"),
        ({"host": "a b"}, "/host"), ({"port": 0}, "/port"), ({"port": 70000}, "/port"),
        ({"sender_address": "a@b, c@d"}, "/sender_address"), ({"sender_address": "x"},
         "/sender_address"), ({"sender_address": "a@b\r\nBcc: c@d"}, "/sender_address"),
        ({"sender_name": "a\r\nBcc: x@y"}, "/sender_name"), ({"reply_to": "x"}, "/reply_to"),
        ({"username": "a\nb"}, "/username"),
    ],
)
async def test_what_cannot_be_a_mail_server_is_refused_by_field(
    own: Shop, office: Guarded, more: dict[str, object], pointer: str
):
    with pytest.raises(ValidationFailed) as refused:
        await keep(own, wanted(office, **more))
    assert refused.value.errors[0]["pointer"] == pointer


# ------------------------------------------------------------------------------------ the network


@pytest.mark.parametrize("more", [{"port": 5432}, {"port": 587, "security": "none"}])
async def test_only_mail_ports_and_only_with_tls(
    own: Shop, office: Guarded, more: dict[str, object]
):
    own.works.mail_private = False
    with pytest.raises(ValidationFailed):
        await keep(own, wanted(office, **{"security": "starttls", **more}))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1",
     "mail.local", "64:ff9b::7f00:1", "100.64.0.1", "mail", "2130706433", "0x7f.1"],
)
async def test_a_private_network_is_not_called_for_a_stranger(host: str):
    post = Post(Server(host, 25, "starttls"), sender="shop@example.com")
    with pytest.raises(NotNow, match="public"):
        await post.test(deadline_s=2)


async def test_a_name_that_leads_inside_is_not_called():
    async def inside(host: str, port: int) -> list[str]:
        return ["203.0.114.1", "10.0.0.1"]

    async def outside(host: str, port: int) -> list[str]:
        return ["203.0.114.1"]

    with pytest.raises(AddressRefused):
        await find_host("mail.example.com", 25, find=inside)
    assert await find_host("mail.example.com", 25, find=outside) == ["203.0.114.1"]
    assert await find_host("mail.example.com", 25, private=True, find=inside)


async def test_without_tls_only_this_machine(own: Shop):
    post = Post(Server("10.255.255.1", 25, "none", private=True), sender="shop@example.com")
    with pytest.raises(NotNow, match="this machine"):
        await post.test(deadline_s=2)


async def test_where_tls_is_wanted_nothing_leaves_without(own: Shop, office: Guarded):
    await keep(own, wanted(office, security="starttls"))
    order_id = await canceled(own)
    await own.worked()
    letter = (await own.folder(order_id)).letters[0]
    assert letter.status == "QUEUED"
    assert "STARTTLS" in (letter.error or "")
    assert office.read() == []


# ------------------------------------------------------------------------------------------ tests


async def test_a_mail_server_is_tried_and_a_letter_sent_to_oneself(own: Shop, office: Guarded):
    async with own.works.pool.connection(own.actor.account_id) as connection:
        nothing = await try_mail_server(own.works, connection, own.actor)
        assert (nothing.ok, nothing.message) == (False, "No mail server is set up.")
        await keep_mail_server(own.works, connection, own.actor, wanted(office))
        told = await try_mail_server(own.works, connection, own.actor)
        assert told.ok, told.message
        text = Text(subject="Hello {{ name }}", body="<p>{{ number }}</p>")
        written = await preview(connection, own.actor, text, ("main", "canceled", "en"))
        sent = await send_test(own.works, connection, own.actor, written, "anna@example.com")
        assert sent.ok, sent.message
        (letter,) = office.read()
        assert letter["Subject"] == "[Test] Hello Kari Nordmann"
        assert letter["To"] == "anna@example.com"
        office.to_recipient.append("550 No")
        sent = await send_test(own.works, connection, own.actor, written, "anna@example.com")
        assert (sent.ok, sent.message[:3]) == (False, "550")
        for _ in range(TESTS_MAX - 4):
            await try_mail_server(own.works, connection, own.actor)
        with pytest.raises(RateLimited):
            await send_test(own.works, connection, own.actor, written, "anna@example.com")
        with pytest.raises(RateLimited):
            await try_mail_server(own.works, connection, own.actor)
