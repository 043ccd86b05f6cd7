"""What nobody gets in with, and what nobody can be made with."""

import pytest

from counterfoil.access.sessions import SessionCheck
from counterfoil.access.users import NewUser, create_user
from counterfoil.kernel.problem import Unauthenticated, ValidationFailed
from counterfoil.order.problems import UnknownReference

pytestmark = pytest.mark.database


@pytest.fixture
def pool(module_pool):
    """One database for the file: nothing is written."""
    return module_pool


@pytest.mark.parametrize(
    "cookie", [None, "", "x", "." * 76, "0" * 32 + "." + "A" * 43, "a\0b", "x" * 10_000]
)
async def test_a_cookie_that_is_not_right_opens_nothing(pool, account, cookie):
    check = SessionCheck(pool)
    with pytest.raises(Unauthenticated):
        await check.authenticate(cookie)
    await check.sign_out(cookie)


@pytest.mark.parametrize(
    ("what", "problem", "pointer"),
    [
        ({"email": "anna"}, ValidationFailed, "/email"),
        ({"email": "a b@example.com"}, ValidationFailed, "/email"),
        ({"password": "short"}, ValidationFailed, "/password"),
        ({"password": "x" * 300}, ValidationFailed, "/password"),
        ({"password": "aaaaaaaaaaaaaaa"}, ValidationFailed, "/password"),
        ({"password": "anna@example.com"}, ValidationFailed, "/password"),
        ({"name": " "}, ValidationFailed, "/name"),
        ({"role": "emperor"}, UnknownReference, "/role"),
        ({"stores": ["nowhere"]}, UnknownReference, "/stores"),
        ({"merchants": ["nobody"]}, UnknownReference, "/merchants"),
        ({"merchants": []}, ValidationFailed, "/merchants"),
    ],
)
async def test_a_wrong_user_is_refused_by_field(pool, admin, what, problem, pointer):
    good = {
        "email": "anna@example.com",
        "name": "Anna",
        "role": "admin",
        "password": "correct horse battery",
    }
    with pytest.raises(problem) as refused:
        async with pool.connection(admin.account_id) as connection:
            await create_user(connection, admin, NewUser(**{**good, **what}))
    assert [error["pointer"] for error in refused.value.errors] == [pointer]
