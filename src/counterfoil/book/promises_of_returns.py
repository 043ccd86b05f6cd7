"""What is promised about goods that came back. [V-6…V-11, rulings 34]"""

from counterfoil.book.promise import Promise

RETURNS = (
    Promise(
        name="returns_explain_units",
        sentence="The units of a line that came back are those that its returns took in, and no"
        " return takes in more than was announced.",
        query="""select o.id, 'item ' || i.id as detail from orders o
join items i on i.account_id = $1 and i.order_id = o.id
cross join lateral (select coalesce(sum((l.line ->> 'received')::integer), 0) as came,
    coalesce(bool_or((l.line ->> 'received')::integer > (l.line ->> 'quantity')::integer
      or (l.line ->> 'received')::integer <> (l.line ->> 'restocked')::integer
        + (l.line ->> 'written_off')::integer), false) as wrong
  from returns r cross join lateral jsonb_array_elements(r.lines) l(line)
  where r.account_id = $1 and r.order_id = o.id and (l.line ->> 'item_id')::uuid = i.id) s
where <here> and (i.quantity_returned <> s.came or s.wrong)""",
    ),
    Promise(
        name="returns_give_no_more",
        sentence="The refunds of a return give back no more than what came in is worth less its"
        " fee, and keep no more than the fee.",
        query="""select o.id, 'return ' || r.id as detail from orders o
join returns r on r.account_id = $1 and r.order_id = o.id
cross join lateral (select coalesce(sum(f.amount), 0) as given,
    coalesce(sum(f.fee_amount), 0) as kept
  from refunds f where f.account_id = $1 and f.order_id = o.id and f.return_id = r.id
    and f.status not in ('FAILED', 'CANCELED')) s
where <here> and (s.given > greatest(0, r.worth - r.fee) or s.kept > r.fee)""",
    ),
    Promise(
        name="exchanges_are_explained",
        sentence="The linked order of an exchange takes off just the credit of its return, which is"
        " no more than what came in is worth less the fee.",
        query="""select o.id, 'return ' || r.id as detail from orders o
join returns r on r.account_id = $1 and r.order_id = o.id and r.exchange_order_id is not null
left join orders x on x.account_id = $1 and x.id = r.exchange_order_id
where <here> and (x.exchange_for is distinct from o.id or r.credit > greatest(0, r.worth - r.fee)
  or r.credit <> (select coalesce(-sum(i.line_total), 0) from items i where i.account_id = $1
    and i.order_id = x.id and i.type = 'store_credit'))""",
    ),
)
