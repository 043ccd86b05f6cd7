"""The statements that fill an account with orders; fill.py says in which order."""

SETTINGS = (
    ("""insert into merchants (account_id, id, code, name)
  select $1, gen_random_uuid(), m, initcap(m) from unnest($2::text[]) m
  on conflict do nothing""", "merchants"),
    ("""insert into stores
    (account_id, id, code, name, currency, default_merchant, create_merchants)
  select $1, gen_random_uuid(), s, initcap(s), c, 'main', true
  from jsonb_each_text($2::text::jsonb) x(s, c) on conflict do nothing""", "stores"),
    ("""insert into order_states
    (account_id, id, store, code, name, system_state, colour, position, built_in)
  select $1, gen_random_uuid(), s.code, o.code, o.name, o.system_state, o.colour, o.position, true
  from stores s, order_states o
  where s.account_id = $1 and o.account_id = $1 and o.store = 'main' and o.built_in
  on conflict do nothing""", ""),
    ("""insert into order_states (account_id, id, store, code, name, system_state, colour, position)
  select $1, gen_random_uuid(), s.code, 'picking', 'Picking', 'PROCESSING', 'teal', 9
  from stores s where s.account_id = $1 on conflict do nothing""", ""),
    ("""insert into shipment_methods (account_id, id, store, code, name)
  select $1, gen_random_uuid(), s.code, 'standard', 'Standard' from stores s
  where s.account_id = $1 on conflict do nothing""", ""),
)

TEMPORARY = """
create temp table if not exists fill_profile (name text, weight_old int, weight_new int,
  state text, review text, flow text, captured text, voided text, refunded text, goods text,
  hold text, facts text, upto_old int, upto_new int);
create temp table if not exists fill_o (like orders including defaults, n bigint, profile text,
  goods text, flow text, captured_how text, voided_how text, refunded_how text, hold text,
  facts text[], bag_count int, first text, last text) on commit delete rows;
create temp table if not exists fill_b (like bags including defaults, n bigint)
  on commit delete rows;
create temp table if not exists fill_i (like items including defaults, n bigint, bag_position int)
  on commit delete rows;
create or replace function pg_temp.v7(at timestamptz, salt text) returns uuid
  language sql immutable parallel safe as $$
  select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7'
    || substr(md5(salt), 1, 3) || '8' || substr(md5(salt), 4, 15))::uuid $$;
"""

