"""The rules that a store screens new orders by: read, and written whole."""

from typing import Any

import msgspec

from counterfoil.kernel.db import Connection
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import NotFound
from counterfoil.kernel.shape import to_json
from counterfoil.order.actor import Actor
from counterfoil.order.screening import ReviewRules

_READ = """select coalesce((select r.rules::text from review_rules r
    where r.account_id = $1 and r.store = s.code), '{}')
  from stores s where s.account_id = $1 and s.code = $2"""
_WRITE = """with store as (
    update stores set screened = $4 where account_id = $1 and code = $2 returning code),
  made as (
    insert into review_rules (account_id, store, rules, updated_by, updated_at)
    select $1, s.code, $3::text::jsonb, $5::text::jsonb, cf_now() from store s
    on conflict (account_id, store) do update set rules = excluded.rules,
      updated_by = excluded.updated_by, updated_at = excluded.updated_at returning store),
  entry as (
    insert into audit_entry (account_id, id, type, subject, data, actor, at)
    select $1, $6, 'store.review_rules', m.store, $7::text::jsonb, $5::text::jsonb, cf_now()
    from made m)
  select store from made"""


class StoreRules(ReviewRules, frozen=True, kw_only=True):
    """The rules of a store, and which store that is."""

    store: str


async def read_rules(connection: Connection, store: str) -> StoreRules:
    """Read a store's rules; one that has none lets every order pass. Raises NotFound."""
    told = await connection.value(_READ, connection.account, store)
    if told is None:
        raise NotFound(f"There is no store {store!r}.")
    return _of(store, msgspec.json.decode(told, type=ReviewRules))


async def save_rules(
    connection: Connection, actor: Actor, store: str, rules: ReviewRules
) -> StoreRules:
    """Write a store's rules; what is absent is not looked at any more.

    The audit entry counts the addresses of the block list and does not name them. Raises
    ValidationFailed, NotFound.
    """
    kept = rules.checked()
    before = await read_rules(connection, store)
    told = await connection.value(
        _WRITE,
        connection.account,
        store,
        to_json(kept),
        kept.any,
        to_json(actor.told()),
        new_id(),
        to_json({"before": _counted(before), "after": _counted(kept)}),
    )
    if told is None:
        raise NotFound(f"There is no store {store!r}.")
    return _of(store, kept)


def _of(store: str, rules: ReviewRules) -> StoreRules:
    known = {name: getattr(rules, name) for name in ReviewRules.__struct_fields__}
    return StoreRules(store=store, **known)


def _counted(rules: ReviewRules) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(rules)
    told["blocked"] = {**told["blocked"], "emails": len(rules.blocked.emails)}
    return told
