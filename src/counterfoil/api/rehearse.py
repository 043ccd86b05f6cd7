"""Dry runs: the action decides on the order as it is, and nothing is written."""

from typing import Any

import msgspec

from counterfoil.api.ask import Ask
from counterfoil.book.opening import Key, open_folder
from counterfoil.book.run import Action
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import NotFound
from counterfoil.order.answers import answer
from counterfoil.order.change import Answered
from counterfoil.order.folder import Folder
from counterfoil.order.opening import needs_of


async def rehearse(
    ask: Ask, action: Action, *, reference: str | None = None, **arguments: Any
) -> Answered:
    """Tell what a command would answer now, as 200. Raises NotFound and what the action raises."""
    folder = await look(ask, action, reference=reference)
    change = action(folder, asked=ask.asked(), **arguments)
    told = answer(change, ask.actor)
    return msgspec.structs.replace(told, status=200, location=None, etag=None)


async def look(ask: Ask, action: Action, *, reference: str | None = None) -> Folder:
    """Open the order of the address as the action would find it. Raises NotFound."""
    actor = ask.actor
    key = Key(credential=actor.credential, key=f"dry-{new_id()}", fingerprint="")
    async with ask.office.pool.connection(actor.account_id) as connection:
        opened = await open_folder(
            connection, ask.path["order_id"], needs_of(action), key=key, reference=reference
        )
    folder = opened.folder
    if folder is None or not (actor.stores is None or folder.order.store in actor.stores):
        raise NotFound("There is no such order.")
    return folder
