"""The mail server of an account, as configured; its SQL is in `setup`."""

from datetime import datetime
from typing import Any

import msgspec

#: How the connection is kept private, as people call it.
SECURITY = {
    "starttls": "STARTTLS",
    "tls": "TLS from the start",
    "none": "No TLS: this machine only",
}
#: Ports that mail servers listen on; others only where private networks are allowed.
PORTS = (25, 465, 587, 2525)


class MailServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where an account's letters leave, and whom they come from. The password stays outside."""

    host: str
    port: int
    security: str
    username: str | None = None
    has_password: bool = False
    sender_name: str = ""
    sender_address: str
    reply_to: str | None = None
    updated_by: dict[str, Any] = {}
    updated_at: datetime

    @property
    def sender(self) -> str:
        """The sender as a header has it, quoted where it has to be."""
        if not self.sender_name:
            return self.sender_address
        name = self.sender_name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{name}" <{self.sender_address}>'
