"""Write something down about an order."""

from counterfoil.kernel.ids import new_id
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.note import Note
from counterfoil.order.opening import opens


@opens()
def note(folder: Folder, *, asked: Asked, body: str, visibility: str = "internal") -> Change:
    """Add a note; allowed in every state. Raises PermissionDenied, MerchantLimited. [U-13]"""
    asked.actor.require("orders.notes")
    asked.actor.require_whole_order()
    draft = Draft(folder, asked.actor)
    written = Note(
        id=new_id(),
        order_id=folder.order.id,
        body=body,
        visibility=visibility,
        author=asked.actor.told(),
        created_at=draft.at,
    )
    draft.add(written)
    draft.fact("order.noted", written)
    return draft.change(written)
