"""Settings of a store: cards, each its own form and Save. [design guide 3.23]"""

from litestar import Response, get, post

from counterfoil.kernel.problem import NotFound, Problem
from counterfoil.order.config import Store
from counterfoil.order.letter import BY_THEMSELVES
from counterfoil.portal import respond, story
from counterfoil.portal.doing import do_once, tell_refused
from counterfoil.portal.forms import Form
from counterfoil.portal.letter_words import KINDS as CALLED
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.settings_forms import (
    CARDS,
    EMAIL_CHOICES,
    LANGUAGE_CHOICES,
    REFUND_ORDERS,
    shown,
    typed_card,
)
from counterfoil.portal.shelf import Shelf, begin_at_store
from counterfoil.portal.visit import Visit
from counterfoil.setup.store_changes import StoreEdit, edits_of_store, newest
from counterfoil.setup.stores import change_store

RIGHT, HERE, PATH = "settings.manage", "settings", "/portal/settings"


@get("/settings")
async def settings_page(request: Asking) -> Response[bytes]:
    """Show a store's settings, each card with who changed it last."""
    visit, shelf = await begin_at_store(request, RIGHT, here=HERE)
    return await _show(visit, shelf, {}, saved=request.query_params.get("saved", ""))


@post("/settings/{card:str}", status_code=200)
async def save_card(request: Asking, card: str) -> Response[bytes]:
    """Save one card; the others stay as they are, whatever was typed there."""
    visit, shelf = await begin_at_store(request, RIGHT, here=HERE)
    if card not in CARDS:
        raise NotFound("There is no such card.")
    form, change = typed_card(visit, card, shelf.store)
    edits = await _edits(visit, shelf.store)
    last = newest(edits, CARDS[card].saves)
    if last is not None and visit.typed("seen", 40) != last.id:
        form.notices.append(
            f"{story.who(last.actor)} changed this meanwhile. What you typed is kept here; saving"
            " it again replaces theirs."
        )
    if change is not None and not form.notices:
        wanted = change
        try:
            await do_once(
                visit, lambda one: change_store(one, visit.actor, shelf.store.code, wanted)
            )
        except Problem as refused:
            tell_refused(refused, form, CARDS[card].fields)
    if form.refused:
        return await _show(visit, shelf, {card: form})
    return respond.go(f"{PATH}?store={shelf.store.code}&saved={card}#{card}")


async def _edits(visit: Visit, store: Store) -> list[StoreEdit]:
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        return await edits_of_store(connection, store.code)


async def _show(
    visit: Visit, shelf: Shelf, typed: dict[str, Form], *, saved: str = ""
) -> Response[bytes]:
    edits = await _edits(visit, shelf.store)
    return visit.page(
        "settings/store.html",
        status=max((form_status(form) for form in typed.values()), default=200),
        shelf=shelf,
        cards=CARDS,
        forms={name: typed.get(name) or shown(name, shelf.store) for name in CARDS},
        changed={name: newest(edits, card.saves) for name, card in CARDS.items()},
        who=story.who,
        refund_orders=REFUND_ORDERS,
        languages=LANGUAGE_CHOICES,
        emails=EMAIL_CHOICES,
        by_themselves=[(kind, *CALLED[kind]) for kind in BY_THEMSELVES],
        saved=saved,
    )


ROUTES = [settings_page, save_card]
