"""Mark what became of a letter."""

import msgspec

from counterfoil.order.change import Change, Lease
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.letter import Letter
from counterfoil.order.opening import opens


@opens("letters")
def letter_sent(
    folder: Folder, *, asked: Asked, letter_id: str, subject: str, lease: str
) -> Change:
    """The mail server took it. Nothing to write where it is marked already. [M-1, rulings 38]"""
    letter = next(one for one in folder.letters if one.id == letter_id)
    if letter.status == "SENT":
        return Change.none(folder, letter)
    draft = Draft(folder, asked.actor)
    draft.lease = Lease("letters", letter.id, lease)
    draft.put(msgspec.structs.replace(
        letter, status="SENT", subject=subject, error=None, sent_at=draft.at, due_at=None))
    draft.fact("letter.sent", None, letter=_told(letter))
    return draft.change(letter)


@opens("letters")
def letter_failed(
    folder: Folder, *, asked: Asked, letter_id: str, error: str, lease: str
) -> Change:
    """It will not be sent; it can be sent anew by hand. [M-2, rulings 38]"""
    letter = next(one for one in folder.letters if one.id == letter_id)
    if letter.status != "QUEUED":
        return Change.none(folder, letter)
    draft = Draft(folder, asked.actor)
    draft.lease = Lease("letters", letter.id, lease)
    draft.put(msgspec.structs.replace(letter, status="FAILED", error=error, due_at=None))
    draft.fact("letter.failed", None, letter=_told(letter))
    return draft.change(letter)


def _told(letter: Letter) -> dict[str, str]:
    """Tell a letter without its address and text. [rulings 10]"""
    return {"id": letter.id, "kind": letter.kind, "message_id": letter.message_id}
