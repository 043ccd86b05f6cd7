"""One exchange with a provider about one transaction, and the log of all of them.

What the log holds decides what may be done next: a transaction whose every attempt is accounted
for as not executed may be sent as if for the first time; any other is asked about first.
[faults §1, P-1 to P-7; rulings 26, 45]
"""

from datetime import datetime
from typing import Any

import msgspec

from counterfoil.gateways import Gateway, GatewayMisconfigured
from counterfoil.kernel.db import Connection
from counterfoil.kernel.due import Claimed
from counterfoil.kernel.failpoint import failpoint
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.log import log
from counterfoil.kernel.problem import NotFound
from counterfoil.kernel.secrets import CannotOpen
from counterfoil.order.folder import Folder
from counterfoil.order.gateway import Answer, Basket, Booked, Call, Kind, Outcome
from counterfoil.order.payment import Payment
from counterfoil.order.transaction import Transaction
from counterfoil.work.connecting import hook_address
from counterfoil.work.desk import Works

ASK = "ASK"
SENDING = "SENDING"
_READ = """select json_build_object('number', o.number, 'currency', o.currency, 'at', cf_now(),
  'row', row_to_json(t), 'payment', row_to_json(p),
  'renews', (select r.provider_reference from payments r
    where r.account_id = $1 and r.id = p.renews),
  'basket', case when t.type = 'AUTHORIZE' and p.provider_reference is null then
    json_build_object('customer', o.customer, 'billing_address', o.billing_address,
      'shipping_address', o.shipping_address, 'shipping_total', o.shipping_total,
      'tax_total', o.tax_total, 'lines', (select coalesce(json_agg(json_build_object(
          'sku', i.sku, 'name', i.name, 'type', i.type, 'quantity', i.quantity,
          'unit_price', i.unit_price, 'line_total', i.line_total) order by i.position), '[]')
        from items i where i.account_id = $1 and i.order_id = o.id)) end,
  'log', (select coalesce(json_agg(json_build_object('purpose', c.purpose, 'outcome', c.outcome,
      'at', c.at) order by c.at, c.id), '[]')
    from gateway_calls c where c.account_id = $1 and c.order_id = t.order_id
      and c.transaction_id = t.id))::text
  from transactions t
  join payments p on p.account_id = $1 and p.id = t.payment_id
  join orders o on o.account_id = $1 and o.id = t.order_id
  where t.account_id = $1 and t.id = $2 and t.lease_token = $3 and t.settled_at is null"""


class Logged(msgspec.Struct, frozen=True):
    """An exchange that was written down: ASK, or the transaction's type where it was sent."""

    purpose: str
    outcome: str
    at: datetime


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """An unsettled transaction whose lease is ours, and what was heard about it so far."""

    number: str
    currency: str
    at: datetime
    row: Transaction
    payment: Payment
    renews: str | None = None
    basket: Basket | None = None
    log: list[Logged]

    @property
    def age_s(self) -> float:
        """Seconds since it was wanted."""
        return (self.at - self.row.created_at).total_seconds()

    @property
    def asks(self) -> int:
        """How often the provider was asked about it."""
        return sum(1 for one in self.log if one.purpose == ASK)

    @property
    def fruitless(self) -> int:
        """How many claims, this one included, have left no outcome in the log.

        A claim that sends again leaves three lines: asked, sending, heard.
        """
        begun = sum(1 for one in self.log if one.outcome == SENDING)
        return self.row.attempts - (len(self.log) - 2 * begun)

    @property
    def surely_unsent(self) -> bool:
        """Whether nothing of it can have reached the provider with effect."""
        heard = {(one.purpose, one.outcome) for one in self.log}
        known = heard <= {(self.row.type, Outcome.NOT_EXECUTED)}
        return self.row.status == "PENDING" and known and self.fruitless == 1

    @property
    def missing_since(self) -> datetime | None:
        """When the provider first said, after the last sending, that it knows nothing of it."""
        sent = max((one.at for one in self.log if one.purpose != ASK), default=None)
        heard = [
            one.at
            for one in self.log
            if one.purpose == ASK
            and one.outcome == Outcome.NOT_EXECUTED
            and (sent is None or one.at > sent)
        ]
        return min(heard, default=None)


_decode = msgspec.json.Decoder(Open).decode


async def read_open(works: Works, claimed: Claimed) -> Open | None:
    """Read a claimed transaction in one statement; None when it is settled or no longer ours."""
    async with works.pool.connection(claimed.account_id) as connection:
        told = await connection.value(_READ, claimed.account_id, claimed.id, claimed.lease)
    return None if told is None else _decode(told)


