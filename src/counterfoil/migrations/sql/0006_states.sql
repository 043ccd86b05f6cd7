-- Order configurations: a store's own states may be deleted while no order is in them; the foreign
-- key of orders decides. What every store has from its first day stays what it is, whoever writes.
grant delete on order_states to counterfoil_app;

create function refuse_built_in_state() returns trigger language plpgsql as $$
begin
  raise exception using errcode = 'CF004', constraint = 'order_states_built_in',
    message = 'a built-in state is never deleted, and keeps its code, name, colour and meaning';
end $$;
create trigger order_states_kept before delete on order_states for each row
  when (old.built_in) execute function refuse_built_in_state();
create trigger order_states_meant before update on order_states for each row
  when (old.built_in and
    (old.account_id, old.store, old.code, old.name, old.system_state, old.colour, old.next,
      old.built_in)
    is distinct from
    (new.account_id, new.store, new.code, new.name, new.system_state, new.colour, new.next,
      new.built_in))
  execute function refuse_built_in_state();
