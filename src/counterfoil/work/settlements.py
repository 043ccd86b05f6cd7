"""Read a settlement file: what the provider has paid out, booked line by line, each once.

The file's content is its run. It may be sent again at any time: what is booked is passed over, a
reading that crashed goes on where it was, and a fee that somebody has accepted meanwhile is booked.
[V3, I-1, I-2]
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import BinaryIO
from uuid import UUID

import msgspec

from counterfoil.actions.pay_out import BOOKED, HERE, PaidOut, SettledLine, pay_out
from counterfoil.book.drift import NewDrift, tell_drift
from counterfoil.book.reconciliations import Progress, Reconciliation, RunError, advance, end_run
from counterfoil.book.refusals import LeaseLost
from counterfoil.book.run import Command
from counterfoil.book.settlements import Matched, Named, match_lines, overdue, take_settlement
from counterfoil.kernel.due import Claimed
from counterfoil.kernel.failpoint import failpoint
from counterfoil.kernel.ids import new_id
from counterfoil.order.actor import Actor
from counterfoil.order.intent import Asked
from counterfoil.order.transaction import UNSETTLED
from counterfoil.work.desk import Works
from counterfoil.work.settlement_lines import BadLine, FileLine, read_lines
from counterfoil.work.sync import Wanted, sync_payment

BATCH_LINES = 100
AT_ONCE = 4
OVERDUE_DAYS = 7
FILE_BYTES_MAX = 100 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024

Follow = Callable[[Reconciliation], None]
_Lines = Sequence[tuple[int, FileLine | BadLine]]


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """A file to be read: whose, what people call it, and its content's digest."""

    gateway: str
    name: str
    digest: str
    overdue_days: int = OVERDUE_DAYS


def digest_of(file: BinaryIO) -> str:
    """Name a file's content, and go back to its start."""
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


async def import_settlement(
    works: Works, actor: Actor, file: BinaryIO, settlement: Settlement, *,
    follow: Follow | None = None,
) -> Reconciliation:
    """Read a file and book what it says, telling how far it is.

    Raises NotFound (no such gateway), RequestInProgress (it is being read), ValidationFailed (no
    header), LeaseLost, Unavailable, Gone.
    """
    lines = read_lines(file)
    first = next(lines, None)  # a file without a header has no run
    token = new_id()
    async with works.pool.connection(actor.account_id) as connection:
        run = await take_settlement(
            connection, actor, settlement.gateway, digest=settlement.digest,
            name=settlement.name[:200], lease=(token, works.pace.lease_s),
        )
    claimed = Claimed(
        account_id=actor.account_id, kind="reconciliation", id=run.id, order_id="", lease=token,
        attempts=1,
    )
    reading = _Reading(works, actor, claimed, settlement)
    all_lines = _again(first, lines)
    for _ in range(run.seen):
        next(all_lines, None)
    while batch := list(islice(all_lines, BATCH_LINES)):
        run = await reading.book(batch)
        if follow is not None:
            follow(run)
    await reading.tell_overdue()
    async with works.pool.connection(actor.account_id) as connection:
        ended = await end_run(connection, claimed, "COMPLETED")
    if ended is None:
        raise LeaseLost
    return ended


def _again(
    first: tuple[int, FileLine | BadLine] | None, rest: Iterator[tuple[int, FileLine | BadLine]]
) -> Iterator[tuple[int, FileLine | BadLine]]:
    if first is not None:
        yield first
        yield from rest


