-- The spine: accounts and set-up, orders with everything that hangs on them, facts, idempotency.
-- account_id leads every key. Statuses are text with CHECK: enum operators are not leakproof and
-- would turn index reads into table scans under row-level security.

create table accounts (
  account_id uuid primary key,
  name text not null,
  created_at timestamptz not null default clock_timestamp()
);

create table stores (
  account_id uuid not null constraint stores_account references accounts,
  id uuid not null,
  code text not null,
  name text not null,
  currency text not null,
  number_prefix text not null default '',
  scopes jsonb not null default '[]',
  default_merchant text,
  create_merchants boolean not null default false,
  auth_hold_seconds integer,
  cancel_email_default boolean not null default false,
  test_orders boolean not null default true,
  created_at timestamptz not null default clock_timestamp(),
  primary key (account_id, id),
  constraint stores_code unique (account_id, code)
);

create table merchants (
  account_id uuid not null constraint merchants_account references accounts,
  id uuid not null,
  code text not null,
  name text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (account_id, id),
  constraint merchants_code unique (account_id, code)
);

create table gateways (
  account_id uuid not null constraint gateways_account references accounts,
  id uuid not null,
  code text not null,
  kind text not null,
  store text,
  settings jsonb not null default '{}',
  credentials bytea,
  enabled boolean not null default true,
  created_at timestamptz not null default clock_timestamp(),
  primary key (account_id, id),
  constraint gateways_code unique (account_id, code),
  constraint gateways_store foreign key (account_id, store) references stores (account_id, code)
);

create table order_states (
  account_id uuid not null constraint order_states_account references accounts,
  id uuid not null,
  store text not null,
  code text not null,
  name text not null,
  system_state text not null,
  colour text not null default 'blue',
  description text not null default '',
  position integer not null default 0,
  next jsonb,
  built_in boolean not null default false,
  primary key (account_id, id),
  constraint order_states_code unique (account_id, store, code),
  constraint order_states_mapped unique (account_id, store, code, system_state),
  constraint order_states_store foreign key (account_id, store) references stores (account_id, code)
);

create table shipment_methods (
  account_id uuid not null constraint shipment_methods_account references accounts,
  id uuid not null,
  store text not null,
  code text not null,
  name text not null,
  carrier text,
  tracking_url text,
  enabled boolean not null default true,
  primary key (account_id, id),
  constraint shipment_methods_code unique (account_id, store, code),
  constraint shipment_methods_store
    foreign key (account_id, store) references stores (account_id, code)
);

create table roles (
  account_id uuid not null constraint roles_account references accounts,
  id uuid not null,
  code text not null,
  name text not null,
  permissions jsonb not null default '[]',
  limits jsonb not null default '{}',
  built_in boolean not null default false,
  primary key (account_id, id),
  constraint roles_code unique (account_id, code)
);

create table users (
  account_id uuid not null constraint users_account references accounts,
  id uuid not null,
  email text not null,
  name text not null,
  password_hash text not null,
  role text not null,
  stores jsonb,
  merchants jsonb,
  status text not null default 'ACTIVE'
    constraint users_status check (status in ('ACTIVE', 'DISABLED')),
  theme text not null default 'system',
  created_at timestamptz not null default clock_timestamp(),
  last_seen_at timestamptz,
  primary key (account_id, id),
  constraint users_email unique (email),
  constraint users_role foreign key (account_id, role) references roles (account_id, code)
);

create table sessions (
  account_id uuid not null constraint sessions_account references accounts,
  id text not null,
  user_id uuid not null,
  csrf text not null,
  created_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  primary key (account_id, id),
  constraint sessions_user foreign key (account_id, user_id) references users (account_id, id)
    on delete cascade
);

-- Tries to sign in, by the hash of who tried: an e-mail that nobody has is counted as any other.
create table sign_in_tries (
  bucket text primary key,
  failed_count integer not null,
  failed_at timestamptz not null
);
create index sign_in_tries_age on sign_in_tries (failed_at);

create table api_keys (
  account_id uuid not null constraint api_keys_account references accounts,
  id uuid not null,
  name text not null,
  secret_hash text not null,
  scopes jsonb not null,
  merchants jsonb,
  created_at timestamptz not null default clock_timestamp(),
  revoked_at timestamptz,
  primary key (account_id, id)
);

