"""The stored answer of a request that waited for a provider: written once, by whoever knows.

The door that can wait no longer writes 202; when it is too late for that, what stands there is
the answer. [rulings 11]
"""

import msgspec

from counterfoil.book.opening import Key, stored_answer
from counterfoil.kernel.db import Connection
from counterfoil.order.actor import Actor, system
from counterfoil.order.change import Answered
from counterfoil.order.transaction import Transaction

_STANDS = """select fingerprint, status, body, etag, location from idempotency
  where account_id = $1 and credential = $2 and key = $3"""


def asker_of(account_id: str, row: Transaction) -> Actor:
    """Whoever wanted a movement, as its facts name them; the answer is told with all rights.

    To one who sees some merchants alone, no more than these. [rulings 5]
    """
    whole = system(account_id)
    merchants = row.actor.get("merchants")
    return msgspec.structs.replace(
        whole,
        kind=row.actor["kind"],
        id=row.actor["id"],
        name=row.actor["name"],
        merchants=None if merchants is None else frozenset(merchants),
        credential=row.credential or whole.credential,
    )


async def answer_once(
    connection: Connection, credential: str, key: str, answered: Answered
) -> Answered:
    """Store an answer where none stands yet, and return the one that stands."""
    account = connection.account
    stored = await connection.row(
        "update idempotency set status = $4, body = $5, etag = $6, location = $7"
        " where account_id = $1 and credential = $2 and key = $3 and status is null returning 1",
        account,
        credential,
        key,
        answered.status,
        answered.body,
        answered.etag,
        answered.location,
    )
    if stored is not None:
        return answered
    row = await connection.row(
        "select status, body, etag, location from idempotency"
        " where account_id = $1 and credential = $2 and key = $3 and status is not null",
        account,
        credential,
        key,
    )
    if row is None:
        return answered
    return Answered(
        status=row["status"], body=row["body"], etag=row["etag"], location=row["location"]
    )


async def answered_before(connection: Connection, key: Key) -> Answered | None:
    """Find the answer that a repeatable request got under this key.

    Raises IdempotencyKeyReused, RequestInProgress.
    """
    row = await connection.row(_STANDS, connection.account, key.credential, key.key)
    return None if row is None else stored_answer(row, key)


async def keep_answer(connection: Connection, key: Key, answered: Answered) -> Answered:
    """Keep the answer of a request whose effect may be repeated, and return the one that stands.

    Nothing is written before the effect: who finds no answer does it again, which changes nothing.
    Raises IdempotencyKeyReused.
    """
    ours = await connection.row(
        "insert into idempotency (account_id, credential, key, fingerprint, status, body, etag,"
        " location) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning 1",
        connection.account,
        key.credential,
        key.key,
        key.fingerprint,
        answered.status,
        answered.body,
        answered.etag,
        answered.location,
    )
    if ours is not None:
        return answered
    return await answered_before(connection, key) or answered
