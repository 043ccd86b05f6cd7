"""Roles from the command line: what they allow, and up to how much."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

from cyclopts import Parameter
from msgspec import UNSET

from counterfoil.cli.installation import (
    AccountName,
    DataDir,
    choose_account,
    open_database,
    open_installation,
)
from counterfoil.cli.said import Said

if TYPE_CHECKING:
    from counterfoil.access.roles import Role
    from counterfoil.kernel.db import Connection
    from counterfoil.order.actor import Actor

T = TypeVar("T")
Permissions = Annotated[
    list[str] | None,
    Parameter(help="What it allows: `*`, or words like orders.read,payments.refund."),
]
Limits = Annotated[
    list[str] | None,
    Parameter(
        name="--limit",
        help="Up to how much without approval, in minor units, as in refund:EUR:10000 for 100.00"
        " EUR. Other currencies then always need approval.",
    ),
]


def list_roles(*, account: AccountName = None, data_dir: DataDir = None) -> None:
    """List the roles: code, how many have it, limits, permissions."""
    from counterfoil.access import roles
    from counterfoil.kernel.page import LIMIT_MAX

    async def read(connection: "Connection", actor: "Actor") -> "list[Role]":
        return list((await roles.list_roles(connection, limit=LIMIT_MAX)).data)

    for role in _in_account(read, account, data_dir):
        limits = ", ".join(_limit_words(role.limits)) or "no limits"
        people = f"{role.user_count} user{'' if role.user_count == 1 else 's'}"
        print(f"{role.code}  {people}  {limits}  {', '.join(role.permissions)}")


def create_role(
    code: str,
    /,
    *,
    name: str | None = None,
    permissions: Permissions = None,
    limits: Limits = None,
    account: AccountName = None,
    data_dir: DataDir = None,
) -> None:
    """Make a role that users can have, and print its code.

    Parameters
    ----------
    code
        What commands call it.
    name
        What people call it; the code without.
    """
    from counterfoil.access import roles

    new = roles.NewRole(
        code=code,
        name=name or code,
        permissions=_split(permissions or []),
        limits=_read_limits(limits or []),
    )

    async def make(connection: "Connection", actor: "Actor") -> str:
        return (await roles.create_role(connection, actor, new)).code

    print(_in_account(make, account, data_dir))


def change_role(
    code: str,
    /,
    *,
    name: str | None = None,
    permissions: Permissions = None,
    limits: Limits = None,
    no_limits: bool = False,
    account: AccountName = None,
    data_dir: DataDir = None,
) -> None:
    """Change a role: what is named replaces what was. Who has the role signs in again.

    Of a built-in role only the limits can change.

    Parameters
    ----------
    code
        What commands call it.
    name
        What people call it.
    no_limits
        Take all limits away.
    """
    from counterfoil.access import roles

    if no_limits and limits:
        raise Said("Say --limit or --no-limits, not both.", code=2)
    change = roles.RoleChange(
        name=name or UNSET,
        permissions=_split(permissions) if permissions else UNSET,
        limits=_read_limits(limits or []) if limits or no_limits else UNSET,
    )

    async def make(connection: "Connection", actor: "Actor") -> None:
        await roles.change_role(connection, actor, code, change)

    _in_account(make, account, data_dir)


def _in_account(
    work: "Callable[[Connection, Actor], Awaitable[T]]",
    account: str | None,
    data_dir: DataDir,
) -> T:
    from counterfoil.order.actor import system

    with open_installation(data_dir=data_dir) as installation:

        async def run() -> T:
            async with open_database(installation) as pool:
                chosen = await choose_account(pool, account)
                async with pool.connection(chosen.id) as connection:
                    return await work(connection, system(chosen.id))

        return asyncio.run(run())


def _split(words: list[str]) -> list[str]:
    return [part for word in words for part in word.replace(",", " ").split()]


def _read_limits(words: list[str]) -> dict[str, dict[str, int]]:
    """Read `refund:EUR:10000`. Raises Said."""
    found: dict[str, dict[str, int]] = {}
    for word in _split(words):
        what, _, rest = word.partition(":")
        currency, _, amount = rest.partition(":")
        if not (what and currency and amount.isascii() and amount.isdecimal()):
            raise Said(f"{word} is no limit; write refund:EUR:10000, in minor units.", code=2)
        found.setdefault(what, {})[currency.upper()] = int(amount)
    return found


def _limit_words(limits: dict[str, dict[str, int]]) -> list[str]:
    return [
        f"{what}:{currency}:{amount}"
        for what, amounts in limits.items()
        for currency, amount in amounts.items()
    ]