ORDERS = """
insert into fill_o (account_id, id, store, channel, external_id, number, state, system_state,
    fraud_status, financial_status, fulfillment_status, is_open, hold_capture, hold_shipment,
    currency, sub_total, shipping_total, tax_total, duty_total, discount_total, total,
    canceled_total, authorized, captured, voided, expired, refunded, capture_pending, void_pending,
    refund_pending, unknown_pending, customer, shipping_address, shipping_method, tags, is_test,
    unit_count, shipped_count, placed_at, created_at, updated_at, version, n, profile, goods, flow,
    captured_how, voided_how, refunded_how, hold, facts, bag_count, first, last)
select $1, pg_temp.v7(at.placed, 'o' || n), s.code,
  case when n % 10 < 7 then 'api' else 'csv' end, 'web-' || n, (100000 + n)::text, p.state,
  case p.state when 'picking' then 'PROCESSING' else upper(p.state) end, p.review, '', '',
  p.state in ('new', 'processing', 'picking', 'cancel_requested', 'fraud', 'suspended'),
  p.hold like '%capture%', p.hold like '%shipment%', s.currency,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  jsonb_build_object('email', 'customer' || who.k || '@example.com', 'first_name',
    ($6::text[])[who.f], 'last_name', ($7::text[])[who.l]),
  jsonb_build_object('name', ($6::text[])[who.f] || ' ' || ($7::text[])[who.l], 'line1',
    'Storgata ' || n % 97 + 1, 'city', 'Oslo', 'postal_code', '0155', 'country', 'NO'),
  'standard', case when n % 41 = 0 then '["vip"]' else '[]' end::jsonb, n % 200 = 7,
  0, 0, at.placed, at.placed, at.placed, 0, n, p.name, p.goods, p.flow, p.captured, p.voided,
  p.refunded, p.hold,
  array['order.created']
    || case when p.flow <> '' then array['payment.authorized'] else '{}'::text[] end
    || array_remove(string_to_array(p.facts, ' '), ''),
  case when p.goods = 'part' then 2 else 1 + (n % 10 >= 6)::int + (n % 100 = 99)::int end,
  ($8::text[])[who.f], ($9::text[])[who.l]
from generate_series($2::bigint, $3::bigint) n
cross join lateral (select $5::timestamptz - make_interval(secs => ($4::bigint - n) * 300.0)
  as placed) at
cross join lateral (select n * 7919 % 5003 as k, 1 + n * 31 % cardinality($6::text[]) as f,
  1 + n * 17 % cardinality($7::text[]) as l) who
join (values ('main', 'EUR', 0, 6), ('nordic', 'NOK', 6, 9), ('tokyo', 'JPY', 9, 10))
  s(code, currency, low, high) on n * 13 % 10 >= s.low and n * 13 % 10 < s.high
cross join lateral (select * from fill_profile f
  where case when n * 10 >= $4 * 9 then n * 7919 % 1000 < f.upto_new
    else n * 7919 % 1000 < f.upto_old end
  order by case when n * 10 >= $4 * 9 then f.upto_new else f.upto_old end limit 1) p
"""

ITEMS = """
insert into fill_i (account_id, id, order_id, bag_id, position, sku, name, type, quantity,
    unit_price, line_total, delivery_state, quantity_shipped, quantity_delivered, quantity_failed,
    quantity_returned, quantity_refunded, quantity_canceled, shipping_method, shipment_id, n,
    bag_position)
select o.account_id, pg_temp.v7(o.placed_at, 'i' || o.n || '/' || b || '/' || i), o.id,
  pg_temp.v7(o.placed_at, 'b' || o.n || '/' || b), (b - 1) * 2 + i, 'SKU-' || q.k, 'Thing ' || q.k,
  'sku', q.units, q.price, q.units * q.price,
  case when o.goods = 'gone' then 'CANCELED' when not q.left then 'PENDING'
    when o.goods = 'delivered' then 'DELIVERED' when o.goods = 'failed' then 'COULD_NOT_DELIVER'
    else 'SHIPPED' end,
  case when q.left then q.units else 0 end,
  case when q.left and o.goods = 'delivered' then q.units else 0 end,
  case when q.left and o.goods = 'failed' then q.units else 0 end, 0, 0,
  case when o.goods = 'gone' then q.units else 0 end, 'standard',
  case when q.left then pg_temp.v7(o.placed_at, 's' || o.n || '/' || b) end, o.n, b
from fill_o o cross join generate_series(1, o.bag_count) b
cross join generate_series(1, 1 + (o.n % 3 = 0)::int) i
cross join lateral (select (o.n * 37 + b * 11 + i) % 1500 as k, 1 + (o.n + i) % 3 as units,
  1000 + (o.n * 101 + b * 53 + i * 7) % 9000 as price,
  o.goods in ('shipped', 'delivered', 'failed') or (o.goods = 'part' and b = 1) as left) q
"""

