"""Accounts: what a new one has from its first minute, and which there are."""

from datetime import datetime

import msgspec

from counterfoil.kernel.db import NO_ACCOUNT, Connection, Pool
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.shape import Name, check_shape, to_json
from counterfoil.order.actor import Actor, system
from counterfoil.order.config import Account
from counterfoil.order.rights import BUILT_IN_ROLES
from counterfoil.setup.gateways import NewGateway, create_gateway
from counterfoil.setup.merchants import NewMerchant, create_merchant
from counterfoil.setup.stores import NewStore, add_store

MAIN = "main"


class _NewAccount(msgspec.Struct):
    name: Name


async def create_account(
    pool: Pool, name: str, *, store: str = MAIN, currency: str = "EUR"
) -> Account:
    """Make an account that can take orders at once.

    It has one store (which makes merchants that it does not know), the merchant `main`, the gateway
    `manual`, the built-in states, the methods `standard` and `express` and the built-in roles.
    Raises ValidationFailed. [api.md, Running it; rulings 35, 40, 43]
    """
    check_shape(_NewAccount(name))
    account_id = new_id()
    actor = system(account_id)
    async with pool.connection(account_id) as connection, connection.transaction():
        created_at: datetime = await connection.value(
            "insert into accounts (account_id, name, created_at) values ($1, $2, cf_now())"
            " returning created_at",
            account_id,
            name,
        )
        await create_merchant(connection, actor, NewMerchant(code=MAIN, name=name))
        await add_store(
            connection,
            actor,
            NewStore(
                code=store,
                name=name,
                currency=currency,
                default_merchant=MAIN,
                create_merchants=True,
            ),
        )
        await create_gateway(connection, actor, NewGateway(code="manual", kind="manual"), None)
        await _add_roles(connection, actor, name)
    return Account(id=account_id, name=name, created_at=created_at)


async def _add_roles(connection: Connection, actor: Actor, name: str) -> None:
    """Make the built-in roles, and write down that the account was made."""
    roles = [{**msgspec.to_builtins(role), "id": new_id()} for role in BUILT_IN_ROLES]
    await connection.rows(
        "with made as ("
        "  insert into roles (account_id, id, code, name, permissions, built_in)"
        "  select $1, r.id, r.code, r.name, r.permissions, true"
        "  from jsonb_populate_recordset(null::roles, $2::text::jsonb) r)"
        " insert into audit_entry (account_id, id, type, subject, data, actor, at)"
        " values ($1, $3, 'account.created', $1::text, jsonb_build_object('name', $4::text),"
        "   $5::text::jsonb, cf_now())",
        connection.account,
        to_json(roles),
        new_id(),
        name,
        to_json(actor.told()),
    )


async def list_accounts(pool: Pool) -> list[Account]:
    """List every account of the installation, oldest first; for the program itself, not for users.

    Goes through one of the few functions that look across accounts. [rulings 4]
    """
    async with pool.connection(NO_ACCOUNT) as connection:
        rows = await connection.rows(
            "select account_id::text, name, created_at from accounts_all()"
        )
    return [
        Account(id=row["account_id"], name=row["name"], created_at=row["created_at"])
        for row in rows
    ]
