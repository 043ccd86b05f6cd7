"""Run an action on an order: open, decide, commit; and again when somebody was first.

Commands on one order queue inside the process. After one miss the book opens a transaction whose
first statement is an advisory lock on the order, alone, then opens, decides and commits as always:
the version carries the safety, the lock only fairness. A lost connection means that the outcome is
not known; the same key, read on a new connection, tells it. An intent that turns out to be written
is still its maker's to settle. [architecture.md, protocol.md]
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import msgspec

from counterfoil.book.commit import commit, keep_answer
from counterfoil.book.opening import Key, Opened, open_folder
from counterfoil.book.refusals import SomebodyWasFirst, refusal
from counterfoil.kernel.db import Connection, Gone, Pool
from counterfoil.kernel.failpoint import failpoint
from counterfoil.kernel.problem import NotFound, Unavailable
from counterfoil.order.actor import Actor
from counterfoil.order.answers import answer
from counterfoil.order.change import Answered, Change
from counterfoil.order.folder import Folder
from counterfoil.order.opening import needs_of
from counterfoil.order.problems import RequestInProgress, VersionConflict
from counterfoil.order.transaction import Transaction

_TRIES_MAX = 60
_LOCK = "select pg_advisory_xact_lock(hashtextextended($1::text, 0))"

Action = Callable[..., Change]


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """How an action is to be run: as whom, under which key, and on which version at the least.

    `seen` is the version of If-Match; `watch` the fact types that make it stale (none: any).
    `reference` is a refund reference to be looked up in the same reading; `order_id` is that of a
    shipment or task where the order is `found_by` its "shipments" or "tasks". [rulings 12, 13]
    """

    order_id: str
    actor: Actor
    key: Key | None = None
    seen: int | None = None
    watch: tuple[str, ...] = ()
    reference: str | None = None
    found_by: str = "orders"
    created: bool = True
    answer_to: Callable[[Change], tuple[Answered, tuple[str, str]] | None] | None = None


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command: the change (None at a replay) and the answer.

    `waiting` is the intent that a provider has to be asked about before there is an answer.
    """

    change: Change | None
    answered: Answered | None
    waiting: bool = False


