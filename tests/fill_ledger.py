"""The ledger of filled orders: what order/ledger.py enters, as SQL."""

LEDGER = """
with moved as materialized (
  select o.account_id, o.n, o.id as order_id, cardinality(o.facts) as sequence, o.currency, t.id,
    t.type, t.amount, t.allocations, t.settled_at
  from fill_o o join transactions t on t.account_id = o.account_id and t.order_id = o.id
  where t.status = 'SUCCEEDED'),
shares as materialized (
  select m.*, (a.part ->> 'bag_id')::uuid as bag_id, (a.part ->> 'amount')::bigint as share
  from moved m cross join lateral jsonb_array_elements(m.allocations) a(part)
  where m.type in ('CAPTURE', 'REFUND')),
postings as (
  select m.account_id, m.order_id, m.sequence, m.id, k.kind, k.debit, k.credit,
    null::text as merchant, m.currency, m.amount, m.settled_at
  from moved m join (values ('AUTHORIZE', 'authorised', 'authorised', 'authorisations'),
    ('CAPTURE', 'drawn', 'authorisations', 'authorised'),
    ('VOID', 'released', 'authorisations', 'authorised'),
    ('EXPIRE', 'released', 'authorisations', 'authorised')) k(type, kind, debit, credit)
    on k.type = m.type
  union all
  select s.account_id, s.order_id, s.sequence, s.id, k.kind, k.debit, k.credit, b.merchant,
    s.currency, s.share, s.settled_at
  from shares s join fill_b b on b.n = s.n and b.id = s.bag_id
  join (values ('CAPTURE', 'captured', 'receivable', 'payable'),
    ('REFUND', 'refunded', 'refunds', 'receivable')) k(type, kind, debit, credit)
    on k.type = s.type)
insert into ledger_entries (account_id, order_id, sequence, line, transaction_id, kind, debit,
    credit, gateway, merchant, currency, amount, at)
select account_id, order_id, sequence,
  row_number() over (partition by order_id order by id, kind, merchant), id, kind, debit, credit,
  'manual', merchant, currency, amount, settled_at
from postings
"""
