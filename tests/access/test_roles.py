"""Roles with limits: what somebody may do alone, and that nobody gives more. [faults H-17, R-7]"""

import msgspec
import pytest
import pytest_asyncio

from counterfoil.access.keys import KeyCheck, NewKey, create_key
from counterfoil.access.me import describe
from counterfoil.access.problems import LastAdministrator, RoleBuiltIn, RoleCodeTaken
from counterfoil.access.roles import NewRole, RoleChange, change_role, create_role, list_roles
from counterfoil.access.sessions import SessionCheck
from counterfoil.access.sign_in import sign_in
from counterfoil.access.users import NewUser, UserChange, change_user, create_user, set_password
from counterfoil.kernel.problem import (
    NotFound,
    PermissionDenied,
    Unauthenticated,
    ValidationFailed,
)
from counterfoil.order.actor import Actor, system
from counterfoil.order.problems import UnknownReference
from counterfoil.order.rights import ALL_RIGHTS, LIMITED

pytestmark = pytest.mark.database
PASSWORD = "correct horse battery"
TILL = ["orders.read", "payments.refund"]
HUNDRED = {"refund": {"EUR": 10000}}


@pytest_asyncio.fixture
async def connection(pool, account):
    async with pool.connection(account.id) as lent:
        yield lent


async def make(connection, actor, permissions, limits=None, code="till"):
    new = NewRole(code=code, name="Till", permissions=permissions, limits=limits or {})
    return await create_role(connection, actor, new)


async def hire(connection, actor, role, email="tim@example.com"):
    new = NewUser(email=email, name="Tim", role=role, password=PASSWORD)
    return await create_user(connection, actor, new)


async def enter(pool, email="tim@example.com"):
    begun = await sign_in(pool, email=email, password=PASSWORD, address="10.0.0.1")
    return begun.cookie, (await SessionCheck(pool).authenticate(begun.cookie)).actor


def boss(account, limits=None):
    """A user who may make users, and give money back up to a limit."""
    return Actor(
        kind="user",
        id="0199c000-0000-7000-8000-000000000002",
        name="Bo",
        account_id=account.id,
        rights=frozenset({"access.manage", *TILL}),
        limits=HUNDRED if limits is None else limits,
        credential="user:0199c000-0000-7000-8000-000000000002",
    )


def test_a_limit_is_for_its_currency_and_zero_in_others(account):
    actor = boss(account)
    assert actor.limit("refund", "EUR") == 10000
    assert actor.limit("refund", "NOK") == 0
    assert actor.limit("capture", "EUR") is None
    assert boss(account, {}).limit("refund", "EUR") is None
    assert system(account.id).limit("refund", "EUR") is None


def test_what_can_be_limited_is_a_right():
    assert set(LIMITED.values()) <= ALL_RIGHTS


async def test_a_user_acts_within_the_limits_of_the_role(pool, connection, admin):
    await make(connection, admin, TILL, HUNDRED)
    await hire(connection, admin, "till")
    _, actor = await enter(pool)
    assert actor.limits == HUNDRED
    assert (await describe(connection, actor)).limits == HUNDRED
    assert actor.can("payments.refund")
    assert not actor.can("payments.approve")
    listed = {role.code: role for role in (await list_roles(connection, limit=100)).data}
    assert (listed["till"].limits, listed["till"].user_count) == (HUNDRED, 1)
    assert listed["service"].limits == {}


async def test_a_changed_limit_ends_the_sessions_of_the_role_alone(pool, connection, admin, owner):
    await make(connection, admin, TILL)
    await hire(connection, admin, "till")
    await hire(connection, admin, "service", "sue@example.com")
    cookie, _ = await enter(pool)
    other, _ = await enter(pool, "sue@example.com")
    await change_role(connection, admin, "till", RoleChange(name="Kasse"))
    await SessionCheck(pool).authenticate(cookie)
    changed = await change_role(connection, admin, "till", RoleChange(limits=HUNDRED))
    assert (changed.name, changed.permissions, changed.limits) == ("Kasse", tuple(TILL), HUNDRED)
    with pytest.raises(Unauthenticated):
        await SessionCheck(pool).authenticate(cookie)
    await SessionCheck(pool).authenticate(other)
    _, actor = await enter(pool)
    assert actor.limits == HUNDRED
    entry = await owner.fetchrow(
        "select subject, data::text from audit_entry where type = 'role.changed'"
        " order by id desc limit 1"
    )
    told = msgspec.json.decode(entry["data"])
    assert (entry["subject"], told["before"]["limits"], told["after"]["limits"]) == (
        "till", {}, HUNDRED,
    )


