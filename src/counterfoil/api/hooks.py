"""The address that providers call. Their signature is the key; nothing else is asked for.

Whatever is wrong with a call is answered alike, so nobody learns which accounts there are.
[faults W-1 to W-4, W-9]
"""

import re
from uuid import UUID

import msgspec

from counterfoil.api.ask import Ask
from counterfoil.api.door import ANYTHING, OPEN, Door
from counterfoil.gateways.port import HookRefused
from counterfoil.kernel.problem import TooLarge
from counterfoil.work.hooks import BODY_BYTES_MAX, receive_hook

door = Door("Hooks")
_ADDRESS = re.compile(r"([0-9a-f]{32})-([A-Za-z0-9][A-Za-z0-9._-]{0,63})\Z")


class Received(msgspec.Struct, frozen=True):
    """The call was taken in; a repeat too."""

    received: bool = True


@door.post("/v1/hooks/{address}", right=OPEN, takes=ANYTHING, answers={200: Received},
           raises=(HookRefused, TooLarge))
async def take_hook(ask: Ask) -> Received:
    """Take in what a provider tells us. `address` is `<account id without dashes>-<gateway>`."""
    meter = ask.office.meter
    query = dict(ask.pairs())
    try:
        body = b"".join([chunk async for chunk in ask.chunks(BODY_BYTES_MAX)])
        found = _ADDRESS.match(ask.path["address"])
        if found is None:
            raise HookRefused
        arrived = await receive_hook(
            ask.office, str(UUID(found[1])), found[2], ask.text_headers(), query, body
        )
    except HookRefused as refused:
        meter.hook("unknown", "refused")
        raise HookRefused from refused  # the detail would tell who is here
    except TooLarge:
        meter.hook("unknown", "too_large")
        raise
    meter.hook(arrived.kind, "received" if arrived.new else "repeated")
    return Received()
