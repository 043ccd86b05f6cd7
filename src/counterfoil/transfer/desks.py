"""What a batch of orders looks into, read in one statement; and what it may add to the set-up."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from counterfoil.kernel.db import Connection
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.shape import to_json
from counterfoil.order.config import OrderState, ShipmentMethod, Store
from counterfoil.order.intake import Desk
from counterfoil.order.payment import GatewayOfPayment

# Who came before is looked up one by one: as a list, a planner who has not seen the table grow yet
# may read all of the account's orders instead.
_READ = """select json_build_object(
  'at', cf_now(),
  'stores', (select coalesce(json_agg(row_to_json(s)), '[]') from stores s
    where s.account_id = $1),
  'states', (select coalesce(json_agg(row_to_json(s) order by s.position), '[]')
    from order_states s where s.account_id = $1),
  'gateways', (select coalesce(json_agg(json_build_object('code', g.code, 'kind', g.kind,
    'settings', g.settings, 'enabled', g.enabled, 'store', g.store)), '[]')
    from gateways g where g.account_id = $1),
  'methods', (select coalesce(json_agg(row_to_json(m) order by m.code), '[]')
    from shipment_methods m where m.account_id = $1),
  'merchants', (select coalesce(json_object_agg(m.code, m.name), '{}') from merchants m
    where m.account_id = $1 and m.code = any($2::text[])),
  'existing', (select coalesce(json_object_agg(x.id, o.create_fingerprint), '{}')
    from unnest($4::text[]) x(id), lateral (select o.create_fingerprint from orders o
      where o.account_id = $1 and o.channel = $3 and o.external_id = x.id offset 0) o)
  )::text"""
_ADD_MERCHANTS = """insert into merchants (account_id, id, code, name, created_at)
  select $1, r.id, r.code, r.code, cf_now()
  from jsonb_to_recordset($2::text::jsonb) r(id uuid, code text) order by r.code
  on conflict do nothing"""
_ADD_METHODS = """insert into shipment_methods (account_id, id, store, code, name)
  select $1, r.id, r.store, r.code, r.code
  from jsonb_to_recordset($2::text::jsonb) r(id uuid, store text, code text)
  order by r.store, r.code on conflict do nothing"""


class Desks(msgspec.Struct, frozen=True, kw_only=True):
    """The desks of an account's stores. `existing` maps external ids to fingerprints."""

    at: datetime
    stores: tuple[Store, ...]
    states: tuple[OrderState, ...]
    gateways: tuple[GatewayOfPayment, ...]
    methods: tuple[ShipmentMethod, ...]
    merchants: dict[str, str]
    existing: dict[str, str | None]

    def store(self, code: str | None) -> Store | None:
        """Find the store that is meant: the one named, or the only one."""
        found = [store for store in self.stores if code in (None, store.code)]
        return found[0] if len(found) == 1 else None

    def desk(self, store: Store | None) -> Desk:
        """Make the desk of one store."""
        code = store.code if store is not None else ""
        return Desk(
            store=store,
            at=self.at,
            gateways=self.gateways,
            states=tuple(state for state in self.states if state.store == code),
            merchants=self.merchants,
            methods=tuple(method.code for method in self.methods if method.store == code),
        )

    def methods_of(self, store: Store | None) -> tuple[ShipmentMethod, ...]:
        """List a store's shipment methods."""
        code = store.code if store is not None else ""
        return tuple(method for method in self.methods if method.store == code)


_decode = msgspec.json.Decoder(Desks).decode


async def read_desks(
    connection: Connection,
    *,
    channel: str,
    external_ids: Sequence[str],
    merchants: Sequence[str],
) -> Desks:
    """Read all set-up that orders need, those of the merchants named, and who came before."""
    told = await connection.value(
        _READ, connection.account, list(merchants), channel, list(external_ids)
    )
    return _decode(told)


async def add_missing(
    connection: Connection, *, merchants: Sequence[str], methods: Sequence[tuple[str, str]]
) -> None:
    """Make merchants and (store, code) methods that are not there; several may do so at once."""
    if merchants:
        rows = [{"id": new_id(), "code": code} for code in merchants]
        await connection.rows(_ADD_MERCHANTS, connection.account, to_json(rows))
    if methods:
        named = [{"id": new_id(), "store": store, "code": code} for store, code in methods]
        await connection.rows(_ADD_METHODS, connection.account, to_json(named))
