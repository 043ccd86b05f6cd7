"""What is settled before a letter is sent again: where to, and whether that address works."""

from counterfoil.kernel.db import Connection
from counterfoil.kernel.problem import Problem
from counterfoil.kernel.shape import refuse
from counterfoil.mail.compose import NoSuchAddress, address_of
from counterfoil.order.actor import Actor
from counterfoil.setup.suppressed import find_suppressed, lift


class AddressSuppressed(Problem):
    """The address refused a letter for good; confirm that it works by now, or name another."""

    code, status = "address_suppressed", 409
    title = "This address refuses letters."


async def clear_address(
    connection: Connection, actor: Actor, recipient: str, *, confirmed: bool
) -> None:
    """See to it that a letter may go to an address. One that bounced needs a person's word.

    Raises PermissionDenied, MerchantLimited, ValidationFailed, AddressSuppressed. [M-2]
    """
    actor.require("orders.notes")
    actor.require_whole_order()
    try:
        address_of(recipient)
    except NoSuchAddress as wrong:
        raise refuse("/recipient", str(wrong)) from wrong
    found = await find_suppressed(connection, recipient)
    if found is None:
        return
    if not confirmed:
        raise AddressSuppressed(
            f"It refused a letter for good on {found.at:%Y-%m-%d}: {found.reason}",
            since=found.at.isoformat(),
        )
    await lift(connection, actor, recipient)
