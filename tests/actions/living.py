"""Steps of an order's life, one after the other, without a database."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from counterfoil.actions.settle import settle
from counterfoil.kernel.problem import Problem
from counterfoil.order.actor import Actor
from counterfoil.order.change import Change
from counterfoil.order.folder import Folder
from counterfoil.order.gateway import Answer, Outcome
from counterfoil.order.intent import Asked
from counterfoil.order.transaction import UNSETTLED, Transaction
from tests.actions.making import ADMIN, asked, later

MERCHANT = msgspec.structs.replace(
    ADMIN, id="bo", name="Bo", credential="user:bo", merchants=frozenset({"acme"})
)


def by(actor: Actor) -> Asked:
    """Somebody else asks."""
    return Asked(actor=actor)


def may(*rights: str) -> Asked:
    """Anna asks, and may do just this."""
    return by(msgspec.structs.replace(ADMIN, rights=frozenset(rights)))


def act(folder: Folder, action: Callable[..., Change], **arguments: Any) -> Change:
    """Run an action as Anna, or as whoever `asked` says."""
    return action(folder, **{"asked": asked(), **arguments})


def lived(folder: Folder, action: Callable[..., Change], **arguments: Any) -> Folder:
    """Run an action, and open the order again a while later."""
    return later(act(folder, action, **arguments).after)


def refused(folder: Folder, action: Callable[..., Change], **arguments: Any) -> Problem:
    """Run an action that has to be refused, and return why."""
    with pytest.raises(Problem) as why:
        act(folder, action, **arguments)
    return why.value


def waiting(folder: Folder) -> list[Transaction]:
    """List the movements that no provider has answered yet."""
    return [row for row in folder.transactions if row.status in UNSETTLED]


def heard(folder: Folder, outcome: Outcome = Outcome.SUCCEEDED, *, which: int = 0) -> Folder:
    """Let the provider answer about a movement that waits: the first, or `which`."""
    return later(told(folder, outcome, which=which).after)


def told(folder: Folder, outcome: Outcome = Outcome.SUCCEEDED, *, which: int = 0) -> Change:
    """Let the provider answer, and return what that changes."""
    row = waiting(folder)[which]
    answer = Answer(outcome=outcome, payment_reference="p-1")
    return act(folder, settle, transaction_id=row.id, answer=answer, lease="mine")


def held_money(gateway: str = "sandbox", **more: Any) -> Folder:
    """Place an order and let the gateway hold its money."""
    from tests.actions.making import folder

    made = folder(gateway, **more)
    return heard(made) if waiting(made) else made


def types(change: Change) -> list[str]:
    """List the types of a change's facts."""
    return [fact.type for fact in change.facts]
