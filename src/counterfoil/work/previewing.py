"""A letter as it would read: with the sample, or about a real order. Nothing is sent."""

from datetime import datetime

from counterfoil.book.opening import open_folder
from counterfoil.kernel.db import Connection
from counterfoil.kernel.problem import NotFound
from counterfoil.mail.compose import Written, fill
from counterfoil.mail.language import CannotRender, Fault
from counterfoil.mail.shown import sample_of, values_of
from counterfoil.mail.texts import Text
from counterfoil.order.actor import Actor
from counterfoil.order.folder import Folder
from counterfoil.order.letter import Letter
from counterfoil.setup.stores import find_store
from counterfoil.work.mailing import check_template, refused

_NEEDS = frozenset({"letters", "items", "shipments"})


async def preview(
    connection: Connection, actor: Actor, text: Text, place: tuple[str, str, str],
    order_id: str | None = None,
) -> Written:
    """Fill a text of a place (store, kind, language) in, about an order or with the sample.

    Raises ValidationFailed with every line that is wrong, NotFound.
    """
    store, kind, language = place
    await check_template(connection, kind, language, text)
    if order_id is None:
        at: datetime = await connection.value("select cf_now()")
        name = (await find_store(connection, store)).name
        values = sample_of(kind, language, store=name, at=at)
    else:
        folder = await _folder_of(connection, actor, order_id)
        values = values_of(_letter_about(folder, kind, language), folder)
    try:
        return fill(text, values, language)
    except CannotRender as wrong:
        raise refused([Fault("body", 1, f"It does not work with this order: {wrong}")]) from wrong


async def _folder_of(connection: Connection, actor: Actor, order_id: str) -> Folder:
    folder = (await open_folder(connection, order_id, _NEEDS)).folder
    if folder is None or (actor.stores is not None and folder.order.store not in actor.stores):
        raise NotFound("There is no such order.")
    actor.require_whole_order()
    return folder


def _letter_about(folder: Folder, kind: str, language: str) -> Letter:
    """Make the letter that the order had, or would have, of a kind."""
    order = folder.order
    had = [letter for letter in folder.letters if letter.kind == kind]
    context = max(had, key=lambda one: one.created_at).context if had else {}
    if not had and kind == "shipped" and folder.shipments:
        parcel = max(folder.shipments, key=lambda one: one.position)
        context = {
            "items": {part.item_id: part.quantity for part in parcel.items},
            "carrier": parcel.carrier,
            "tracking_number": parcel.tracking_number,
            "tracking_url": parcel.tracking_url,
        }
    elif not had:
        context = {"refunded": order.refunded, "reversed": order.voided, "amount": order.refunded}
    return Letter(
        id=order.id, order_id=order.id, kind=kind, recipient="", language=language,
        context=context, message_id="", sequence=0, created_at=folder.at,
    )
