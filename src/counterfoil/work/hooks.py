"""What providers tell us: taken in at once, then looked into by the worker. [faults W-1 to W-9]

A call is only a hint where to look. Its signature is checked, its bytes are kept, and what it says
happened is read from the provider afterwards, so order, repeats and loss of calls change nothing
but when we hear of it.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from counterfoil.book.drift import NewDrift, tell_drift
from counterfoil.gateways import GatewayMisconfigured
from counterfoil.gateways.port import HookRefused
from counterfoil.kernel.due import Claimed, back_off, reschedule
from counterfoil.kernel.failpoint import failpoint
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.log import log
from counterfoil.kernel.problem import NotFound
from counterfoil.kernel.secrets import CannotOpen
from counterfoil.kernel.shape import to_json
from counterfoil.order.actor import system
from counterfoil.work.desk import Works
from counterfoil.work.sync import Wanted, sync_payment

BODY_BYTES_MAX = 512 * 1024
#: Seconds until an event whose payment is not known, or whose provider is silent, is tried again.
AGAIN_S = (5, 30, 120, 600, 3600)
GIVE_UP_S = 24 * 3600
#: More claims than a day has room for: one that kills its worker ends here.
CLAIMS_MAX = 60
_NAME_MAX = 200
_SECRET = {"authorization", "cookie", "proxy-authorization"}
_KEEP = """insert into inbound_events (account_id, id, gateway, event_id, topic, headers, body,
    payment_reference, our_reference, status, received_at, due_at)
  values ($1, $2, $3, $4, $5, $6::text::jsonb, $7, $8, $9, 'RECEIVED', cf_now(), cf_now())
  on conflict (account_id, gateway, event_id) do nothing returning 1"""
_READ = """select gateway, event_id, topic, payment_reference, our_reference, status,
    received_at, cf_now() as now
  from inbound_events where account_id = $1 and id = $2 and lease_token = $3"""
_FIND = """select order_id::text, id::text as payment_id from payments
    where account_id = $1 and gateway = $2 and provider_reference = $3
  union all
  select p.order_id::text, p.id::text from transactions t
    join payments p on p.account_id = $1 and p.id = t.payment_id and p.gateway = $2
    where t.account_id = $1 and t.id = $4 limit 1"""
_END = """update inbound_events set status = $4, error = $5, order_id = $6, settled_at = cf_now(),
    due_at = null, lease_token = null, lease_until = null
  where account_id = $1 and id = $2 and lease_token = $3 returning 1"""
_WAITS = """update inbound_events set status = $4, error = $5
  where account_id = $1 and id = $2 and lease_token = $3"""


class Arrived(msgspec.Struct, frozen=True):
    """A call that was taken in: from which kind of gateway, and whether it is news."""

    kind: str
    new: bool


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A stored call, as far as the worker needs it."""

    gateway: str
    event_id: str
    topic: str
    payment_reference: str | None
    our_reference: str | None
    status: str
    received_at: datetime
    now: datetime

    @property
    def is_old(self) -> bool:
        """Whether it has been tried for a day."""
        return self.now - self.received_at >= timedelta(seconds=GIVE_UP_S)


async def receive_hook(
    works: Works, account_id: str, code: str, headers: Mapping[str, str],
    query: Mapping[str, str], body: bytes,
) -> Arrived:
    """Check a call and keep it; the same event again is no news. Raises HookRefused, Unavailable.

    An account or gateway that does not exist is refused like a wrong signature.
    """
    try:
        gateway = await works.adapters.of(account_id, code)
    except (NotFound, GatewayMisconfigured, CannotOpen) as problem:
        log.info("hook_refused", reason=type(problem).__name__)
        raise HookRefused from problem
    async with works.pool.connection(account_id) as connection:
        notice = gateway.receive(headers, query, body, await works.clock.now(connection))
        failpoint("hook.received")
        kept = {name: text for name, text in headers.items() if name not in _SECRET}
        new = await connection.row(
            _KEEP, account_id, new_id(), code, _short(notice.event_id), _short(notice.topic),
            to_json(kept), body, notice.payment_reference, notice.our_reference,
        )
    return Arrived(type(gateway).__name__.removesuffix("Gateway").lower(), new is not None)


def _short(name: str) -> str:
    """Keep a name that fits an index; of a longer one its digest."""
    if len(name) <= _NAME_MAX:
        return name
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()


async def follow_due(works: Works, claimed: Claimed) -> None:
    """Look into an event: find its payment and bring it to the provider's view.

    One whose payment is not here (yet) waits, for a day; then it is FAILED, for people to see.
    Raises Unavailable, Gone.
    """
    failpoint("hook.claimed")
    async with works.pool.connection(claimed.account_id) as connection:
        row = await connection.row(_READ, claimed.account_id, claimed.id, claimed.lease)
        if row is None:
            return
        event = Event(**dict(row))
        found = await connection.row(
            _FIND, claimed.account_id, event.gateway, event.payment_reference,
            _as_id(event.our_reference),
        )
    if claimed.attempts > CLAIMS_MAX:
        await _end(works, claimed, event, "FAILED", "Looking into it never ended.")
    elif found is None:
        await _wait(works, claimed, event, "UNMATCHED", "No payment here has these references.")
    else:
        wanted = Wanted(
            order_id=found["order_id"], payment_id=found["payment_id"],
            reference=event.payment_reference,
        )
        outcome = await sync_payment(works, system(claimed.account_id), wanted)
        failpoint("hook.synced")
        if outcome.reached:
            await _end(works, claimed, event, "DONE", None, order_id=wanted.order_id)
        else:
            await _wait(works, claimed, event, event.status, "The provider could not be asked.")


def _as_id(reference: str | None) -> UUID | None:
    try:
        return UUID(reference or "")
    except ValueError:
        return None


async def _wait(works: Works, claimed: Claimed, event: Event, status: str, error: str) -> None:
    if event.is_old:
        await _end(works, claimed, event, "FAILED", error)
        return
    async with works.pool.connection(claimed.account_id) as connection, connection.transaction():
        await connection.rows(
            _WAITS, claimed.account_id, claimed.id, claimed.lease, status, error
        )
        await reschedule(connection, claimed, back_off(AGAIN_S, claimed.attempts))


async def _end(
    works: Works, claimed: Claimed, event: Event, status: str, error: str | None,
    order_id: str | None = None,
) -> None:
    async with works.pool.connection(claimed.account_id) as connection, connection.transaction():
        ours = await connection.row(
            _END, claimed.account_id, claimed.id, claimed.lease, status, error, order_id
        )
        if ours is not None and status == "FAILED" and event.status == "UNMATCHED":
            await tell_drift(connection, NewDrift(
                gateway=event.gateway, kind="missing_here",
                reference=event.payment_reference or event.our_reference,
                detail=f"{event.topic}: {error}",
            ))
    if status == "FAILED":
        log.error("hook_failed", id=claimed.id, gateway=event.gateway, error=error)
