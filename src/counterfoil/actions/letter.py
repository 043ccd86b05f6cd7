"""Mark what became of a letter, and ask for one anew."""

import msgspec

from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import NotFound
from counterfoil.order.change import Change, Lease
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.letter import Letter
from counterfoil.order.letters import message_id
from counterfoil.order.opening import opens
from counterfoil.order.problems import InvalidState


@opens("letters")
def letter_sent(
    folder: Folder, *, asked: Asked, letter_id: str, subject: str, text: str, lease: str
) -> Change:
    """The mail server took it. Nothing to write where it is marked already. [M-1, rulings 38]"""
    letter = next(one for one in folder.letters if one.id == letter_id)
    if letter.status == "SENT":
        return Change.none(folder, letter)
    draft = Draft(folder, asked.actor)
    draft.lease = Lease("letters", letter.id, lease)
    draft.put(msgspec.structs.replace(
        letter, status="SENT", subject=subject, text=text, error=None, sent_at=draft.at,
        due_at=None, tries=letter.tried(draft.at, "sent")))
    draft.fact("letter.sent", None, letter=_told(letter))
    return draft.change(letter)


@opens("letters")
def letter_failed(
    folder: Folder, *, asked: Asked, letter_id: str, error: str, lease: str, bounced: bool = False
) -> Change:
    """It will not be sent; it can be sent anew by hand. [M-2, rulings 38]

    `bounced`: the address refuses letters for good, and gets no more.
    """
    letter = next(one for one in folder.letters if one.id == letter_id)
    if letter.status != "QUEUED":
        return Change.none(folder, letter)
    draft = Draft(folder, asked.actor)
    draft.lease = Lease("letters", letter.id, lease)
    tries = letter.tried(draft.at, "bounced" if bounced else "failed", error)
    draft.put(msgspec.structs.replace(
        letter, status="FAILED", error=error, due_at=None, tries=tries))
    draft.fact("letter.failed", None, letter=_told(letter), bounced=bounced)
    return draft.change(letter)


@opens("letters")
def resend_letter(
    folder: Folder, *, asked: Asked, letter_id: str, recipient: str | None = None
) -> Change:
    """Say a letter again: a new one under its own Message-ID, to the same address or another.

    Raises, in this order: PermissionDenied, MerchantLimited, NotFound, InvalidState (it has not
    left yet). [rulings 38, 41]
    """
    asked.actor.require("orders.notes")
    asked.actor.require_whole_order()
    letter = next((one for one in folder.letters if one.id == letter_id), None)
    if letter is None:
        raise NotFound("There is no such letter.")
    if letter.status == "QUEUED":
        raise InvalidState("The letter has not left yet.", status=letter.status)
    draft = Draft(folder, asked.actor)
    again_id = new_id()
    again = Letter(
        id=again_id,
        order_id=folder.order.id,
        kind=letter.kind,
        recipient=recipient or letter.recipient,
        language=letter.language,
        context=letter.context,
        message_id=message_id(again_id),
        repeats_id=letter.id,
        sequence=draft.next_sequence,
        created_at=draft.at,
        due_at=draft.at,
    )
    draft.add(again)
    draft.fact("letter.resent", None, letter=_told(again), repeats_id=letter.id)
    return draft.change(again)


def _told(letter: Letter) -> dict[str, str]:
    """Tell a letter without its address and text. [rulings 10]"""
    return {"id": letter.id, "kind": letter.kind, "message_id": letter.message_id}
