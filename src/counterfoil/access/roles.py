"""Roles: what they allow, up to how much, and how many people have them.

A limit is an amount above which somebody else has to approve. Changing what a role allows ends the
sessions of those who have it. [faults H-17, R-7; rulings 45]
"""

from typing import Annotated

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from counterfoil.access.limits import require_all
from counterfoil.access.problems import LastAdministrator, RoleBuiltIn, RoleCodeTaken
from counterfoil.kernel.currencies import EXPONENTS
from counterfoil.kernel.db import Connection
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.page import LIMIT, Page, check_limit, read_cursor, read_page
from counterfoil.kernel.problem import NotFound
from counterfoil.kernel.shape import Code, Name, check_shape, refuse, to_json
from counterfoil.order.actor import EVERYTHING, Actor
from counterfoil.order.intake import MINOR_MAX
from counterfoil.order.problems import UnknownReference
from counterfoil.order.rights import LIMITED, check_scopes

Limits = dict[str, dict[str, int]]
Permissions = Annotated[list[str], Meta(min_length=1, max_length=100)]
# Roles that can let people in; the last active user with one of them stays.
_LETS_IN = ["*", "access.manage", "access:manage", "users:manage"]


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A named set of permissions. `limits` are minor units, such as {"refund": {"EUR": 10000}}."""

    id: str
    code: str
    name: str
    permissions: tuple[str, ...]
    limits: dict[str, dict[str, int]] = {}
    built_in: bool = False
    user_count: int = 0


class NewRole(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What it takes to make a role. A right without a limit is for any amount."""

    code: Code
    name: Name
    permissions: Permissions
    limits: Limits = {}


class RoleChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What may change of a role; `limits` replace all there are."""

    name: Name | UnsetType = UNSET
    permissions: Permissions | UnsetType = UNSET
    limits: Limits | UnsetType = UNSET


async def list_roles(
    connection: Connection, *, limit: int = LIMIT, cursor: str | None = None
) -> Page[Role]:
    """List the account's roles by code."""
    after = read_cursor(cursor, str)
    rows = await connection.rows(
        "select (to_jsonb(r) || jsonb_build_object('user_count', (select count(*) from users u"
        "   where u.account_id = $1 and u.role = r.code)))::text as told,"
        " (select count(*) from roles where account_id = $1) as total"
        " from roles r where account_id = $1 and code > $2 order by code limit $3",
        connection.account,
        after[0] if after else "",
        check_limit(limit) + 1,
    )
    return read_page(rows, Role, limit, "code")


async def named_role(connection: Connection, code: str) -> Role:
    """Return the role that a user is to have or has. Raises UnknownReference."""
    role = await _read(connection, code)
    if role is None:
        detail = f"There is no role {code!r}."
        raise UnknownReference(detail, errors=[{"pointer": "/role", "detail": detail}])
    return role


def require_role(actor: Actor, role: Role) -> None:
    """Go on only where the actor may do all that a role may. Raises PermissionDenied. [H-17]"""
    require_all(actor, role.permissions, role.limits)


async def create_role(connection: Connection, actor: Actor, new: NewRole) -> Role:
    """Make a role.

    Raises ValidationFailed, PermissionDenied where it would allow more than the actor may,
    RoleCodeTaken.
    """
    check_shape(new)
    _check(new.permissions, new.limits)
    require_all(actor, new.permissions, new.limits)
    try:
        told = await connection.value(
            "with made as ("
            "  insert into roles (account_id, id, code, name, permissions, limits)"
            "  values ($1, $2, $3, $4, $5::text::jsonb, $6::text::jsonb) returning *),"
            " entry as ("
            "  insert into audit_entry (account_id, id, type, subject, data, actor, at)"
            "  select $1, $7, 'role.created', code, jsonb_build_object("
            "    'after', to_jsonb(made) - 'account_id'), $8::text::jsonb, cf_now() from made)"
            " select to_jsonb(made)::text from made",
            connection.account,
            new_id(),
            new.code,
            new.name,
            to_json(list(dict.fromkeys(new.permissions))),
            to_json(new.limits),
            new_id(),
            to_json(actor.told()),
        )
    except asyncpg.UniqueViolationError as problem:
        raise RoleCodeTaken(f"There is a role {new.code!r} already.") from problem
    return msgspec.json.decode(told, type=Role)


