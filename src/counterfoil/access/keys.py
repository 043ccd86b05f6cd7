"""API keys: `cf_<account>_<id>_<secret>`.

The account comes first, so that a look-up is bound to it; of the secret, 256 random bits, only the
SHA-256 is kept (it needs no slow hash: there is nothing to guess). [rulings 4; faults H-17]
"""

import hashlib
import hmac
import re
import secrets
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from counterfoil.access.limits import check_named, require_all, require_within
from counterfoil.access.remembered import Remembered
from counterfoil.kernel.db import Connection, Pool
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.page import COUNT_MAX, LIMIT, Page, check_limit, read_cursor, read_page
from counterfoil.kernel.problem import NotFound, Unauthenticated
from counterfoil.kernel.shape import Name, check_shape, to_json
from counterfoil.order.actor import Actor
from counterfoil.order.rights import check_scopes, rights_of

_KEY = re.compile(r"cf_([0-9a-f]{32})_([0-9a-f]{32})_([A-Za-z0-9_-]{43})\Z")
_BEARER = re.compile(r"bearer +(\S+) *\Z", re.IGNORECASE)
_HEADER_MAX = 300


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as listed; the secret is not in it."""

    id: str
    name: str
    scopes: tuple[str, ...]
    merchants: tuple[str, ...] | None = None
    created_at: datetime
    revoked_at: datetime | None = None


class MadeKey(ApiKey, frozen=True, kw_only=True):
    """A key as it is shown once, when it is made."""

    key: str


class NewKey(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What it takes to make a key. `merchants` None sees all of them."""

    name: Name
    scopes: Annotated[list[str], Meta(min_length=1, max_length=100)]
    merchants: Annotated[list[str], Meta(min_length=1, max_length=1000)] | None = None


async def list_keys(
    connection: Connection, *, limit: int = LIMIT, cursor: str | None = None
) -> Page[ApiKey]:
    """List the account's keys, revoked ones included, the newest first."""
    after = read_cursor(cursor, UUID) or (UUID(int=2**128 - 1),)
    rows = await connection.rows(
        "select (to_jsonb(k) - 'secret_hash')::text as told, (select count(*) from"
        "   (select from api_keys where account_id = $1 limit $4) as capped) as total"
        " from api_keys k where account_id = $1 and id < $2 order by id desc limit $3",
        connection.account,
        *after,
        check_limit(limit) + 1,
        COUNT_MAX + 1,
    )
    return read_page(rows, ApiKey, limit, "id")


async def create_key(connection: Connection, actor: Actor, new: NewKey) -> MadeKey:
    """Make a key; the only time that its text is told.

    Raises ValidationFailed, UnknownReference, and PermissionDenied where it would have more rights
    or see more merchants than the actor. A key has no limits, so who may refund up to a limit
    gives no key the right to refund. [H-17]
    """
    check_shape(new)
    check_scopes(new.scopes)
    require_all(actor, new.scopes)
    require_within(actor, new.merchants, None)
    await check_named(connection, new.merchants)
    key_id, secret = new_id(), secrets.token_urlsafe(32)
    told = await connection.value(
        "with made as ("
        "  insert into api_keys (account_id, id, name, secret_hash, scopes, merchants, created_at)"
        "  values ($1, $2, $3, $4, $5::text::jsonb, $6::text::jsonb, cf_now()) returning *),"
        " entry as ("
        "  insert into audit_entry (account_id, id, type, subject, data, actor, at)"
        "  select $1, $7, 'key.created', id::text, jsonb_build_object("
        "    'after', to_jsonb(made) - 'account_id' - 'secret_hash'), $8::text::jsonb, created_at"
        "  from made)"
        " select (to_jsonb(made) - 'secret_hash' || jsonb_build_object('key', ''))::text from made",
        connection.account,
        key_id,
        new.name,
        _hash(secret),
        to_json(list(dict.fromkeys(new.scopes))),
        None if new.merchants is None else to_json(new.merchants),
        new_id(),
        to_json(actor.told()),
    )
    text = f"cf_{UUID(connection.account).hex}_{UUID(key_id).hex}_{secret}"
    return msgspec.structs.replace(msgspec.json.decode(told, type=MadeKey), key=text)


async def revoke_key(connection: Connection, actor: Actor, key_id: str) -> None:
    """Revoke a key for good; again does nothing more. Raises NotFound.

    Every process has forgotten it some seconds later (setting `credential_cache_s`).
    """
    found = await connection.value(
        "with was as ("
        "  select id, name, revoked_at from api_keys"
        "  where account_id = $1 and id::text = $2 for update),"
        " made as ("
        "  update api_keys k set revoked_at = cf_now() from was"
        "  where k.account_id = $1 and k.id = was.id and was.revoked_at is null returning k.id),"
        " entry as ("
        "  insert into audit_entry (account_id, id, type, subject, data, actor, at)"
        "  select $1, $3, 'key.revoked', made.id::text, jsonb_build_object('name', was.name),"
        "    $4::text::jsonb, cf_now() from made, was)"
        " select id from was",
        connection.account,
        key_id,
        new_id(),
        to_json(actor.told()),
    )
    if found is None:
        raise NotFound(f"There is no key {key_id!r}.")


class KeyCheck:
    """Tells whose key a request carries: from memory, else with one statement."""

    def __init__(self, pool: Pool, *, remember_s: int = 5) -> None:
        self._pool = pool
        self._remembered = Remembered[Actor](remember_s)

    async def authenticate(self, header: str | None) -> Actor:
        """Return who sent an Authorization header. Raises Unauthenticated."""
        if header is None:
            raise _refusal("Send an API key: Authorization: Bearer cf_…")
        bearer = _BEARER.match(header) if len(header) <= _HEADER_MAX else None
        parts = _KEY.match(bearer[1]) if bearer else None
        if bearer is None or parts is None:
            raise _refusal("The Authorization header holds no API key: Bearer cf_…")
        digest = hashlib.sha256(bearer[1].encode()).digest()
        actor = self._remembered.recall(digest)
        if actor is not None:
            return actor
        account_id, key_id = str(UUID(parts[1])), str(UUID(parts[2]))
        async with self._pool.connection(account_id) as connection:
            row = await connection.row(
                "select name, secret_hash, scopes, merchants from api_keys"
                " where account_id = $1 and id = $2 and revoked_at is null",
                account_id,
                key_id,
            )
        if row is None or not hmac.compare_digest(row["secret_hash"], _hash(parts[3])):
            raise _refusal("This API key is not known or was revoked.")
        return self._remembered.keep(digest, _actor(account_id, key_id, row))

    def forget(self, key_id: str) -> None:
        """Stop remembering a key that this process has just revoked."""
        self._remembered.forget(lambda actor: actor.id == key_id)


def _actor(account_id: str, key_id: str, row: Any) -> Actor:
    merchants = row["merchants"] and msgspec.json.decode(row["merchants"])
    return Actor(
        kind="key",
        id=key_id,
        name=row["name"],
        account_id=account_id,
        rights=rights_of(msgspec.json.decode(row["scopes"])),
        merchants=None if merchants is None else frozenset(merchants),
        credential=f"key:{key_id}",
    )


def _refusal(detail: str) -> Unauthenticated:
    return Unauthenticated(detail, headers={"WWW-Authenticate": "Bearer"})


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
