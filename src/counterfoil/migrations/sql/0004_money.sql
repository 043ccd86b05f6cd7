-- Money that cannot be lost: the ledger, what a person has to see to, what providers tell us, and
-- what a comparison with them finds. Indexes on tables that are there already are made plainly: no
-- release has run before this revision, so no table is large. 0005 validates what is added here.

alter table payments
  add column return_url text,
  add column redirect_url text,
  add column renews uuid,
  add column warned_at timestamptz,
  add column synced_at timestamptz;
-- squawk-ignore require-concurrent-index-creation
create index payments_at_provider on payments (account_id, gateway, provider_reference)
  where provider_reference is not null;
-- squawk-ignore require-concurrent-index-creation
create index payments_expiring on payments (account_id, expires_at) where expires_at is not null;

alter table refunds
  add column plan jsonb not null default '[]',
  add column payment_order text,
  add column approved_by jsonb,
  add column decided_at timestamptz,
  add column decision_note text;
-- squawk-ignore require-concurrent-index-creation
create index refunds_awaiting on refunds (account_id, created_at)
  where status = 'AWAITING_APPROVAL';

alter table transactions
  add column fee bigint,
  -- squawk-ignore ban-drop-constraint
  drop constraint transactions_type;
alter table transactions add constraint transactions_type check (type in
  ('AUTHORIZE', 'ACKNOWLEDGE', 'CAPTURE', 'VOID', 'REFUND', 'REFUND_REVERSAL', 'EXPIRE')) not valid;
-- squawk-ignore require-concurrent-index-creation
create index transactions_at_provider on transactions (account_id, gateway_transaction_id)
  where gateway_transaction_id is not null;

alter table stores
  add column default_gateway text,
  add column refund_order text not null default 'last_in_first'
    constraint stores_refund_order check (refund_order in
      ('last_in_first', 'first_in_first', 'card_first'));
alter table stores add constraint stores_default_gateway
  foreign key (account_id, default_gateway) references gateways (account_id, code) not valid;

-- One entry takes an amount from one ledger account to another, so an entry cannot be out of
-- balance, and neither can any sum of them. Entries belong to the fact they were written with.
create table ledger_entries (
  account_id uuid not null,
  order_id uuid not null,
  sequence integer not null,
  line integer not null,
  transaction_id uuid not null,
  kind text not null constraint ledger_entries_kind check (kind in
    ('authorised', 'drawn', 'released', 'captured', 'refunded', 'reversed', 'fee', 'paid_out')),
  debit text not null,
  credit text not null,
  gateway text not null,
  merchant text,
  currency text not null,
  amount bigint not null constraint ledger_entries_amount check (amount > 0),
  at timestamptz not null,
  primary key (account_id, order_id, sequence, line),
  constraint ledger_entries_sides check (debit <> credit)
);
create table ledger_balances (
  account_id uuid not null,
  ledger_account text not null,
  gateway text not null,
  merchant text not null,
  currency text not null,
  debit numeric(30) not null default 0,
  credit numeric(30) not null default 0,
  primary key (account_id, ledger_account, gateway, merchant, currency)
);
create table ledger_folded (
  account_id uuid not null primary key,
  position bigint not null default 0,
  at timestamptz not null
);

create function refuse_change_of_ledger() returns trigger language plpgsql as $$
begin
  raise exception using errcode = 'CF004', constraint = 'ledger_is_final',
    message = 'a ledger entry is never changed or deleted';
end $$;
create trigger ledger_is_final before update or delete on ledger_entries
  for each row execute function refuse_change_of_ledger();

-- What is entered for a movement adds up to the movement, in its currency, or nothing is written.
create function refuse_ledger_that_differs() returns trigger language plpgsql as $$
declare wrong uuid;
begin
  select e.transaction_id into wrong
    from (select a.account_id, a.transaction_id, a.kind, a.currency, sum(a.amount) as amount
          from added a
          where a.kind in ('authorised', 'drawn', 'released', 'captured', 'refunded', 'reversed')
          group by a.account_id, a.transaction_id, a.kind, a.currency) e
    left join transactions t on t.account_id = e.account_id and t.id = e.transaction_id
    where t.id is null or t.currency <> e.currency or t.amount <> e.amount limit 1;
  if wrong is not null then
    raise exception using errcode = 'CF002', constraint = 'ledger_agrees',
      message = format('the ledger differs from transaction %s', wrong);
  end if;
  return null;
end $$;
create trigger ledger_agrees after insert on ledger_entries
  referencing new table as added
  for each statement execute function refuse_ledger_that_differs();

