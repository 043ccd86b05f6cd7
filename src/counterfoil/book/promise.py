"""A promise as data: one sentence, and one query that must find nothing. [style.md 9]"""

import msgspec

from counterfoil.book.fragments import filled
from counterfoil.order.amounts import AMOUNT_NAMES

ORDERS, TERMS, ACCOUNT = "orders", "terms", "account"
TOTAL_NAMES = (
    "sub_total", "shipping_total", "tax_total", "duty_total", "discount_total", "total",
    "canceled_total", "reopened", "worth_refunded",
)
_MOVED = "coalesce(sum(t.moved) filter (where t.type = '<kind>' and t.status <of>), 0) as <name>"
_BOOKED, _RESERVED = "= 'SUCCEEDED'", "in ('PENDING', 'UNKNOWN')"
_MOVEMENTS = (
    ("authorized", "AUTHORIZE", _BOOKED),
    ("captured", "CAPTURE", _BOOKED),
    ("voided", "VOID", _BOOKED),
    ("expired", "EXPIRE", _BOOKED),
    ("refunded", "REFUND", _BOOKED),
    ("capture_pending", "CAPTURE", _RESERVED),
    ("void_pending", "VOID", _RESERVED),
    ("refund_pending", "REFUND", _RESERVED),
)
#: Movements as amounts know them: what came back to us was not refunded after all, and what waits
#: for approval is reserved by the plan of its refund.
_MOVES = """select case t.type when 'REFUND_REVERSAL' then 'REFUND' else t.type end as type,
    t.status, case t.type when 'REFUND_REVERSAL' then -t.amount else t.amount end as moved,
    t.payment_id, t.allocations
  from transactions t where t.account_id = $1 and t.order_id = o.id
  union all select 'REFUND', 'PENDING', (w.part ->> 'amount')::bigint,
    (w.part ->> 'payment_id')::uuid, w.part -> 'allocations'
  from refunds r cross join lateral jsonb_array_elements(r.plan) w(part)
  where r.account_id = $1 and r.order_id = o.id and r.status = 'AWAITING_APPROVAL'"""


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """An invariant: its name, its sentence, where it is looked for, and what must find nothing.

    A query finds (id, detail). In the scope of orders it looks at those with {low} < id <= {high},
    in that of terms at the search terms behind a place, in that of the account at all of it.
    """

    name: str
    sentence: str
    scope: str = ORDERS
    query: str

    @property
    def text(self) -> str:
        """The query with the columns that several promises are about."""
        both = (*TOTAL_NAMES, *AMOUNT_NAMES)
        return filled(
            self.query,
            here="o.account_id = $1 and o.id > {low}::uuid and o.id <= {high}::uuid",
            bag_sums=_sums("b", both),
            order_row=_row("o", both),
            summed_row=_zero(both),
            payment_sums=_sums("p", AMOUNT_NAMES),
            order_money=_row("o", AMOUNT_NAMES),
            payment_money=_row("p", AMOUNT_NAMES),
            bag_money=_row("b", AMOUNT_NAMES),
            summed_money=_zero(AMOUNT_NAMES),
            moves=_MOVES,
            movements=", ".join(
                filled(_MOVED, kind=kind, of=of, name=name) for name, kind, of in _MOVEMENTS
            ),
        )


def _sums(table: str, names: tuple[str, ...]) -> str:
    return ", ".join(f"sum({table}.{name}) as {name}" for name in names)


def _row(table: str, names: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"{table}.{name}" for name in names) + ")"


def _zero(names: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"coalesce(s.{name}, 0)" for name in names) + ")"