async def change_role(
    connection: Connection, actor: Actor, code: str, change: RoleChange
) -> Role:
    """Change what is named of a role; who has it signs in again.

    Raises ValidationFailed, NotFound, RoleBuiltIn, PermissionDenied where the role allows more
    than the actor may, before or after, LastAdministrator.
    """
    check_shape(change)
    async with connection.transaction():
        # With changes of users: those who shut each other out come one after the other.
        await connection.rows(
            "select from accounts where account_id = $1 for no key update", connection.account
        )
        before = await _read(connection, code)
        if before is None:
            raise NotFound(f"There is no role {code!r}.")
        if before.built_in and not change.name is change.permissions is UNSET:
            raise RoleBuiltIn
        permissions = before.permissions if change.permissions is UNSET else change.permissions
        limits = before.limits if change.limits is UNSET else change.limits
        _check(permissions, limits)
        require_role(actor, before)
        require_all(actor, permissions, limits)
        could = await can_let_in(connection)
        told = await _write(connection, actor, code, change)
        if could and not await can_let_in(connection):
            raise LastAdministrator("Nobody would be left who can manage access.")
    return msgspec.json.decode(told, type=Role)


async def can_let_in(connection: Connection) -> bool:
    """Tell whether there is an active user, limited to nothing, who can manage access."""
    found = await connection.value(
        "select exists (select from users u"
        "   join roles r on r.account_id = $1 and r.code = u.role"
        "   where u.account_id = $1 and u.status = 'ACTIVE' and u.merchants is null"
        "   and u.stores is null and r.permissions ?| $2::text[])",
        connection.account,
        _LETS_IN,
    )
    return bool(found)


def lets_in(role: Role) -> bool:
    """Tell whether a role can manage access."""
    return not set(_LETS_IN).isdisjoint(role.permissions)


async def _read(connection: Connection, code: str) -> Role | None:
    told = await connection.value(
        "select to_jsonb(r)::text from roles r where account_id = $1 and code = $2",
        connection.account,
        code,
    )
    return None if told is None else msgspec.json.decode(told, type=Role)


async def _write(connection: Connection, actor: Actor, code: str, change: RoleChange) -> str:
    told: str = await connection.value(
        "with was as ("
        "  select r as old, jsonb_populate_record(r, $3::text::jsonb) as new"
        "  from roles r where r.account_id = $1 and r.code = $2 for update),"
        " made as ("
        "  update roles r set name = (w.new).name, permissions = (w.new).permissions,"
        "    limits = (w.new).limits"
        "  from was w where r.account_id = $1 and r.code = $2 returning r.*),"
        " entry as ("
        "  insert into audit_entry (account_id, id, type, subject, data, actor, at)"
        "  select $1, $4, 'role.changed', made.code, jsonb_build_object("
        "    'before', to_jsonb(was.old) - 'account_id', 'after', to_jsonb(made) - 'account_id'),"
        "    $5::text::jsonb, cf_now() from made, was),"
        " ended as ("
        "  delete from sessions s using users u, made, was where s.account_id = $1"
        "    and u.account_id = $1 and u.id = s.user_id and u.role = made.code"
        "    and (made.permissions, made.limits)"
        "      is distinct from ((was.old).permissions, (was.old).limits))"
        " select to_jsonb(made)::text from made",
        connection.account,
        code,
        to_json(change),
        new_id(),
        to_json(actor.told()),
    )
    return told


def _check(permissions: object, limits: object) -> None:
    """Refuse words that are no permission, currencies that are none, and limits of everything."""
    assert isinstance(permissions, list | tuple)
    assert isinstance(limits, dict)
    check_scopes(permissions, "/permissions")
    if limits and EVERYTHING in permissions:
        raise refuse("/limits", "A role that may do everything has no limits.")
    for what, amounts in limits.items():
        if what not in LIMITED:
            known = ", ".join(LIMITED)
            raise refuse(f"/limits/{what}", f"{what!r} has no limit. There are: {known}.")
        for currency, amount in amounts.items():
            place = f"/limits/{what}/{currency}"
            if currency not in EXPONENTS:
                raise refuse(place, f"{currency!r} is not a currency of ISO 4217.")
            if not 0 <= amount <= MINOR_MAX:
                raise refuse(place, f"An amount is 0 to {MINOR_MAX}, in minor units.")