class Book:
    """The one reader and writer of folders, for one process."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._queues: dict[str, tuple[asyncio.Lock, int]] = {}

    async def run(self, command: Command, action: Action, **arguments: Any) -> Ran:
        """Bring an action between one reading and one writing of an order.

        Raises NotFound, VersionConflict, what the action raises, and Unavailable when the database
        is away. A stored answer ends the run before the action is asked.
        """
        sent: list[Change] = []
        async with self._queue(command.order_id):
            for attempt in range(_TRIES_MAX):
                try:
                    return await self._try(command, action, arguments, sent, lock=attempt > 0)
                except SomebodyWasFirst:
                    continue
                except RequestInProgress:
                    if not await is_ours(self.pool, command.actor.account_id, sent):
                        raise
                    return Ran(change=sent[-1], answered=None, waiting=True)
                except Gone as gone:
                    if attempt >= 3:
                        raise Unavailable(headers={"Retry-After": "1"}) from gone
                    await asyncio.sleep(0.05 * 4**attempt)
        raise Unavailable("The order is too busy.", headers={"Retry-After": "1"})

    @asynccontextmanager
    async def _queue(self, order_id: str) -> AsyncIterator[None]:
        lock, waiting = self._queues.get(order_id, (asyncio.Lock(), 0))
        self._queues[order_id] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._queues[order_id]
            if waiting == 1:
                del self._queues[order_id]
            else:
                self._queues[order_id] = (lock, waiting - 1)

    async def _try(
        self, command: Command, action: Action, arguments: dict[str, Any], sent: list[Change],
        *, lock: bool,
    ) -> Ran:
        async with self.pool.connection(command.actor.account_id) as connection:
            try:
                if not lock:
                    return await self._once(connection, command, action, arguments, sent)
                async with connection.transaction():
                    await connection.rows(_LOCK, command.order_id)
                    return await self._once(connection, command, action, arguments, sent)
            except asyncpg.PostgresError as error:
                raise refusal(error) from error

    async def _once(
        self, connection: Connection, command: Command, action: Action,
        arguments: dict[str, Any], sent: list[Change],
    ) -> Ran:
        opened = await open_folder(
            connection,
            command.order_id,
            needs_of(action),
            key=command.key,
            reference=command.reference,
            found_by=command.found_by,
        )
        if opened.answered is not None:
            return Ran(change=None, answered=opened.answered)
        folder = await self._fresh(connection, command, opened)
        change = action(folder, **arguments)
        if change.nothing:
            return await self._nothing(connection, command, change)
        told, answer_to = self._tell(command, change)
        failpoint("book.commit")
        sent[:] = [change] if told is None else []
        written = await commit(
            connection, change, key=command.key, answered=told, answer_to=answer_to
        )
        if not written:
            raise SomebodyWasFirst
        failpoint("book.committed")
        return Ran(change=change, answered=told, waiting=told is None)

    async def _nothing(self, connection: Connection, command: Command, change: Change) -> Ran:
        """Answer that the effect is there already; the key keeps that, unless it is still open."""
        if command.answer_to:
            return Ran(change=change, answered=None)
        told = answer(change, command.actor)
        if command.key is not None and told.status != 202:
            await keep_answer(connection, command.key, told, change.after.order.id)
        return Ran(change=change, answered=told)

    def _tell(
        self, command: Command, change: Change
    ) -> tuple[Answered | None, tuple[str, str] | None]:
        if command.answer_to is not None:
            found = command.answer_to(change)
            return found if found is not None else (None, None)
        if waits_for_provider(change):
            return None, None
        return answer(change, command.actor, created=command.created), None

    async def _fresh(self, connection: Connection, command: Command, opened: Opened) -> Folder:
        folder = opened.folder
        if folder is None:
            raise NotFound("There is no such order.")
        actor = command.actor
        if actor.stores is not None and folder.order.store not in actor.stores:
            raise NotFound("There is no such order.")
        if command.seen is not None and command.seen != folder.order.version:
            rows = await connection.rows(
                "select type, actor from facts where account_id = $1 and order_id = $2"
                " and sequence > $3 order by sequence",
                connection.account,
                folder.order.id,
                command.seen,
            )
            since = [row for row in rows if not command.watch or row["type"] in command.watch]
            if since or command.seen > folder.order.version:
                raise VersionConflict(
                    f"It is version {folder.order.version} now.",
                    version=folder.order.version,
                    changed_by=[msgspec.json.decode(row["actor"]) for row in since],
                )
        return folder


async def is_ours(pool: Pool, account_id: str, sent: Sequence[Change]) -> bool:
    """Tell whether the intent that was sent last is written and nobody else is at it.

    For whoever lost the connection and then finds its own key unanswered. Whoever cannot tell
    leaves it to the worker.
    """
    if not sent:
        return False
    rows = [row for row in sent[-1].inserts.get("transactions", []) if isinstance(row, Transaction)]
    leased = next((row for row in rows if row.lease_token is not None), None)
    if leased is None:
        return False
    with suppress(Gone):
        async with pool.connection(account_id) as connection:
            found = await connection.value(
                "select 1 from transactions where account_id = $1 and id = $2"
                " and lease_token = $3",
                account_id, leased.id, leased.lease_token,
            )  # fmt: skip
            return found is not None
    return False


def waits_for_provider(change: Change) -> bool:
    """Tell whether the command's own intent has to be settled before it can be answered.

    What follows of itself has neither a request's key nor a lease: the worker sends it, and no
    answer waits for it.
    """
    rows = change.inserts.get("transactions", [])
    return any(
        isinstance(row, Transaction)
        and row.status == "PENDING"
        and (row.lease_token is not None or row.idempotency_key is not None)
        for row in rows
    )
