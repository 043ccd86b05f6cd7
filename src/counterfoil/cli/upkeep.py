"""Looking after an installation: its schema, its health, its description."""

import asyncio
from collections.abc import Callable

from counterfoil.cli.installation import (
    DataDir,
    Installation,
    keep_database_url,
    keys_at_hand,
    open_database,
    open_installation,
    run_migrations,
)
from counterfoil.cli.progress import Progress
from counterfoil.cli.said import Said, say
from counterfoil.kernel.db import Pool
from counterfoil.kernel.secrets import KeyRing
from counterfoil.order.config import Account

_SHOWN_MAX = 5


def migrate(*, new_password: bool = False, data_dir: DataDir = None) -> None:
    """Bring the database to the newest schema; safe to repeat.

    Runs as COUNTERFOIL_OWNER_URL, makes the application's role where it is missing, and prints the
    address for COUNTERFOIL_DATABASE_URL. The address has a password only when the role was made
    just now.

    Parameters
    ----------
    new_password
        Give the application's role another password.
    """
    with open_installation(data_dir=data_dir) as installation:
        owner_url = installation.settings.owner_url
        if owner_url is None:
            raise Said(
                "COUNTERFOIL_OWNER_URL is missing: migrations run as the owner of the schema.",
                code=2,
            )
        url = asyncio.run(run_migrations(owner_url, new_password=new_password))
        if installation.embedded:
            say("The schema is the newest.")
        else:
            if installation.settings.database_url is None:
                keep_database_url(installation.settings, url)
            print(url)


def doctor(*, providers: bool = False, data_dir: DataDir = None) -> int:
    """Check the database and every account in it, and say what is wrong.

    Looks at the role, the schema, the clock and the life cycles, runs every invariant, the ledger's
    included, and opens every secret. Ends with 1 if anything was found.

    Parameters
    ----------
    providers
        Read every payment at its provider too, and say what differs. Nothing is changed:
        `counterfoil reconcile` does that.
    """
    with open_installation(data_dir=data_dir, key="given" if providers else "unused") as opened:
        wrong = asyncio.run(_examine(opened))
        if providers:
            wrong = max(wrong, asyncio.run(_ask_providers(opened)))
        return wrong


def rotate_secrets(*, data_dir: DataDir = None) -> int:
    """Seal every secret again under the newest key, the first of COUNTERFOIL_SECRET_KEY.

    The keys that secrets are under now follow it there. Safe to stop and to repeat; no secret
    changes. Ends with 1 if any could not be opened: those stay as they are.
    """
    with open_installation(data_dir=data_dir, key="given") as installation:
        return asyncio.run(_rotate(installation))


def openapi() -> None:
    """Print the API's description as it is served at /openapi.json: OpenAPI 3.1, as JSON."""
    from counterfoil.api.every import document

    print(document().decode())


async def _examine(installation: Installation) -> int:
    from counterfoil.book.invariants import check
    from counterfoil.order.life import MACHINES
    from counterfoil.setup.accounts import list_accounts
    from counterfoil.setup.migrate import check_database

    async with open_database(installation) as pool:
        wrong = await check_database(pool, MACHINES)
        for sentence in wrong:
            print(sentence)
        if wrong:
            return 1
        found = 0
        for account in await list_accounts(pool):
            with Progress(f"Looking at {account.name}", total=None) as progress:
                broken = await check(
                    pool, account.id, progress=lambda seen: progress.at(seen, f"{seen:,} orders")
                )
            print(f"{account.name}: {'this does not hold:' if broken else 'everything agrees.'}")
            for finding in broken:
                print(f"  {finding.sentence} ({finding.invariant}, {finding.count:,} times)")
                for row in finding.rows[:_SHOWN_MAX]:
                    print(f"    {row.id or ''}: {row.detail}")
            found += len(broken) + await _look_at_seals(installation, pool, account)
    return 1 if found else 0


async def _ask_providers(installation: Installation) -> int:
    from counterfoil.book.run import Book
    from counterfoil.setup.accounts import list_accounts
    from counterfoil.work.desk import Works
    from counterfoil.work.differences import every_difference

    found = 0
    async with open_database(installation) as pool:
        works = Works.from_settings(installation.settings, pool, Book(pool))
        try:
            for account in await list_accounts(pool):
                count = asked = 0
                with Progress(f"Asking the providers of {account.name}", total=None) as progress:
                    async for seen in every_difference(works, account.id):
                        asked += 1
                        progress.at(asked, f"{asked:,} payments")
                        if seen.sentence is not None:
                            count += 1
                            print(f"  order {seen.order_number}, {seen.gateway}: {seen.sentence}")
                said = f"{count:,} of {asked:,} payments differ" if count else (
                    f"{asked:,} payments are the same at their providers")
                print(f"{account.name}: {said}.")
                found += count
        finally:
            await works.aclose()
    return 1 if found else 0


async def _look_at_seals(installation: Installation, pool: Pool, account: Account) -> int:
    """Tell how the secrets of an account are sealed; return how many cannot be opened."""
    from counterfoil.setup.sealed import count_secrets, look_at_seals

    keys = keys_at_hand(installation)
    async with pool.connection(account.id) as connection:
        if not keys:
            if await count_secrets(connection):
                print(f"{account.name}: secrets were not looked at: no key is here to open them.")
            return 0
        seals = await look_at_seals(connection, KeyRing(keys))
    for closed in seals.closed:
        print(f"{account.name}: {closed.what} cannot be opened: {closed.why}")
    if seals.older:
        what = "1 secret is" if seals.older == 1 else f"{seals.older:,} secrets are"
        print(f"{account.name}: {what} under an old key; `counterfoil secrets rotate` renews.")
    return len(seals.closed)


def _follower(progress: Progress) -> Callable[[int], None]:
    return lambda seen: progress.at(seen, f"{seen:,} secrets")


async def _rotate(installation: Installation) -> int:
    from counterfoil.order.actor import system
    from counterfoil.setup.accounts import list_accounts
    from counterfoil.setup.sealed import count_secrets, seal_again

    keys = KeyRing(installation.settings.secret_keys())
    closed = 0
    async with open_database(installation) as pool:
        for account in await list_accounts(pool):
            async with pool.connection(account.id) as connection:
                total = await count_secrets(connection)
                with Progress(f"Sealing {account.name}", total=total) as progress:
                    result = await seal_again(
                        connection,
                        system(account.id),
                        keys,
                        follow=_follower(progress),
                    )
            print(
                f"{account.name}: {result.done:,} sealed again,"
                f" {result.were_newest:,} under the newest key already."
            )
            for one in result.closed:
                print(f"  {one.what} cannot be opened: {one.why}")
            closed += len(result.closed)
    if closed:
        say(
            "What could not be opened is as it was. Add the key that it is under to"
            " COUNTERFOIL_SECRET_KEY, after the first, and run this again."
        )
    return 1 if closed else 0
