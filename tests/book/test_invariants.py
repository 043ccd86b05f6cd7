"""Every promise, broken by hand: the check must find it, and only where it is broken."""

import asyncpg
import pytest
import pytest_asyncio

from counterfoil.book.invariants import every_invariant, look
from counterfoil.kernel.db import Connection
from tests.fill import fill_orders
from tests.invariants import assert_invariants

pytestmark = pytest.mark.database

ONE = "(select id from orders where financial_status = 'PAID' order by id limit 1)"
REFUND = "(select id from refunds order by id limit 1)"
PARCEL = "(select id from shipments order by id limit 1)"
#: An edit that left nothing of the order, as no edit does.
EDIT = f"""insert into edits (account_id, id, order_id, position, before, after, actor, created_at)
  select account_id, gen_random_uuid(), id, 1, after, after, '{{}}', now() from orders,
    jsonb_build_object('lines', '[]'::jsonb, 'shipping', '{{}}'::jsonb, 'total', 0) as after
  where id = {ONE};"""
#: A return that took in what no line has back, of a money that nothing is worth.
RETURN = f"""insert into returns (account_id, id, order_id, bag_id, store, merchant, position,
    status, resolution, lines, reason_code, requested_by, created_at, updated_at, {{more}})
  select i.account_id, gen_random_uuid(), i.order_id, i.bag_id, 'main', 'main', 1, 'RECEIVED',
    'REFUND',
    jsonb_build_array(jsonb_build_object('item_id', i.id, 'quantity', {{count}}, 'received',
      {{count}}, 'restocked', {{count}}, 'written_off', 0)), 'OTHER', '{{{{}}}}', now(), now(),
    {{value}} from items i where i.order_id = {ONE} limit 1"""
#: What breaks each promise, as nobody but the owner of the database could.
BREAKS = {
    "money_within_limits": f"""alter table payments drop constraint payments_not_over_authorized;
      update payments set captured = captured + authorized where order_id = {ONE}""",
    "given_back_for_less": f"update bags set worth_refunded = refunded + 1 where order_id = {ONE}",
    "totals_add_up": f"update orders set tax_total = tax_total + 1 where id = {ONE}",
    "lines_make_sub_totals": f"update items set line_total = line_total + 1 where order_id = {ONE}",
    "orders_are_their_bags": f"update bags set canceled_total = 1 where order_id = {ONE}",
    "orders_are_their_payments": f"update payments set voided = 1, authorized = authorized + 1"
    f" where order_id = {ONE}",
    "movements_explain_payments": f"""update transactions set status = 'FAILED'
      where order_id = {ONE} and type = 'CAPTURE'""",
    "movements_explain_bags": f"""update transactions set allocations = jsonb_set(allocations,
      '{{0,bag_id}}', to_jsonb(gen_random_uuid()::text)) where order_id = {ONE}""",
    "shares_add_up": f"update refunds set allocations = '[]' where id = {REFUND}",
    "refunds_are_explained": f"update refunds set status = 'FAILED' where id = {REFUND}",
    "refund_movements_belong": f"""update transactions set refund_id = null
      where refund_id = {REFUND}""",
    "nothing_waits_forever": f"""update transactions set status = 'UNKNOWN', settled_at = null
      where order_id = {ONE} and type = 'CAPTURE'""",
    "unknown_money_is_told": f"update orders set unknown_pending = 1 where id = {ONE}",
    "canceled_holds_nothing": """alter table orders drop constraint orders_not_over_authorized;
      update orders set authorized = authorized + 1 where system_state = 'CANCELED'""",
    "cancellations_are_seen": "update cancellations set status = 'PROCESSING'"
    " where status = 'CANCELED'",
    "movements_are_entered": f"""delete from ledger_entries where order_id = {ONE}
      and kind = 'drawn'""",
    "payouts_are_entered": f"""insert into payouts (account_id, id, order_id, payment_id,
        transaction_id, settlement_id, line, amount, currency, settled_at, created_at)
      select account_id, id, order_id, payment_id, id, id, 2, amount, currency, created_at,
        created_at from transactions where order_id = {ONE} and type = 'CAPTURE'""",
    "entries_stand_with_their_fact": f"""update ledger_entries set sequence = 99
      where order_id = {ONE}""",
    "balances_are_their_entries": """insert into ledger_balances
        (account_id, ledger_account, gateway, merchant, currency, debit)
      select account_id, 'bank', 'manual', '', 'EUR', 1 from accounts""",
    "payments_are_the_ledger": f"""update ledger_entries set amount = amount + 1
      where order_id = {ONE} and kind = 'captured'""",
    "returns_explain_units": RETURN.format(more="fee", count=1, value=0),
    "returns_give_no_more": RETURN.format(more="worth", count=0, value=0)
    + f""";update refunds set return_id = (select id from returns limit 1), order_id = {ONE}
      where id = {REFUND}""",
    "exchanges_are_explained": RETURN.format(
        more="exchange_order_id", count=0, value="gen_random_uuid()"),
    "units_within_limits": f"""alter table items drop constraint items_not_over_ordered;
      update items set quantity_canceled = quantity where order_id = {ONE}
        and quantity_shipped > 0""",
    "parcels_explain_units": f"""update shipments set items = jsonb_set(items, '{{0,quantity}}',
      '1000') where id = {PARCEL}""",
    "parcels_hold_own_lines": f"""update shipments set items = jsonb_set(items, '{{0,item_id}}',
      to_jsonb(gen_random_uuid()::text)) where id = {PARCEL}""",
    "refunds_explain_units": f"update items set quantity_refunded = 1 where order_id = {ONE}",
    "edits_are_told": f"{EDIT} update edits set position = 2",
    "added_lines_have_their_edit": f"""update items set added_in = gen_random_uuid()
      where order_id = {ONE}""",
    "newest_edit_agrees": EDIT,
    "holds_are_flagged": f"update orders set hold_shipment = true where id = {ONE}",
    "reviews_are_told": f"""update orders set fraud_status = 'PASSED' where id = {ONE}""",
    "letters_are_sent": f"""insert into letters (account_id, id, order_id, kind, recipient, status,
        message_id, sequence, created_at)
      select account_id, id, id, 'canceled', 'kari@example.com', 'QUEUED', 'x', 1, placed_at
      from orders where id = {ONE}""",
    "versions_are_facts": f"delete from facts where order_id = {ONE} and sequence = 2",
    "orders_stand_at_their_newest_fact": f"update orders set updated_at = now() where id = {ONE}",
    "positions_follow_versions": f"""update facts set position = null
      where order_id = {ONE} and sequence = 1""",
    "positions_have_no_gaps": "update counters set value = value + 1 where name = 'feed'",
    "settled_is_answered": f"""update transactions set credential = 'key:1', idempotency_key = 'k'
        where order_id = {ONE} and type = 'CAPTURE';
      insert into idempotency (account_id, credential, key, fingerprint, order_id)
        select account_id, 'key:1', 'k', 'f', id from orders where id = {ONE}""",
    "orders_can_be_found": f"delete from order_term where term like 'm:%' and order_id = {ONE}",
    "terms_stand_with_their_order": f"""update order_term set placed_at = placed_at - interval '1 s'
      where order_id = {ONE} and term like 'w:web%'""",
    "keys_begin_with_the_account": """create table stray (order_id uuid, account_id uuid,
      foreign key (order_id, account_id) references orders (id, account_id))""",
    "accounts_are_apart": "alter table bags no force row level security",
    "statuses_follow": f"update orders set financial_status = 'UNPAID' where id = {ONE}",
    "payments_follow": f"update payments set status = 'AUTHORIZED' where order_id = {ONE}",
    "open_is_told": f"update orders set is_open = not is_open where id = {ONE}",
    "units_are_counted": f"update orders set shipped_count = shipped_count + 1 where id = {ONE}",
    "words_lead_to_orders": "delete from order_term where term like 'w:kari%'",
}

