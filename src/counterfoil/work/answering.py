"""The stored answer of a request that waited for a provider: written once, by whoever knows.

The door that can wait no longer writes 202; when it is too late for that, what stands there is
the answer. [rulings 11]
"""

from counterfoil.kernel.db import Connection
from counterfoil.order.change import Answered


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
