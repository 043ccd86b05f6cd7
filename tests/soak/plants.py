"""Bugs on purpose: a simulator that does not find them proves nothing.

Each breaks one line that money hangs on, and says in which words it is expected to be found.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from counterfoil.actions import exchange as exchanging
from counterfoil.actions import settle as settling
from counterfoil.actions.edit_lines import edit_lines
from counterfoil.actions.return_goods import return_goods
from counterfoil.book import commit as committing
from counterfoil.book import run as running
from counterfoil.gateways.sandbox import SandboxGateway
from counterfoil.kernel.ids import new_id
from counterfoil.order.gateway import Answer, Call, Outcome


@dataclass(frozen=True)
class Plant:
    """A bug, and how it is put in. From seed `first` on it is found soon; from any, in the end."""

    sentence: str
    put: Callable[[pytest.MonkeyPatch], None]
    first: int = 0


def _new_key_each_time(patch: pytest.MonkeyPatch) -> None:
    send = SandboxGateway.send

    async def careless(gateway: SandboxGateway, call: Call) -> Answer:
        return await send(gateway, msgspec.structs.replace(call, transaction_id=new_id()))

    patch.setattr(SandboxGateway, "send", careless)


def _hearing(verb: str, heard: Outcome, taken_for: Outcome) -> Callable[[pytest.MonkeyPatch], None]:
    """Take what was heard for something else."""
    truthful = getattr(SandboxGateway, verb)

    async def careless(gateway: SandboxGateway, call: Call) -> Answer:
        answer: Answer = await truthful(gateway, call)
        if answer.outcome != heard:
            return answer
        return msgspec.structs.replace(
            answer, outcome=taken_for, error_code=answer.error_code or "careless")

    return lambda patch: patch.setattr(SandboxGateway, verb, careless)


def _lease_ignored(patch: pytest.MonkeyPatch) -> None:
    """A worker that lost its lease books all the same, and does not look whether it is done."""
    commit = committing.commit

    async def careless(connection: Any, change: Any, **more: Any) -> bool:
        return await commit(connection, msgspec.structs.replace(change, lease=None), **more)

    patch.setattr(running, "commit", careless)
    patch.setattr(settling, "UNSETTLED", ("PENDING", "UNKNOWN", "SUCCEEDED", "FAILED"))


def _goods_forgotten(patch: pytest.MonkeyPatch) -> None:
    """What was done to goods is not kept under its key: asked again it is done again."""
    run = running.Book.run

    async def careless(book: Any, command: Any, action: Any, **arguments: Any) -> Any:
        if action in (edit_lines, return_goods):
            command = msgspec.structs.replace(command, key=None)
        return await run(book, command, action, **arguments)

    patch.setattr(running.Book, "run", careless)


def _goods_let_go(patch: pytest.MonkeyPatch) -> None:
    """What is sent instead of what came back does not wait for the rest of its money."""
    patch.setattr(exchanging, "hold_until_paid", lambda draft: None)


PLANTS = {
    "new_key": Plant("A new key at the provider each time it is sent.", _new_key_each_time, 40),
    "silence_is_no": Plant("No answer is taken for a refusal.",
                           _hearing("send", Outcome.UNKNOWN, Outcome.DECLINED), 4),
    "silence_is_yes": Plant("No answer is taken for a success.",
                            _hearing("send", Outcome.UNKNOWN, Outcome.SUCCEEDED), 4),
    "unknown_is_no": Plant("What the provider does not know yet is refused.",
                           _hearing("ask", Outcome.NOT_EXECUTED, Outcome.DECLINED)),
    "lease_ignored": Plant("Who lost the lease books what is booked.", _lease_ignored),
    "goods_let_go": Plant("An exchange leaves before it is paid for.", _goods_let_go),
    "goods_forgotten": Plant("An edit or a return is made again.", _goods_forgotten),
}
