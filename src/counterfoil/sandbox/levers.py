"""The levers: what a test or a demonstration pulls. No real provider has such addresses."""

from litestar import delete, get, post

from counterfoil.sandbox.control import Clock, Script, Scripts
from counterfoil.sandbox.desk import Desk


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
    """Set how far this clock stands from the machine's."""
    desk.till.ledger.set_clock(data.offset_seconds)
    return data


LEVERS = (add_fault, list_faults, forget_faults, move_clock)
