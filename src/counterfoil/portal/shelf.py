"""The store whose configuration a page looks at, among those one may choose from."""

from collections.abc import Sequence

import msgspec

from counterfoil.kernel.problem import NotFound
from counterfoil.order.config import Store
from counterfoil.portal.respond import Asking
from counterfoil.portal.visit import Visit
from counterfoil.setup.stores import list_stores


class Shelf(msgspec.Struct, frozen=True):
    """A store, and those that one may go to from it, itself among them."""

    store: Store
    stores: Sequence[Store]

    @property
    def several(self) -> bool:
        """Whether there is a choice of stores."""
        return len(self.stores) > 1


async def begin_at_store(request: Asking, right: str, *, here: str) -> tuple[Visit, Shelf]:
    """Begin a visit at the store that the address or the form names, the first one without it.

    Raises PermissionDenied, MerchantLimited, NotFound.
    """
    visit = await Visit.begin(request, right, here=here)
    visit.actor.require_whole_order()
    code = request.query_params.get("store", "") or visit.typed("store", 64)
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        stores = (await list_stores(connection, limit=100)).data
    own = visit.actor.stores
    seen = [one for one in stores if own is None or one.code in own]
    for store in seen:
        if code in ("", store.code):
            return visit, Shelf(store, seen)
    raise NotFound("There is no such store.")