create table counters (
  account_id uuid not null constraint counters_account references accounts,
  name text not null,
  value bigint not null,
  primary key (account_id, name)
);

create table orders (
  account_id uuid not null constraint orders_account references accounts,
  id uuid not null,
  store text not null,
  channel text not null,
  external_id text,
  number text not null,
  state text not null,
  system_state text not null constraint orders_system_state check (system_state in
    ('NEW', 'PROCESSING', 'COMPLETED', 'CANCEL_REQUESTED', 'CANCELED', 'FRAUD', 'SUSPENDED')),
  previous_state text,
  fraud_status text not null constraint orders_fraud_status check (fraud_status in
    ('NOT_REQUIRED', 'PENDING', 'ON_HOLD', 'PASSED', 'FAILED')),
  financial_status text not null constraint orders_financial_status check (financial_status in
    ('UNPAID', 'PENDING', 'AUTHORIZED', 'PARTIALLY_PAID', 'PAID', 'PARTIALLY_REFUNDED', 'REFUNDED',
     'VOIDED')),
  fulfillment_status text not null constraint orders_fulfillment_status check (fulfillment_status in
    ('PROCESSING', 'PARTIALLY_SHIPPED', 'SHIPPED', 'DELIVERED', 'COULD_NOT_DELIVER', 'RETURNED')),
  is_open boolean not null,
  hold_capture boolean not null default false,
  hold_shipment boolean not null default false,
  currency text not null,
  sub_total bigint not null,
  shipping_total bigint not null,
  tax_total bigint not null,
  duty_total bigint not null,
  discount_total bigint not null,
  total bigint not null constraint orders_total_not_negative check (total >= 0),
  canceled_total bigint not null default 0,
  authorized bigint not null default 0,
  captured bigint not null default 0,
  voided bigint not null default 0,
  expired bigint not null default 0,
  refunded bigint not null default 0,
  capture_pending bigint not null default 0,
  void_pending bigint not null default 0,
  refund_pending bigint not null default 0,
  unknown_pending bigint not null default 0,
  invoice_number text,
  merchant_reference text,
  customer jsonb not null default '{}',
  billing_address jsonb,
  shipping_address jsonb,
  shipping_method text,
  tags jsonb not null default '[]',
  is_test boolean not null default false,
  unit_count integer not null default 0,
  shipped_count integer not null default 0,
  create_fingerprint text,
  placed_at timestamptz not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  version integer not null,
  primary key (account_id, id),
  constraint orders_number unique (account_id, store, number),
  constraint orders_external_id unique (account_id, channel, external_id),
  constraint orders_store foreign key (account_id, store) references stores (account_id, code),
  constraint orders_state foreign key (account_id, store, state, system_state)
    references order_states (account_id, store, code, system_state),
  constraint orders_not_over_authorized check
    (captured + voided + expired + capture_pending + void_pending <= authorized),
  constraint orders_not_over_captured check (refunded + refund_pending <= captured)
) with (fillfactor = 80);

-- Lists read these in order, under row-level security, and never further than a page needs. The
-- status axes share one index: an index for each would have to be written at every change of any.
create index orders_placed on orders (account_id, placed_at, id);
create index orders_open on orders (account_id, is_open, store, placed_at, id);
create index orders_by_status on orders (account_id, system_state, state, financial_status,
  fulfillment_status, fraud_status, hold_capture, hold_shipment, placed_at, id) include (store);
create index orders_by_total on orders (account_id, is_open, store, total, id);
create index orders_attention on orders (account_id, is_open, placed_at, id) where
  unknown_pending <> 0 or system_state = 'CANCEL_REQUESTED'
  or fraud_status in ('PENDING', 'ON_HOLD') or hold_capture or hold_shipment
  or fulfillment_status = 'COULD_NOT_DELIVER' or (system_state = 'COMPLETED' and
    authorized - captured - voided - expired - capture_pending - void_pending > 0);

-- No foreign key: terms are written in the statement that writes their order, out of its returned
-- id, and are some twenty to an order; asking for each was a tenth of what an order costs.
create table order_term (
  account_id uuid not null,
  term text collate "C" not null,
  placed_at timestamptz not null,
  order_id uuid not null,
  primary key (account_id, term, placed_at, order_id)
);