create table tasks (
  account_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  kind text not null,
  payment_id uuid,
  refund_id uuid,
  status text not null constraint tasks_status check (status in ('OPEN', 'DONE')),
  assignee text,
  note text,
  context jsonb not null default '{}',
  created_at timestamptz not null,
  done_at timestamptz,
  done_by jsonb,
  primary key (account_id, id),
  constraint tasks_order foreign key (account_id, order_id) references orders (account_id, id)
);
create index tasks_of_order on tasks (account_id, order_id);
create index tasks_open on tasks (account_id, created_at) where status = 'OPEN';

-- A movement that the provider has paid out to us, or taken back, with the fee that it kept.
create table payouts (
  account_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  payment_id uuid not null,
  transaction_id uuid not null,
  settlement_id uuid not null,
  line integer not null,
  amount bigint not null constraint payouts_amount check (amount > 0),
  fee bigint not null default 0 constraint payouts_fee check (fee >= 0),
  currency text not null,
  settled_at timestamptz not null,
  created_at timestamptz not null,
  primary key (account_id, id),
  constraint payouts_once unique (account_id, transaction_id),
  constraint payouts_payment foreign key (account_id, order_id, payment_id)
    references payments (account_id, order_id, id)
);
create index payouts_of_order on payouts (account_id, order_id);

create table inbound_events (
  account_id uuid not null,
  id uuid not null,
  gateway text not null,
  event_id text not null,
  topic text not null,
  headers jsonb not null,
  body bytea not null,
  payment_reference text,
  our_reference text,
  status text not null constraint inbound_events_status check (status in
    ('RECEIVED', 'UNMATCHED', 'DONE', 'FAILED')),
  error text,
  order_id uuid,
  received_at timestamptz not null,
  settled_at timestamptz,
  due_at timestamptz,
  attempts integer not null default 0,
  lease_until timestamptz,
  lease_token uuid,
  primary key (account_id, id),
  constraint inbound_events_once unique (account_id, gateway, event_id),
  constraint inbound_events_gateway foreign key (account_id, gateway)
    references gateways (account_id, code)
);
create index inbound_events_due on inbound_events (due_at) where due_at is not null;
create index inbound_events_newest on inbound_events (account_id, received_at, id);

-- One comparison of a gateway with our book: nightly (its slot is the day), asked for by hand, or
-- by a settlement file.
create table reconciliations (
  account_id uuid not null,
  id uuid not null,
  gateway text not null,
  kind text not null constraint reconciliations_kind check (kind in
    ('nightly', 'manual', 'settlement')),
  slot text not null,
  status text not null constraint reconciliations_status check (status in
    ('RUNNING', 'COMPLETED', 'FAILED')),
  name text,
  since timestamptz,
  cursor uuid,
  seen bigint not null default 0,
  matched bigint not null default 0,
  found bigint not null default 0,
  settled bigint not null default 0,
  drifted bigint not null default 0,
  failed bigint not null default 0,
  errors jsonb not null default '[]',
  asked_by jsonb not null,
  started_at timestamptz not null,
  finished_at timestamptz,
  due_at timestamptz,
  attempts integer not null default 0,
  lease_until timestamptz,
  lease_token uuid,
  primary key (account_id, id),
  constraint reconciliations_once unique (account_id, gateway, kind, slot),
  constraint reconciliations_gateway foreign key (account_id, gateway)
    references gateways (account_id, code)
);
create index reconciliations_due on reconciliations (due_at) where due_at is not null;

-- A line of the drift report: what the provider says and our book does not, or the reverse.
create table drift_lines (
  account_id uuid not null,
  id uuid not null,
  gateway text not null,
  kind text not null,
  reconciliation_id uuid,
  order_id uuid,
  payment_id uuid,
  transaction_id uuid,
  reference text,
  gateway_transaction_id text,
  currency text,
  ours bigint,
  theirs bigint,
  detail text,
  status text not null constraint drift_lines_status check (status in ('OPEN', 'RESOLVED')),
  note text,
  resolved_by jsonb,
  created_at timestamptz not null,
  resolved_at timestamptz,
  primary key (account_id, id),
  constraint drift_lines_gateway foreign key (account_id, gateway)
    references gateways (account_id, code)
);
create index drift_lines_of_order on drift_lines (account_id, order_id)
  where order_id is not null;
create index drift_lines_newest on drift_lines (account_id, created_at, id);
create index drift_lines_open on drift_lines (account_id, created_at, id) where status = 'OPEN';

insert into life_cycle (machine, from_status, to_status) values
  ('refund', 'AWAITING_APPROVAL', 'COMPLETED'),
  ('refund', 'COMPLETED', 'FAILED'),
  ('refund', 'COMPLETED', 'PARTIALLY_COMPLETED'),
  ('refund', 'PARTIALLY_COMPLETED', 'FAILED'),
  ('task', '', 'OPEN'),
  ('task', 'OPEN', 'DONE'),
  ('drift_line', '', 'OPEN'),
  ('drift_line', 'OPEN', 'RESOLVED');
