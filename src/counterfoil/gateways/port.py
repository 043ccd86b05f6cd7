"""What every adapter offers, and what adapters share."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar

import msgspec

from counterfoil.kernel.http import Reply
from counterfoil.kernel.problem import Problem
from counterfoil.order.gateway import Answer, Call, Capabilities, Notice, Statement

_TEXT_MAX = 4_000
_HIDDEN = "[hidden]"
RETRY_AFTER_S_MAX = 300


class GatewayMisconfigured(Problem):
    """The gateway's settings or credentials cannot be used; the detail says which."""

    code, status = "gateway_misconfigured", 422
    title = "The gateway is not set up correctly."


class HookRefused(Problem):
    """A call to us that nobody we know has signed, or that is too old. [faults W-1, W-3, W-9]"""

    code, status = "unauthenticated", 401
    title = "The signature is missing, wrong or too old."


class Gateway(Protocol):
    """A place where money moves. `send` and `ask` never raise for what a provider may do."""

    @property
    def capabilities(self) -> Capabilities:
        """Tell what this gateway can do."""

    async def send(self, call: Call) -> Answer:
        """Ask the provider to do it; safe to repeat with the same transaction id."""

    async def ask(self, call: Call) -> Answer:
        """Ask what became of it, without doing anything.

        NOT_EXECUTED: the provider does not know our reference (yet: word may travel slowly, so
        believe it only when heard twice, apart). UNKNOWN: it could not tell. [faults P-5]
        """

    async def statement(self, payment_reference: str) -> Statement | None:
        """Read the payment as the provider sees it; None where it cannot be had now."""

    def receive(
        self, headers: Mapping[str, str], query: Mapping[str, str], body: bytes, at: datetime
    ) -> Notice:
        """Check a call that the provider makes to us, and tell where to look.

        `headers` have lower-case names; `at` is our clock. Raises HookRefused: also where the
        gateway sends none, for malformed headers and for times more than five minutes off.
        """

    async def test(self) -> dict[str, Any]:
        """Try the credentials: `{"ok": bool, "message": str, "elapsed_ms": int}`."""


Settings = TypeVar("Settings", bound=msgspec.Struct)


def read_settings(given: dict[str, Any], shape: type[Settings]) -> Settings:
    """Read settings or credentials as a struct. Raises GatewayMisconfigured."""
    try:
        return msgspec.convert(given, shape)
    except msgspec.ValidationError as wrong:
        raise GatewayMisconfigured(str(wrong)) from wrong


def presentable(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Make a provider's text fit to be stored and shown: bounded, no secrets, no NUL."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, _HIDDEN)
    text = text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")
    return text if len(text) <= _TEXT_MAX else text[:_TEXT_MAX] + "…"


def decode(reply: Reply, shape: type[Any]) -> Any:
    """Read the body as a shape; None where it is cut, is no JSON or lacks what matters."""
    if reply.truncated:
        return None
    try:
        return msgspec.json.decode(reply.body, type=shape)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError):
        return None


def retry_after_s(reply: Reply) -> int | None:
    """Read Retry-After in whole seconds, at most five minutes. [faults P-9]"""
    text = reply.headers.get("retry-after", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        return None
    return min(int(text), RETRY_AFTER_S_MAX)
