"""Keys are exchanged without losing a secret: sealed again in parts, stopped anywhere, repeated."""

import asyncio
import base64

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from counterfoil.cli.root import run
from counterfoil.kernel.db import Pool
from counterfoil.kernel.secrets import CannotOpen, KeyRing
from counterfoil.setup.accounts import create_account
from counterfoil.setup.gateways import (
    GatewayChange,
    NewGateway,
    change_gateway,
    create_gateway,
    open_credentials,
)
from counterfoil.setup.sealed import BATCH, SEALED, Closed, Seals, look_at_seals, seal_again
from tests.conftest import make_admin

pytestmark = pytest.mark.database
OLD, NEW, LOST = bytes(32), bytes([1]) * 32, bytes([2]) * 32
BOTH = KeyRing([NEW, OLD])
# Bytes that are no secrets: what a provider sent, kept as it came.
PLAIN = {("inbound_events", "body")}


@pytest_asyncio.fixture
async def connection(pool, account):
    async with pool.connection(account.id) as lent:
        yield lent


async def keep(connection, admin, code, key=OLD):
    new = NewGateway(code=code, kind="manual", credentials={"token": f"secret of {code}"})
    return await create_gateway(connection, admin, new, KeyRing([key]))


async def keep_many(connection, admin, count):
    for number in range(count):
        await keep(connection, admin, f"g{number}")


async def rotate(connection, admin, ring=BOTH, follow=lambda seen: None):
    return await seal_again(connection, admin, ring, follow=follow)


async def test_every_column_of_bytes_is_sealed_or_known_to_be_plain(database):
    owner = await asyncpg.connect(database.owner_url)
    rows = await owner.fetch(
        "select table_name, column_name from information_schema.columns"
        " where table_schema = 'public' and data_type = 'bytea'"
    )
    await owner.close()
    assert {(row[0], row[1]) for row in rows} == SEALED | PLAIN


async def test_secrets_are_sealed_under_the_newest_key(connection, admin, owner):
    await keep_many(connection, admin, 3)
    await keep(connection, admin, "new", NEW)
    assert await look_at_seals(connection, BOTH) == Seals(newest=1, older=3)
    first = await rotate(connection, admin)
    assert (first.done, first.were_newest, first.closed) == (3, 1, [])
    only_new = KeyRing([NEW])
    for code in ("g0", "g1", "g2", "new"):
        assert await open_credentials(connection, code, only_new) == {
            "token": f"secret of {code}"
        }
    with pytest.raises(CannotOpen):
        await open_credentials(connection, "g0", KeyRing([OLD]))
    again = await rotate(connection, admin)
    assert (again.done, again.were_newest) == (0, 4)
    told = await owner.fetch("select data::text from audit_entry where type like 'secrets%'")
    assert [msgspec.json.decode(row[0]) for row in told] == [{"codes": ["g0", "g1", "g2"]}]


async def test_one_that_was_stopped_goes_on_where_it_was(connection, admin):
    await keep_many(connection, admin, BATCH + 5)

    def stop(seen):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rotate(connection, admin, follow=stop)
    assert await look_at_seals(connection, BOTH) == Seals(newest=BATCH, older=5)
    for code in ("g0", f"g{BATCH + 4}"):
        assert (await open_credentials(connection, code, BOTH))["token"] == f"secret of {code}"
    seen: list[int] = []
    rest = await rotate(connection, admin, follow=seen.append)
    assert (rest.done, rest.were_newest) == (5, BATCH)
    assert seen == [BATCH, BATCH + 5]


async def test_what_cannot_be_opened_stays_as_it_is(connection, admin):
    await keep(connection, admin, "lost", LOST)
    await keep(connection, admin, "mine")
    before = await connection.value("select credentials from gateways where code = 'lost'")
    result = await rotate(connection, admin)
    why = "It was sealed under a key that this process does not have."
    closed = [Closed("the credentials of gateway lost", why)]
    assert (result.done, result.were_newest, result.closed) == (1, 0, closed)
    assert await look_at_seals(connection, BOTH) == Seals(newest=1, closed=closed)
    assert before == await connection.value("select credentials from gateways where code = 'lost'")
    found = await rotate(connection, admin, KeyRing([NEW, LOST]))
    assert (found.done, found.were_newest, found.closed) == (1, 1, [])
    assert (await open_credentials(connection, "lost", KeyRing([NEW])))["token"]


async def test_who_replaces_credentials_meanwhile_wins(connection, admin, pool):
    """An old process still seals under the old key; what it sealed is looked at again."""
    await keep_many(connection, admin, 2)
    other = GatewayChange(credentials={"token": "other"})
    async with pool.connection(connection.account) as theirs:
        async with theirs.transaction():
            await change_gateway(theirs, admin, "g0", other, KeyRing([OLD]))
            ours = asyncio.ensure_future(rotate(connection, admin))
            await asyncio.sleep(0.3)
            assert not ours.done(), "it waits for the row"
        result = await ours
    assert (result.done, result.were_newest, result.closed) == (2, 0, [])
    assert await open_credentials(connection, "g0", KeyRing([NEW])) == {"token": "other"}


@pytest.fixture
def typed(database, monkeypatch, capsys, tmp_path):
    """Type a command under some keys; its exit code and what it said on both streams."""
    monkeypatch.setenv("COUNTERFOIL_DATABASE_URL", database.app_url)
    monkeypatch.setenv("COUNTERFOIL_DATA_DIR", str(tmp_path / "var"))

    def type_(words: str, *keys: bytes) -> tuple[int, str, str]:
        told = ",".join(base64.b64encode(key).decode() for key in keys)
        monkeypatch.setenv("COUNTERFOIL_SECRET_KEY", told)
        code = run(words.split())
        said = capsys.readouterr()
        return code, said.out, said.err

    return type_


@pytest.fixture
def kept(database):
    """Two gateways in the account Acme, one under the old key and one under a lost one."""

    async def make():
        pool = Pool(database.app_url, size=1)
        account = await create_account(pool, "Acme")
        async with pool.connection(account.id) as connection:
            await keep(connection, make_admin(account), "card")
            await keep(connection, make_admin(account), "lost", LOST)
        await pool.close()

    asyncio.run(make())


def test_people_exchange_keys_from_the_command_line(typed, kept):
    why = "It was sealed under a key that this process does not have."
    lost = f"the credentials of gateway lost cannot be opened: {why}\n"
    assert typed("doctor", NEW, OLD) == (
        1,
        (f"Acme: everything agrees.\nAcme: {lost}"
        "Acme: 1 secret is under an old key; `counterfoil secrets rotate` renews.\n"),
        "",
    )
    assert typed("secrets rotate", NEW, OLD) == (
        1,
        f"Acme: 1 sealed again, 0 under the newest key already.\n  {lost}",
        ("What could not be opened is as it was. Add the key that it is under to"
        " COUNTERFOIL_SECRET_KEY, after the first, and run this again.\n"),
    )
    assert typed("secrets rotate", NEW, LOST) == (
        0, "Acme: 1 sealed again, 1 under the newest key already.\n", "",
    )
    assert typed("doctor", NEW) == (0, "Acme: everything agrees.\n", "")


def test_without_a_key_nothing_is_rotated(typed, kept):
    code, out, err = typed("secrets rotate")
    assert (code, out) == (2, "")
    assert "COUNTERFOIL_SECRET_KEY is missing" in err
    code, out, err = typed("doctor")
    assert code == 0
    assert "Acme: secrets were not looked at: no key is here to open them." in out
