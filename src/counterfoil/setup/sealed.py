"""What is kept sealed, under which key it is, and sealing it again under the newest.

The credentials of gateways and the passwords of mail servers are all there is; a test holds that no
other column is sealed. Sealing again changes no secret and loses none: a row is written only where
it still is as it was read, and what cannot be opened stays as it is. It may stop anywhere and be
run again.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec

from counterfoil.kernel.db import Connection
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.secrets import CannotOpen, KeyRing
from counterfoil.kernel.shape import to_json
from counterfoil.order.actor import Actor
from counterfoil.setup.gateways import seal_context
from counterfoil.setup.mail_servers import mail_seal_context

BATCH = 100
#: Every column that is sealed.
SEALED = frozenset({("gateways", "credentials"), ("mail_servers", "password")})
_KEPT = """(select 'gateways' as place, id, code, credentials as sealed from gateways
    where account_id = $1 and credentials is not null
  union all select 'mail_servers', id, '', password from mail_servers
    where account_id = $1 and password is not null) kept"""
_COUNT = "select count(*) from <kept>"
_BATCH = """select place, id::text, code, sealed from <kept> where id > $2::uuid
  order by kept.id limit $3"""
_WRITE = {
    "gateways": """with made as (
  update gateways g set credentials = r.new
  from unnest($2::uuid[], $3::bytea[], $4::bytea[]) as r (id, old, new)
  where g.account_id = $1 and g.id = r.id and g.credentials = r.old
  returning g.id, g.code)""",
    "mail_servers": """with made as (
  update mail_servers s set password = r.new
  from unnest($2::uuid[], $3::bytea[], $4::bytea[]) as r (id, old, new)
  where s.account_id = $1 and s.id = r.id and s.password = r.old
  returning s.id, s.host as code)""",
}
_SEALED_AGAIN = """,
 told as (select jsonb_agg(code order by code) as codes from made having count(*) > 0),
 entry as (
  insert into audit_entry (account_id, id, type, subject, data, actor, at)
  select $1, $5, 'secrets.sealed_again', $7, jsonb_build_object('codes', codes),
    $6::text::jsonb, cf_now() from told)
 select id::text from made"""
_ROUNDS_MAX = 5
_OF_MAIL = "the password of the mail server"
_FIRST = "00000000-0000-0000-0000-000000000000"


class Closed(msgspec.Struct, frozen=True):
    """A secret that cannot be opened, and why not."""

    what: str
    why: str


class Seals(msgspec.Struct):
    """How the secrets of an account are sealed: under the newest key, an older one, or for good."""

    newest: int = 0
    older: int = 0
    closed: list[Closed] = []


class Resealed(msgspec.Struct):
    """What sealing again did: how many it sealed, how many needed it not, which it could not."""

    done: int = 0
    were_newest: int = 0
    closed: list[Closed] = []


async def count_secrets(connection: Connection) -> int:
    """Count the secrets that an account keeps."""
    found: int = await connection.value(_COUNT.replace("<kept>", _KEPT), connection.account)
    return found


async def look_at_seals(connection: Connection, keys: KeyRing) -> Seals:
    """Open every secret of an account, and tell which key each is under."""
    seals = Seals()
    async for rows in _batches(connection):
        for row in rows:
            opened = _opened(connection, keys, row)
            if isinstance(opened, Closed):
                seals.closed.append(opened)
            elif keys.is_newest(row["sealed"]):
                seals.newest += 1
            else:
                seals.older += 1
    return seals


async def seal_again(
    connection: Connection, actor: Actor, keys: KeyRing, *, follow: Callable[[int], None]
) -> Resealed:
    """Seal every secret of an account under the newest key, a hundred at a time.

    `follow` is told after each batch how many have been looked at. Somebody who replaces
    credentials meanwhile wins; what they sealed is looked at again.
    """
    done: set[str] = set()
    result = Resealed()
    for _ in range(_ROUNDS_MAX):
        result, seen, missed = Resealed(), 0, 0
        async for rows in _batches(connection):
            older: list[tuple[str, str, bytes, bytes]] = []
            for row in rows:
                sealed, context = row["sealed"], _context(connection, row)
                opened = _opened(connection, keys, row)
                if isinstance(opened, Closed):
                    result.closed.append(opened)
                elif not keys.is_newest(sealed):
                    older.append(
                        (row["place"], row["id"], sealed, keys.seal(opened, context))
                    )
                elif row["id"] not in done:
                    result.were_newest += 1
            written = await _write(connection, actor, older) if older else []
            done.update(written)
            missed += len(older) - len(written)
            seen += len(rows)
            follow(seen)
        result.done = len(done)
        if not missed:
            break
    return result


async def _batches(connection: Connection) -> AsyncIterator[list[Any]]:
    after = _FIRST
    while True:
        rows = await connection.rows(
            _BATCH.replace("<kept>", _KEPT),
            connection.account,
            after,
            BATCH,
        )
        if not rows:
            return
        yield list(rows)
        after = rows[-1]["id"]


def _opened(connection: Connection, keys: KeyRing, row: Any) -> bytes | Closed:
    try:
        return keys.open(row["sealed"], _context(connection, row))
    except CannotOpen as problem:
        of_gateway = row["place"] == "gateways"
        what = f"the credentials of gateway {row['code']}" if of_gateway else _OF_MAIL
        return Closed(what, str(problem))


def _context(connection: Connection, row: Any) -> str:
    if row["place"] == "gateways":
        return seal_context(connection.account, row["code"])
    return mail_seal_context(connection.account)


async def _write(
    connection: Connection, actor: Actor, older: list[tuple[str, str, bytes, bytes]]
) -> list[str]:
    """Write what was sealed again where nobody was first; return the ids of those."""
    written: list[str] = []
    for table, sql in _WRITE.items():
        own = [(row_id, was, now) for place, row_id, was, now in older if place == table]
        if not own:
            continue
        ids, old, new = zip(*own, strict=True)
        rows = await connection.rows(
            sql + _SEALED_AGAIN,
            connection.account,
            list(ids),
            list(old),
            list(new),
            new_id(),
            to_json(actor.told()),
            table,
        )
        written += [row["id"] for row in rows]
    return written