class _Reading:
    """One reading of one file."""

    def __init__(
        self, works: Works, actor: Actor, claimed: Claimed, settlement: Settlement
    ) -> None:
        self.works = works
        self.actor = actor
        self.claimed = claimed
        self.settlement = settlement
        self.places = asyncio.Semaphore(AT_ONCE)

    async def book(self, batch: _Lines) -> Reconciliation:
        """Book some lines, then write down that they are done, with what differs."""
        good = [line for _, line in batch if isinstance(line, FileLine)]
        bad = [RunError(line=number, detail=str(line)) for number, line in batch
               if isinstance(line, BadLine)]
        found = await self._match(good)
        told = await asyncio.gather(*(self._pay_out(line, found[line.line]) for line in good))
        drift = [self._drift(line, found[line.line], paid)
                 for line, paid in zip(good, told, strict=True)
                 if paid.outcome not in (BOOKED, HERE)]
        return await self._write(drift, Progress(
            seen=len(batch), matched=len(good) - len(drift),
            settled=sum(paid.outcome == BOOKED for paid in told), failed=len(bad), errors=bad,
        ))

    async def tell_overdue(self) -> None:
        """Tell of our captures that no file has paid out in all the time."""
        days = self.settlement.overdue_days
        async with self.works.pool.connection(self.claimed.account_id) as connection:
            late = await overdue(connection, self.settlement.gateway, days=days)
        lines = [
            NewDrift(
                gateway=self.settlement.gateway, kind="missing_there",
                reconciliation_id=self.claimed.id, order_id=one.order_id, transaction_id=one.id,
                reference=one.id, gateway_transaction_id=one.gateway_transaction_id,
                currency=one.currency, ours=one.amount, theirs=0,
                detail=f"No settlement file has paid it out in {days} days.",
            )
            for one in late
        ]
        for start in range(0, len(lines), BATCH_LINES):
            await self._write(lines[start : start + BATCH_LINES], Progress())

    async def _write(self, drift: Sequence[NewDrift], done: Progress) -> Reconciliation:
        works, claimed = self.works, self.claimed
        async with (
            works.pool.connection(claimed.account_id) as connection,
            connection.transaction(),
        ):
            new = [await tell_drift(connection, line) for line in drift]
            drifted = len(drift) if done.seen else sum(new)
            done = msgspec.structs.replace(done, drifted=drifted)
            run = await advance(connection, claimed, done, works.pace.lease_s)
            if run is None:
                raise LeaseLost
        failpoint("settlement.noted")
        return run

    async def _match(self, lines: Sequence[FileLine]) -> dict[int, Matched]:
        """Find our movements; of what the provider settled and we have not, ask it first."""
        if not lines:
            return {}
        found = await self._look(lines)
        late = {
            (one.order_id, one.payment_id)
            for one in found.values()
            if one.status in UNSETTLED and one.order_id and one.payment_id
        }
        for order_id, payment_id in sorted(late):
            await sync_payment(self.works, self.actor, Wanted(
                order_id=order_id or "", payment_id=payment_id or "",
                reconciliation_id=self.claimed.id))
        if late:
            found = await self._look(lines)
        return found

    async def _look(self, lines: Sequence[FileLine]) -> dict[int, Matched]:
        named = [
            Named(line.line, _as_id(line.reference), line.gateway_transaction_id, line.type,
                  line.fee)
            for line in lines
        ]
        async with self.works.pool.connection(self.claimed.account_id) as connection:
            return await match_lines(connection, self.settlement.gateway, named)

    async def _pay_out(self, line: FileLine, found: Matched) -> PaidOut:
        if found.id is None or found.order_id is None:
            return PaidOut(outcome="missing_here", ours=0, theirs=line.amount)
        settled = SettledLine(
            transaction_id=found.id, settlement_id=self.claimed.id, line=line.line,
            amount=line.amount, fee=line.fee, currency=line.currency, settled_at=line.settled_at,
            accept_fee=found.accept_fee,
        )
        command = Command(
            order_id=found.order_id, actor=self.actor, answer_to=lambda _: None
        )
        async with self.places:
            ran = await self.works.book.run(
                command, pay_out, asked=Asked(actor=self.actor, source="system"), line=settled
            )
        failpoint("settlement.booked")
        assert ran.change is not None, "without a key nothing is answered from before"
        paid: PaidOut = ran.change.result
        return paid

    def _drift(self, line: FileLine, found: Matched, paid: PaidOut) -> NewDrift:
        return NewDrift(
            gateway=self.settlement.gateway, kind=paid.outcome, reconciliation_id=self.claimed.id,
            order_id=found.order_id, transaction_id=found.id, reference=line.reference or None,
            gateway_transaction_id=line.gateway_transaction_id or None, currency=line.currency,
            ours=paid.ours, theirs=paid.theirs,
            detail=f"{line.type.lower()}, line {line.line} of {self.settlement.name}",
        )


def _as_id(reference: str) -> str | None:
    try:
        return str(UUID(reference))
    except ValueError:
        return None
