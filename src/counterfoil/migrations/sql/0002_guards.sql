-- What the database itself refuses: other accounts' rows, undeclared life-cycle changes,
-- changes of what is settled, facts rewritten; and the few functions that look across accounts.

create function cf_now() returns timestamptz language sql volatile as
$$ select clock_timestamp() + make_interval(secs => (select seconds from clock_offset)) $$;

create function must(ok boolean, what text) returns boolean language plpgsql as $$
begin
  if ok then return true; end if;
  raise exception using errcode = 'CF003', constraint = 'folder_' || what,
    message = 'a part of the change did not find its rows: ' || what;
end $$;

create function refuse_undeclared_status() returns trigger language plpgsql as $$
begin
  if not exists (select from life_cycle where machine = tg_argv[0]
                 and from_status = old.status and to_status = new.status) then
    raise exception using errcode = 'CF001', constraint = 'lifecycle_' || tg_argv[0],
      message = format('%s cannot go from %s to %s', tg_argv[0], old.status, new.status);
  end if;
  return new;
end $$;

create function refuse_undeclared_system_state() returns trigger language plpgsql as $$
begin
  if not exists (select from life_cycle where machine = 'order'
                 and from_status = old.system_state and to_status = new.system_state) then
    raise exception using errcode = 'CF001', constraint = 'lifecycle_order',
      message = format('order cannot go from %s to %s', old.system_state, new.system_state);
  end if;
  return new;
end $$;

create function refuse_undeclared_delivery_state() returns trigger language plpgsql as $$
begin
  if not exists (select from life_cycle where machine = 'item'
                 and from_status = old.delivery_state and to_status = new.delivery_state) then
    raise exception using errcode = 'CF001', constraint = 'lifecycle_item',
      message = format('item cannot go from %s to %s', old.delivery_state, new.delivery_state);
  end if;
  return new;
end $$;

create function refuse_undeclared_birth() returns trigger language plpgsql as $$
declare born text := to_jsonb(new) ->> tg_argv[1];
begin
  if not exists (select from life_cycle where machine = tg_argv[0]
                 and from_status = '' and to_status = born) then
    raise exception using errcode = 'CF001', constraint = 'lifecycle_' || tg_argv[0],
      message = format('%s cannot be born as %s', tg_argv[0], born);
  end if;
  return new;
end $$;

-- Births of every day are named in the triggers: asking the table costs six microseconds a row, as
-- much as the insert itself. A test tries each of them against the life cycles.
create trigger orders_life_cycle before update of system_state on orders for each row
  when (old.system_state is distinct from new.system_state)
  execute function refuse_undeclared_system_state();
create trigger orders_birth before insert on orders for each row
  when (new.system_state not in ('NEW', 'PROCESSING', 'COMPLETED'))
  execute function refuse_undeclared_birth('order', 'system_state');
create trigger items_life_cycle before update of delivery_state on items for each row
  when (old.delivery_state is distinct from new.delivery_state)
  execute function refuse_undeclared_delivery_state();
create trigger items_birth before insert on items for each row
  when (new.delivery_state not in ('PENDING', 'SHIPPED', 'DELIVERED'))
  execute function refuse_undeclared_birth('item', 'delivery_state');
create trigger bags_life_cycle before update of status on bags for each row
  when (old.status is distinct from new.status) execute function refuse_undeclared_status('bag');
create trigger payments_life_cycle before update of status on payments for each row
  when (old.status is distinct from new.status)
  execute function refuse_undeclared_status('payment');
create trigger transactions_life_cycle before update of status on transactions for each row
  when (old.status is distinct from new.status)
  execute function refuse_undeclared_status('transaction');
create trigger refunds_life_cycle before update of status on refunds for each row
  when (old.status is distinct from new.status) execute function refuse_undeclared_status('refund');
create trigger shipments_life_cycle before update of status on shipments for each row
  when (old.status is distinct from new.status)
  execute function refuse_undeclared_status('shipment');
create trigger cancellations_life_cycle before update of status on cancellations for each row
  when (old.status is distinct from new.status)
  execute function refuse_undeclared_status('cancellation');
create trigger letters_life_cycle before update of status on letters for each row
  when (old.status is distinct from new.status) execute function refuse_undeclared_status('letter');
create trigger bags_birth before insert on bags for each row
  when (new.status not in ('ACCEPTED', 'COMPLETED'))
  execute function refuse_undeclared_birth('bag', 'status');
create trigger payments_birth before insert on payments for each row
  when (new.status not in ('CREATED', 'AUTHORIZED', 'CAPTURED'))
  execute function refuse_undeclared_birth('payment', 'status');
create trigger transactions_birth before insert on transactions for each row
  when (new.status not in ('PENDING', 'SUCCEEDED'))
  execute function refuse_undeclared_birth('transaction', 'status');