create table bags (
  account_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  merchant text not null,
  position integer not null,
  external_id text,
  status text not null constraint bags_status check (status in
    ('IN_PROGRESS', 'SUBMITTED', 'ACCEPTED', 'REJECTED', 'BACKORDERED', 'COMPLETED', 'CANCELED')),
  financial_status text not null,
  fulfillment_status text not null,
  sub_total bigint not null,
  shipping_total bigint not null,
  tax_total bigint not null,
  duty_total bigint not null,
  discount_total bigint not null,
  total bigint not null,
  canceled_total bigint not null default 0,
  authorized bigint not null default 0,
  captured bigint not null default 0,
  voided bigint not null default 0,
  expired bigint not null default 0,
  refunded bigint not null default 0,
  capture_pending bigint not null default 0,
  void_pending bigint not null default 0,
  refund_pending bigint not null default 0,
  primary key (account_id, id),
  constraint bags_of_order unique (account_id, order_id, id),
  constraint bags_order foreign key (account_id, order_id) references orders (account_id, id),
  constraint bags_merchant foreign key (account_id, merchant)
    references merchants (account_id, code),
  constraint bags_not_over_authorized check
    (captured + voided + expired + capture_pending + void_pending <= authorized),
  constraint bags_not_over_captured check (refunded + refund_pending <= captured)
) with (fillfactor = 80);

create table items (
  account_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  bag_id uuid not null,
  position integer not null,
  sku text,
  product_id text,
  name text not null,
  type text not null constraint items_type check (type in
    ('sku', 'shipping', 'tax', 'duty', 'discount', 'store_credit')),
  digital boolean not null default false,
  quantity integer not null constraint items_quantity check (quantity > 0),
  unit_price bigint not null,
  line_total bigint not null,
  delivery_state text not null constraint items_delivery_state check (delivery_state in
    ('PENDING', 'PROCESSING', 'READY', 'BACKORDERED', 'SHIPPED', 'IN_TRANSIT', 'DELIVERED',
     'COULD_NOT_DELIVER', 'RETURNED', 'CANCELED')),
  quantity_shipped integer not null default 0,
  quantity_delivered integer not null default 0,
  quantity_failed integer not null default 0,
  quantity_returned integer not null default 0,
  quantity_refunded integer not null default 0,
  quantity_canceled integer not null default 0,
  shipping_method text,
  shipment_id uuid,
  primary key (account_id, id),
  constraint items_bag foreign key (account_id, order_id, bag_id)
    references bags (account_id, order_id, id),
  constraint items_not_over_ordered check
    (quantity_shipped + quantity_canceled <= quantity and quantity_shipped >= 0
     and quantity_canceled >= 0 and quantity_returned <= quantity_shipped
     and quantity_refunded <= quantity and quantity_delivered <= quantity_shipped)
) with (fillfactor = 80);
create index items_of_order on items (account_id, order_id);

create table payments (
  account_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  position integer not null,
  gateway text not null,
  flow text not null constraint payments_flow check (flow in ('auth', 'payment')),
  status text not null constraint payments_status check (status in
    ('CREATED', 'AUTHORIZED', 'CAPTURED', 'PARTIALLY_CAPTURED', 'VOIDED', 'EXPIRED', 'DECLINED',
     'ABANDONED')),
  currency text not null,
  amount bigint not null constraint payments_amount check (amount > 0),
  reference text,
  provider_reference text,
  authorized bigint not null default 0,
  captured bigint not null default 0,
  voided bigint not null default 0,
  expired bigint not null default 0,
  refunded bigint not null default 0,
  capture_pending bigint not null default 0,
  void_pending bigint not null default 0,
  refund_pending bigint not null default 0,
  authorized_at timestamptz,
  acknowledged_at timestamptz,
  expires_at timestamptz,
  attention jsonb,
  created_at timestamptz not null,
  due_at timestamptz,
  attempts integer not null default 0,
  lease_until timestamptz,
  lease_token uuid,
  primary key (account_id, id),
  constraint payments_of_order unique (account_id, order_id, id),
  constraint payments_order foreign key (account_id, order_id) references orders (account_id, id),
  constraint payments_gateway foreign key (account_id, gateway)
    references gateways (account_id, code),
  constraint payments_not_negative check (authorized >= 0 and captured >= 0 and voided >= 0
    and expired >= 0 and refunded >= 0 and capture_pending >= 0 and void_pending >= 0
    and refund_pending >= 0),
  constraint payments_not_over_authorized check
    (captured + voided + expired + capture_pending + void_pending <= authorized),
  constraint payments_not_over_captured check (refunded + refund_pending <= captured)
) with (fillfactor = 80);
create index payments_due on payments (due_at) where due_at is not null;

