"""A mail server that delivers nothing: it keeps each letter as a file for people to look at.

For `make up` and for tests. It listens on a loopback address; the files are what was sent, one
`.eml` a letter, named so that later ones sort later.
"""

import asyncio
from functools import partial
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from counterfoil.kernel.ids import new_id

LETTER_BYTES_MAX = 1_048_576


class Mailbox:
    """Where letters are kept; the handler that aiosmtpd asks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name for it
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep a letter, whole or not at all, and then say so."""
        content = envelope.content or b""
        letter = content.encode() if isinstance(content, str) else content
        name = f"{new_id()}.eml"
        aside = self.folder / f".{name}"
        aside.write_bytes(letter)
        aside.rename(self.folder / name)
        return "250 Kept"

    def letters(self) -> list[Path]:
        """List what has come, oldest first."""
        return sorted(self.folder.glob("[!.]*.eml"))


async def open_mailbox(mailbox: Mailbox, host: str, port: int) -> asyncio.Server:
    """Listen for letters; port 0 takes a free one."""
    make = partial(
        SMTP,
        mailbox,
        hostname="counterfoil",
        ident="Counterfoil mailbox",
        data_size_limit=LETTER_BYTES_MAX,
        enable_SMTPUTF8=True,
    )
    return await asyncio.get_running_loop().create_server(make, host, port)


async def run_mailbox(host: str, port: int, folder: Path) -> None:
    """Keep letters in a folder until cancelled."""
    server = await open_mailbox(Mailbox(folder), host, port)
    async with server:
        await server.serve_forever()
