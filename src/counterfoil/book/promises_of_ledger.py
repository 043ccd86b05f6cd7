"""What is promised about the ledger. [faults V1; order/ledger.py]"""

from counterfoil.book.promise import ACCOUNT, Promise

LEDGER = (
    Promise(
        name="movements_are_entered",
        sentence="Every movement that took effect is entered in the ledger for just its amount, and"
        " nothing else is.",
        query="""select coalesce(t.order_id, e.order_id) as id,
  'transaction ' || coalesce(t.id, e.transaction_id) as detail
from (select t.order_id, t.id, t.type,
    case when t.status = 'SUCCEEDED' then t.amount else 0 end as moved
  from transactions t where t.account_id = $1 and t.order_id > {low}::uuid
    and t.order_id <= {high}::uuid) t
full join (select e.order_id, e.transaction_id,
    sum(case e.kind when 'authorised' then e.amount else 0 end) as authorised,
    sum(case e.kind when 'drawn' then e.amount else 0 end) as drawn,
    sum(case e.kind when 'captured' then e.amount else 0 end) as captured,
    sum(case e.kind when 'released' then e.amount else 0 end) as released,
    sum(case e.kind when 'refunded' then e.amount else 0 end) as refunded,
    sum(case e.kind when 'reversed' then e.amount else 0 end) as reversed
  from ledger_entries e where e.account_id = $1 and e.order_id > {low}::uuid
    and e.order_id <= {high}::uuid
  group by e.order_id, e.transaction_id) e
  on e.order_id = t.order_id and e.transaction_id = t.id
where t.id is null
  or coalesce(e.authorised, 0) <> case t.type when 'AUTHORIZE' then t.moved else 0 end
  or coalesce(e.drawn, 0) <> case t.type when 'CAPTURE' then t.moved else 0 end
  or coalesce(e.captured, 0) <> case t.type when 'CAPTURE' then t.moved else 0 end
  or coalesce(e.released, 0) <> case when t.type in ('VOID', 'EXPIRE') then t.moved else 0 end
  or coalesce(e.refunded, 0) <> case t.type when 'REFUND' then t.moved else 0 end
  or coalesce(e.reversed, 0) <> case t.type when 'REFUND_REVERSAL' then t.moved else 0 end""",
    ),
    Promise(
        name="payouts_are_entered",
        sentence="What a provider paid out, or took back, less its fee, is entered in the ledger"
        " once.",
        query="""select coalesce(p.order_id, e.order_id) as id,
  'transaction ' || coalesce(p.transaction_id, e.transaction_id) as detail
from (select p.order_id, p.transaction_id, case when t.type = 'REFUND' then -p.amount - p.fee
    else p.amount - p.fee end as due
  from payouts p join transactions t on t.account_id = $1 and t.id = p.transaction_id
  where p.account_id = $1 and p.order_id > {low}::uuid and p.order_id <= {high}::uuid) p
full join (select e.order_id, e.transaction_id,
    sum(case when e.debit = 'bank' then e.amount else -e.amount end) as banked
  from ledger_entries e where e.account_id = $1 and e.order_id > {low}::uuid
    and e.order_id <= {high}::uuid and e.kind = 'paid_out'
  group by e.order_id, e.transaction_id) e
  on e.order_id = p.order_id and e.transaction_id = p.transaction_id
where p.transaction_id is null or coalesce(e.banked, 0) <> p.due""",
    ),
    Promise(
        name="entries_stand_with_their_fact",
        sentence="Every ledger entry stands with the fact that it was written with, in the currency"
        " of its order.",
        query="""select e.order_id as id, 'version ' || e.sequence || ', line ' || e.line as detail
from ledger_entries e
left join orders o on o.account_id = $1 and o.id = e.order_id
left join facts f on f.account_id = $1 and f.order_id = e.order_id and f.sequence = e.sequence
where e.account_id = $1 and e.order_id > {low}::uuid and e.order_id <= {high}::uuid
  and (f.order_id is null or e.currency is distinct from o.currency)""",
    ),
    Promise(
        name="balances_are_their_entries",
        sentence="The balance of a ledger account is what the entries up to the last one that was"
        " added up make it.",
        scope=ACCOUNT,
        query="""select null::uuid as id, b.ledger_account || ' of ' || b.gateway || ' '
  || b.merchant || ' in ' || b.currency as detail
from (select x.ledger_account, x.gateway, x.merchant, x.currency, sum(x.debit) as debit,
    sum(x.credit) as credit
  from (select b.ledger_account, b.gateway, b.merchant, b.currency, b.debit, b.credit
    from ledger_balances b where b.account_id = $1
    union all
    select s.name, e.gateway, coalesce(e.merchant, ''), e.currency, -s.debit, -s.credit
    from ledger_entries e
    join facts f on f.account_id = $1 and f.order_id = e.order_id and f.sequence = e.sequence
    cross join lateral (values (e.debit, e.amount, 0), (e.credit, 0, e.amount))
      s(name, debit, credit)
    where e.account_id = $1 and f.position <= coalesce(
      (select l.position from ledger_folded l where l.account_id = $1), 0)) x
  group by x.ledger_account, x.gateway, x.merchant, x.currency) b
where b.debit <> 0 or b.credit <> 0""",
    ),
    Promise(
        name="payments_are_the_ledger",
        sentence="For each gateway and currency the ledger holds what its payments have open, and"
        " has taken what they captured less what they gave back.",
        scope=ACCOUNT,
        query="""select null::uuid as id, x.gateway || ' in ' || x.currency || ': open '
  || sum(x.held) || ', taken ' || sum(x.taken) as detail
from (select p.gateway, p.currency, sum(p.authorized - p.captured - p.voided - p.expired) as held,
    sum(p.captured - p.refunded) as taken
  from payments p where p.account_id = $1 group by p.gateway, p.currency
  union all
  select e.gateway, e.currency,
    -sum(case e.kind when 'authorised' then e.amount when 'drawn' then -e.amount
      when 'released' then -e.amount else 0 end),
    -sum(case e.kind when 'captured' then e.amount when 'reversed' then e.amount
      when 'refunded' then -e.amount else 0 end)
  from ledger_entries e where e.account_id = $1 group by e.gateway, e.currency) x
group by x.gateway, x.currency having sum(x.held) <> 0 or sum(x.taken) <> 0""",
    ),
)