create trigger letters_birth before insert on letters for each row
  when (new.status <> 'QUEUED') execute function refuse_undeclared_birth('letter', 'status');
create trigger refunds_birth before insert on refunds for each row
  when (new.status not in ('PROCESSING', 'COMPLETED'))
  execute function refuse_undeclared_birth('refund', 'status');
create trigger shipments_birth before insert on shipments for each row
  when (new.status not in ('OPEN', 'SHIPPED', 'DELIVERED'))
  execute function refuse_undeclared_birth('shipment', 'status');
create trigger cancellations_birth before insert on cancellations for each row
  when (new.status not in ('PROCESSING', 'CANCELED'))
  execute function refuse_undeclared_birth('cancellation', 'status');

create function refuse_change_of_fact() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and old.position is null and new.position is not null
     and (to_jsonb(old) - 'position') = (to_jsonb(new) - 'position') then
    return new;
  end if;
  raise exception using errcode = 'CF004', constraint = 'facts_are_final',
    message = 'a fact is never changed or deleted';
end $$;
create trigger facts_are_final before update or delete on facts
  for each row execute function refuse_change_of_fact();

create function refuse_change_of_settled() returns trigger language plpgsql as $$
begin
  raise exception using errcode = 'CF004', constraint = 'transactions_are_final',
    message = 'a settled transaction is never changed, and none is deleted';
end $$;
create trigger transactions_settled before update on transactions for each row
  when (old.settled_at is not null) execute function refuse_change_of_settled();
create trigger transactions_kept before delete on transactions
  for each row execute function refuse_change_of_settled();

-- Row-level security: the account of the connection, or nothing.
do $$
declare t text;
begin
  for t in select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
           where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
             and a.attname = 'account_id' and not a.attisdropped loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy own_account on %I to counterfoil_app
      using (account_id = nullif(current_setting(''app.account_id'', true), '''')::uuid)
      with check (account_id = nullif(current_setting(''app.account_id'', true), '''')::uuid)', t);
    execute format('grant select, insert, update on %I to counterfoil_app', t);
  end loop;
end $$;
revoke update on facts from counterfoil_app;
grant update (position) on facts to counterfoil_app;
grant delete on sessions, order_term, idempotency to counterfoil_app;
grant select on life_cycle, clock_offset to counterfoil_app;
grant select, insert, update, delete on sign_in_tries to counterfoil_app;

-- The owner migrates and audits; it, too, sees every row only through a policy.
do $$
declare t text;
begin
  for t in select relname from pg_class
           where relnamespace = 'public'::regnamespace and relkind = 'r' and relrowsecurity loop
    execute format('create policy owner_sees_all on %I to %I using (true) with check (true)',
      t, current_user);
  end loop;
end $$;

create policy gate_reads on accounts for select to counterfoil_gate using (true);
create policy gate_reads on users for select to counterfoil_gate using (true);
create policy gate_reads on facts for select to counterfoil_gate using (true);
create policy gate_claims on transactions to counterfoil_gate using (true) with check (true);
create policy gate_claims on payments to counterfoil_gate using (true) with check (true);
create policy gate_claims on letters to counterfoil_gate using (true) with check (true);
grant select on accounts, users, facts, transactions, payments, letters, clock_offset
  to counterfoil_gate;
grant update (lease_until, lease_token, attempts) on transactions, payments, letters
  to counterfoil_gate;

create function sign_in(wanted text)
  returns table (account_id uuid, id uuid, password_hash text, status text)
  language sql stable security definer set search_path = public, pg_temp as
$$ select u.account_id, u.id, u.password_hash, u.status from users u where u.email = wanted $$;

create function accounts_all() returns table (account_id uuid, name text, created_at timestamptz)
  language sql stable security definer set search_path = public, pg_temp as
$$ select a.account_id, a.name, a.created_at from accounts a order by a.created_at, a.account_id $$;

-- From one account that waits to the next: those that do not cost nothing.
create function feed_waiting() returns setof uuid
  language sql stable security definer set search_path = public, pg_temp as
$$ with recursive waiting(account_id) as (
     (select f.account_id from facts f where f.position is null order by f.account_id limit 1)
     union all
     select (select f.account_id from facts f where f.position is null
       and f.account_id > w.account_id order by f.account_id limit 1)
     from waiting w where w.account_id is not null)
   select w.account_id from waiting w where w.account_id is not null $$;

create function due_claim(lane text, wanted integer, lease_seconds double precision)
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
  else
    raise exception using errcode = '22023', message = format('no lane %s', lane);
  end if;
end $$;

do $$
declare f text;
begin
  foreach f in array array['sign_in(text)', 'accounts_all()', 'feed_waiting()',
                           'due_claim(text, integer, double precision)'] loop
    execute format('alter function %s owner to counterfoil_gate', f);
    execute format('revoke all on function %s from public', f);
    execute format('grant execute on function %s to counterfoil_app', f);
  end loop;
end $$;
