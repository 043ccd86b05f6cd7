"""Users: list, make, change, disable. [faults H-15, H-17; rulings 4]

What changes somebody's rights, role or password ends their sessions.
"""

import unicodedata
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from counterfoil.access.limits import check_named, require_within
from counterfoil.access.passwords import check_password, hash_password
from counterfoil.access.problems import EmailTaken, LastAdministrator
from counterfoil.access.roles import can_let_in, lets_in, named_role, require_role
from counterfoil.kernel.db import Connection
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.page import COUNT_MAX, LIMIT, Page, check_limit, read_cursor, read_page
from counterfoil.kernel.problem import NotFound
from counterfoil.kernel.shape import Code, Name, check_shape, to_json
from counterfoil.order.actor import Actor

Email = Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$(?!\n)", max_length=254)]
Codes = Annotated[list[Code], Meta(min_length=1, max_length=1000)]
Theme = Literal["system", "light", "dark"]


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who signs in. `stores` and `merchants` None see all of them."""

    id: str
    email: str
    name: str
    role: str
    stores: tuple[str, ...] | None = None
    merchants: tuple[str, ...] | None = None
    status: Literal["ACTIVE", "DISABLED"] = "ACTIVE"
    theme: Theme = "system"
    created_at: datetime
    last_seen_at: datetime | None = None


class NewUser(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What it takes to make a user."""

    email: Email
    name: Name
    role: Code
    password: str
    stores: Codes | None = None
    merchants: Codes | None = None


class UserChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What an administrator may change of a user."""

    name: Name | UnsetType = UNSET
    role: Code | UnsetType = UNSET
    stores: Codes | UnsetType | None = UNSET
    merchants: Codes | UnsetType | None = UNSET
    status: Literal["ACTIVE", "DISABLED"] | UnsetType = UNSET


def normal_email(email: str) -> str:
    """Return the one way in which an e-mail address is kept and looked up."""
    return unicodedata.normalize("NFKC", email).strip().lower()


async def list_users(
    connection: Connection, *, limit: int = LIMIT, cursor: str | None = None
) -> Page[User]:
    """List the account's users, the oldest first."""
    after = read_cursor(cursor, UUID) or (UUID(int=0),)
    rows = await connection.rows(
        "select (to_jsonb(u) - 'password_hash')::text as told, (select count(*) from"
        "   (select from users where account_id = $1 limit $4) as capped) as total"
        " from users u where account_id = $1 and id > $2 order by id limit $3",
        connection.account,
        *after,
        check_limit(limit) + 1,
        COUNT_MAX + 1,
    )
    return read_page(rows, User, limit, "id")


async def find_user(connection: Connection, user_id: str) -> User:
    """Return a user. Raises NotFound."""
    told = await connection.value(
        "select (to_jsonb(u) - 'password_hash')::text from users u"
        " where account_id = $1 and id::text = $2",
        connection.account,
        user_id,
    )
    if told is None:
        raise NotFound(f"There is no user {user_id!r}.")
    return msgspec.json.decode(told, type=User)


async def create_user(connection: Connection, actor: Actor, new: NewUser) -> User:
    """Make a user who can sign in at once.

    Raises ValidationFailed, UnknownReference, PermissionDenied where the user would have more
    rights or see more than the actor, EmailTaken.
    """
    email = normal_email(new.email)
    check_shape(msgspec.structs.replace(new, email=email))
    check_password(new.password, email)
    require_role(actor, await named_role(connection, new.role))
    require_within(actor, new.merchants, new.stores)
    await check_named(connection, new.merchants, new.stores)
    try:
        told = await connection.value(
            "with made as ("
            "  insert into users (account_id, id, email, name, password_hash, role, stores,"
            "    merchants, created_at)"
            "  values ($1, $2, $3, $4, $5, $6, $7::text::jsonb, $8::text::jsonb, cf_now())"
            "  returning *),"
            " entry as ("
            "  insert into audit_entry (account_id, id, type, subject, data, actor, at)"
            "  select $1, $9, 'user.created', id::text, jsonb_build_object("
            "    'after', to_jsonb(made) - 'account_id' - 'password_hash'), $10::text::jsonb,"
            "    created_at from made)"
            " select (to_jsonb(made) - 'password_hash')::text from made",
            connection.account,
            new_id(),
            email,
            new.name,
            await hash_password(new.password),
            new.role,
            None if new.stores is None else to_json(new.stores),
            None if new.merchants is None else to_json(new.merchants),
            new_id(),
            to_json(actor.told()),
        )
    except asyncpg.UniqueViolationError as problem:
        raise EmailTaken(f"There is a user with the e-mail address {email}.") from problem
    return msgspec.json.decode(told, type=User)


