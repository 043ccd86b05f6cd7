"""Change what an order says about itself: invoice number, references, tags, addresses."""

from typing import Any

from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.opening import opens
from counterfoil.order.telling import TOLD

#: Which right each field asks for.
EDITABLE = {
    "invoice_number": "orders.invoice",
    "merchant_reference": "orders.edit",
    "tags": "orders.edit",
    "customer": "orders.edit",
    "billing_address": "orders.edit",
    "shipping_address": "orders.edit",
}
_PRIVATE = ("customer", "billing_address", "shipping_address")


@opens(*TOLD)
def edit(folder: Folder, *, asked: Asked, fields: dict[str, Any]) -> Change:
    """Set fields of an order; the facts say what changed, without names and addresses.

    Raises PermissionDenied, MerchantLimited. [U-12, rulings 10]
    """
    for name in fields:
        asked.actor.require(EDITABLE[name])
    asked.actor.require_whole_order()
    changed = {
        name: value for name, value in fields.items() if getattr(folder.order, name) != value
    }
    if not changed:
        return Change.none(folder, folder.order)
    draft = Draft(folder, asked.actor)
    before = {name: getattr(folder.order, name) for name in changed}
    draft.set_order(**changed)
    others = [name for name in changed if name != "invoice_number"]
    if "invoice_number" in changed:
        draft.fact("invoice.set", before=before["invoice_number"], after=changed["invoice_number"])
    if others:
        shown = [name for name in others if name not in _PRIVATE]
        draft.fact(
            "order.updated",
            fields=others,
            before={name: before[name] for name in shown},
            after={name: changed[name] for name in shown},
        )
    return draft.change(folder.order, retell=True)