create table refunds (
  account_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  bag_id uuid,
  store text not null,
  reference text not null,
  amount bigint not null constraint refunds_amount check (amount > 0),
  currency text not null,
  reason text,
  reason_code text not null,
  restock_items boolean not null default false,
  notify_customer boolean not null default false,
  status text not null constraint refunds_status check (status in
    ('AWAITING_APPROVAL', 'PROCESSING', 'COMPLETED', 'FAILED', 'PARTIALLY_COMPLETED', 'CANCELED',
     'EXTERNAL')),
  allocations jsonb not null,
  lines jsonb not null default '[]',
  shipping_amount bigint,
  tax_amount bigint not null default 0,
  cancellation_id uuid,
  external_id text,
  actor jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (account_id, id),
  constraint refunds_reference unique (account_id, store, reference),
  constraint refunds_order foreign key (account_id, order_id) references orders (account_id, id)
) with (fillfactor = 80);
create index refunds_of_order on refunds (account_id, order_id);

create table transactions (
  account_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  payment_id uuid not null,
  bag_id uuid,
  refund_id uuid,
  cancellation_id uuid,
  type text not null constraint transactions_type check (type in
    ('AUTHORIZE', 'ACKNOWLEDGE', 'CAPTURE', 'VOID', 'REFUND', 'EXPIRE')),
  status text not null constraint transactions_status check (status in
    ('PENDING', 'SUCCEEDED', 'FAILED', 'UNKNOWN')),
  amount bigint not null constraint transactions_amount check
    (amount > 0 or (amount = 0 and type = 'ACKNOWLEDGE')),
  currency text not null,
  allocations jsonb not null default '[]',
  reference text,
  gateway_transaction_id text,
  error_code text,
  error_message text,
  source text not null,
  actor jsonb not null,
  credential text,
  idempotency_key text,
  created_at timestamptz not null,
  settled_at timestamptz,
  due_at timestamptz,
  attempts integer not null default 0,
  lease_until timestamptz,
  lease_token uuid,
  primary key (account_id, id),
  constraint transactions_payment foreign key (account_id, order_id, payment_id)
    references payments (account_id, order_id, id),
  constraint transactions_decided check ((status in ('PENDING', 'UNKNOWN')) = (settled_at is null))
) with (fillfactor = 80);
create index transactions_of_order on transactions (account_id, order_id);
create index transactions_due on transactions (due_at) where due_at is not null;
create index transactions_unsettled on transactions (account_id, created_at)
  where settled_at is null;

create table gateway_calls (
  account_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  transaction_id uuid not null,
  purpose text not null,
  outcome text not null,
  raw jsonb not null,
  at timestamptz not null,
  primary key (account_id, id),
  constraint gateway_calls_transaction foreign key (account_id, transaction_id)
    references transactions (account_id, id)
);
create index gateway_calls_of_order on gateway_calls (account_id, order_id);

create table shipments (
  account_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  bag_id uuid not null,
  position integer not null,
  method text,
  carrier text,
  tracking_number text,
  tracking_url text,
  status text not null constraint shipments_status check (status in
    ('OPEN', 'SHIPPED', 'IN_TRANSIT', 'DELIVERED', 'COULD_NOT_DELIVER', 'RETURNED', 'CANCELED')),
  items jsonb not null,
  external_id text,
  shipped_at timestamptz,
  delivered_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (account_id, id),
  constraint shipments_bag foreign key (account_id, order_id, bag_id)
    references bags (account_id, order_id, id),
  constraint shipments_tracking_number unique (account_id, order_id, tracking_number)
    deferrable initially deferred,
  constraint shipments_external_id unique (account_id, order_id, external_id)
) with (fillfactor = 80);

create table holds (
  account_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  handle text not null,
  reason_code text not null,
  note text,
  blocks jsonb not null,
  placed_by jsonb not null,
  placed_at timestamptz not null,
  due_at timestamptz,
  released_by jsonb,
  released_at timestamptz,
  primary key (account_id, id),
  constraint holds_order foreign key (account_id, order_id) references orders (account_id, id)
);
create unique index holds_open_handle on holds (account_id, order_id, handle)
  where released_at is null;

