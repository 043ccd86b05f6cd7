"""Hand a message to the mail server, and sort what it says: taken, not now, or never.

Only what the server says about this recipient or this message is for good. A refused sender or
password, a silence, a broken connection: the letter waits. [faults M-1, M-2]
"""

import asyncio
import re
import socket
from contextlib import suppress
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

import aiosmtplib
import msgspec

from counterfoil.kernel.address import AddressRefused, find_host, is_loopback
from counterfoil.kernel.guard import assert_no_transaction
from counterfoil.order.mail_server import PORTS, MailServer
from counterfoil.settings import WrongSetting

_SCHEMES = {"smtp": "offered", "smtps": "tls", "smtp+starttls": "starttls"}
_PORTS = {"offered": 25, "tls": 465, "starttls": 587}
_START_TLS = {"offered": None, "tls": False, "starttls": True, "none": False}
_FOR_GOOD = 500
_ERROR_MAX = 500
_QUIT_S = 1
#: Codes that speak of the mailbox where no enhanced code says more. [RFC 5321 4.2.3, RFC 3463]
_OF_MAILBOX = (550, 551, 553)
_ENHANCED = re.compile(r"\b5\.(\d{1,3})\.\d{1,3}\b")


class WrongPost(WrongSetting):
    """The address of the mail server or the sender cannot be used; the message says why."""


class NotNow(Exception):
    """The letter was not taken, as far as we know; try again later."""


class Never(Exception):
    """The server refuses this letter for good; `bounced` says that it is the mailbox's fault."""

    def __init__(self, said: str, *, bounced: bool = False) -> None:
        super().__init__(said)
        self.bounced = bounced


class Server(msgspec.Struct, frozen=True):
    """How a mail server is reached. `trusted`: whoever runs the installation named it."""

    host: str
    port: int
    security: str
    username: str | None = None
    password: str | None = None
    trusted: bool = False
    private: bool = False


class Post:
    """The mail server that letters go to, and whom they come from.

    `url` is `smtp://host:port` (TLS where the server offers it), `smtp+starttls://…` (TLS or
    nothing) or `smtps://…` (TLS from the start), with `user:password@` where it wants that.
    Raises WrongPost.
    """

    def __init__(
        self, url: str | Server, *, sender: str, reply_to: str | None = None
    ) -> None:
        self.sender = sender
        self.reply_to = reply_to
        self._server = url if isinstance(url, Server) else _read_url(url)
        if "@" not in parseaddr(sender)[1]:
            raise WrongPost(
                "COUNTERFOIL_MAIL_FROM must be an address, such as Shop <shop@example.com>."
            )

    @classmethod
    def of(cls, server: MailServer, password: str | None, *, private: bool) -> "Post":
        """Make the post of an account's own server; `private` allows networks of our own."""
        reached = Server(
            server.host, server.port, server.security, server.username, password, private=private
        )
        return cls(reached, sender=server.sender, reply_to=server.reply_to)

    @property
    def where(self) -> str:
        """Tell host and port, for people."""
        return f"{self._server.host}:{self._server.port}"

    async def send(self, message: EmailMessage, *, deadline_s: float) -> None:
        """Hand one message over to its one recipient. Raises NotNow, Never.

        When it returns, the server has taken it; when it raises NotNow, it may have.
        """
        assert_no_transaction()
        sender = str(message["From"].addresses[0].addr_spec)
        recipient = str(message["To"].addresses[0].addr_spec)
        client: aiosmtplib.SMTP | None = None
        try:
            async with asyncio.timeout(deadline_s):
                client = await self._client(deadline_s)
                await _connect_to(client)
                await client.send_message(message, sender=sender, recipients=[recipient])
        except aiosmtplib.SMTPRecipientsRefused as refused:
            raise _judge(refused.recipients[0]) from refused
        except aiosmtplib.SMTPDataError as refused:
            raise _judge(refused) from refused
        except aiosmtplib.SMTPNotSupported as refused:
            raise Never(_shown(refused)) from refused
        except (aiosmtplib.SMTPException, AddressRefused, OSError) as failure:
            raise NotNow(_shown(failure)) from failure
        else:
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await client.quit(timeout=_QUIT_S)
        finally:
            if client is not None:
                client.close()

    async def test(self, *, deadline_s: float = 10) -> None:
        """Connect, sign in and leave. Raises NotNow."""
        client: aiosmtplib.SMTP | None = None
        try:
            async with asyncio.timeout(deadline_s):
                client = await self._client(deadline_s)
                await client.connect()
                await client.quit()
        except (aiosmtplib.SMTPException, AddressRefused, OSError) as failure:
            raise NotNow(_shown(failure)) from failure
        finally:
            if client is not None:
                client.close()

    async def _client(self, deadline_s: float) -> aiosmtplib.SMTP:
        """Make the client; of an address that a user typed, the connection is made here.

        So it goes to the address that was checked, whatever the name leads to a moment later.
        Raises AddressRefused, OSError.
        """
        server = self._server
        reach: dict[str, Any] = {"hostname": server.host, "port": server.port}
        if not server.trusted:
            check_port(server.port, private=server.private)
            found = await find_host(server.host, server.port, private=server.private)
            if server.security == "none" and not all(is_loopback(one) for one in found):
                raise AddressRefused("Without TLS letters only go to a server on this machine.")
            reach = {"hostname": server.host, "sock": await _connect(found, server.port)}
        return aiosmtplib.SMTP(
            **reach,
            username=server.username,
            password=server.password,
            use_tls=server.security == "tls",
            start_tls=_START_TLS[server.security],
            timeout=deadline_s,
        )