def call_of(works: Works, account_id: str, found: Open) -> Call:
    """Say what we want of a movement that was read."""
    call = make_call(works, account_id, found.payment, found.row)
    return msgspec.structs.replace(
        call, order_number=found.number, renews=found.renews, basket=found.basket
    )


def call_within(works: Works, account_id: str, folder: Folder, row: Transaction) -> Call:
    """Say what we want of a movement whose order is at hand."""
    payment = next(one for one in folder.payments if one.id == row.payment_id)
    renewed = next((one for one in folder.payments if one.id == payment.renews), None)
    call = make_call(works, account_id, payment, row)
    basket = None
    if row.type == Kind.AUTHORIZE and payment.provider_reference is None:
        basket = _basket(folder)
    return msgspec.structs.replace(
        call,
        order_number=folder.order.number,
        renews=None if renewed is None else renewed.provider_reference,
        basket=basket,
    )


def _basket(folder: Folder) -> Basket:
    names = ("sku", "name", "type", "quantity", "unit_price", "line_total")
    order = folder.order
    return Basket(
        customer=order.customer,
        billing_address=order.billing_address,
        shipping_address=order.shipping_address,
        lines=[{name: getattr(item, name) for name in names} for item in folder.items],
        shipping_total=order.shipping_total,
        tax_total=order.tax_total,
    )


def make_call(works: Works, account_id: str, payment: Payment, row: Transaction) -> Call:
    """Say what we want; the transaction's id is the idempotency key and our reference.

    The provider may call back where the installation's public address is known.
    """
    hook = None
    if works.public_url is not None:
        hook = hook_address(account_id, payment.gateway, works.public_url)
    reserved = payment.capture_pending + payment.void_pending + payment.refund_pending
    return Call(
        kind=Kind(row.type),
        transaction_id=row.id,
        our_reference=row.id,
        payment_reference=payment.provider_reference,
        amount=row.amount,
        currency=row.currency,
        order_number="",
        flow=payment.flow,
        return_url=payment.return_url,
        callback_url=hook,
        booked=Booked(
            captured=payment.captured,
            voided=payment.voided,
            refunded=payment.refunded,
            sole=reserved in (0, row.amount),
        ),
    )


async def send(works: Works, account_id: str, code: str, call: Call) -> Answer:
    """Ask the provider to do it. A gateway that cannot be opened has certainly not done it."""
    gateway = await _gateway(works, account_id, code)
    if isinstance(gateway, Answer):
        return gateway
    failpoint("settle.before_call")
    answer = await gateway.send(call)
    works.adapters.mood(account_id, code).heard(answer)
    failpoint("settle.after_call")
    return answer


async def ask(works: Works, account_id: str, code: str, call: Call) -> Answer:
    """Ask the provider what became of it. Without an adapter nobody can tell."""
    gateway = await _gateway(works, account_id, code)
    if isinstance(gateway, Answer):
        return msgspec.structs.replace(gateway, outcome=Outcome.UNKNOWN)
    failpoint("settle.before_ask")
    answer = await gateway.ask(call)
    works.adapters.mood(account_id, code).heard(answer)
    failpoint("settle.after_ask")
    return answer


async def _gateway(works: Works, account_id: str, code: str) -> Gateway | Answer:
    try:
        return await works.adapters.of(account_id, code)
    except (GatewayMisconfigured, NotFound, CannotOpen) as problem:
        log.warning("gateway_misconfigured", gateway=code, error=str(problem))
        return Answer(
            outcome=Outcome.NOT_EXECUTED,
            error_code=GatewayMisconfigured.code,
            error_message=str(problem),
            raw={"failure": {"code": GatewayMisconfigured.code, "sent": False}},
        )


async def note(
    connection: Connection, claimed: Claimed, purpose: str, outcome: str, raw: dict[str, Any]
) -> None:
    """Write an exchange down. Together with the change of the lease, in one transaction."""
    await connection.rows(
        "insert into gateway_calls (account_id, id, order_id, transaction_id, purpose, outcome,"
        " raw, at) values ($1, $2, $3, $4, $5, $6, $7::text::jsonb, cf_now())",
        claimed.account_id,
        new_id(),
        claimed.order_id,
        claimed.id,
        purpose,
        outcome,
        msgspec.json.encode(raw).decode(),
    )
