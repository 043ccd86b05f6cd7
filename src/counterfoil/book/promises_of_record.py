"""What is promised about goods, holds, facts, search and isolation. [faults V5, V7, V8, V9]"""

from counterfoil.book.promise import ACCOUNT, TERMS, Promise

GOODS = (
    Promise(
        name="units_within_limits",
        sentence="No more units are shipped and cancelled than were ordered, none come back or"
        " arrive that did not leave, and none were cancelled as refunded that are not both.",
        query="""select o.id, 'item ' || i.id as detail from orders o
join items i on i.account_id = $1 and i.order_id = o.id
where <here> and (i.quantity_shipped + i.quantity_canceled > i.quantity
  or i.quantity_refunded > i.quantity or i.quantity_returned > i.quantity_shipped
  or i.quantity_delivered + i.quantity_failed > i.quantity_shipped
  or i.canceled_refunded > least(i.quantity_canceled, i.quantity_refunded)
  or least(i.canceled_refunded, i.quantity_shipped, i.quantity_canceled, i.quantity_returned,
    i.quantity_refunded, i.quantity_delivered, i.quantity_failed) < 0)""",
    ),
    Promise(
        name="parcels_explain_units",
        sentence="The units of a line that left, arrived or could not be delivered are those of its"
        " parcels.",
        query="""select o.id, 'item ' || i.id as detail from orders o
join items i on i.account_id = $1 and i.order_id = o.id
cross join lateral (select
    coalesce(sum(x.units) filter (where x.status not in ('OPEN', 'CANCELED')), 0) as gone,
    coalesce(sum(x.units) filter (where x.status = 'DELIVERED'), 0) as arrived,
    coalesce(sum(x.units) filter (where x.status = 'COULD_NOT_DELIVER'), 0) as failed,
    coalesce(sum(x.units) filter (where x.status = 'RETURNED'), 0) as back
  from (select s.status, (p.part ->> 'quantity')::integer as units from shipments s
    cross join lateral jsonb_array_elements(s.items) p(part)
    where s.account_id = $1 and s.order_id = o.id and (p.part ->> 'item_id')::uuid = i.id) x) s
where <here> and (i.quantity_shipped, i.quantity_delivered, i.quantity_failed)
  is distinct from (s.gone, greatest(0, s.arrived - (i.quantity_returned - s.back)),
    s.failed - least(s.failed, greatest(0, i.quantity_returned - s.back - s.arrived)))""",
    ),
    Promise(
        name="parcels_hold_own_lines",
        sentence="A parcel holds lines of its own bag, and no more units than were ordered.",
        query="""select o.id, 'shipment ' || s.id as detail from orders o
join shipments s on s.account_id = $1 and s.order_id = o.id
cross join lateral jsonb_array_elements(s.items) p(part)
left join items i on i.account_id = $1 and i.order_id = o.id and i.bag_id = s.bag_id
  and i.id = (p.part ->> 'item_id')::uuid
where <here> and (i.id is null or (p.part ->> 'quantity')::integer not between 1 and i.quantity)""",
    ),
    Promise(
        name="refunds_explain_units",
        sentence="The refunded units of a line are those of its refunds, failed and cancelled ones"
        " left out.",
        query="""select o.id, 'item ' || i.id as detail from orders o
join items i on i.account_id = $1 and i.order_id = o.id
where <here> and i.quantity_refunded <> (
  select coalesce(sum((l.line ->> 'quantity')::integer), 0) from refunds r
  cross join lateral jsonb_array_elements(r.lines) l(line)
  where r.account_id = $1 and r.order_id = o.id and r.status not in ('FAILED', 'CANCELED')
    and (l.line ->> 'item_id')::uuid = i.id)""",
    ),
    Promise(
        name="holds_are_flagged",
        sentence="An order's flags say what its open holds block together.",
        query="""select o.id, '' as detail from orders o
cross join lateral (select coalesce(bool_or(h.blocks ? 'capture'), false) as capture,
    coalesce(bool_or(h.blocks ? 'shipment'), false) as shipment
  from holds h where h.account_id = $1 and h.order_id = o.id and h.released_at is null) s
where <here> and (o.hold_capture, o.hold_shipment) is distinct from (s.capture, s.shipment)""",
    ),
    Promise(
        name="reviews_are_told",
        sentence="An order tells how its newest fraud review stands; at most one of them waits.",
        query="""select o.id, o.fraud_status || ', not ' || coalesce(s.status, 'none') as detail
from orders o
left join lateral (select r.status from fraud_reviews r
  where r.account_id = $1 and r.order_id = o.id
  order by (r.resolved_at is null) desc, r.opened_at desc, r.id desc limit 1) s on true
where <here> and o.fraud_status is distinct from coalesce(s.status, 'NOT_REQUIRED')""",
    ),
    Promise(
        name="letters_are_sent",
        sentence="A letter that is queued has a time at which it is sent, any other has none.",
        query="""select o.id, l.status || ' letter ' || l.id as detail from orders o
join letters l on l.account_id = $1 and l.order_id = o.id
where <here> and (l.status = 'QUEUED') <> (l.due_at is not null)""",
    ),
)

