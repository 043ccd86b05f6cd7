"""Looking after an installation: its schema, its health, its description."""

import asyncio

from counterfoil.cli.installation import (
    DataDir,
    Installation,
    keep_database_url,
    open_database,
    open_installation,
    run_migrations,
)
from counterfoil.cli.progress import Progress
from counterfoil.cli.said import Said, say

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


def doctor(*, data_dir: DataDir = None) -> int:
    """Check the database and every account in it, and say what is wrong.

    Looks at the role, the schema, the clock and the life cycles, and runs every invariant. Ends
    with 1 if anything was found.
    """
    with open_installation(data_dir=data_dir) as installation:
        return asyncio.run(_examine(installation))


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
            found += len(broken)
    return 1 if found else 0
