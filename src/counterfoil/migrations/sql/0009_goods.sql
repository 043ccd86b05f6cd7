-- Goods coming back, orders edited after they were placed, cancellations of a bag or of lines, more
-- than one parcel in a shipment, and a capture that goes with a shipment.
create table returns (
  account_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  bag_id uuid not null,
  store text not null,
  merchant text not null,
  position integer not null,
  status text not null constraint returns_status check (status in
    ('REQUESTED', 'APPROVED', 'REJECTED', 'RECEIVED', 'CLOSED')),
  resolution text not null constraint returns_resolution check (resolution in
    ('REFUND', 'EXCHANGE', 'STORE_CREDIT', 'NONE')),
  lines jsonb not null,
  reason_code text not null,
  note text,
  restock_items boolean not null default true,
  notify_customer boolean not null default false,
  fee bigint not null default 0 constraint returns_fee check (fee >= 0),
  shipment_id uuid,
  refund_reference text,
  refund_wanted jsonb,
  refund_id uuid,
  replacement jsonb not null default '[]',
  exchange_order_id uuid,
  worth bigint not null default 0 constraint returns_worth check (worth >= 0),
  credit bigint not null default 0 constraint returns_credit check (credit >= 0),
  late boolean not null default false,
  requested_by jsonb not null,
  decided_by jsonb,
  decision_note text,
  created_at timestamptz not null,
  decided_at timestamptz,
  received_at timestamptz,
  closed_at timestamptz,
  updated_at timestamptz not null,
  primary key (account_id, id),
  constraint returns_bag foreign key (account_id, order_id, bag_id)
    references bags (account_id, order_id, id)
) with (fillfactor = 80);
create index returns_of_order on returns (account_id, order_id);
-- Lists read these once for each status and resolution, and no further than a page needs: of all
-- there are, of some stores, of some merchants.
create index returns_by_status on returns (account_id, status, resolution, created_at, id);
create index returns_of_store on returns
  (account_id, store, status, resolution, created_at, id);
create index returns_of_merchant on returns
  (account_id, merchant, status, resolution, created_at, id);
-- What waits for a word or for goods: what a person sees to first.
create index returns_waiting on returns (account_id, created_at, id)
  where status in ('REQUESTED', 'APPROVED') or (status = 'RECEIVED'
    and jsonb_path_exists(lines, '$[*] ? (@.received < @.quantity)'));
create unique index returns_refund_reference on returns (account_id, store, refund_reference)
  where refund_reference is not null;

create table edits (
  account_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  position integer not null constraint edits_position check (position > 0),
  note text,
  before jsonb not null,
  after jsonb not null,
  actor jsonb not null,
  created_at timestamptz not null,
  primary key (account_id, id),
  constraint edits_of_order unique (account_id, order_id, position),
  constraint edits_order foreign key (account_id, order_id) references orders (account_id, id)
);

alter table orders
  add column exchange_for uuid,
  add column reopened bigint not null default 0,
  add column worth_refunded bigint not null default 0;
-- What was released or given back because the order was worth less, and is due again since an edit.
alter table bags
  add column reopened bigint not null default 0,
  add column worth_refunded bigint not null default 0;
alter table items
  add column added_in uuid,
  add column canceled_refunded integer not null default 0;
alter table refunds
  add column return_id uuid,
  add column edit_id uuid,
  add column fee_amount bigint not null default 0;
alter table cancellations
  add column again_of uuid,
  add column lines jsonb not null default '[]',
  add column amount bigint,
  add column allocations jsonb not null default '[]';
alter table shipments
  add column parcels jsonb not null default '[]',
  add column carrier_status text;
-- What has to go, what is on its way and what did not arrive, as lists.
-- squawk-ignore require-concurrent-index-creation
create index shipments_by_status on shipments (account_id, status, created_at, id);
alter table transactions add column shipment_id uuid;
-- A shipment takes money once, whoever asks and however often. [faults C-2, S-3]
-- squawk-ignore require-concurrent-index-creation
create unique index transactions_of_shipment on transactions (account_id, payment_id, shipment_id)
  where shipment_id is not null and type = 'CAPTURE' and status <> 'FAILED';
alter table stores
  add column capture_on_ship boolean not null default false,
  add column refund_window_days integer,
  add column return_fee bigint not null default 0,
  add column delivery_labels jsonb not null default '{}';
alter table holds add column owner text;
-- Where an order waits for its review: all of a state may be moved to another one meanwhile.
alter table fraud_reviews add column held_in text not null default 'suspended';

-- A review or a hold of an order that has ended waits for nobody.
-- squawk-ignore require-concurrent-index-deletion
drop index orders_attention;
-- squawk-ignore require-concurrent-index-creation
create index orders_attention on orders (account_id, is_open, placed_at, id) where
  unknown_pending <> 0 or system_state = 'CANCEL_REQUESTED'
  or (is_open and (fraud_status in ('PENDING', 'ON_HOLD') or hold_capture or hold_shipment))
  or fulfillment_status = 'COULD_NOT_DELIVER' or (system_state = 'COMPLETED' and
    authorized - captured - voided - expired - capture_pending - void_pending > 0
    and total - canceled_total - captured + worth_refunded - capture_pending > 0);
-- All that is open is to be released, since nothing is owed any more.
-- squawk-ignore require-concurrent-index-creation
create index orders_unowed on orders (account_id, id) where
  authorized - captured - voided - expired - capture_pending - void_pending > 0
  and total - canceled_total - captured + worth_refunded - capture_pending <= 0;

insert into life_cycle (machine, from_status, to_status) values
  ('return', '', 'REQUESTED'),
  ('return', '', 'RECEIVED'),
  ('return', 'REQUESTED', 'APPROVED'),
  ('return', 'REQUESTED', 'REJECTED'),
  ('return', 'REQUESTED', 'RECEIVED'),
  ('return', 'APPROVED', 'RECEIVED'),
  ('return', 'APPROVED', 'CLOSED'),
  ('return', 'RECEIVED', 'CLOSED'),
  ('order', 'SUSPENDED', 'COMPLETED'),
  ('item', 'IN_TRANSIT', 'SHIPPED'),
  ('item', 'BACKORDERED', 'IN_TRANSIT'),
  ('item', 'BACKORDERED', 'COULD_NOT_DELIVER'),
  ('item', 'BACKORDERED', 'RETURNED'),
  ('item', 'READY', 'PROCESSING'),
  ('item', 'READY', 'PENDING'),
  ('item', 'PROCESSING', 'PENDING');
create trigger returns_life_cycle before update of status on returns for each row
  when (old.status is distinct from new.status)
  execute function refuse_undeclared_status('return');
create trigger returns_birth before insert on returns for each row
  when (new.status not in ('REQUESTED', 'RECEIVED'))
  execute function refuse_undeclared_birth('return', 'status');

do $$
declare t text;
begin
  foreach t in array array['returns', 'edits'] loop
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
revoke update on edits from counterfoil_app;
