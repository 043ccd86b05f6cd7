-- Letters to customers: which go by themselves, a store's own texts, an account's own mail server,
-- every try of a letter, and addresses that refuse letters for good.

alter table stores
  add column language text not null default 'en',
  add column letters jsonb not null default '[]';

-- What was sent stays readable when the texts change: the letter keeps it, and its tries.
alter table letters
  add column text text,
  add column tries jsonb not null default '[]',
  add column repeats_id uuid;

-- A reset text is kept aside, not deleted: `active` says whether it is used. `previous` is the text
-- that the last save replaced.
create table letter_templates (
  account_id uuid not null,
  store text not null,
  kind text not null,
  language text not null,
  subject text not null,
  body text not null,
  active boolean not null default true,
  version integer not null,
  previous jsonb,
  updated_by jsonb not null,
  updated_at timestamptz not null,
  primary key (account_id, store, kind, language),
  constraint letter_templates_store foreign key (account_id, store)
    references stores (account_id, code)
);

create table mail_servers (
  account_id uuid not null primary key
    constraint mail_servers_account references accounts,
  id uuid not null,
  host text not null,
  port integer not null,
  security text not null constraint mail_servers_security check (security in
    ('starttls', 'tls', 'none')),
  username text,
  password bytea,
  sender_name text not null default '',
  sender_address text not null,
  reply_to text,
  updated_by jsonb not null,
  updated_at timestamptz not null
);

create table suppressed_addresses (
  account_id uuid not null,
  address text not null,
  reason text not null,
  letter_id uuid,
  at timestamptz not null,
  primary key (account_id, address)
);

do $$
declare t text;
begin
  foreach t in array array['letter_templates', 'mail_servers', 'suppressed_addresses'] loop
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
grant delete on mail_servers, suppressed_addresses to counterfoil_app;
