"""Credentials: API keys, and who one's own key is."""

import msgspec

from counterfoil.access.keys import ApiKey, MadeKey, NewKey, create_key, list_keys, revoke_key
from counterfoil.access.me import Me, describe
from counterfoil.api.ask import Ask
from counterfoil.api.door import ANY_KEY, Door
from counterfoil.api.lists import PageQuery
from counterfoil.book.once import once
from counterfoil.kernel.page import Page
from counterfoil.order.change import Answered
from counterfoil.order.problems import UnknownReference

door = Door("Access")
_encode = msgspec.json.Encoder().encode


@door.get("/v1/me", right=ANY_KEY, answers={200: Me})
async def show_me(ask: Ask) -> Me:
    """Tell whose key this is, and what it may do."""
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await describe(connection, ask.actor)


@door.get("/v1/api-keys", right="access.manage", answers={200: Page[ApiKey]})
async def show_keys(ask: Ask, query: PageQuery) -> Page[ApiKey]:
    """List the keys, the newest first; what they are is told only once."""
    ask.actor.require_whole_order()
    async with ask.office.pool.connection(ask.actor.account_id) as connection:
        return await list_keys(connection, limit=query.limit, cursor=query.cursor)


@door.post(
    "/v1/api-keys", right="access.manage", answers={201: MadeKey}, raises=(UnknownReference,)
)
async def make_key(ask: Ask, body: NewKey) -> Answered:
    """Make a key with no more rights than one's own; its text is told this once.

    Only its hash is kept, so a repeat under the same Idempotency-Key tells the key with `key` "".
    """
    made: MadeKey | None = None
    async with ask.office.pool.connection(ask.actor.account_id) as connection:

        async def effect() -> Answered:
            nonlocal made
            made = await create_key(connection, ask.actor, body)
            return Answered(status=201, body=_told(msgspec.structs.replace(made, key="")))

        answered = await once(connection, ask.key, effect)
    return answered if made is None else Answered(status=201, body=_told(made))


@door.delete("/v1/api-keys/{key_id}", right="access.manage", answers={204: None})
async def end_key(ask: Ask) -> Answered:
    """Revoke a key for good; other processes forget it within seconds."""
    ask.actor.require_whole_order()
    key_id = ask.path["key_id"]
    async with ask.office.pool.connection(ask.actor.account_id) as connection:

        async def effect() -> Answered:
            await revoke_key(connection, ask.actor, key_id)
            return Answered(status=204, body="")

        answered = await once(connection, ask.key, effect)
    ask.office.keys.forget(key_id)
    return answered


def _told(made: MadeKey) -> str:
    return _encode(made).decode()
