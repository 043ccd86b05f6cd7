"""How often somebody may try to sign in. [faults H-16]

Two buckets are counted in the database, for all processes: the e-mail with the address that tries,
and the e-mail alone, which an attack from many addresses fills. After some free tries each further
one has to wait twice as long, up to a limit: nobody is locked out for good. A bucket is counted
whether or not a user has the e-mail.
"""

import hashlib

import msgspec

from counterfoil.kernel.db import Connection
from counterfoil.kernel.problem import RateLimited

FORGOTTEN_S = 3600


class Allowance(msgspec.Struct, frozen=True):
    """How many tries are free, and how long the longest wait is."""

    free: int
    wait_s_max: int


BY_ADDRESS = Allowance(free=5, wait_s_max=900)
BY_EMAIL = Allowance(free=50, wait_s_max=60)


async def count_try(connection: Connection, email: str, address: str) -> None:
    """Count a try before it is made, so that many at once are counted too.

    Raises RateLimited while one of the buckets has to wait; Retry-After says how long.
    """
    await connection.rows(
        "delete from sign_in_tries where failed_at < cf_now() - make_interval(secs => $1)",
        FORGOTTEN_S,
    )
    for bucket, allowance in _buckets(email, address):
        row = await connection.row(
            "with try as ("
            "  insert into sign_in_tries as t (bucket, failed_count, failed_at)"
            "  values ($1, 1, cf_now())"
            "  on conflict (bucket) do update set failed_count = t.failed_count + 1,"
            "    failed_at = cf_now()"
            "  where t.failed_count < $2 or t.failed_at + make_interval("
            "    secs => least($3, power(2, least(t.failed_count - $2, 20)))) <= cf_now()"
            "  returning 1)"
            " select exists (select from try) as counted,"
            " (select ceil(extract(epoch from t.failed_at - cf_now())"
            "    + least($3, power(2, least(t.failed_count - $2, 20))))::int"
            "  from sign_in_tries t where t.bucket = $1) as wait_s",
            bucket,
            allowance.free,
            allowance.wait_s_max,
        )
        if not row["counted"]:
            wait_s = max(1, row["wait_s"] or 1)
            raise RateLimited(
                f"Too many tries. Try again in {wait_s} s.", headers={"Retry-After": str(wait_s)}
            )


async def forget_tries(connection: Connection, email: str, address: str) -> None:
    """Start anew after somebody has signed in."""
    await connection.rows(
        "delete from sign_in_tries where bucket = any($1::text[])",
        [bucket for bucket, _ in _buckets(email, address)],
    )


def _buckets(email: str, address: str) -> list[tuple[str, Allowance]]:
    return [
        (hashlib.sha256(f"{email}\n{address}".encode()).hexdigest(), BY_ADDRESS),
        (hashlib.sha256(email.encode()).hexdigest(), BY_EMAIL),
    ]
