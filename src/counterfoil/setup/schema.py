"""Whether the schema is the newest, asked quickly."""

from importlib.resources import files

from counterfoil.kernel.db import NO_ACCOUNT, Pool

_FOUND = "select version_num from alembic_version"


async def schema_is_newest(owner_url: str) -> bool:
    """Tell whether no migration is missing.

    Asked at every start, without the half second that loading the migrations' machinery takes:
    the number of a revision is that of its .sql file. Raises Unavailable.
    """
    pool = Pool(owner_url, size=1)
    try:
        async with pool.connection(NO_ACCOUNT) as connection:
            if await connection.value("select to_regclass('public.alembic_version')") is None:
                return False
            return bool(await connection.value(_FOUND) == newest_number())
    finally:
        await pool.close()


def newest_number() -> str:
    """Return the number of the newest migration."""
    folder = files("counterfoil") / "migrations" / "sql"
    return max(file.name.partition("_")[0] for file in folder.iterdir())
