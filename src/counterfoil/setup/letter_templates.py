"""A store's own texts for letters: read, save, reset. What a text must be is not known here."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from counterfoil.kernel.db import Connection
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.shape import to_json
from counterfoil.order.actor import Actor
from counterfoil.order.problems import VersionConflict

_SAVE = """with made as (
  insert into letter_templates as t (account_id, store, kind, language, subject, body, version,
    updated_by, updated_at)
  select $1, $2, $3, $4, $5, $6, 1, $7::text::jsonb, cf_now() where coalesce($8, 0) = 0
    or exists (select from letter_templates k where k.account_id = $1 and k.store = $2
      and k.kind = $3 and k.language = $4)
  on conflict (account_id, store, kind, language) do update set
    subject = excluded.subject, body = excluded.body, active = true, version = t.version + 1,
    previous = case when t.active then jsonb_build_object('subject', t.subject, 'body', t.body,
      'version', t.version, 'updated_by', t.updated_by, 'updated_at', t.updated_at)
      else t.previous end,
    updated_by = excluded.updated_by, updated_at = excluded.updated_at
  where $8::integer is null or t.version = $8
  returning t.*),
 entry as (
  insert into audit_entry (account_id, id, type, subject, data, actor, at)
  select $1, $9, 'letter_template.saved', $2, jsonb_build_object('kind', kind,
    'language', language, 'version', version, 'subject', subject, 'body', body),
    updated_by, updated_at from made)
 select to_jsonb(made)::text from made"""
_RESET = """with made as (
  update letter_templates t set active = false, version = t.version + 1,
    previous = jsonb_build_object('subject', t.subject, 'body', t.body, 'version', t.version,
      'updated_by', t.updated_by, 'updated_at', t.updated_at),
    updated_by = $5::text::jsonb, updated_at = cf_now()
  where t.account_id = $1 and t.store = $2 and t.kind = $3 and t.language = $4 and t.active
  returning t.*),
 entry as (
  insert into audit_entry (account_id, id, type, subject, data, actor, at)
  select $1, $6, 'letter_template.reset', $2, jsonb_build_object('kind', kind,
    'language', language, 'version', version), updated_by, updated_at from made)
 select 1 from made"""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The text that the last save replaced."""

    subject: str
    body: str
    version: int
    updated_by: dict[str, Any]
    updated_at: datetime


class OwnText(msgspec.Struct, frozen=True, kw_only=True):
    """A store's own text of a kind in a language; one that is not active waits to be put back."""

    store: str
    kind: str
    language: str
    subject: str
    body: str
    active: bool
    version: int
    previous: Kept | None = None
    updated_by: dict[str, Any]
    updated_at: datetime


async def own_texts(connection: Connection, store: str) -> list[OwnText]:
    """List a store's own texts, those that were reset included."""
    rows = await connection.rows(
        "select to_jsonb(t)::text as told from letter_templates t"
        " where account_id = $1 and store = $2 order by kind, language",
        connection.account,
        store,
    )
    return [msgspec.json.decode(row["told"], type=OwnText) for row in rows]


async def find_own_text(
    connection: Connection, store: str, kind: str, language: str
) -> OwnText | None:
    """Read a store's own text, if it has ever had one."""
    told = await connection.value(
        "select to_jsonb(t)::text from letter_templates t"
        " where account_id = $1 and store = $2 and kind = $3 and language = $4",
        connection.account,
        store,
        kind,
        language,
    )
    return None if told is None else msgspec.json.decode(told, type=OwnText)


async def save_own_text(
    connection: Connection,
    actor: Actor,
    place: Iterable[str],
    text: tuple[str, str],
    seen: int | None,
) -> OwnText:
    """Save a text (subject, body) of a place (store, kind, language), which is there.

    `seen` is the version that was edited, 0 for the built-in text; None saves over any. Raises
    VersionConflict.
    """
    store, kind, language = place
    told = await connection.value(
        _SAVE,
        connection.account,
        store,
        kind,
        language,
        *text,
        to_json(actor.told()),
        seen,
        new_id(),
    )
    if told is None:
        now = await find_own_text(connection, store, kind, language)
        raise VersionConflict(
            "The text has changed since you read it.",
            version=now.version if now else 0,
            changed_by=[now.updated_by] if now else [],
        )
    return msgspec.json.decode(told, type=OwnText)


async def reset_own_text(
    connection: Connection, actor: Actor, place: Iterable[str]
) -> bool:
    """Go back to the built-in text; the own one is kept aside. False: it was in use already."""
    store, kind, language = place
    done = await connection.value(
        _RESET, connection.account, store, kind, language, to_json(actor.told()), new_id()
    )
    return done is not None
