"""Emptying a state: its orders go to another one by one, each with a fact of its own. [rulings 6]

A request does a batch and says where to go on, so whoever asks sees how far it is, may stop at any
time, and may send the same again: an order that has left the state is left alone.
"""

import time
from collections.abc import AsyncIterator

import msgspec

from counterfoil.actions.migrate_state import migrate_state
from counterfoil.book.filters import OLDEST, Filters
from counterfoil.book.lists import list_orders
from counterfoil.book.run import Command
from counterfoil.book.several import SEVERAL_MAX, open_several
from counterfoil.kernel.page import Count
from counterfoil.kernel.problem import NotFound, Problem
from counterfoil.kernel.shape import refuse
from counterfoil.order.intent import Asked
from counterfoil.order.opening import needs_of
from counterfoil.order.problems import UnknownReference
from counterfoil.order.shapes import SummaryShape
from counterfoil.setup.states import ShownState, find_state
from counterfoil.work.desk import Works

BATCH, BATCH_MAX = 100, 1000
BUDGET_S = 8
NAMED_MAX = 20
#: Refusals whose own sentence is the rule; that of the others names the order's own holds and such.
_SAYS_WHY = frozenset({"transition_not_allowed"})


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """Which state is to be emptied into which, and how much of it now.

    `cursor` is the `next_cursor` of the batch before; without one it begins with the oldest order.
    """

    store: str
    source: str
    target: str
    limit: int = BATCH
    cursor: str | None = None
    dry_run: bool = False


class Kept(msgspec.Struct, kw_only=True):
    """Orders that a rule keeps where they are: how many, and the numbers of the first 20."""

    code: str
    why: str
    count: int = 0
    numbers: list[str] = []


class Migrated(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch; in a dry run, what would.

    `left` is how many orders the state has afterwards, counted to 1,000. Where `next_cursor` is
    null, every order has been looked at.
    """

    dry_run: bool
    looked: int
    moved: int
    kept: list[Kept]
    left: Count
    next_cursor: str | None


async def both_states(works: Works, asked: Asked, wanted: Migration) -> ShownState:
    """Find the state that is to be emptied; the other has to be one of the same store.

    Raises PermissionDenied, MerchantLimited, NotFound, UnknownReference, ValidationFailed.
    """
    actor = asked.actor
    actor.require("states.manage")
    actor.require_whole_order()
    if actor.stores is not None and wanted.store not in actor.stores:
        raise NotFound("There is no such store.")
    async with works.pool.connection(actor.account_id) as connection:
        source = await find_state(connection, wanted.source, store=wanted.store)
        if wanted.target == wanted.source:
            raise refuse("/to", "The orders are in that state already.")
        try:
            await find_state(connection, wanted.target, store=wanted.store)
        except NotFound as problem:
            errors = [{"pointer": "/to", "detail": problem.detail}]
            raise UnknownReference(problem.detail, errors=errors) from problem
    return source


async def migrate(works: Works, asked: Asked, wanted: Migration) -> Migrated:
    """Move a batch of orders, or tell what would become of it.

    Raises what `both_states` raises, Unavailable, and ValidationFailed for a cursor that is none.
    """
    await both_states(works, asked, wanted)
    kept: dict[tuple[str, str], Kept] = {}
    looked = moved = 0
    cursor = wanted.cursor
    until = time.monotonic() + BUDGET_S
    while True:
        part = min(wanted.limit - looked, SEVERAL_MAX)
        orders, cursor = await _page(works, asked, wanted, cursor, part)
        async for number, problem in _judged(works, asked, wanted, orders):
            if problem is None:
                moved += 1
            else:
                _keep(kept, number, problem)
        looked += len(orders)
        if cursor is None or looked >= wanted.limit or time.monotonic() > until:
            break
    left = (await both_states(works, asked, wanted)).orders
    return Migrated(
        dry_run=wanted.dry_run,
        looked=looked,
        moved=moved,
        kept=sorted(kept.values(), key=lambda one: -one.count),
        left=left,
        next_cursor=cursor,
    )


async def _page(
    works: Works, asked: Asked, wanted: Migration, cursor: str | None, limit: int
) -> tuple[list[SummaryShape], str | None]:
    """Read some orders of the state, the oldest first: those that leave it move no place."""
    async with works.pool.connection(asked.actor.account_id) as connection:
        page = await list_orders(
            connection,
            asked.actor,
            Filters(state=(wanted.source,), store=(wanted.store,)),
            limit=limit,
            after=cursor,
            sort=OLDEST,
        )
    return list(page.data), page.next_cursor


async def _judged(
    works: Works, asked: Asked, wanted: Migration, orders: list[SummaryShape]
) -> AsyncIterator[tuple[str, Problem | None]]:
    """Tell of each order by its number whether it moved (or would), or why not.

    One that has left the state meanwhile is not told of.
    """
    if wanted.dry_run:
        async with works.pool.connection(asked.actor.account_id) as connection:
            ids = [order.id for order in orders]
            folders = await open_several(connection, ids, needs_of(migrate_state))
        for folder in folders:
            try:
                change = migrate_state(
                    folder, asked=asked, source=wanted.source, target=wanted.target
                )
            except Problem as problem:
                yield folder.order.number, problem
            else:
                if not change.nothing:
                    yield folder.order.number, None
        return
    for order in orders:
        try:
            ran = await works.book.run(
                Command(order_id=order.id, actor=asked.actor),
                migrate_state,
                asked=asked,
                source=wanted.source,
                target=wanted.target,
            )
        except Problem as problem:
            if problem.status >= 500:
                raise
            yield order.number, problem
        else:
            if ran.change is not None and not ran.change.nothing:
                yield order.number, None


def _keep(kept: dict[tuple[str, str], Kept], number: str, problem: Problem) -> None:
    why = problem.detail if problem.code in _SAYS_WHY else problem.title
    one = kept.setdefault((problem.code, why), Kept(code=problem.code, why=why))
    one.count += 1
    if len(one.numbers) < NAMED_MAX:
        one.numbers = [*one.numbers, number]
