"""Accounts, keys and users from the command line."""

import asyncio
import sys
from typing import Annotated

from cyclopts import Parameter

from counterfoil.cli.installation import (
    AccountName,
    DataDir,
    choose_account,
    open_database,
    open_installation,
)
from counterfoil.cli.said import Said, say


def create_account(
    name: str, /, *, store: str = "main", currency: str = "EUR", data_dir: DataDir = None
) -> None:
    """Make an account that can take orders at once, and print its id.

    It has one store (which makes merchants that it does not know), the merchant `main`, the
    gateway `manual`, the built-in states, and the shipment methods `standard` and `express`.

    Parameters
    ----------
    name
        What the account is called.
    store
        The code of its store.
    currency
        The store's usual currency, by its ISO 4217 code.
    """
    from counterfoil.setup import accounts

    with open_installation(data_dir=data_dir) as installation:

        async def make() -> str:
            async with open_database(installation) as pool:
                made = await accounts.create_account(pool, name, store=store, currency=currency)
                return made.id

        print(asyncio.run(make()))


def list_accounts(*, data_dir: DataDir = None) -> None:
    """List the accounts: id and name, the oldest first."""
    from counterfoil.setup import accounts

    with open_installation(data_dir=data_dir) as installation:

        async def read() -> list[str]:
            async with open_database(installation) as pool:
                return [f"{a.id}  {a.name}" for a in await accounts.list_accounts(pool)]

        for line in asyncio.run(read()):
            print(line)


def create_key(
    *,
    name: str,
    scopes: Annotated[
        list[str],
        Parameter(help="What it may do: `*`, or words like orders:read,payments:capture."),
    ],
    merchants: Annotated[
        list[str] | None, Parameter(help="Codes of the merchants it may see; all without.")
    ] = None,
    account: AccountName = None,
    data_dir: DataDir = None,
) -> None:
    """Make an API key and print it: the key alone, this one time.

    Parameters
    ----------
    name
        What the key is for.
    """
    from counterfoil.access import keys
    from counterfoil.order.actor import system

    new = keys.NewKey(name=name, scopes=_split(scopes), merchants=_split(merchants or []) or None)
    with open_installation(data_dir=data_dir) as installation:

        async def make() -> str:
            async with open_database(installation) as pool:
                chosen = await choose_account(pool, account)
                async with pool.connection(chosen.id) as connection:
                    return (await keys.create_key(connection, system(chosen.id), new)).key

        print(asyncio.run(make()))


def add_user(
    email: str,
    /,
    *,
    role: str = "admin",
    name: str | None = None,
    password_stdin: bool = False,
    stores: list[str] | None = None,
    merchants: list[str] | None = None,
    account: AccountName = None,
    data_dir: DataDir = None,
) -> None:
    """Make a user who can sign in at once, and print the user's id.

    Parameters
    ----------
    email
        What the user signs in with.
    role
        admin, manager, service, warehouse, accounting, merchant, or one of `role list`.
    name
        What people call the user; without it the part of the e-mail before the @.
    password_stdin
        Read the password from standard input; without it, it is asked for.
    stores
        Codes of the stores the user may see; all without.
    merchants
        Codes of the merchants the user may see; all without.
    """
    from counterfoil.access import users
    from counterfoil.order.actor import system

    new = users.NewUser(
        email=email,
        name=name or email.partition("@")[0],
        role=role,
        password=_password(from_stdin=password_stdin),
        stores=_split(stores or []) or None,
        merchants=_split(merchants or []) or None,
    )
    with open_installation(data_dir=data_dir) as installation:

        async def make() -> str:
            async with open_database(installation) as pool:
                chosen = await choose_account(pool, account)
                async with pool.connection(chosen.id) as connection:
                    return (await users.create_user(connection, system(chosen.id), new)).id

        print(asyncio.run(make()))


def _split(words: list[str]) -> list[str]:
    return [part for word in words for part in word.replace(",", " ").split()]


def _password(*, from_stdin: bool) -> str:
    from counterfoil.access.passwords import read_password

    if from_stdin:
        return read_password(sys.stdin)
    if not sys.stdin.isatty():
        raise Said("Say --password-stdin to read the password from standard input.", code=2)
    from getpass import getpass

    first = getpass("Password: ")
    if getpass("Again: ") != first:
        raise Said("The two are not the same.", code=2)
    say("")
    return first