create table notes (
  account_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  body text not null,
  visibility text not null
    constraint notes_visibility check (visibility in ('internal', 'customer')),
  author jsonb not null,
  created_at timestamptz not null,
  primary key (account_id, id),
  constraint notes_order foreign key (account_id, order_id) references orders (account_id, id)
);
create index notes_of_order on notes (account_id, order_id);

create table cancellations (
  account_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  bag_id uuid,
  status text not null constraint cancellations_status check (status in
    ('PROCESSING', 'CANCELED', 'PARTIALLY_CANCELED', 'FAILED')),
  reason text,
  reason_code text not null,
  notify_customer boolean not null,
  restock_items boolean not null,
  refunded_amount bigint not null default 0,
  reversed_amount bigint not null default 0,
  requested_by jsonb not null,
  credential text,
  idempotency_key text,
  created_at timestamptz not null,
  finished_at timestamptz,
  primary key (account_id, id),
  constraint cancellations_order foreign key (account_id, order_id)
    references orders (account_id, id)
) with (fillfactor = 80);
create unique index cancellations_open on cancellations (account_id, order_id)
  where status = 'PROCESSING';
create index cancellations_of_order on cancellations (account_id, order_id);

create table letters (
  account_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  kind text not null,
  recipient text not null,
  language text not null default 'en',
  context jsonb not null default '{}',
  status text not null constraint letters_status check (status in ('QUEUED', 'SENT', 'FAILED')),
  message_id text not null,
  subject text,
  error text,
  sequence integer not null,
  created_at timestamptz not null,
  sent_at timestamptz,
  due_at timestamptz,
  attempts integer not null default 0,
  lease_until timestamptz,
  lease_token uuid,
  primary key (account_id, id),
  constraint letters_message_id unique (account_id, message_id),
  constraint letters_order foreign key (account_id, order_id) references orders (account_id, id)
) with (fillfactor = 80);
create index letters_of_order on letters (account_id, order_id);
create index letters_due on letters (due_at) where due_at is not null;
create index letters_newest on letters (account_id, created_at, id);

create table facts (
  account_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  order_number text not null,
  sequence integer not null,
  type text not null,
  merchant text,
  data json not null,
  actor json not null,
  at timestamptz not null,
  position bigint,
  primary key (account_id, order_id, sequence),
  constraint facts_order foreign key (account_id, order_id) references orders (account_id, id)
-- Every fact is changed once, when it gets its place: what that leaves behind is swept up early, or
-- whoever looks for facts without a place would walk through it.
) with (autovacuum_vacuum_scale_factor = 0.02);
create unique index facts_position on facts (account_id, position) where position is not null;
create index facts_unplaced on facts (account_id, id) where position is null;
create index facts_newest on facts (account_id, at, order_id);
create index facts_created on facts (account_id, position)
  where sequence = 1 and position is not null;

create table idempotency (
  account_id uuid not null,
  credential text not null,
  key text not null,
  fingerprint text not null,
  order_id uuid,
  status integer,
  body text,
  etag text,
  location text,
  created_at timestamptz not null default clock_timestamp(),
  constraint idempotency_key primary key (account_id, credential, key)
);
create index idempotency_age on idempotency (account_id, created_at);

create table import_runs (
  account_id uuid not null,
  id uuid not null,
  source text not null,
  digest text not null,
  status text not null constraint import_runs_status check (status in
    ('RUNNING', 'COMPLETED', 'FAILED')),
  lines_seen bigint not null default 0,
  created bigint not null default 0,
  skipped bigint not null default 0,
  failed bigint not null default 0,
  errors jsonb not null default '[]',
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  primary key (account_id, id)
);

create table audit_entry (
  account_id uuid not null constraint audit_entry_account references accounts,
  id uuid not null,
  type text not null,
  subject text not null,
  data jsonb not null default '{}',
  actor jsonb not null,
  at timestamptz not null default clock_timestamp(),
  primary key (account_id, id)
);

create table life_cycle (
  machine text not null,
  from_status text not null,
  to_status text not null,
  primary key (machine, from_status, to_status)
);

create table clock_offset (
  id boolean primary key default true constraint clock_offset_single check (id),
  seconds double precision not null default 0,
  allowed boolean not null default false
);
insert into clock_offset default values;
