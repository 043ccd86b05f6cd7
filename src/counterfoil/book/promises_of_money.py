"""What is promised about money. [faults V2, V4; domain.md §5]"""

from counterfoil.book.promise import Promise

MONEY = (
    Promise(
        name="money_within_limits",
        sentence="Nobody captures, voids or lets expire more than was authorised, nor refunds more"
        " than was captured; reservations count, and no amount is below zero.",
        query="""select x.id, x.what as detail from orders o cross join lateral (
  select o.id, 'order' as what, o.authorized a, o.captured c, o.voided v, o.expired e, o.refunded r,
    o.capture_pending cp, o.void_pending vp, o.refund_pending rp
  union all select o.id, 'bag ' || b.id, b.authorized, b.captured, b.voided, b.expired, b.refunded,
    b.capture_pending, b.void_pending, b.refund_pending
  from bags b where b.account_id = $1 and b.order_id = o.id
  union all select o.id, 'payment ' || p.id, p.authorized, p.captured, p.voided, p.expired,
    p.refunded, p.capture_pending, p.void_pending, p.refund_pending
  from payments p where p.account_id = $1 and p.order_id = o.id) x
where <here> and (x.c + x.v + x.e + x.cp + x.vp > x.a or x.r + x.rp > x.c
  or least(x.a, x.c, x.v, x.e, x.r, x.cp, x.vp, x.rp) < 0)""",
    ),
    Promise(
        name="given_back_for_less",
        sentence="What went back, or is to, since a bag is worth less is no more than goes back of"
        " it at all.",
        query="""select o.id, 'bag ' || b.id as detail from orders o
join bags b on b.account_id = $1 and b.order_id = o.id
where <here> and b.worth_refunded not between 0 and b.refunded + b.refund_pending""",
    ),
    Promise(
        name="totals_add_up",
        sentence="The total of an order and of each bag is goods, shipping, tax and duty less the"
        " discount, and no more than it is cancelled.",
        query="""select o.id, x.what as detail from orders o cross join lateral (
  select 'order' as what, o.total, o.sub_total + o.shipping_total + o.tax_total + o.duty_total
    - o.discount_total as parts, o.canceled_total
  union all select 'bag ' || b.id, b.total, b.sub_total + b.shipping_total + b.tax_total
    + b.duty_total - b.discount_total, b.canceled_total
  from bags b where b.account_id = $1 and b.order_id = o.id) x
where <here> and (x.total <> x.parts or x.canceled_total not between 0 and x.total)""",
    ),
    Promise(
        name="lines_make_sub_totals",
        sentence="The goods of a bag cost what its lines of goods add up to.",
        query="""select o.id, 'bag ' || b.id as detail from orders o
join bags b on b.account_id = $1 and b.order_id = o.id
left join lateral (select sum(i.line_total) as lines from items i
  where i.account_id = $1 and i.order_id = o.id and i.bag_id = b.id and i.type = 'sku') i on true
where <here> and b.sub_total <> coalesce(i.lines, 0)""",
    ),
    Promise(
        name="orders_are_their_bags",
        sentence="The totals and amounts of an order are those of its bags added up, and it has at"
        " least one bag.",
        query="""select o.id, s.bags || ' bags' as detail from orders o cross join lateral (
  select count(*) as bags, <bag_sums> from bags b
  where b.account_id = $1 and b.order_id = o.id) s
where <here> and (<order_row> is distinct from <summed_row> or s.bags = 0)""",
    ),
    Promise(
        name="orders_are_their_payments",
        sentence="The amounts of an order are those of its payments added up.",
        query="""select o.id, '' as detail from orders o cross join lateral (
  select <payment_sums> from payments p where p.account_id = $1 and p.order_id = o.id) s
where <here> and <order_money> is distinct from <summed_money>""",
    ),
    Promise(
        name="movements_explain_payments",
        sentence="What a payment has moved is what its transactions say: SUCCEEDED ones are booked,"
        " PENDING and UNKNOWN ones are reserved, FAILED ones are nothing. A refund that came back"
        " was not given back, and one that waits for approval is reserved.",
        query="""select o.id, 'payment ' || p.id as detail from orders o
join payments p on p.account_id = $1 and p.order_id = o.id
cross join lateral (select <movements> from (<moves>) t where t.payment_id = p.id) s
where <here> and <payment_money> is distinct from <summed_money>""",
    ),
    Promise(
        name="movements_explain_bags",
        sentence="What a bag has moved is its share of the transactions, and of the refunds that"
        " wait for approval.",
        query="""select o.id, 'bag ' || b.id as detail from orders o
join bags b on b.account_id = $1 and b.order_id = o.id
cross join lateral (select <movements> from (
  select m.type, m.status,
    case when m.moved < 0 then -1 else 1 end * (a.part ->> 'amount')::bigint as moved
  from (<moves>) m cross join lateral jsonb_array_elements(m.allocations) a(part)
  where (a.part ->> 'bag_id')::uuid = b.id) t) s
where <here> and <bag_money> is distinct from <summed_money>""",
    ),
    Promise(
        name="shares_add_up",
        sentence="The shares of a transaction and of a refund add up to its amount, and so do the"
        " parts of a refund's plan.",
        query="""select o.id, x.what as detail from orders o cross join lateral (
  select 'transaction ' || t.id as what, t.amount, t.allocations from transactions t
  where t.account_id = $1 and t.order_id = o.id and t.type <> 'ACKNOWLEDGE'
  union all select 'refund ' || r.id, r.amount, r.allocations from refunds r
  where r.account_id = $1 and r.order_id = o.id
  union all select 'plan of refund ' || r.id, r.amount, r.plan from refunds r
  where r.account_id = $1 and r.order_id = o.id and r.plan <> '[]') x
where <here> and x.amount <> (select coalesce(sum((a.part ->> 'amount')::bigint), 0)
  from jsonb_array_elements(x.allocations) a(part))""",
    ),
    Promise(
        name="refunds_are_explained",
        sentence="A completed refund has given back exactly its amount, one that is completed in"
        " part some of it, a failed or cancelled one or one that waits for approval nothing, and"
        " one that is under way waits for a transaction.",
        query="""select o.id, r.status || ' refund ' || r.id as detail from orders o
join refunds r on r.account_id = $1 and r.order_id = o.id
cross join lateral (select
    coalesce(sum(case t.type when 'REFUND' then t.amount else -t.amount end)
      filter (where t.status = 'SUCCEEDED'), 0) as given,
    count(*) filter (where t.settled_at is null) as waiting
  from transactions t where t.account_id = $1 and t.order_id = o.id and t.refund_id = r.id) s
where <here> and case r.status when 'COMPLETED' then s.given <> r.amount or s.waiting > 0
  when 'PROCESSING' then s.waiting = 0
  when 'PARTIALLY_COMPLETED' then s.given not between 1 and r.amount - 1 or s.waiting > 0
  when 'EXTERNAL' then false else s.given > 0 or s.waiting > 0 end""",
    ),
    Promise(
        name="refund_movements_belong",
        sentence="Every refund transaction belongs to a refund of its order, and one that came"
        " back was given through the same payment.",
        query="""select o.id, 'transaction ' || t.id as detail from orders o
join transactions t on t.account_id = $1 and t.order_id = o.id
  and t.type in ('REFUND', 'REFUND_REVERSAL')
left join refunds r on r.account_id = $1 and r.order_id = o.id and r.id = t.refund_id
where <here> and (r.id is null or t.type = 'REFUND_REVERSAL' and not exists (
  select from transactions g where g.account_id = $1 and g.order_id = o.id and g.type = 'REFUND'
    and g.status = 'SUCCEEDED' and g.refund_id = t.refund_id and g.payment_id = t.payment_id
    and g.amount >= t.amount))""",
    ),
    Promise(
        name="nothing_waits_forever",
        sentence="Every movement that is not settled has a time at which it is asked about again,"
        " and no settled one has.",
        query="""select o.id, t.status || ' transaction ' || t.id as detail from orders o
join transactions t on t.account_id = $1 and t.order_id = o.id
where <here> and (t.settled_at is null) <> (t.due_at is not null)""",
    ),
    Promise(
        name="unknown_money_is_told",
        sentence="An order tells how much of its money is UNKNOWN.",
        query="""select o.id, o.unknown_pending::text as detail from orders o
where <here> and o.unknown_pending <> (select coalesce(sum(t.amount), 0) from transactions t
  where t.account_id = $1 and t.order_id = o.id and t.status = 'UNKNOWN')""",
    ),
    Promise(
        name="canceled_holds_nothing",
        sentence="A cancelled order holds no money that is open, unless a person was called because"
        " the provider would not release it.",
        query="""select o.id, o.financial_status as detail from orders o
where <here> and o.system_state = 'CANCELED' and o.authorized - o.captured - o.voided - o.expired
  - o.capture_pending - o.void_pending > 0 and not exists (select from tasks k
    where k.account_id = $1 and k.order_id = o.id and k.kind = 'compensation'
      and k.status = 'OPEN')""",
    ),
    Promise(
        name="cancellations_are_seen",
        sentence="While the cancellation of a whole order runs it waits in CANCEL_REQUESTED.",
        query="""select o.id, 'cancellation ' || c.id as detail from orders o
join cancellations c on c.account_id = $1 and c.order_id = o.id and c.status = 'PROCESSING'
where <here> and o.system_state <> 'CANCEL_REQUESTED' and c.amount is null""",
    ),
)
