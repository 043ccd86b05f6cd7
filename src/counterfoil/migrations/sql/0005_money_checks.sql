-- What 0004 added unvalidated, in a transaction of its own: reading goes on meanwhile.
alter table transactions validate constraint transactions_type;
alter table stores validate constraint stores_default_gateway;
