"""The levers: what a test or a demonstration pulls. No real provider has such addresses.

| request                                       | what it does                                    |
|-----------------------------------------------|-------------------------------------------------|
| POST, GET, DELETE /control/faults             | script, list and forget faults                  |
| POST /control/clock                           | move the clock                                  |
| GET, POST /control/terms                      | fees, lifetimes, delays; what is given is set   |
| POST, GET /control/hooks                      | who hears of changes                            |
| DELETE /control/hooks/{id}                    | call them no more                               |
| POST, GET, DELETE /control/tricks             | what goes wrong with telling                    |
| GET /control/events                           | everything that happened, with every try to tell|
| POST /control/deliveries                      | tell chosen events in a chosen order            |
| POST /control/operations/{name}/succeed, fail | end an operation, by id or caller's reference   |
| POST /control/payments/{id}/shopper           | approve, decline or leave                       |
| POST /control/payments/{id}/moves             | capture, void, refund without a reference       |
"""

from typing import Annotated, Literal

from litestar import delete, get, post
from litestar.params import Parameter

from counterfoil.sandbox.console import Console, ConsoleMove, Decision, Ending
from counterfoil.sandbox.control import Clock, Script, Scripts, Terms
from counterfoil.sandbox.desk import Desk
from counterfoil.sandbox.hooks import (
    Delivered,
    Deliveries,
    EventMatch,
    HookView,
    NewHook,
    Told,
    TrickScript,
)
from counterfoil.sandbox.till import Refused
from counterfoil.sandbox.wire import Operation


@post("/control/faults", summary="Script a fault")
async def add_fault(desk: Desk, data: Script) -> Scripts:
    """Add a rule behind those that are there."""
    desk.rules.scripts.append(data)
    return Scripts(desk.rules.scripts)


@get("/control/faults", summary="List the faults to come")
async def list_faults(desk: Desk) -> Scripts:
    """Tell which rules are left."""
    return Scripts(desk.rules.scripts)


@delete("/control/faults", summary="Forget all faults")
async def forget_faults(desk: Desk) -> None:
    """Behave again."""
    desk.rules.scripts.clear()


@post("/control/clock", status_code=200, summary="Move the clock")
async def move_clock(desk: Desk, data: Clock) -> Clock:
    """Set how far this clock stands from the machine's; what has become due happens."""
    desk.till.ledger.set_clock(data.offset_seconds)
    await desk.tick()
    return data


@get("/control/terms", summary="Read the terms")
async def read_terms(desk: Desk) -> Terms:
    """Tell fees, lifetimes and delays."""
    return desk.till.terms()


@post("/control/terms", status_code=200, summary="Change the terms")
async def change_terms(desk: Desk, data: Terms) -> Terms:
    """Set what is given."""
    desk.till.change_terms(data)
    return desk.till.terms()


# ----------------------------------------------------------------------------------------- telling


@post("/control/hooks", summary="Hear of changes")
async def add_hook(desk: Desk, data: NewHook) -> HookView:
    """Call this address after each change from now on."""
    if wrong := data.fault():
        raise Refused(400, "malformed", wrong)
    hook = desk.courier.add_hook(data)
    return HookView(hook.id, hook.url, hook.account, hook.livemode)


@get("/control/hooks", summary="Who hears of changes")
async def list_hooks(desk: Desk) -> list[HookView]:
    """List the addresses."""
    return [HookView(one.id, one.url, one.account, one.livemode) for one in desk.courier.hooks()]


@delete("/control/hooks/{hook_id:str}", summary="Hear no more")
async def forget_hook(desk: Desk, hook_id: str) -> None:
    """Call this address no more."""
    desk.courier.forget_hook(hook_id)


@post("/control/tricks", summary="Script what goes wrong with telling")
async def add_trick(desk: Desk, data: TrickScript) -> list[TrickScript]:
    """Add a rule behind those that are there."""
    desk.courier.scripts.append(data)
    return desk.courier.scripts


@get("/control/tricks", summary="List the tricks to come")
async def list_tricks(desk: Desk) -> list[TrickScript]:
    """Tell which rules are left."""
    return desk.courier.scripts


@delete("/control/tricks", summary="Forget all tricks")
async def forget_tricks(desk: Desk) -> None:
    """Tell everything once and well again."""
    desk.courier.scripts.clear()


@get("/control/events", summary="Everything that happened")
async def list_events(
    desk: Desk,
    payment: str | None = None,
    reference: str | None = None,
    account: str | None = None,
    kind: Annotated[str | None, Parameter(query="type")] = None,
    after: int = 0,
) -> list[Told]:
    """List events with every try to tell them, oldest first, at most a thousand."""
    return desk.courier.told(EventMatch(kind, payment, reference, account), after)


@post("/control/deliveries", status_code=200, summary="Tell chosen events")
async def deliver(desk: Desk, data: Deliveries) -> list[Delivered]:
    """Tell these events in this order, and say how each was taken."""
    return await desk.courier.deliver(data)


# ------------------------------------------------------------------------------------- the console


@post("/control/operations/{name:str}/{how:str}", status_code=200, summary="End an operation")
async def end_operation(
    desk: Desk, name: str, how: Literal["succeed", "fail"], data: Ending | None = None
) -> Operation:
    """Let a pending operation end, or a refund fail that had succeeded."""
    if how == "succeed":
        ended = Console(desk.till).end(name, "succeeded")
    else:
        ended = Console(desk.till).end(name, "failed", (data or Ending()).code)
    await desk.courier.look()
    return ended


@post("/control/payments/{payment_id:str}/shopper", status_code=200, summary="Be the shopper")
async def be_the_shopper(desk: Desk, payment_id: str, data: Decision) -> Operation:
    """Approve, decline or leave."""
    decided = Console(desk.till).decide(payment_id, data.does)
    await desk.courier.look()
    return decided


@post("/control/payments/{payment_id:str}/moves", summary="Move money at the console")
async def move_by_hand(desk: Desk, payment_id: str, data: ConsoleMove) -> Operation:
    """Capture, void or refund without anybody's reference."""
    moved = Console(desk.till).move(payment_id, data)
    await desk.courier.look()
    return moved


LEVERS = (
    add_fault, list_faults, forget_faults, move_clock, read_terms, change_terms,
    add_hook, list_hooks, forget_hook, add_trick, list_tricks, forget_tricks,
    list_events, deliver, end_operation, be_the_shopper, move_by_hand,
)  # fmt: skip
