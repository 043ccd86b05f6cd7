"""A mail server that says what a test wants it to say."""

import asyncio
from collections import deque
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from counterfoil.mail.mailbox import Mailbox, open_mailbox

HANG = "hang"
HANG_AFTER = "hang after it was kept"


class PostOffice(Mailbox):
    """The mailbox of `make up`, with scripted answers to RCPT and DATA, oldest first."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.to_recipient: deque[str] = deque()
        self.to_letter: deque[str] = deque()
        self.recipients: list[str] = []
        self.server: asyncio.Server | None = None

    async def open(self) -> "PostOffice":
        self.server = await open_mailbox(self, "127.0.0.1", 0)
        return self

    @property
    def url(self) -> str:
        assert self.server is not None
        return f"smtp://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.to_recipient:
            return self.to_recipient.popleft()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        wanted = self.to_letter.popleft() if self.to_letter else ""
        if wanted and wanted != HANG_AFTER:
            if wanted == HANG:
                await asyncio.sleep(2)
                return "451 too late"
            return wanted
        self.recipients += envelope.rcpt_tos
        said = await super().handle_DATA(server, session, envelope)
        if wanted == HANG_AFTER:
            await asyncio.sleep(2)
        return said

    def read(self) -> list[EmailMessage]:
        """Every letter that was kept."""
        return [
            message_from_bytes(path.read_bytes(), policy=policy.default) for path in self.letters()
        ]

    async def close(self) -> None:
        assert self.server is not None
        self.server.close()
        await self.server.wait_closed()
