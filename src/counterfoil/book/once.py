"""Writes that belong to no order, done once: their effect and their answer in one transaction.

What belongs to an order carries its key in the statement that commits it (see commit.py).
"""

from collections.abc import Awaitable, Callable

from counterfoil.book.opening import Key, stored_answer
from counterfoil.kernel.db import Connection
from counterfoil.order.change import Answered


async def once(
    connection: Connection, key: Key, effect: Callable[[], Awaitable[Answered]]
) -> Answered:
    """Do it under a key, or return what it answered before. [domain.md §10, rulings 11]

    Two at once: the second waits for the first to commit, then finds its answer. A refusal undoes
    the key too. Raises IdempotencyKeyReused, and what the effect raises.
    """
    async with connection.transaction():
        ours = await connection.value(
            "insert into idempotency (account_id, credential, key, fingerprint)"
            " values ($1, $2, $3, $4) on conflict do nothing returning true",
            connection.account,
            key.credential,
            key.key,
            key.fingerprint,
        )
        if ours is None:
            return await _stored(connection, key)
        answered = await effect()
        await connection.rows(
            "update idempotency set status = $4, body = $5, etag = $6, location = $7"
            " where account_id = $1 and credential = $2 and key = $3",
            connection.account,
            key.credential,
            key.key,
            answered.status,
            answered.body,
            answered.etag,
            answered.location,
        )
    return answered


async def _stored(connection: Connection, key: Key) -> Answered:
    row = await connection.row(
        "select fingerprint, status, body, etag, location from idempotency"
        " where account_id = $1 and credential = $2 and key = $3",
        connection.account,
        key.credential,
        key.key,
    )
    return stored_answer(row, key)
