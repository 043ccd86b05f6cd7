"""Import orders: read lines, book them by the batch, keep count, and be safe to repeat.

An order that is there already is passed over, so a file may be imported again, after a crash in
its middle too. While the database writes one batch the next one is made ready. A line that is
refused costs itself alone. [faults I-1, I-2, I-3; rulings 44]
"""

import asyncio
import collections
import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TypeVar

import asyncpg
import msgspec

from counterfoil.book.commit import commit_new
from counterfoil.book.numbers import Numbers
from counterfoil.book.placing import DEFAULT_MERCHANT, Placer
from counterfoil.book.refusals import SomebodyWasFirst, refusal
from counterfoil.kernel.db import Connection, Gone, Pool
from counterfoil.kernel.problem import Internal, Problem, Unavailable
from counterfoil.order.actor import Actor
from counterfoil.order.change import Change
from counterfoil.order.history import Brought
from counterfoil.order.intent import Asked
from counterfoil.order.problems import DuplicateExternalId, RefundReferenceConflict
from counterfoil.transfer.booking import (
    Counter,
    Fault,
    Held,
    book_brought,
    faults_from,
    fingerprint_of,
    held_at_gateway,
    read_brought,
)
from counterfoil.transfer.desks import Desks, add_missing, read_desks
from counterfoil.transfer.line import Line

T = TypeVar("T")
BATCH_MAX = 250
_WRITING_MAX = 2
"""So many batches are written at once, so that the database need not wait for the next one."""
_CLASHES_MAX = 3
_ABSENCES_MAX = 15
"""A database that was restarted is there again in some seconds; this waits for a minute."""


class Into(msgspec.Struct, frozen=True, kw_only=True):
    """Where orders go, and in whose name. `store` is for those that name none.

    `held` are payments that a gateway really holds, by the reference that the order names.
    """

    actor: Actor
    store: str | None = None
    channel: str = "import"
    held: Mapping[str, Held] = {}


class Tally(msgspec.Struct):
    """How many lines were looked at, and what became of them."""

    lines: int = 0
    created: int = 0
    skipped: int = 0
    failed: int = 0


Tell = Callable[[Tally, list[Fault]], Awaitable[None]]


class _Entry(msgspec.Struct, kw_only=True):
    """A line on its way: the order it holds, what that is known by, and how it is to be booked."""

    line: int
    brought: Brought
    external_id: str
    fingerprint: str
    change: Change | None = None


class _Batch(msgspec.Struct):
    """Some lines, made ready to be written."""

    lines: int = 0
    entries: list[_Entry] = []
    faults: list[Fault] = []
    skipped: int = 0
    tried: bool = False

    def refuse(self, line: int, problem: Problem) -> None:
        """Note why a line is not taken."""
        self.faults += faults_from(line, problem)


async def import_orders(pool: Pool, lines: Iterable[Line], into: Into, *, tell: Tell) -> Tally:
    """Import every order that is not there yet; tell after each batch how far it is.

    `tell` gets the tally so far and the faults of the batch, in the order of their lines. Raises
    Unavailable when the database stays away; importing again goes on from there.
    """
    running = _Import(pool, into)
    tally = Tally()
    writing: deque[asyncio.Task[_Batch]] = deque()
    rest = iter(lines)
    try:
        while (batch := await running.prepare(rest)).lines:
            if len(writing) == _WRITING_MAX:
                await _tell(await writing[0], tally, tell)
                writing.popleft()
            writing.append(asyncio.create_task(running.write(batch)))
        while writing:
            await _tell(await writing[0], tally, tell)
            writing.popleft()
    finally:
        for task in writing:
            task.cancel()
    return tally


async def _tell(written: _Batch, tally: Tally, tell: Tell) -> None:
    failed = {fault.line for fault in written.faults}
    tally.lines += written.lines
    tally.created += len(written.entries)
    tally.skipped += written.skipped
    tally.failed += len(failed)
    await tell(tally, sorted(written.faults, key=lambda fault: fault.line))