def check_port(port: int, *, private: bool) -> None:
    """Refuse a port that no mail server has. Raises AddressRefused."""
    if not private and port not in PORTS:
        raise AddressRefused(f"The port is one of {', '.join(map(str, PORTS))}.")


async def _connect(addresses: list[str], port: int) -> socket.socket:
    """Open a connection to the first address that takes one. Raises OSError."""
    loop = asyncio.get_running_loop()
    failed: OSError = OSError("the name has no address")
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setblocking(False)
        try:
            await loop.sock_connect(made, (address, port))
        except OSError as failure:
            made.close()
            failed = failure
        except BaseException:
            made.close()
            raise
        else:
            return made
    raise failed


async def _connect_to(client: aiosmtplib.SMTP) -> None:
    """Greet, begin TLS and sign in. Raises NotNow: what the server lacks now says nothing for good.

    Silence and broken connections are raised as they are.
    """
    try:
        await client.connect()
    except aiosmtplib.SMTPNotSupported as lacking:
        raise NotNow(_shown(lacking)) from lacking


def _read_url(url: str) -> Server:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as wrong:
        raise WrongPost("The port of COUNTERFOIL_SMTP_URL is not a number.") from wrong
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise WrongPost("COUNTERFOIL_SMTP_URL is smtp://, smtps:// or smtp+starttls:// and a host.")
    security = _SCHEMES[parts.scheme]
    return Server(
        host=parts.hostname,
        port=port or _PORTS[security],
        security=security,
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        trusted=True,
    )


def _judge(refused: aiosmtplib.SMTPResponseException) -> NotNow | Never:
    """Sort a refusal of this recipient or this letter.

    A mailbox that is not there bounces. A policy (5.7), a letter that is too large (5.3) or cannot
    be carried (5.6) says nothing about the mailbox: the next letter may reach it.
    """
    text = f"{refused.code} {refused.message}"[:_ERROR_MAX]
    if refused.code < _FOR_GOOD:
        return NotNow(text)
    enhanced = _ENHANCED.search(refused.message)
    of_mailbox = enhanced[1] in ("1", "2") if enhanced else refused.code in _OF_MAILBOX
    return Never(text, bounced=of_mailbox)


def _shown(failure: BaseException) -> str:
    text = "The mail server did not answer in time." if isinstance(failure, TimeoutError) else ""
    said = text or str(failure).replace(" on port None", "") or type(failure).__name__
    return said[:_ERROR_MAX]