create trigger tasks_life_cycle before update of status on tasks for each row
  when (old.status is distinct from new.status) execute function refuse_undeclared_status('task');
create trigger tasks_birth before insert on tasks for each row
  when (new.status <> 'OPEN') execute function refuse_undeclared_birth('task', 'status');
create trigger drift_lines_life_cycle before update of status on drift_lines for each row
  when (old.status is distinct from new.status) execute function refuse_undeclared_status('drift_line');
create trigger drift_lines_birth before insert on drift_lines for each row
  when (new.status <> 'OPEN') execute function refuse_undeclared_birth('drift_line', 'status');

do $$
declare t text;
begin
  foreach t in array array['ledger_entries', 'ledger_balances', 'ledger_folded', 'tasks', 'payouts',
                           'inbound_events', 'reconciliations', 'drift_lines'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy own_account on %I to counterfoil_app
      using (account_id = nullif(current_setting(''app.account_id'', true), '''')::uuid)
      with check (account_id = nullif(current_setting(''app.account_id'', true), '''')::uuid)', t);
    execute format('grant select, insert, update on %I to counterfoil_app', t);
    execute format('create policy owner_sees_all on %I to %I using (true) with check (true)',
      t, current_user);
  end loop;
end $$;
revoke update on ledger_entries from counterfoil_app;
revoke update on payouts from counterfoil_app;

create policy gate_claims on inbound_events to counterfoil_gate using (true) with check (true);
create policy gate_claims on reconciliations to counterfoil_gate using (true) with check (true);
grant select on inbound_events, reconciliations to counterfoil_gate;
grant update (lease_until, lease_token, attempts) on inbound_events, reconciliations
  to counterfoil_gate;

-- The gate owns it, so the gate replaces it: an owner who is no superuser may become the gate.
set local role counterfoil_gate;
create or replace function due_claim(lane text, wanted integer, lease_seconds double precision)
  returns table (account_id uuid, kind text, id uuid, order_id uuid, lease uuid, attempts integer)
  language plpgsql volatile security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare instant timestamptz := cf_now();
begin
  if lane = 'money' then
    return query update transactions t set lease_token = gen_random_uuid(),
        lease_until = instant + make_interval(secs => lease_seconds), attempts = t.attempts + 1
      where (t.account_id, t.id) in (
        select d.account_id, d.id from transactions d where d.due_at <= instant
          and (d.lease_until is null or d.lease_until < instant)
        order by d.due_at limit wanted for update skip locked)
      returning t.account_id, 'transaction', t.id, t.order_id, t.lease_token, t.attempts;
  elsif lane = 'expiry' then
    return query update payments t set lease_token = gen_random_uuid(),
        lease_until = instant + make_interval(secs => lease_seconds), attempts = t.attempts + 1
      where (t.account_id, t.id) in (
        select d.account_id, d.id from payments d where d.due_at <= instant
          and (d.lease_until is null or d.lease_until < instant)
        order by d.due_at limit wanted for update skip locked)
      returning t.account_id, 'payment', t.id, t.order_id, t.lease_token, t.attempts;
  elsif lane = 'mail' then
    return query update letters t set lease_token = gen_random_uuid(),
        lease_until = instant + make_interval(secs => lease_seconds), attempts = t.attempts + 1
      where (t.account_id, t.id) in (
        select d.account_id, d.id from letters d where d.due_at <= instant
          and (d.lease_until is null or d.lease_until < instant)
        order by d.due_at limit wanted for update skip locked)
      returning t.account_id, 'letter', t.id, t.order_id, t.lease_token, t.attempts;
  elsif lane = 'hooks' then
    return query update inbound_events t set lease_token = gen_random_uuid(),
        lease_until = instant + make_interval(secs => lease_seconds), attempts = t.attempts + 1
      where (t.account_id, t.id) in (
        select d.account_id, d.id from inbound_events d where d.due_at <= instant
          and (d.lease_until is null or d.lease_until < instant)
        order by d.due_at limit wanted for update skip locked)
      returning t.account_id, 'inbound_event', t.id, t.order_id, t.lease_token, t.attempts;
  elsif lane = 'reconcile' then
    return query update reconciliations t set lease_token = gen_random_uuid(),
        lease_until = instant + make_interval(secs => lease_seconds), attempts = t.attempts + 1
      where (t.account_id, t.id) in (
        select d.account_id, d.id from reconciliations d where d.due_at <= instant
          and (d.lease_until is null or d.lease_until < instant)
        order by d.due_at limit wanted for update skip locked)
      returning t.account_id, 'reconciliation', t.id, null::uuid, t.lease_token, t.attempts;
  else
    raise exception using errcode = '22023', message = format('no lane %s', lane);
  end if;
end $$;
reset role;
