-- Holds that end by themselves, fraud reviews as rows of their own, and the rules that open them.
-- `due_at` is what a lane claims by, as in every table that has one: of a hold, when it is released
-- by itself. When somebody should have dealt with it is `answer_by`.
alter table holds
  add column answer_by timestamptz,
  add column auto_release_at timestamptz,
  add column attempts integer not null default 0,
  add column lease_until timestamptz,
  add column lease_token uuid;
update holds set answer_by = due_at, due_at = null where due_at is not null;
-- squawk-ignore require-concurrent-index-creation
create index holds_due on holds (due_at) where due_at is not null;

create table fraud_reviews (
  account_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  status text not null constraint fraud_reviews_status check (status in
    ('PENDING', 'ON_HOLD', 'PASSED', 'FAILED')),
  rule text not null,
  explanation text not null,
  back_to text,
  assignee jsonb,
  opened_by jsonb not null,
  opened_at timestamptz not null,
  resolved_at timestamptz,
  decided_by jsonb,
  note text,
  primary key (account_id, id),
  constraint fraud_reviews_order foreign key (account_id, order_id)
    references orders (account_id, id)
) with (fillfactor = 80);
create unique index fraud_reviews_open on fraud_reviews (account_id, order_id)
  where resolved_at is null;
create index fraud_reviews_of_order on fraud_reviews (account_id, order_id);
create index fraud_reviews_waiting on fraud_reviews (account_id, opened_at, id)
  where resolved_at is null;
create index fraud_reviews_decided on fraud_reviews (account_id, status, resolved_at, id)
  where resolved_at is not null;

-- Reviews that were open before they had rows.
insert into fraud_reviews (account_id, id, order_id, status, rule, explanation, back_to, opened_by,
    opened_at)
  select o.account_id, gen_random_uuid(), o.id, o.fraud_status, 'asked',
    'It came with the request to review it.',
    case when o.system_state = 'SUSPENDED' then o.previous_state end,
    coalesce((select h.placed_by from holds h where h.account_id = o.account_id
      and h.order_id = o.id and h.handle = 'fraud-review' order by h.placed_at desc limit 1),
      '{"kind": "system", "id": "system", "name": "Counterfoil"}'),
    o.created_at
  from orders o where o.fraud_status in ('PENDING', 'ON_HOLD');

-- What a store screens new orders by; `screened` says in the row that is read anyway whether there
-- is anything to screen by.
alter table stores add column screened boolean not null default false;
create table review_rules (
  account_id uuid not null,
  store text not null,
  rules jsonb not null,
  updated_by jsonb not null,
  updated_at timestamptz not null,
  primary key (account_id, store),
  constraint review_rules_store foreign key (account_id, store)
    references stores (account_id, code)
);

insert into life_cycle (machine, from_status, to_status) values
  ('fraud_review', '', 'PENDING'),
  ('fraud_review', 'PENDING', 'ON_HOLD'),
  ('fraud_review', 'ON_HOLD', 'PENDING'),
  ('fraud_review', 'PENDING', 'PASSED'),
  ('fraud_review', 'ON_HOLD', 'PASSED'),
  ('fraud_review', 'PENDING', 'FAILED'),
  ('fraud_review', 'ON_HOLD', 'FAILED');
create trigger fraud_reviews_life_cycle before update of status on fraud_reviews for each row
  when (old.status is distinct from new.status)
  execute function refuse_undeclared_status('fraud_review');
create trigger fraud_reviews_birth before insert on fraud_reviews for each row
  when (new.status <> 'PENDING') execute function refuse_undeclared_birth('fraud_review', 'status');

do $$
declare t text;
begin
  foreach t in array array['fraud_reviews', 'review_rules'] loop
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

create policy gate_claims on holds to counterfoil_gate using (true) with check (true);
grant select on holds to counterfoil_gate;
grant update (lease_until, lease_token, attempts) on holds to counterfoil_gate;

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
  elsif lane = 'holds' then
    return query update holds t set lease_token = gen_random_uuid(),
        lease_until = instant + make_interval(secs => lease_seconds), attempts = t.attempts + 1
      where (t.account_id, t.id) in (
        select d.account_id, d.id from holds d where d.due_at <= instant
          and (d.lease_until is null or d.lease_until < instant)
        order by d.due_at limit wanted for update skip locked)
      returning t.account_id, 'hold', t.id, t.order_id, t.lease_token, t.attempts;
  else
    raise exception using errcode = '22023', message = format('no lane %s', lane);
  end if;
end $$;
reset role;
