"""Connecting a gateway: what its adapter cannot use is refused now, not at the first payment.

Opening an adapter contacts nobody; `try_out` is what does. Credentials are read here only to see
whether changed settings still fit them.
"""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from counterfoil.gateways import GatewayMisconfigured, open_gateway
from counterfoil.kernel.db import Connection
from counterfoil.kernel.problem import ValidationFailed
from counterfoil.kernel.secrets import CannotOpen, KeyRing
from counterfoil.order.actor import Actor
from counterfoil.order.capability import CAPABILITIES
from counterfoil.order.config import Gateway
from counterfoil.order.gateway import Capabilities
from counterfoil.setup.gateways import (
    GatewayChange,
    NewGateway,
    change_gateway,
    create_gateway,
    find_gateway,
    open_credentials,
)
from counterfoil.work.adapters import Adapters

HOLD_SECONDS_MAX = 366 * 86400


class Tested(msgspec.Struct, frozen=True):
    """Whether a gateway can be reached with its credentials."""

    ok: bool
    message: str
    elapsed_ms: int


async def connect(
    connection: Connection, actor: Actor, new: NewGateway, keys: KeyRing | None
) -> Gateway:
    """Connect a gateway.

    Raises ValidationFailed, GatewayMisconfigured, UnknownReference, CodeTaken.
    """
    check_gateway(new.kind, new.settings, new.credentials or {})
    return await create_gateway(connection, actor, new, keys)


async def reconnect(
    connection: Connection, actor: Actor, code: str, change: GatewayChange, keys: KeyRing
) -> Gateway:
    """Change what is named of a gateway; what it would open with is tried first.

    To disable one, or to move it to another store, it need not be in order. Raises NotFound,
    ValidationFailed, GatewayMisconfigured, UnknownReference.
    """
    now = await find_gateway(connection, code)
    if change.settings is not UNSET or change.credentials is not UNSET or change.enabled is True:
        settings = now.settings if change.settings is UNSET else change.settings
        credentials = change.credentials
        if credentials is UNSET:
            credentials = await _kept(connection, code, keys)
        check_gateway(now.kind, settings, credentials or {})
    return await change_gateway(connection, actor, code, change, keys)


async def try_out(adapters: Adapters, account_id: str, code: str) -> Tested:
    """Try to reach a gateway with its credentials; no money moves.

    Raises NotFound, and GatewayMisconfigured where there is nothing to try.
    """
    adapters.forget(account_id, code)
    try:
        gateway = await adapters.of(account_id, code)
    except CannotOpen as problem:
        raise GatewayMisconfigured(_closed(problem)) from problem
    return msgspec.convert(await gateway.test(), Tested)


def check_gateway(kind: str, settings: dict[str, Any], credentials: dict[str, str]) -> None:
    """Open the adapter once. Raises ValidationFailed, GatewayMisconfigured."""
    if kind not in CAPABILITIES:
        raise _wrong("/kind", f"There is no gateway of kind {kind!r} yet.")
    able = open_gateway(kind, settings, credentials).capabilities
    try:
        msgspec.convert(msgspec.to_builtins(able), Capabilities)
    except msgspec.ValidationError as wrong:
        raise _wrong("/settings", f"A setting has the wrong type: {wrong}.") from wrong
    hold = able.hold_seconds
    if hold is not None and not 1 <= hold <= HOLD_SECONDS_MAX:
        raise _wrong("/settings/hold_seconds", f"It is 1 to {HOLD_SECONDS_MAX}.")


def hook_address(account_id: str, code: str, public_url: str | None) -> str:
    """Write the address at which a provider may call about a gateway. [rulings 4, 41]

    It begins with the account, so that no look-up crosses accounts. Without the installation's
    public address it is a path alone.
    """
    return f"{(public_url or '').rstrip('/')}/v1/hooks/{UUID(account_id).hex}-{code}"


async def _kept(connection: Connection, code: str, keys: KeyRing) -> dict[str, str]:
    try:
        return await open_credentials(connection, code, keys)
    except CannotOpen as problem:
        raise GatewayMisconfigured(_closed(problem)) from problem


def _closed(problem: CannotOpen) -> str:
    return f"The credentials cannot be opened. {problem} Enter them again, or find the key."


def _wrong(pointer: str, detail: str) -> ValidationFailed:
    return ValidationFailed(detail, errors=[{"pointer": pointer, "detail": detail}])
