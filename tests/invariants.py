"""What must be true after whatever a test did."""

from counterfoil.book.invariants import check
from counterfoil.kernel.db import Pool


async def assert_invariants(pool: Pool, account_id: str) -> None:
    """Fail with every broken promise of an account, and the first places where it is broken."""
    assert [
        (found.invariant, found.count, found.rows[:3]) for found in await check(pool, account_id)
    ] == []