PLAN = """(select json_agg(json_build_object('payment_id', t.payment_id, 'amount', t.amount,
  'allocations', t.allocations)) from transactions t where t.refund_id = refunds.id)::jsonb"""
REVERSAL = f"""insert into transactions (account_id, id, order_id, payment_id, type, status, amount,
    currency, allocations, source, actor, created_at, settled_at, refund_id)
  select account_id, gen_random_uuid(), order_id, payment_id, 'REFUND_REVERSAL', status, amount,
    currency, allocations, 'sync', actor, created_at, settled_at, refund_id
  from transactions where type = 'REFUND' and refund_id = {REFUND}"""
#: Other ways to break what is promised about refunds that wait, and those that came back.
MORE = [
    ("movements_explain_payments", f"""update refunds set status = 'AWAITING_APPROVAL',
      plan = {PLAN} where id = {REFUND}"""),
    ("movements_explain_bags", f"""update refunds set status = 'AWAITING_APPROVAL',
      plan = {PLAN} where id = {REFUND}"""),
    ("refunds_are_explained", f"""update refunds set status = 'AWAITING_APPROVAL'
      where id = {REFUND}"""),
    ("refunds_are_explained", f"""update refunds set status = 'PARTIALLY_COMPLETED'
      where id = {REFUND}"""),
    ("refunds_are_explained", REVERSAL),
    ("movements_explain_payments", REVERSAL),
    ("movements_explain_bags", REVERSAL),
    ("refund_movements_belong", f"""{REVERSAL};
      update transactions set status = 'FAILED' where type = 'REFUND' and refund_id = {REFUND}"""),
    ("shares_add_up", f"""update refunds set plan = '[{{"amount": 1}}]' where id = {REFUND}"""),
]


@pytest_asyncio.fixture(scope="module")
async def filled_account(module_database, module_account):
    owner = await asyncpg.connect(module_database.owner_url)
    await fill_orders(owner, module_account.id, 150)
    await owner.close()
    return module_account


async def test_filled_orders_keep_every_promise(module_pool, filled_account):
    await assert_invariants(module_pool, filled_account.id)


@pytest.mark.parametrize(("name", "how"), [*BREAKS.items(), *MORE])
async def test_a_broken_promise_is_found(name, how, module_database, filled_account):
    owner = await asyncpg.connect(module_database.owner_url)
    trial = owner.transaction()
    await trial.start()
    try:
        await owner.execute("set local session_replication_role = replica")
        await owner.execute(how)
        connection = Connection(owner)
        connection.account = filled_account.id
        findings = {found.invariant: found for found in await look(connection)}
    finally:
        await trial.rollback()
        await owner.close()
    assert name in findings, f"found only {sorted(findings)}"
    assert 1 <= findings[name].count <= 60
    assert findings[name].rows
    assert findings[name].sentence.endswith(".")


def test_every_promise_is_broken_here():
    assert set(BREAKS) == set(every_invariant())
