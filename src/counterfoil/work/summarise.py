"""Fold the ledger's entries into balances, a little behind the feed. [rulings 16]

The process that places facts in the feed folds them too; a balance that is read meanwhile adds what
is not folded yet, so nobody waits for this.
"""

import asyncio

import asyncpg

from counterfoil.book.balances import FOLD_FACTS, fold
from counterfoil.kernel.db import Gone, Pool
from counterfoil.kernel.log import log
from counterfoil.kernel.problem import Unavailable
from counterfoil.setup.accounts import list_accounts
from counterfoil.work.sequence import Placed

EVERY_S = 2


async def run_summariser(pool: Pool, stop: asyncio.Event, placed: Placed) -> None:
    """Fold where something was placed, every other second, until told to stop."""
    while not stop.is_set():
        try:
            await summarise(pool, placed)
        except (Gone, Unavailable, asyncpg.PostgresError) as failure:
            placed.everywhere = True
            log.warning("cannot_summarise", error=str(failure) or type(failure).__name__)
        try:
            await asyncio.wait_for(stop.wait(), EVERY_S)
        except TimeoutError:
            continue


async def summarise(pool: Pool, placed: Placed) -> int:
    """Fold all there is in the accounts where something was placed; tell how many facts."""
    accounts, placed.accounts = placed.accounts, set()
    if placed.everywhere:
        placed.everywhere = False
        accounts = {account.id for account in await list_accounts(pool)}
    count = 0
    for account in sorted(accounts):
        found = FOLD_FACTS
        while found >= FOLD_FACTS:
            async with pool.connection(account) as connection:
                found = await fold(connection)
            count += found
    return count
