"""What is promised about orders that were edited. [rulings 41]"""

from counterfoil.book.promise import Promise

EDITS = (
    Promise(
        name="edits_are_told",
        sentence="The edits of an order are numbered from 1 without gaps, and each is told by a"
        " fact of its own.",
        query="""select o.id, s.edits || ' edits up to ' || s.last || ', ' || f.told || ' told'
    as detail from orders o
cross join lateral (select count(*) as edits, max(e.position) as last from edits e
  where e.account_id = $1 and e.order_id = o.id) s
cross join lateral (select count(*) as told from facts f
  where f.account_id = $1 and f.order_id = o.id and f.type = 'order.edited') f
where <here> and s.edits > 0 and (s.last <> s.edits or f.told <> s.edits)""",
    ),
    Promise(
        name="added_lines_have_their_edit",
        sentence="A line that was added later names the edit of its order that added it, which has"
        " it in the order after, and not before.",
        query="""select o.id, 'item ' || i.id as detail from orders o
join items i on i.account_id = $1 and i.order_id = o.id and i.added_in is not null
left join edits e on e.account_id = $1 and e.order_id = o.id and e.id = i.added_in
where <here> and (e.id is null
  or not e.after -> 'lines' @> jsonb_build_array(jsonb_build_object('item_id', i.id::text))
  or e.before -> 'lines' @> jsonb_build_array(jsonb_build_object('item_id', i.id::text)))""",
    ),
    Promise(
        name="newest_edit_agrees",
        sentence="An order that was edited has no live unit and no shipping that its newest edit"
        " did not leave it, and is worth what that says, or less where something was cancelled"
        " later.",
        query="""select o.id, 'edit ' || e.position || ' left ' || (e.after ->> 'total')
    || ', not ' || o.total - o.canceled_total as detail from orders o
join lateral (select e.position, e.after, e.created_at from edits e
  where e.account_id = $1 and e.order_id = o.id order by e.position desc limit 1) e on true
where <here> and (o.total - o.canceled_total > (e.after ->> 'total')::bigint
  or (o.total - o.canceled_total < (e.after ->> 'total')::bigint and o.system_state <> 'CANCELED'
    and not exists (select from cancellations c where c.account_id = $1 and c.order_id = o.id
      and c.created_at >= e.created_at))
  or exists (select from bags b where b.account_id = $1 and b.order_id = o.id
    and b.status not in ('CANCELED', 'REJECTED')
    and (e.after -> 'shipping' ->> b.id::text)::bigint is distinct from b.shipping_total)
  or exists (select from items i
    join bags b on b.account_id = $1 and b.order_id = o.id and b.id = i.bag_id
      and b.status not in ('CANCELED', 'REJECTED')
    left join lateral (select (l.line ->> 'quantity')::integer as units
      from jsonb_array_elements(e.after -> 'lines') l(line)
      where (l.line ->> 'item_id')::uuid = i.id) l on true
    where i.account_id = $1 and i.order_id = o.id and i.type = 'sku'
      and i.quantity - i.quantity_canceled > coalesce(l.units, 0)))""",
    ),
)