BAGS = """
insert into fill_b (account_id, id, order_id, merchant, position, status, financial_status,
    fulfillment_status, sub_total, shipping_total, tax_total, duty_total, discount_total, total,
    canceled_total, authorized, captured, voided, expired, refunded, capture_pending, void_pending,
    refund_pending, n)
select o.account_id, i.bag_id, o.id,
  ($1::text[])[1 + (o.n + i.bag_position) % cardinality($1::text[])], i.bag_position,
  case when o.goods = 'gone' then 'CANCELED' when i.shipped > 0 then 'COMPLETED'
    else 'ACCEPTED' end, '',
  case when o.goods = 'gone' or i.shipped = 0 then 'PROCESSING'
    when o.goods = 'delivered' then 'DELIVERED' when o.goods = 'failed' then 'COULD_NOT_DELIVER'
    else 'SHIPPED' end,
  i.lines, i.shipping, 0, 0, 0, x.total, case when o.goods = 'gone' then x.total else 0 end,
  case when o.flow <> '' then x.total else 0 end, x.captured,
  case o.voided_how when 'rest' then x.total - x.captured else 0 end,
  case o.voided_how when 'expired' then x.total else 0 end,
  case o.refunded_how when 'all' then x.captured when 'part' then x.captured / 3 else 0 end,
  case o.captured_how when 'unknown' then x.total else 0 end,
  case o.voided_how when 'pending' then x.total else 0 end, 0, o.n
from (select n, bag_id, bag_position, sum(line_total)::bigint lines, sum(quantity_shipped) shipped,
    case when bag_position = 1 then 500 else 0 end shipping
  from fill_i group by n, bag_id, bag_position) i
join fill_o o on o.n = i.n
cross join lateral (select i.lines + i.shipping as total, case o.captured_how
  when 'all' then i.lines + i.shipping when 'half' then (i.lines + i.shipping) / 2 else 0 end
  as captured) x
"""

FINANCIAL = """
case when authorized = 0 then 'UNPAID'
  when captured = 0 and authorized - voided - expired = 0 then 'VOIDED'
  when captured = 0 and capture_pending > 0 then 'PENDING'
  when captured = 0 then 'AUTHORIZED'
  when refunded = 0 and authorized - captured - voided - expired > 0 then 'PARTIALLY_PAID'
  when refunded = 0 then 'PAID'
  when refunded = captured and authorized - captured - voided - expired = 0 then 'REFUNDED'
  else 'PARTIALLY_REFUNDED' end"""

SUMS = (
    f"update fill_b set financial_status = {FINANCIAL}",
    """
update fill_o o set sub_total = s.sub_total, shipping_total = s.shipping_total, total = s.total,
  canceled_total = s.canceled_total, authorized = s.authorized, captured = s.captured,
  voided = s.voided, expired = s.expired, refunded = s.refunded,
  capture_pending = s.capture_pending, void_pending = s.void_pending,
  unknown_pending = s.capture_pending, unit_count = s.live, shipped_count = s.shipped,
  fulfillment_status = case o.goods when 'delivered' then 'DELIVERED' when 'shipped' then 'SHIPPED'
    when 'failed' then 'COULD_NOT_DELIVER' when 'part' then 'PARTIALLY_SHIPPED'
    else 'PROCESSING' end,
  version = cardinality(o.facts),
  updated_at = o.placed_at + (cardinality(o.facts) - 1) * interval '7 minutes'
from (select b.n, sum(b.sub_total) sub_total, sum(b.shipping_total) shipping_total,
    sum(b.total) total, sum(b.canceled_total) canceled_total, sum(b.authorized) authorized,
    sum(b.captured) captured, sum(b.voided) voided, sum(b.expired) expired,
    sum(b.refunded) refunded, sum(b.capture_pending) capture_pending,
    sum(b.void_pending) void_pending, sum(i.live) live, sum(i.shipped) shipped
  from fill_b b join (select bag_id, sum(quantity - quantity_canceled) live,
      sum(quantity_shipped) shipped from fill_i group by bag_id) i on i.bag_id = b.id
  group by b.n) s where s.n = o.n""",
    f"update fill_o set financial_status = {FINANCIAL}",
)

