"""Ask a provider now about a movement that waits, because a person wants to know. [U-27]"""

from counterfoil.book.refusals import LeaseLost
from counterfoil.kernel.due import claim_one
from counterfoil.work.desk import Works
from counterfoil.work.settle import settle_due


async def settle_one(works: Works, account_id: str, transaction_id: str) -> bool:
    """Settle one unsettled transaction at once, as the worker would when it is due.

    False: it is settled already, or somebody is at it. Raises Unavailable, Gone.
    """
    async with works.pool.connection(account_id) as connection:
        claimed = await claim_one(connection, "transaction", transaction_id, works.pace.lease_s)
    if claimed is None:
        return False
    try:
        await works.undisturbed(settle_due(works, claimed))
    except LeaseLost:
        return False
    return True