async def _patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Do something that may be repeated, and wait for a database that is away. [faults D-1]"""
    for tries in itertools.count(1):
        try:
            return await work()
        except (Gone, Unavailable) as absence:
            if tries == _ABSENCES_MAX:
                raise Unavailable("The database stays away.") from absence
            await asyncio.sleep(min(0.1 * 2**tries, 5))
    raise AssertionError


class _Import:
    """One import under way, and the external ids of the batches that are not written yet."""

    def __init__(self, pool: Pool, into: Into) -> None:
        self.pool = pool
        self.into = into
        self.asked = Asked(actor=into.actor, source="import", instant=True)
        self.numbers = Numbers(block=1)
        self.placer = Placer(pool, self.numbers)
        self._under_way: deque[dict[str, str]] = deque(maxlen=_WRITING_MAX + 1)
        self._nameless = collections.Counter[str]()
        self._written = 0
        self._planned_at: dict[Connection, int] = {}

    # ---------------------------------------------------------------------------------- prepare

    async def prepare(self, lines: Iterator[Line]) -> _Batch:
        """Make the changes that book the next lines; none are left where the batch has none."""
        batch = _Batch()
        ours: dict[str, str] = {}
        for line in itertools.islice(lines, BATCH_MAX):
            batch.lines += 1
            self._read(line, batch, ours)
            await asyncio.sleep(0)  # what is being written gets to send and receive
        if not batch.lines:
            return batch
        self._under_way.append(ours)
        desks = await _patiently(partial(self._desks, batch))
        self._pass_over(batch, desks)
        numbers = await _patiently(partial(self._take_numbers, batch, desks))
        entries, batch.entries = batch.entries, []
        counters: dict[str | None, Counter] = {}
        for entry in entries:
            code = entry.brought.store or self.into.store
            if code not in counters:
                counters[code] = self._counter(desks, code, numbers)
            self._book(entry, batch, counters[code])
            await asyncio.sleep(0)
        return batch

    def _read(self, line: Line, batch: _Batch, ours: dict[str, str]) -> None:
        """Read one line; an order without an external id is known by what it holds."""
        if line.error is not None:
            error = line.error
            batch.faults.append(
                Fault(line=line.number, code=error.code, pointer=error.pointer, detail=error.detail)
            )
            return
        try:
            brought = read_brought(line.raw)
        except Problem as problem:
            batch.refuse(line.number, problem)
            return
        fingerprint = fingerprint_of(brought)
        external_id = brought.external_id
        if external_id is None:
            self._nameless[fingerprint] += 1
            external_id = f"line-{fingerprint[:32]}-{self._nameless[fingerprint]}"
            brought = msgspec.structs.replace(brought, external_id=external_id)
        for seen in (*self._under_way, ours):
            if external_id in seen:
                self._again(line.number, external_id, seen[external_id] == fingerprint, batch)
                return
        ours[external_id] = fingerprint
        batch.entries.append(
            _Entry(
                line=line.number,
                brought=brought,
                external_id=external_id,
                fingerprint=fingerprint,
            )
        )

    def _again(self, line: int, external_id: str, same: bool, batch: _Batch) -> None:  # noqa: FBT001 - what was found
        if same:
            batch.skipped += 1
        else:
            batch.refuse(
                line,
                DuplicateExternalId(f"Another order has the external id {external_id}."),
            )

    def _pass_over(self, batch: _Batch, desks: Desks) -> None:
        """Leave out what is there already. [I-1]"""
        left = []
        for entry in batch.entries:
            if entry.external_id in desks.existing:
                same = desks.existing[entry.external_id] == entry.fingerprint
                self._again(entry.line, entry.external_id, same, batch)
            else:
                left.append(entry)
        batch.entries = left

    async def _desks(self, batch: _Batch) -> Desks:
        """Read the desks, after making merchants and methods that are missing."""
        wanted = [entry.brought for entry in batch.entries]
        merchants = {bag.merchant for one in wanted for bag in one.bags or () if bag.merchant}
        external_ids = [entry.external_id for entry in batch.entries]
        async with self.pool.connection(self.into.actor.account_id) as connection:
            read = partial(
                read_desks,
                connection,
                channel=self.into.channel,
                external_ids=external_ids,
                merchants=sorted(merchants | {DEFAULT_MERCHANT}),
            )
            desks = await read()
            codes, methods = self._missing(wanted, desks)
            if not codes and not methods:
                return desks
            await add_missing(connection, merchants=sorted(codes), methods=sorted(methods))
            return await read()

    def _missing(
        self, wanted: list[Brought], desks: Desks
    ) -> tuple[set[str], set[tuple[str, str]]]:
        """List the merchants and (store, method) that orders name and nobody made yet."""
        known = {(method.store, method.code) for method in desks.methods}
        merchants: set[str] = set()
        methods: set[tuple[str, str]] = set()
        for one in wanted:
            store = desks.store(one.store or self.into.store)
            if store is None:
                continue
            if store.create_merchants:
                named = {bag.merchant for bag in one.bags or () if bag.merchant}
                merchants |= named - desks.merchants.keys()
            parcels = one.history.shipments if one.history is not None else ()
            for code in {one.shipping_method, *(parcel.method for parcel in parcels)}:
                if code is not None and (store.code, code) not in known:
                    methods.add((store.code, code))
        return merchants, methods

    async def _take_numbers(self, batch: _Batch, desks: Desks) -> dict[str, int]:
        """Take a number for every order of the batch; returns the next one by store."""
        stores = [desks.store(entry.brought.store or self.into.store) for entry in batch.entries]
        counts = collections.Counter(store.code for store in stores if store is not None)
        if not counts:
            return {}
        async with self.pool.connection(self.into.actor.account_id) as connection:
            return {
                code: await self.numbers.take(connection, code, count)
                for code, count in sorted(counts.items())
            }

    def _counter(self, desks: Desks, code: str | None, numbers: Mapping[str, int]) -> Counter:
        store = desks.store(code)
        return Counter(
            desk=desks.desk(store),
            methods=desks.methods_of(store),
            channel=self.into.channel,
            numbers=itertools.count(numbers[store.code] if store is not None else 0),
        )

    def _book(self, entry: _Entry, batch: _Batch, counter: Counter) -> None:
        try:
            change = book_brought(
                counter, entry.brought, asked=self.asked, fingerprint=entry.fingerprint
            )
        except Problem as problem:
            batch.refuse(entry.line, problem)
            return
        except AssertionError as mistake:
            # A mistake of ours, but only about this order: the others go on.
            batch.refuse(entry.line, Internal(f"This order cannot be booked: {mistake}"))
            return
        payment = entry.brought.payment
        held = self.into.held.get(payment.reference or "") if payment is not None else None
        entry.change = change if held is None else held_at_gateway(change, held)
        batch.entries.append(entry)

    # ------------------------------------------------------------------------------------ write

    async def write(self, batch: _Batch) -> _Batch:
        """Write a batch in one statement; `entries` are then those that were written.

        Where somebody else was first with one of them, or the connection was lost and nobody knows
        whether it was written, those that are there are left out and the others tried again. What
        is refused for itself is found by halving. Raises Unavailable.
        """
        batch.entries.sort(key=lambda entry: entry.external_id)  # no deadlocks among imports
        for _ in range(_CLASHES_MAX):
            try:
                await _patiently(partial(self._try, batch))
                return batch
            except SomebodyWasFirst:
                continue
            except Problem as problem:
                if isinstance(problem, Unavailable):
                    raise
                break
        return await self._by_halves(batch)

    async def _try(self, batch: _Batch) -> None:
        """Write what is not there; what was tried before is looked for first."""
        if batch.tried:
            await self._look_again(batch)
        batch.tried = True
        await self._commit(batch)

    async def _commit(self, batch: _Batch) -> None:
        changes = [entry.change for entry in batch.entries if entry.change is not None]
        if not changes:
            return
        async with self.pool.connection(self.into.actor.account_id) as connection:
            await self._plan_again(connection)
            try:
                await commit_new(connection, changes)
            except asyncpg.PostgresError as error:
                raise refusal(error) from error
        self._written += len(changes)

    async def _plan_again(self, connection: Connection) -> None:
        """Let a connection forget its plans each time that the orders have doubled.

        Plans made while tables were all but empty, those of foreign keys too, may take any index,
        and then read more with each batch until the statistics come.
        """
        if self._written >= 2 * self._planned_at.get(connection, 0):
            await connection.rows("discard plans")
            self._planned_at[connection] = self._written

    async def _look_again(self, batch: _Batch) -> None:
        async with self.pool.connection(self.into.actor.account_id) as connection:
            desks = await read_desks(
                connection,
                channel=self.into.channel,
                external_ids=[entry.external_id for entry in batch.entries],
                merchants=(),
            )
        self._pass_over(batch, desks)

    async def _by_halves(self, batch: _Batch) -> _Batch:
        changes = [entry.change for entry in batch.entries if entry.change is not None]
        became = await self.placer.place_many(self.into.actor.account_id, changes)
        written = []
        for entry, result in zip(batch.entries, became, strict=True):
            if isinstance(result, Change):
                written.append(entry)
            elif isinstance(result, Problem):
                batch.refuse(entry.line, result)
            elif str(result) == "refunds_reference":
                batch.refuse(entry.line, RefundReferenceConflict("Another order has it."))
            else:
                batch.refuse(entry.line, DuplicateExternalId(f"Somebody was first: {result}."))
        batch.entries = written
        return batch
