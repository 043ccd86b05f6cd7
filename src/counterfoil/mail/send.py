"""Hand a message to the mail server, and sort what it says: taken, not now, or never.

Only what the server says about this recipient or this message is for good. A refused sender or
password, a silence, a broken connection: the letter waits. [faults M-1, M-2]
"""

import asyncio
from contextlib import suppress
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

import aiosmtplib
import msgspec

from counterfoil.kernel.guard import assert_no_transaction
from counterfoil.settings import WrongSetting

_SCHEMES = ("smtp", "smtps", "smtp+starttls")
_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
_FOR_GOOD = 500
_ERROR_MAX = 500
_QUIT_S = 1


class WrongPost(WrongSetting):
    """The address of the mail server or the sender cannot be used; the message says why."""


class NotNow(Exception):
    """The letter was not taken, as far as we know; try again later."""


class Never(Exception):
    """The server refuses this letter for good."""


class _Server(msgspec.Struct, frozen=True):
    host: str
    port: int
    scheme: str
    username: str | None
    password: str | None


class Post:
    """The mail server that letters go to, and whom they come from.

    `url` is `smtp://host:port` (TLS where the server offers it), `smtp+starttls://…` (TLS or
    nothing) or `smtps://…` (TLS from the start), with `user:password@` where it wants that.
    Raises WrongPost.
    """

    def __init__(self, url: str, *, sender: str) -> None:
        self.sender = sender
        self._server = _read_url(url)
        if "@" not in parseaddr(sender)[1]:
            raise WrongPost(
                "COUNTERFOIL_MAIL_FROM must be an address, such as Shop <shop@example.com>."
            )

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
        client = self._client(deadline_s)
        try:
            async with asyncio.timeout(deadline_s):
                await client.connect()
                await client.send_message(message, sender=sender, recipients=[recipient])
        except aiosmtplib.SMTPRecipientsRefused as refused:
            raise _judge(refused.recipients[0]) from refused
        except aiosmtplib.SMTPDataError as refused:
            raise _judge(refused) from refused
        except aiosmtplib.SMTPNotSupported as refused:
            raise Never(_shown(refused)) from refused
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as failure:
            raise NotNow(_shown(failure)) from failure
        else:
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await client.quit(timeout=_QUIT_S)
        finally:
            client.close()

    async def test(self, *, deadline_s: float = 10) -> None:
        """Connect, sign in and leave. Raises NotNow."""
        client = self._client(deadline_s)
        try:
            async with asyncio.timeout(deadline_s):
                await client.connect()
                await client.quit()
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as failure:
            raise NotNow(_shown(failure)) from failure
        finally:
            client.close()

    def _client(self, deadline_s: float) -> aiosmtplib.SMTP:
        server = self._server
        start_tls = {"smtp": None, "smtps": False, "smtp+starttls": True}[server.scheme]
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.scheme == "smtps",
            start_tls=start_tls,
            timeout=deadline_s,
        )


def _read_url(url: str) -> _Server:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as wrong:
        raise WrongPost("The port of COUNTERFOIL_SMTP_URL is not a number.") from wrong
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise WrongPost("COUNTERFOIL_SMTP_URL is smtp://, smtps:// or smtp+starttls:// and a host.")
    return _Server(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        scheme=parts.scheme,
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


def _judge(refused: aiosmtplib.SMTPResponseException) -> NotNow | Never:
    text = f"{refused.code} {refused.message}"[:_ERROR_MAX]
    return Never(text) if refused.code >= _FOR_GOOD else NotNow(text)


def _shown(failure: BaseException) -> str:
    text = "The mail server did not answer in time." if isinstance(failure, TimeoutError) else ""
    return (text or str(failure) or type(failure).__name__)[:_ERROR_MAX]
