"""The installation a command works on: its settings, its database, its accounts."""

import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from cyclopts import Parameter
from psutil import pid_exists

from counterfoil.cli.said import Said
from counterfoil.kernel.db import Pool
from counterfoil.order.config import Account
from counterfoil.settings import KEY_FILE, Settings, WrongSetting, read_settings

if TYPE_CHECKING:
    from counterfoil.kernel.postgres import Server

#: Options that many commands share.
DataDir = Annotated[Path | None, Parameter(help="The data folder (COUNTERFOIL_DATA_DIR; var).")]
Port = Annotated[int | None, Parameter(help="The port to listen on (COUNTERFOIL_PORT; 8000).")]
AccountName = Annotated[
    str | None, Parameter(help="The account, by name or id, where there is more than one.")
]
Key = Literal["unused", "given", "made"]
APPLICATION = "counterfoil_app"
_URL_FILE = "database.url"


class Installation(msgspec.Struct, frozen=True):
    """Settings in which nothing is left to guess; `owner_url` is None where it is not ours."""

    settings: Settings
    server: "Server | None" = None

    @property
    def embedded(self) -> bool:
        """Whether the PostgreSQL is our own."""
        return self.server is not None

    def server_lives(self) -> bool:
        """Tell whether our own PostgreSQL still runs; another one is not for us to watch."""
        return self.server is None or pid_exists(self.server.pid)

    @property
    def database_url(self) -> str:
        """The database as the application sees it."""
        assert self.settings.database_url is not None
        return self.settings.database_url


@contextmanager
def open_installation(*, key: Key = "unused", **given: Any) -> Iterator[Installation]:
    """Read the settings and see to it that the database runs; stop it at the end if it is ours.

    `key` says what about the key that seals secrets: with a database of one's own it has to be
    given, unless one is kept in the data folder; "made" makes one there. Raises WrongSetting,
    ServerFailed.
    """
    settings = read_settings(**given)
    settings = msgspec.structs.replace(settings, data_dir=settings.data_dir.absolute())
    if key != "unused":
        keys = [base64.b64encode(one).decode() for one in _keys(settings, make=key == "made")]
        settings = msgspec.structs.replace(settings, secret_key=",".join(keys))
    if not settings.embedded:
        yield Installation(_named(settings))
        return
    from counterfoil.kernel import postgres

    folder = settings.data_dir / "postgres"
    with postgres.start(folder, version=settings.postgres_version) as server:
        named = msgspec.structs.replace(
            settings, database_url=server.url(user=APPLICATION), owner_url=server.url()
        )
        yield Installation(named, server)


def _keys(settings: Settings, *, make: bool) -> list[bytes]:
    in_folder = make or (settings.data_dir / KEY_FILE).exists()
    if settings.secret_key is None and in_folder:
        settings = msgspec.structs.replace(settings, database_url=None, owner_url=None)
    return settings.secret_keys()


def keys_at_hand(installation: Installation) -> list[bytes]:
    """Return the keys that secrets are sealed with, or none where they are not here."""
    try:
        return _keys(installation.settings, make=False)
    except WrongSetting:
        return []


def _named(settings: Settings) -> Settings:
    """Find the application's address where only the owner's was given. Raises Said."""
    if settings.database_url is not None:
        return settings
    kept = settings.data_dir / _URL_FILE
    if kept.exists():
        return msgspec.structs.replace(settings, database_url=kept.read_text().strip())
    return settings


def keep_database_url(settings: Settings, url: str) -> None:
    """Keep the address that `migrate` made, readable for its owner alone."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    kept = settings.data_dir / _URL_FILE
    kept.touch(mode=0o600)
    kept.write_text(url + "\n")


async def bring_up_to_date(installation: Installation) -> Installation:
    """Run missing migrations where the owner is known, else say that they are missing.

    Returns the installation with the application's address, which a first migration makes.
    Raises Said.
    """
    from counterfoil.setup.schema import schema_is_newest

    settings = installation.settings
    if settings.owner_url is None:
        return installation
    if settings.database_url is not None and await schema_is_newest(settings.owner_url):
        return installation
    url = await run_migrations(settings.owner_url)
    if settings.database_url is None:
        keep_database_url(settings, url)
        settings = msgspec.structs.replace(settings, database_url=url)
    return Installation(settings, installation.server)


async def run_migrations(owner_url: str, *, new_password: bool = False) -> str:
    """Migrate; return the application's address. Raises Said."""
    from counterfoil.setup.migrate import DatabaseUnfit, migrate

    try:
        return await migrate(owner_url, new_password=new_password)
    except DatabaseUnfit as unfit:
        raise Said(str(unfit)) from unfit


@asynccontextmanager
async def open_database(installation: Installation, *, size: int = 4) -> AsyncIterator[Pool]:
    """Lend connections to a database with the newest schema. Raises Said."""
    if installation.settings.database_url is None and installation.settings.owner_url is None:
        raise Said("COUNTERFOIL_DATABASE_URL is missing.", code=2)
    if installation.embedded:
        installation = await bring_up_to_date(installation)
    if installation.settings.database_url is None:
        raise Said(
            "COUNTERFOIL_DATABASE_URL is missing; `counterfoil migrate` makes the role and prints"
            " the address.",
            code=2,
        )
    pool = Pool(installation.database_url, size=size)
    try:
        yield pool
    finally:
        await pool.close()


async def choose_account(pool: Pool, wanted: str | None) -> Account:
    """Find the account that is meant: the one named, or the only one. Raises Said."""
    from counterfoil.setup.accounts import list_accounts

    accounts = await list_accounts(pool)
    named = [a for a in accounts if wanted in (None, a.name, a.id)]
    if len(named) == 1:
        return named[0]
    names = ", ".join(f"{account.name} ({account.id})" for account in accounts)
    if not accounts:
        raise Said("There is no account yet: `counterfoil account create NAME` makes one.", code=2)
    if named:
        raise Said(f"There are several accounts; say --account. There are: {names}.", code=2)
    raise Said(f"There is no account {wanted}. There are: {names}.", code=2)
