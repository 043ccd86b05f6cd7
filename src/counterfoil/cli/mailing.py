"""The mail server of an account from the command line."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

from msgspec import UNSET

from counterfoil.cli.installation import (
    AccountName,
    DataDir,
    choose_account,
    open_database,
    open_installation,
)
from counterfoil.cli.said import Said
from counterfoil.kernel.db import Connection
from counterfoil.order.actor import Actor
from counterfoil.work.desk import Works

_T = TypeVar("_T")
_PASSWORD_MAX = 1000
Security = Literal["starttls", "tls", "none"]


def set_mail(
    host: str,
    /,
    *,
    sender: str,
    port: int = 587,
    security: Security = "starttls",
    user: str | None = None,
    password_stdin: bool = False,
    sender_name: str = "",
    reply_to: str | None = None,
    account: AccountName = None,
    data_dir: DataDir = None,
) -> None:
    """Set the mail server that an account's letters leave through.

    Its password is sealed. Without a new one the password that is there stays.

    Parameters
    ----------
    host
        Where it is, such as smtp.example.com.
    sender
        The address that letters come from.
    port
        25, 465, 587 or 2525; any where COUNTERFOIL_MAIL_PRIVATE is set.
    security
        starttls, tls from the start, or none: to a server on this machine alone.
    user
        Whom to sign in as.
    password_stdin
        Read a new password from standard input.
    sender_name
        What the sender is called.
    reply_to
        The address that answers go to.
    """
    from counterfoil.setup.mail_servers import NewMailServer
    from counterfoil.work.mailing import keep_mail_server

    password = sys.stdin.readline(_PASSWORD_MAX + 1).rstrip("\r\n") if password_stdin else UNSET
    new = NewMailServer(
        host=host, port=port, security=security, username=user, password=password,
        sender_name=sender_name, sender_address=sender, reply_to=reply_to,
    )

    async def keep(works: Works, connection: Connection, actor: Actor) -> str:
        server = await keep_mail_server(works, connection, actor, new)
        return f"Letters leave through {server.host}:{server.port}."

    print(_with_account(account, data_dir, keep))


def try_mail(*, account: AccountName = None, data_dir: DataDir = None) -> None:
    """Connect to the mail server that an account's letters leave through, sign in and leave."""
    from counterfoil.work.mailing import try_mail_server

    told = _with_account(account, data_dir, try_mail_server)
    if not told.ok:
        raise Said(told.message)
    print(f"{told.message} It took {told.elapsed_ms} ms.")


def remove_mail(*, account: AccountName = None, data_dir: DataDir = None) -> None:
    """Let an account's letters leave through the installation's mail server again."""
    from counterfoil.setup.mail_servers import remove_mail_server

    async def remove(works: Works, connection: Connection, actor: Actor) -> str:
        gone = await remove_mail_server(connection, actor)
        return "Removed." if gone else "There was none."

    print(_with_account(account, data_dir, remove))


Doing = Callable[[Works, Connection, Actor], Awaitable[_T]]


def _with_account(account: str | None, data_dir: DataDir, do: Doing[_T]) -> _T:
    """Do something for one account with everything that the worker has."""
    from counterfoil.book.run import Book
    from counterfoil.order.actor import system

    with open_installation(data_dir=data_dir, key="given") as installation:

        async def run() -> _T:
            async with open_database(installation) as pool:
                chosen = await choose_account(pool, account)
                works = Works.from_settings(installation.settings, pool, Book(pool))
                try:
                    async with pool.connection(chosen.id) as connection:
                        return await do(works, connection, system(chosen.id))
                finally:
                    await works.aclose()

        return asyncio.run(run())
