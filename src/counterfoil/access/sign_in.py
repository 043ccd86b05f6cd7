"""Sign in with e-mail and password. [faults H-15, H-16]

An e-mail that nobody has, a wrong password and a disabled user get the same sentence after the
same work.
"""

from counterfoil.access.passwords import hash_password, needs_new_hash, verify_password
from counterfoil.access.sessions import NewSession, begin_session
from counterfoil.access.tries import count_try, forget_tries
from counterfoil.access.users import find_user, normal_email
from counterfoil.kernel.db import NO_ACCOUNT, Pool
from counterfoil.kernel.problem import Unauthenticated

REFUSAL = "The e-mail address or the password is wrong."


async def sign_in(
    pool: Pool, *, email: str, password: str, address: str, max_s: int = 12 * 3600
) -> NewSession:
    """Begin a session for whoever has this e-mail and password.

    `address` is the network address that tries. The caller ends the session that the browser had
    before. Raises RateLimited, Unauthenticated.
    """
    wanted = normal_email(email)
    async with pool.connection(NO_ACCOUNT) as connection:
        await count_try(connection, wanted, address)
        row = await connection.row(
            "select account_id::text, id::text, password_hash, status from sign_in($1)", wanted
        )
    kept = None if row is None or row["status"] != "ACTIVE" else row["password_hash"]
    if not await verify_password(kept, password) or row is None or kept is None:
        raise Unauthenticated(REFUSAL)
    async with pool.connection(row["account_id"]) as connection:
        if needs_new_hash(kept):
            await connection.rows(
                "update users set password_hash = $3 where account_id = $1 and id = $2"
                " and password_hash = $4",
                connection.account,
                row["id"],
                await hash_password(password),
                kept,
            )
        await forget_tries(connection, wanted, address)
        user = await find_user(connection, row["id"])
        return await begin_session(connection, user, max_s)
