"""What a store calls the delivery states of items; what they mean never changes. [U-15]"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from counterfoil.kernel.db import Connection
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import NotFound
from counterfoil.kernel.shape import check_shape, to_json
from counterfoil.order.actor import Actor
from counterfoil.order.item import DELIVERY_STATES
from counterfoil.setup.stores import find_store, resolve_store

Label = Annotated[str, Meta(pattern=r"^\S(.{0,58}\S)?$(?!\n)", max_length=60)]


class DeliveryState(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery state: its code, our name for it, and the store's own, null where it has none."""

    code: str
    name: str
    label: str | None = None


class LabelChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the store calls a delivery state; null is our name again."""

    label: Label | None
    store: str | None = None


async def list_delivery_states(
    connection: Connection, *, store: str | None = None
) -> list[DeliveryState]:
    """List the ten delivery states in the order of a good course. Raises UnknownReference."""
    found = await find_store(connection, await resolve_store(connection, store))
    return [
        DeliveryState(code=code, name=name, label=found.delivery_labels.get(code))
        for code, name in DELIVERY_STATES.items()
    ]


async def label_delivery_state(
    connection: Connection, actor: Actor, code: str, change: LabelChange
) -> DeliveryState:
    """Give a delivery state the store's own name. Raises ValidationFailed, NotFound."""
    check_shape(change)
    if code not in DELIVERY_STATES:
        raise NotFound(f"There is no delivery state {code!r}.")
    store = await resolve_store(connection, change.store)
    label: dict[str, Any] = {code: change.label}
    await connection.rows(
        "with made as ("
        "  update stores set delivery_labels ="
        "    jsonb_strip_nulls(delivery_labels || $3::text::jsonb)"
        "  where account_id = $1 and code = $2 returning code)"
        " insert into audit_entry (account_id, id, type, subject, data, actor, at)"
        " select $1, $4, 'delivery_state.labelled', code, $3::text::jsonb, $5::text::jsonb,"
        "   cf_now() from made",
        connection.account,
        store,
        to_json(label),
        new_id(),
        to_json(actor.told()),
    )
    return DeliveryState(code=code, name=DELIVERY_STATES[code], label=change.label)
