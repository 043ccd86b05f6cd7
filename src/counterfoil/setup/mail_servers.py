"""The account's own mail server: set, read, removed. Its password goes in sealed."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from counterfoil.kernel.db import Connection
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.secrets import KeyRing
from counterfoil.kernel.shape import check_shape, to_json
from counterfoil.order.actor import Actor
from counterfoil.order.mail_server import MailServer

Host = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:_-]*[A-Za-z0-9])?$(?!\n)",
                           max_length=253)]
MailAddress = Annotated[str, Meta(pattern=r"^[^\s@<>(),;:\"\\\[\]]+@[^\s@<>(),;:\"\\\[\]]+$(?!\n)",
                                  max_length=320)]
Line = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)", max_length=200)]
_TOLD = """to_jsonb(s) - 'password'
  || jsonb_build_object('has_password', s.password is not null)"""
_FIND = "select (<told>)::text as told, s.password from mail_servers s where s.account_id = $1"
_SET = """with was as (
  select <told> as it from mail_servers s where s.account_id = $1),
 made as (
  insert into mail_servers as s (account_id, id, host, port, security, username, password,
    sender_name, sender_address, reply_to, updated_by, updated_at)
  values ($1, $2, $3, $4, $5, $6, $8::bytea, $9, $10, $11, $12::text::jsonb, cf_now())
  on conflict (account_id) do update set host = excluded.host, port = excluded.port,
    security = excluded.security, username = excluded.username,
    password = case when $7 then excluded.password else s.password end,
    sender_name = excluded.sender_name, sender_address = excluded.sender_address,
    reply_to = excluded.reply_to, updated_by = excluded.updated_by,
    updated_at = excluded.updated_at
  returning s.*),
 told as (select <told> as it from made s),
 entry as (
  insert into audit_entry (account_id, id, type, subject, data, actor, at)
  select $1, $13, 'mail_server.set', told.it ->> 'host', jsonb_build_object(
    'before', (select it - 'account_id' from was), 'after', told.it - 'account_id',
    'password_replaced', $7::boolean), $12::text::jsonb, cf_now() from told)
 select it::text from told"""
_REMOVE = """with gone as (delete from mail_servers where account_id = $1 returning host),
 entry as (
  insert into audit_entry (account_id, id, type, subject, data, actor, at)
  select $1, $2, 'mail_server.removed', host, '{}', $3::text::jsonb, cf_now() from gone)
 select 1 from gone"""


class NewMailServer(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What it takes to reach a mail server.

    An absent `password` keeps the one there is, null removes it.
    """

    host: Host
    port: Annotated[int, Meta(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: Line | None = None
    password: Annotated[str, Meta(max_length=1000)] | UnsetType | None = UNSET
    sender_name: Line = ""
    sender_address: MailAddress
    reply_to: MailAddress | None = None


async def find_mail_server(connection: Connection) -> MailServer | None:
    """Return the account's mail server, if it has one of its own."""
    told = await connection.value(_FIND.replace("<told>", _TOLD), connection.account)
    return None if told is None else msgspec.json.decode(told, type=MailServer)


async def open_mail_server(
    connection: Connection, keys: KeyRing | None
) -> tuple[MailServer, str | None] | None:
    """Return the account's mail server with its password, for the post alone. Raises CannotOpen."""
    row = await connection.row(_FIND.replace("<told>", _TOLD), connection.account)
    if row is None:
        return None
    server = msgspec.json.decode(row["told"], type=MailServer)
    if row["password"] is None:
        return server, None
    assert keys is not None, "a sealed password needs the keys it is under"
    plain = keys.open(row["password"], mail_seal_context(connection.account))
    return server, plain.decode()


async def set_mail_server(
    connection: Connection, actor: Actor, new: NewMailServer, keys: KeyRing
) -> MailServer:
    """Set the account's mail server. Raises ValidationFailed.

    The audit entry says whether the password was replaced, never what it is.
    """
    check_shape(new)
    sealed = None
    if new.password:
        sealed = keys.seal(new.password.encode(), mail_seal_context(connection.account))
    told = await connection.value(
        _SET.replace("<told>", _TOLD),
        connection.account,
        new_id(),
        new.host,
        new.port,
        new.security,
        new.username or None,
        new.password is not UNSET,
        sealed,
        new.sender_name,
        new.sender_address,
        new.reply_to or None,
        to_json(actor.told()),
        new_id(),
    )
    return msgspec.json.decode(told, type=MailServer)


async def remove_mail_server(connection: Connection, actor: Actor) -> bool:
    """Use the installation's mail server again. False: there was none of one's own."""
    gone = await connection.value(_REMOVE, connection.account, new_id(), to_json(actor.told()))
    return gone is not None


def mail_seal_context(account_id: str) -> str:
    """Name the place that the mail server's password is sealed for."""
    return f"mail:{account_id}"