async def change_user(
    connection: Connection, actor: Actor, user_id: str, change: UserChange
) -> User:
    """Change what is named of a user. A disabled user is out at once, and nothing is deleted.

    Raises ValidationFailed, NotFound, UnknownReference, PermissionDenied, LastAdministrator.
    """
    check_shape(change)
    async with connection.transaction():
        # Administrators who disable each other come one after the other.
        await connection.rows(
            "select from accounts where account_id = $1 for no key update", connection.account
        )
        before = await find_user(connection, user_id)
        await _check_change(connection, actor, before, change)
        told = await connection.value(
            "with was as ("
            "  select u as old, jsonb_populate_record(u, $3::text::jsonb) as new"
            "  from users u where u.account_id = $1 and u.id = $2),"
            " made as ("
            "  update users u set name = (w.new).name, role = (w.new).role,"
            "    stores = (w.new).stores,"
            "    merchants = (w.new).merchants, status = (w.new).status"
            "  from was w where u.account_id = $1 and u.id = $2 returning u.*),"
            " entry as ("
            "  insert into audit_entry (account_id, id, type, subject, data, actor, at)"
            "  select $1, $4, 'user.changed', made.id::text, jsonb_build_object("
            "    'before', to_jsonb(was.old) - 'account_id' - 'password_hash',"
            "    'after', to_jsonb(made) - 'account_id' - 'password_hash'), $5::text::jsonb,"
            "    cf_now() from made, was),"
            " ended as (delete from sessions where account_id = $1 and user_id = $2)"
            " select (to_jsonb(made) - 'password_hash')::text from made",
            connection.account,
            before.id,
            to_json(change),
            new_id(),
            to_json(actor.told()),
        )
        await _keep_an_administrator(connection, before)
    return msgspec.json.decode(told, type=User)


async def _check_change(
    connection: Connection, actor: Actor, before: User, change: UserChange
) -> None:
    """Refuse to raise somebody above oneself, and to touch somebody who is above. [H-17]"""
    require_role(actor, await named_role(connection, before.role))
    if change.role is not UNSET:
        require_role(actor, await named_role(connection, change.role))
    merchants = before.merchants if change.merchants is UNSET else change.merchants
    stores = before.stores if change.stores is UNSET else change.stores
    require_within(actor, merchants, stores)
    await check_named(connection, merchants, stores)
    if actor.kind == "user" and actor.id == before.id and change.status == "DISABLED":
        raise LastAdministrator("You cannot disable yourself; ask another administrator.")


async def _keep_an_administrator(connection: Connection, before: User) -> None:
    """Undo a change that leaves nobody who can let people in. Raises LastAdministrator."""
    could = lets_in(await named_role(connection, before.role))
    if could and before.status == "ACTIVE" and not await can_let_in(connection):
        raise LastAdministrator(f"{before.email} is the last who can manage access.")


async def set_password(connection: Connection, actor: Actor, user_id: str, password: str) -> None:
    """Set a user's password and end their sessions.

    Raises NotFound, ValidationFailed, PermissionDenied where the user is above the actor.
    """
    user = await find_user(connection, user_id)
    if not (actor.kind == "user" and actor.id == user.id):
        require_role(actor, await named_role(connection, user.role))
        require_within(actor, user.merchants, user.stores)
    check_password(password, user.email)
    await connection.rows(
        "with made as ("
        "  update users set password_hash = $3 where account_id = $1 and id = $2 returning id),"
        " entry as ("
        "  insert into audit_entry (account_id, id, type, subject, data, actor, at)"
        "  select $1, $4, 'user.password_set', id::text, '{}', $5::text::jsonb, cf_now() from made)"
        " delete from sessions where account_id = $1 and user_id = $2",
        connection.account,
        user.id,
        await hash_password(password),
        new_id(),
        to_json(actor.told()),
    )


async def set_theme(connection: Connection, user_id: str, theme: Theme) -> None:
    """Remember how a user likes the portal."""
    await connection.rows(
        "update users set theme = $3 where account_id = $1 and id::text = $2",
        connection.account,
        user_id,
        theme,
    )
