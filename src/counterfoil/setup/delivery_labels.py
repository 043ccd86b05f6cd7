"""What a store calls the delivery states of items; what they mean never changes. [U-15]"""

from collections.abc import Mapping

import msgspec

from counterfoil.kernel.db import Connection
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import NotFound
from counterfoil.kernel.shape import Label, check_shape, folded, refuse, to_json
from counterfoil.order.actor import Actor
from counterfoil.order.item import DELIVERY_STATES
from counterfoil.setup.stores import find_store, resolve_store


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


def read_alike(labels: Mapping[str, str | None]) -> dict[str, str]:
    """Say of each state with a name of the store's own which other one is called that, if any."""
    shown = {code: labels.get(code) or name for code, name in DELIVERY_STATES.items()}
    alike = {
        code: [one for one in shown if one != code and folded(shown[one]) == folded(shown[code])]
        for code in shown
        if labels.get(code)
    }
    return {
        code: f"{shown[code]} is what {DELIVERY_STATES[others[0]]} is called already."
        for code, others in alike.items()
        if others
    }


async def label_delivery_state(
    connection: Connection, actor: Actor, code: str, change: LabelChange
) -> DeliveryState:
    """Give a delivery state the store's own name. Raises ValidationFailed, NotFound."""
    check_shape(change)
    if code not in DELIVERY_STATES:
        raise NotFound(f"There is no delivery state {code!r}.")
    store = await resolve_store(connection, change.store)
    await label_delivery_states(connection, actor, store, {code: change.label})
    return DeliveryState(code=code, name=DELIVERY_STATES[code], label=change.label)


async def label_delivery_states(
    connection: Connection, actor: Actor, store: str, labels: Mapping[str, str | None]
) -> None:
    """Give some delivery states the store's own names, inside the caller's transaction.

    No two of a store's states read alike. Raises ValidationFailed.
    """
    for label in labels.values():
        check_shape(LabelChange(label=label))
    now = await connection.value(
        "update stores set delivery_labels ="
        "   jsonb_strip_nulls(delivery_labels || $3::text::jsonb)"
        " where account_id = $1 and code = $2 returning delivery_labels::text",
        connection.account,
        store,
        to_json(labels),
    )
    if alike := read_alike(msgspec.json.decode(now, type=dict[str, str])):
        raise refuse("/label", next(iter(alike.values())))
    for code, label in labels.items():
        await connection.rows(
            "insert into audit_entry (account_id, id, type, subject, data, actor, at)"
            " values ($1, $2, 'delivery_state.labelled', $3, $4::text::jsonb, $5::text::jsonb,"
            "   cf_now())",
            connection.account,
            new_id(),
            code,
            to_json({code: label}),
            to_json(actor.told()),
        )