FACTS = (
    Promise(
        name="versions_are_facts",
        sentence="The version of an order is the number of its facts; they are numbered from 1"
        " without gaps, and the first says that the order arrived.",
        query="""select o.id, 'version ' || o.version || ', ' || s.facts || ' facts' as detail
from orders o cross join lateral (select count(*) as facts, coalesce(min(f.sequence), 0) as first,
    coalesce(max(f.sequence), 0) as last,
    coalesce(bool_or(f.sequence = 1 and f.type = 'order.created'), false) as born
  from facts f where f.account_id = $1 and f.order_id = o.id) s
where <here> and (o.version <> s.facts or o.version <> s.last or s.first <> 1 or not s.born)""",
    ),
    Promise(
        name="orders_stand_at_their_newest_fact",
        sentence="An order changed last when its newest fact happened.",
        query="""select o.id, o.updated_at::text as detail from orders o
join facts f on f.account_id = $1 and f.order_id = o.id and f.sequence = o.version
where <here> and o.updated_at <> f.at""",
    ),
    Promise(
        name="positions_follow_versions",
        sentence="Within an order the feed's positions follow its versions, and no version has one"
        " before the one below it.",
        query="""select o.id, 'version ' || f.sequence as detail from orders o
join facts f on f.account_id = $1 and f.order_id = o.id and f.position is not null
  and f.sequence > 1
left join facts b on b.account_id = $1 and b.order_id = o.id and b.sequence = f.sequence - 1
where <here> and (b.position is null or b.position > f.position)""",
    ),
    Promise(
        name="positions_have_no_gaps",
        sentence="The feed's positions are 1, 2, 3 … up to its counter.",
        scope=ACCOUNT,
        query="""select $1::uuid as id, s.facts || ' facts up to ' || s.last || ', counter '
  || s.counter as detail
from (select count(*) as facts, coalesce(max(f.position), 0) as last, coalesce((
    select value from counters where account_id = $1 and name = 'feed'), 0) as counter
  from facts f where f.account_id = $1 and f.position is not null) s
where s.facts <> s.last or s.last <> s.counter""",
    ),
)

REST = (
    Promise(
        name="settled_is_answered",
        sentence="A request whose movements are all settled and whose cancellation is finished has"
        " its answer.",
        scope=ACCOUNT,
        query="""select k.order_id as id, 'key ' || k.key as detail from idempotency k
where k.account_id = $1 and k.status is null and exists (
  select from transactions t where t.account_id = $1 and t.order_id = k.order_id
    and t.credential = k.credential and t.idempotency_key = k.key
  having bool_and(t.settled_at is not null)
  union all
  select from cancellations c where c.account_id = $1 and c.order_id = k.order_id
    and c.credential = k.credential and c.idempotency_key = k.key and c.finished_at is not null)""",
    ),
    Promise(
        name="orders_can_be_found",
        sentence="Every order can be found by its store, its channel and each of its merchants.",
        query="""select o.id, x.term as detail from orders o cross join lateral (
  select 's:' || o.store as term union all select 'c:' || o.channel
  union all select 'm:' || b.merchant from bags b
  where b.account_id = $1 and b.order_id = o.id) x
where <here> and not exists (select from order_term t where t.account_id = $1 and t.term = x.term
  and t.placed_at = o.placed_at and t.order_id = o.id)""",
    ),
    Promise(
        name="terms_stand_with_their_order",
        sentence="A search term stands at the time its order was placed, and names its store,"
        " channel and merchants.",
        scope=TERMS,
        query="""select t.order_id as id, t.term as detail from (
  select t.term, t.placed_at, t.order_id from order_term t where t.account_id = $1
    and (t.term, t.placed_at, t.order_id) > ({term}, {at}::timestamptz, {id}::uuid)
  order by t.term, t.placed_at, t.order_id limit {chunk}) t
join orders o on o.account_id = $1 and o.id = t.order_id
where t.placed_at <> o.placed_at or (t.term >= 's:' and t.term < 's;' and t.term <> 's:' || o.store)
  or (t.term >= 'c:' and t.term < 'c;' and t.term <> 'c:' || o.channel)
  or (t.term >= 'm:' and t.term < 'm;' and not exists (select from bags b
    where b.account_id = $1 and b.order_id = o.id and t.term = 'm:' || b.merchant))
  or (t.term >= 'x:' and t.term < 'x;' and not o.is_test)""",
    ),
    Promise(
        name="keys_begin_with_the_account",
        sentence="Every foreign key between tables of accounts begins with the account, so no row"
        " can refer to another account's.",
        scope=ACCOUNT,
        query="""select null::uuid as id, c.conname as detail from pg_constraint c
where $1::uuid is not null and c.contype = 'f' and c.connamespace = 'public'::regnamespace
  and exists (select from pg_attribute a
    where a.attrelid = c.confrelid and a.attname = 'account_id')
  and ((select a.attname from pg_attribute a where a.attrelid = c.conrelid
    and a.attnum = c.conkey[1]) is distinct from 'account_id'
  or (select a.attname from pg_attribute a where a.attrelid = c.confrelid
    and a.attnum = c.confkey[1]) is distinct from 'account_id')""",
    ),
    Promise(
        name="accounts_are_apart",
        sentence="Row-level security is forced on every table of accounts, also for its owner.",
        scope=ACCOUNT,
        query="""select null::uuid as id, c.relname as detail from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attname = 'account_id' and not a.attisdropped
where $1::uuid is not null and c.relkind in ('r', 'p')
  and c.relnamespace = 'public'::regnamespace
  and not (c.relrowsecurity and c.relforcerowsecurity)""",
    ),
)
