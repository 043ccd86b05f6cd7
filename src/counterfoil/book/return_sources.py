"""Where a list of returns comes from: an index that has its order in it, read once for each value.

The values of status and resolution are few, so a filter by either reads what it wants and nothing
else; whoever is limited to stores or merchants, or asks for some, reads those alone.
"""

from typing import Any

import msgspec

from counterfoil.book.fragments import filled
from counterfoil.order.actor import Actor
from counterfoil.order.goods_return import RESOLUTIONS

#: What waits for a word or for goods, word for word as the index returns_waiting has it. They are
#: few: without the offset the planner would look for a store's among all that there are.
_WAITING = """(select r.* from returns r where r.account_id = $1
      and (r.status in ('REQUESTED', 'APPROVED') or (r.status = 'RECEIVED'
        and jsonb_path_exists(r.lines, '$[*] ? (@.received < @.quantity)')))
      order by r.created_at, r.id offset 0) r"""
_AXES = """unnest(<statuses>::text[]) s(status)
    cross join unnest({resolutions}::text[]) w(resolution)"""
_TIED = "r.status = s.status and r.resolution = w.resolution"
_OF_STORES = "r.store = any({stores}::text[])"
_OF_MERCHANTS = "r.merchant = any({merchants}::text[])"
_IDS = """select k.created_at, k.id from <each> cross join lateral (
    select r.created_at, r.id from <table> where r.account_id = $1 and <tied><after>
    order by r.created_at<way>, r.id<way> limit {limit}) k
  order by k.created_at<way>, k.id<way> limit {limit}"""
_COUNT = """(select count(*) from (select from <each> cross join lateral (
    select from <table> where r.account_id = $1 and <tied> limit {cap}) k limit {cap}) x)"""
_AFTER = " and (r.created_at, r.id)<sign>({at}::timestamptz, {id}::uuid)"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement reads: the values that are read one by one, and what ties a return to them.

    What waits is read oldest first, anything else newest first.
    """

    each: str
    tied: str
    table: str = "returns r"

    @property
    def waits(self) -> bool:
        """Whether it is read oldest first."""
        return self.table == _WAITING

    def ids(self, *, after: bool) -> str:
        """Write the part that finds a page, {limit} of them in order; `after` {at} and {id}."""
        way, sign = ("", " > ") if self.waits else (" desc", " < ")
        return filled(
            _IDS,
            each=self.each,
            table=self.table,
            tied=self.tied,
            after=_AFTER.replace("<sign>", sign) if after else "",
            way=way,
        )

    @property
    def count(self) -> str:
        """Write the part that counts them, up to {cap}."""
        return filled(_COUNT, each=self.each, table=self.table, tied=self.tied)


class Seen(msgspec.Struct, frozen=True):
    """Which stores and merchants are looked at; None is all."""

    stores: tuple[str, ...] | None
    merchants: tuple[str, ...] | None

    def values(self, resolutions: tuple[str, ...] = ()) -> dict[str, Any]:
        """Name the parameters that every source has."""
        return {
            "stores": self.stores,
            "merchants": self.merchants,
            "resolutions": list(dict.fromkeys(resolutions)) or list(RESOLUTIONS),
        }

    @property
    def _limits(self) -> list[str]:
        stores = [] if self.stores is None else [_OF_STORES]
        return stores + ([] if self.merchants is None else [_OF_MERCHANTS])

    def of_status(self, statuses: str) -> Source:
        """Read what has one of some statuses; `statuses` is an array in SQL, or its parameter."""
        each, tied, rest = _AXES.replace("<statuses>", statuses), _TIED, []
        if self.merchants is not None:
            each += "\n    cross join unnest({merchants}::text[]) m(code)"
            tied += " and r.merchant = m.code"
            rest = [_OF_STORES] if self.stores is not None else []
        elif self.stores is not None:
            each += "\n    cross join unnest({stores}::text[]) m(code)"
            tied += " and r.store = m.code"
        return Source(each=each, tied=" and ".join([tied, *rest]))

    def of_order(self) -> Source:
        """Read those of one {order}."""
        tied = "r.order_id = {order}::uuid and r.status = any({statuses}::text[])"
        return self._whole(tied)

    def waiting(self) -> Source:
        """Read what waits, the oldest first."""
        return self._whole(table=_WAITING)

    def _whole(self, *tied: str, table: str = "returns r") -> Source:
        resolved = "r.resolution = any({resolutions}::text[])"
        met = " and ".join([*tied, resolved, *self._limits])
        return Source(each="(select) one", tied=met, table=table)


def seen(actor: Actor, stores: tuple[str, ...] = ()) -> Seen:
    """Narrow the stores that are asked for to those that the actor may see, and merchants too."""
    own = actor.stores
    if own is not None:
        wanted: tuple[str, ...] | None = tuple(
            sorted(code for code in own if not stores or code in stores)
        )
    else:
        wanted = tuple(dict.fromkeys(stores)) or None
    return Seen(wanted, None if actor.merchants is None else tuple(sorted(actor.merchants)))