PAYMENTS = """
insert into payments (account_id, id, order_id, position, gateway, flow, status, currency, amount,
    reference, provider_reference, authorized, captured, voided, expired, refunded,
    capture_pending, void_pending, authorized_at, created_at)
select account_id, pg_temp.v7(placed_at, 'p' || n), id, 1, 'manual', flow,
  case when captured > 0 and authorized - captured - voided - expired > 0
      then 'PARTIALLY_CAPTURED'
    when captured > 0 then 'CAPTURED' when authorized - voided - expired > 0 then 'AUTHORIZED'
    when expired > 0 then 'EXPIRED' else 'VOIDED' end,
  currency, total, 'auth-' || n, 'auth-' || n, authorized, captured, voided, expired, refunded,
  capture_pending, void_pending, placed_at, placed_at
from fill_o where flow <> ''
"""

CANCELLATIONS = """
insert into cancellations (account_id, id, order_id, status, reason_code, notify_customer,
    restock_items, refunded_amount, reversed_amount, requested_by, created_at, finished_at)
select account_id, pg_temp.v7(updated_at, 'c' || n), id,
  case when goods = 'gone' then 'CANCELED' else 'PROCESSING' end, 'CUSTOMER', false, true,
  refunded, voided, $1::text::jsonb, updated_at, case when goods = 'gone' then updated_at end
from fill_o where goods = 'gone' or voided_how = 'pending'
"""

REFUNDS = """
insert into refunds (account_id, id, order_id, bag_id, store, reference, amount, currency,
    reason_code, status, allocations, cancellation_id, actor, created_at, updated_at)
select o.account_id, pg_temp.v7(o.updated_at, 'r' || o.n), o.id,
  case when o.bag_count = 1 then (b.parts -> 0 ->> 'bag_id')::uuid end, o.store,
  case when o.goods = 'gone' then 'cancel-' else 'R-' end || o.n, o.refunded, o.currency,
  'CUSTOMER', 'COMPLETED', b.parts,
  case when o.goods = 'gone' then pg_temp.v7(o.updated_at, 'c' || o.n) end, $1::text::jsonb,
  o.updated_at, o.updated_at
from fill_o o join (select n, jsonb_agg(jsonb_build_object('bag_id', id, 'amount', refunded)
    order by position) parts from fill_b where refunded > 0 group by n) b on b.n = o.n
"""

TRANSACTIONS = """
insert into transactions (account_id, id, order_id, payment_id, refund_id, cancellation_id, type,
    status, amount, currency, allocations, reference, source, actor, created_at, settled_at,
    due_at, attempts)
select o.account_id, pg_temp.v7(o.placed_at, 't' || o.n || k.type), o.id,
  pg_temp.v7(o.placed_at, 'p' || o.n),
  case when k.type = 'REFUND' then pg_temp.v7(o.updated_at, 'r' || o.n) end,
  case when k.type in ('VOID', 'REFUND') and (o.goods = 'gone' or o.voided_how = 'pending')
    then pg_temp.v7(o.updated_at, 'c' || o.n) end,
  k.type, k.status, sum(k.amount), o.currency,
  jsonb_agg(jsonb_build_object('bag_id', b.id, 'amount', k.amount) order by b.position),
  case k.type when 'AUTHORIZE' then 'auth-' || o.n end, 'import', $1::text::jsonb, o.placed_at,
  case when k.status = 'SUCCEEDED' then o.updated_at end,
  case when k.status <> 'SUCCEEDED' then $2::timestamptz + interval '10 years' end,
  case when k.status = 'UNKNOWN' then 1 else 0 end
from fill_o o join fill_b b on b.n = o.n
cross join lateral (values ('AUTHORIZE', 'SUCCEEDED', b.authorized),
  ('CAPTURE', 'SUCCEEDED', b.captured), ('CAPTURE', 'UNKNOWN', b.capture_pending),
  ('VOID', 'SUCCEEDED', b.voided), ('VOID', 'PENDING', b.void_pending),
  ('EXPIRE', 'SUCCEEDED', b.expired), ('REFUND', 'SUCCEEDED', b.refunded))
  k(type, status, amount)
where k.amount > 0
group by o.account_id, o.n, o.id, o.goods, o.voided_how, o.currency, o.placed_at, o.updated_at,
  k.type, k.status
"""