@pytest.mark.parametrize(
    ("what", "pointer"),
    [
        ({"limits": {"capture": {"EUR": 1}}}, "/limits/capture"),
        ({"limits": {"refund": {"XXQ": 1}}}, "/limits/refund/XXQ"),
        ({"limits": {"refund": {"EUR": -1}}}, "/limits/refund/EUR"),
        ({"limits": {"refund": {"EUR": 10**12}}}, "/limits/refund/EUR"),
        ({"limits": HUNDRED, "permissions": ["*"]}, "/limits"),
        ({"permissions": ["orders.fly"]}, "/permissions/0"),
        ({"permissions": []}, "/permissions"),
        ({"code": "a b"}, "/code"),
        ({"name": " "}, "/name"),
    ],
)
async def test_a_wrong_role_is_refused_by_field(connection, admin, what, pointer):
    good = {"code": "till", "name": "Till", "permissions": TILL}
    with pytest.raises(ValidationFailed) as refused:
        await create_role(connection, admin, NewRole(**{**good, **what}))
    assert [error["pointer"] for error in refused.value.errors] == [pointer]


async def test_codes_are_taken_once_and_built_in_roles_stay(connection, admin):
    await make(connection, admin, TILL)
    with pytest.raises(RoleCodeTaken):
        await make(connection, admin, TILL)
    with pytest.raises(NotFound):
        await change_role(connection, admin, "nobody", RoleChange(limits={}))
    for change in (RoleChange(name="x"), RoleChange(permissions=["*"])):
        with pytest.raises(RoleBuiltIn):
            await change_role(connection, admin, "service", change)
    limited = await change_role(connection, admin, "service", RoleChange(limits=HUNDRED))
    assert limited.limits == HUNDRED
    with pytest.raises(ValidationFailed, match="may do everything"):
        await change_role(connection, admin, "admin", RoleChange(limits=HUNDRED))


@pytest.mark.parametrize(
    "limits",
    [{}, {"refund": {"EUR": 10001}}, {"refund": {"EUR": 1, "NOK": 1}}],
)
async def test_nobody_gives_more_than_their_own_limit(connection, account, admin, limits):
    """By a new role, a change of a role, a user, a password or a key. [H-17]"""
    limited = boss(account)
    await make(connection, admin, TILL, limits, "more")
    await make(connection, admin, TILL, {"refund": {"EUR": 10000}}, "same")
    more = await hire(connection, admin, "more", "more@example.com")
    same = await hire(connection, limited, "same", "same@example.com")
    for attempt in (
        make(connection, limited, TILL, limits, "third"),
        change_role(connection, limited, "same", RoleChange(limits=limits)),
        change_role(connection, limited, "more", RoleChange(limits=HUNDRED)),
        hire(connection, limited, "more", "third@example.com"),
        change_user(connection, limited, same.id, UserChange(role="more")),
        change_user(connection, limited, more.id, UserChange(name="x")),
        set_password(connection, limited, more.id, PASSWORD + "!"),
        create_key(connection, limited, NewKey(name="x", scopes=["payments:refund"])),
        create_key(connection, limited, NewKey(name="x", scopes=["*"])),
    ):
        with pytest.raises(PermissionDenied):
            await attempt
    assert (await make(connection, limited, TILL, {"refund": {"EUR": 5}}, "less")).code == "less"
    assert (await make(connection, limited, ["orders.read"], {}, "looks")).limits == {}
    key = NewKey(name="x", scopes=["orders:read"])
    assert (await create_key(connection, limited, key)).scopes == ("orders:read",)


async def test_a_key_is_without_limits(pool, connection, admin):
    made = await create_key(connection, admin, NewKey(name="x", scopes=["payments:refund"]))
    actor = await KeyCheck(pool).authenticate(f"Bearer {made.key}")
    assert actor.limit("refund", "EUR") is None


async def test_a_role_that_lets_people_in_stays_with_somebody(connection, account, admin):
    everything = system(account.id)
    await make(connection, everything, ["access.manage"], code="doors")
    await hire(connection, everything, "doors")
    with pytest.raises(LastAdministrator):
        await change_role(connection, everything, "doors", RoleChange(permissions=TILL))
    await hire(connection, everything, "admin", "ada@example.com")
    await change_role(connection, everything, "doors", RoleChange(permissions=TILL))
    with pytest.raises(UnknownReference):
        await hire(connection, everything, "nobody", "x@example.com")
