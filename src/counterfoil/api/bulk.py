"""Many orders at once: NDJSON in, NDJSON out, one line each; a bad line stops no other.

The body is read as it comes and booked by the batch; results are told when all of it has been
read, because most clients do not listen while they speak. An order whose external id is here
already is answered as it is, so a file may be sent again.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec

from counterfoil.actions.place import place
from counterfoil.api.ask import Ask
from counterfoil.api.door import Door
from counterfoil.api.openapi import NDJSON, ProblemShape
from counterfoil.api.orders import CHANNEL, fingerprint
from counterfoil.api.reply import Stream
from counterfoil.book.opening import Key
from counterfoil.book.placed import Placed, find_placed
from counterfoil.book.placing import PlacedBefore, Placing, merchants_of
from counterfoil.book.refusals import SomebodyWasFirst
from counterfoil.book.run import waits_for_provider
from counterfoil.kernel.body import BODY_BYTES_MAX, ROWS_MAX, check_media_type, decode_json
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.log import request_id
from counterfoil.kernel.problem import NotFound, Problem, TooLarge, Unavailable
from counterfoil.order.change import Answered, Change
from counterfoil.order.history import Brought
from counterfoil.order.intake import WantedOrder
from counterfoil.order.intent import Asked
from counterfoil.order.problems import DuplicateExternalId
from counterfoil.transfer.booking import Counter, book_brought
from counterfoil.transfer.desks import Desks, read_desks
from counterfoil.work.settle import settle_now

door = Door("Orders")
BATCH_LINES, BATCH_BYTES = 500, 4 * BODY_BYTES_MAX
_BREATH = 16
_ROUNDS = 6
_AT_ONCE = 8
_encode = msgspec.json.Encoder().encode


class BulkResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a line, counted from 1: an order's id, or the problem that refused it."""

    line: int
    status: int
    id: str | None = None
    number: str | None = None
    external_id: str | None = None
    problem: ProblemShape | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line that holds an order."""

    line: int
    brought: Brought
    wanted: WantedOrder
    fingerprint: str


@door.post(
    "/v1/orders/bulk", right="orders.create", line=Brought, media=NDJSON, answers={200: BulkResult}
)
async def place_orders(ask: Ask) -> Stream:
    """Take in up to 10,000 orders, one a line of NDJSON, and answer one result a line, in order.

    A line may also have a `history`, which is booked with its own times. Lines without an external
    id are placed once for an Idempotency-Key.
    """
    ask.actor.require_whole_order()
    check_media_type(ask.headers, kind=NDJSON)
    return Stream(_results(ask), NDJSON.encode())


async def _results(ask: Ask) -> AsyncIterator[bytes]:
    bulk = Bulk(ask)
    waiting: list[Entry] = []
    size = 0
    async for number, raw in _lines(ask):
        try:
            entry = _read(number, raw)
        except Problem as problem:
            bulk.refuse(number, problem)
            continue
        known = {one.wanted.external_id for one in waiting} - {None}
        if (
            len(waiting) >= BATCH_LINES
            or size + len(raw) > BATCH_BYTES
            or entry.wanted.external_id in known
        ):
            await bulk.book(waiting)
            waiting, size = [], 0
        waiting.append(entry)
        size += len(raw)
        if number % _BREATH == 0:
            await asyncio.sleep(0)
    await bulk.book(waiting)
    told = [_encode(result) + b"\n" for result in bulk.sorted()]
    for start in range(0, len(told), BATCH_LINES):
        yield b"".join(told[start : start + BATCH_LINES])


async def _lines(ask: Ask) -> AsyncIterator[tuple[int, bytes]]:
    """Yield the lines that are not empty, with their numbers; a line too long is cut short."""
    number, rest, skipping = 0, b"", False
    async for chunk in ask.chunks():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            number += 1
            if not skipping and line.strip():
                yield number, line
            skipping = False
            if number > ROWS_MAX:
                return
        if len(rest) > BODY_BYTES_MAX and not skipping:
            yield number + 1, rest
            skipping = True
        if skipping:
            rest = b""
    if rest.strip() and not skipping:
        yield number + 1, rest


def _read(number: int, raw: bytes) -> Entry:
    if number > ROWS_MAX:
        raise TooLarge(f"There may be {ROWS_MAX} lines; send the others on their own.")
    if len(raw) > BODY_BYTES_MAX:
        raise TooLarge(f"A line may have {BODY_BYTES_MAX} bytes.", limit=BODY_BYTES_MAX)
    brought = decode_json(raw, Brought)
    names = WantedOrder.__struct_fields__
    wanted = WantedOrder(**{name: getattr(brought, name) for name in names})
    made = fingerprint(wanted if brought.history is None else brought)
    return Entry(line=number, brought=brought, wanted=wanted, fingerprint=made)


class Bulk:
    """The results of one request while it is worked off."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.actor = ask.actor
        self.office = ask.office
        self.results: dict[int, BulkResult] = {}
        self.named = ask.key if b"idempotency-key" in ask.headers else None

    def sorted(self) -> list[BulkResult]:
        """List the results by line."""
        return [self.results[line] for line in sorted(self.results)]

    def refuse(self, line: int, problem: Problem, external_id: str | None = None) -> None:
        """Note that a line was refused; where another order is in its way, tell which."""
        told = msgspec.convert(
            problem.body(instance="/v1/orders/bulk", trace_id=request_id.get()), ProblemShape
        )
        self.results[line] = BulkResult(
            line=line, status=problem.status, external_id=external_id, problem=told,
            id=problem.facts.get("order_id"),
        )

    def accept(self, entry: Entry, status: int, order_id: str, number: str | None) -> None:
        """Note that a line's order is here."""
        self.results[entry.line] = BulkResult(
            line=entry.line, status=status, id=order_id, number=number,
            external_id=entry.wanted.external_id,
        )

    async def book(self, entries: Sequence[Entry]) -> None:
        """Book some lines; those that met somebody else's are looked at again."""
        for _ in range(_ROUNDS):
            if not entries:
                return
            entries = await self._round(entries)
        for entry in entries:
            self.refuse(entry.line, Unavailable("Too busy; send the line again."))

    async def _round(self, entries: Sequence[Entry]) -> list[Entry]:
        ready, alone = await self._decide(entries)
        again: list[Entry] = []
        found = await self.office.placer.place_many(
            self.actor.account_id, [change for _, change in ready]
        )
        for (entry, _), made in zip(ready, found, strict=True):
            if isinstance(made, Change):
                self.accept(entry, 201, made.after.order.id, made.after.order.number)
            elif isinstance(made, Problem):
                self.refuse(entry.line, made, entry.wanted.external_id)
            else:
                assert isinstance(made, SomebodyWasFirst)
                again.append(entry)
        limit = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(self._alone(entry, limit) for entry in alone))
        return again

    async def _decide(
        self, entries: Sequence[Entry]
    ) -> tuple[list[tuple[Entry, Change]], list[Entry]]:
        """Sort the lines: those a batch can write, and those that are placed one by one."""
        ready: list[tuple[Entry, Change]] = []
        alone: list[Entry] = []
        ids = [e.wanted.external_id for e in entries if e.wanted.external_id is not None]
        merchants = {code for entry in entries for code in merchants_of(entry.wanted)}
        async with self.office.pool.connection(self.actor.account_id) as connection:
            desks = await read_desks(
                connection, channel=CHANNEL, external_ids=(), merchants=sorted(merchants)
            )
            placed = await find_placed(connection, CHANNEL, ids)
            for count, entry in enumerate(entries):
                if count % _BREATH == _BREATH - 1:
                    await asyncio.sleep(0)
                before = placed.get(entry.wanted.external_id or "")
                if before is not None:
                    self._again(entry, before)
                elif self.named is not None and not entry.wanted.external_id:
                    alone.append(entry)
                else:
                    store = desks.store(entry.wanted.store)
                    first = await self.office.placer.numbers.take(
                        connection, store.code) if store else 0
                    change = self._change(entry, desks, first)
                    if change is not None and waits_for_provider(change):
                        alone.append(entry)
                    elif change is not None:
                        ready.append((entry, change))
        return ready, alone

    def _change(self, entry: Entry, desks: Desks, number: int) -> Change | None:
        store = desks.store(entry.wanted.store)
        counter = Counter(
            desk=desks.desk(store), methods=desks.methods_of(store), channel=CHANNEL,
            numbers=iter([number]),
        )
        try:
            if store and self.actor.stores is not None and store.code not in self.actor.stores:
                raise NotFound("There is no such store.")
            if entry.brought.history is None:
                asked = self.office.asked(self.actor, key=f"bulk-{new_id()}")
                return place(
                    counter.desk, asked=asked, wanted=entry.wanted, channel=CHANNEL,
                    number=counter.next_number(), fingerprint=entry.fingerprint,
                )
            past = Asked(actor=self.actor, source="import", instant=True)
            return book_brought(counter, entry.brought, asked=past, fingerprint=entry.fingerprint)
        except Problem as problem:
            self.refuse(entry.line, problem, entry.wanted.external_id)
            return None

    def _again(self, entry: Entry, before: Placed) -> None:
        if before.create_fingerprint == entry.fingerprint:
            self.accept(entry, 200, before.id, before.number)
            return
        taken = DuplicateExternalId(
            f"Order {before.id} of this channel has the external id {before.external_id}.",
            order_id=before.id,
        )
        self.refuse(entry.line, taken, before.external_id)

    async def _alone(self, entry: Entry, limit: asyncio.Semaphore) -> None:
        """Place one order under a key of its own, and ask its provider."""
        named = self.named.key if self.named else f"bulk-{new_id()}"
        key = Key(
            credential=self.actor.credential, key=f"{named}#{entry.line}",
            fingerprint=entry.fingerprint,
        )
        asked = self.office.asked(self.actor, key=key.key)
        placing = Placing(
            asked=asked, wanted=entry.wanted, channel=CHANNEL, fingerprint=entry.fingerprint,
            key=key,
        )
        async with limit:
            try:
                ran = await self.office.placer.place(placing)
                self._told(entry, await settle_now(self.office, asked, ran))
            except PlacedBefore as before:
                self.accept(entry, 200, before.order_id, None)
            except Problem as problem:
                self.refuse(entry.line, problem, entry.wanted.external_id)

    def _told(self, entry: Entry, answered: Answered) -> None:
        body = msgspec.json.decode(answered.body)
        if answered.status >= 400:
            problem = msgspec.convert(body, ProblemShape)
            self.results[entry.line] = BulkResult(
                line=entry.line, status=answered.status, problem=problem,
                external_id=entry.wanted.external_id,
            )
        else:
            order_id = body.get("order_id") or body["id"]
            self.accept(entry, answered.status, order_id, body.get("number"))