SHIPMENTS = """
insert into shipments (account_id, id, order_id, bag_id, position, method, tracking_number, status,
    items, shipped_at, delivered_at, created_at, updated_at)
select o.account_id, i.shipment_id, o.id, i.bag_id, min(i.bag_position), 'standard',
  'TN' || o.n || '-' || min(i.bag_position),
  case o.goods when 'delivered' then 'DELIVERED' when 'failed' then 'COULD_NOT_DELIVER'
    else 'SHIPPED' end,
  jsonb_agg(jsonb_build_object('item_id', i.id, 'quantity', i.quantity_shipped)
    order by i.position),
  o.updated_at, case o.goods when 'delivered' then o.updated_at end, o.updated_at, o.updated_at
from fill_i i join fill_o o on o.n = i.n where i.shipment_id is not null
group by o.account_id, o.n, o.id, o.goods, o.updated_at, i.shipment_id, i.bag_id
"""

HOLDS = """
insert into holds (account_id, id, order_id, handle, reason_code, blocks, placed_by, placed_at)
select account_id, pg_temp.v7(placed_at, 'h' || n), id, 'filled', 'OTHER',
  to_jsonb(string_to_array(hold, ' ')), $1::text::jsonb, placed_at
from fill_o where hold <> ''
"""

REVIEWS = """
insert into fraud_reviews (account_id, id, order_id, status, rule, explanation, opened_by,
    opened_at, resolved_at)
select account_id, pg_temp.v7(placed_at, 'v' || n), id, fraud_status, 'asked', 'Filled.',
  $1::text::jsonb, placed_at, case when fraud_status in ('PASSED', 'FAILED') then placed_at end
from fill_o where fraud_status <> 'NOT_REQUIRED'
"""

FACTS = """
insert into facts (account_id, id, order_id, order_number, sequence, type, merchant, data, actor,
    at, position)
select o.account_id, pg_temp.v7(f.at, 'f' || o.n || '/' || f.sequence), o.id, o.number, f.sequence,
  f.type, case when f.type like 'shipment.%'
    then ($3::text[])[1 + (o.n + 1) % cardinality($3::text[])] end,
  json_build_object('order', json_build_object('id', o.id, 'number', o.number, 'version',
    f.sequence, 'financial_status', o.financial_status)), $1::text::json, f.at,
  $4::bigint + row_number() over (order by f.at, o.n, f.sequence)
from fill_o o cross join lateral (
  select sequence, coalesce($2::text::jsonb ->> short, short) as type,
    o.placed_at + (sequence - 1) * interval '7 minutes' as at
  from unnest(o.facts) with ordinality u(short, sequence)) f
"""

TERMS = """
insert into order_term (account_id, term, placed_at, order_id)
select o.account_id, t.term, o.placed_at, o.id
from (select n, unnest(array['s:' || store, 'c:' || channel, 'w:' || number, 'w:' || external_id,
      'w:' || first, 'w:' || last, 'w:' || (customer ->> 'email')]
      || case when is_test then array['x:'] else '{}'::text[] end
      || case when tags <> '[]' then array['t:vip'] else '{}'::text[] end) as term from fill_o
  union select n, 'm:' || merchant from fill_b
  union select n, 'w:' || lower(sku) from fill_i
  union select n, 'w:tn' || n || '-' || bag_position from fill_i where shipment_id is not null) t
join fill_o o on o.n = t.n
"""

COUNTERS = """
insert into counters (account_id, name, value)
select $1::uuid, 'number:' || s, 100001 + $3::bigint from unnest($2::text[]) s
union all select $1::uuid, 'feed', max(position) from facts where account_id = $1::uuid
on conflict (account_id, name) do update set value = excluded.value
"""
