"""The texts of letters: which go by themselves, each text with its names, preview and test.

A preview is a page of its own in a frame: what a store wrote is shown there with nothing that runs
and nothing that is fetched, whatever it contains. [faults H-12]
"""

from typing import Any

import msgspec
from litestar import Response, get, post

from counterfoil.book.looking import order_numbered
from counterfoil.kernel.problem import NotFound, Problem, ValidationFailed
from counterfoil.mail.compose import Written
from counterfoil.mail.language import BODY_MAX, SUBJECT_MAX
from counterfoil.mail.shown import words_of
from counterfoil.mail.texts import Text, built_in
from counterfoil.order.config import Store
from counterfoil.order.letter import BY_THEMSELVES, KINDS, LANGUAGES
from counterfoil.order.problems import VersionConflict
from counterfoil.portal import pages, respond
from counterfoil.portal.doing import do_once
from counterfoil.portal.forms import Form
from counterfoil.portal.letter_words import KINDS as CALLED
from counterfoil.portal.letter_words import kind_name, names_of
from counterfoil.portal.respond import Asking
from counterfoil.portal.visit import Visit
from counterfoil.setup.stores import StoreChange, change_store, find_store, list_stores
from counterfoil.work.mailing import (
    Template,
    find_template,
    keep_template,
    list_templates,
    reset_template,
    send_test,
)
from counterfoil.work.previewing import preview

RIGHT, HERE = "settings.manage", "letters"
#: A preview may show itself in our own frame, and nothing else.
PREVIEW_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'self'; sandbox"
)
WITH_FRAME = {"Content-Security-Policy": f"{respond.POLICY}; frame-src 'self'"}
SAVED = {
    "saved": "Saved: the next letter reads so.",
    "reset": "The built-in text is used again. Yours is kept below.",
    "settings": "Saved.",
}


class Place(msgspec.Struct, frozen=True):
    """Which text: of a store, a kind, in a language."""

    store: str
    kind: str
    language: str

    @property
    def path(self) -> str:
        """Its address."""
        return f"/portal/letter-texts/{self.store}/{self.kind}/{self.language}"

    @property
    def key(self) -> tuple[str, str, str]:
        """The three words."""
        return self.store, self.kind, self.language


async def _begin(request: Asking, store: str = "") -> Visit:
    visit = await Visit.begin(request, RIGHT, here=HERE)
    visit.actor.require_whole_order()
    if store and visit.actor.stores is not None and store not in visit.actor.stores:
        raise NotFound(f"There is no store {store!r}.")
    return visit


@get("/letter-texts")
async def stores_page(request: Asking) -> Response[bytes]:
    """Go to the texts of the first store."""
    visit = await _begin(request)
    stores = await _stores(visit)
    if not stores:
        raise NotFound("There is no store.")
    return respond.go(f"/portal/letter-texts/{stores[0].code}")


@get("/letter-texts/{store:str}")
async def texts_page(request: Asking, store: str) -> Response[bytes]:
    """List a store's texts, and which letters go by themselves."""
    visit = await _begin(request, store)
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        found = await find_store(connection, store)
        texts = await list_templates(connection, store)
    values = {"language": found.language} | dict.fromkeys(found.letters, "1")
    rows = [
        (kind, *CALLED[kind], [one for one in texts if one.kind == kind]) for kind in KINDS
    ]
    return visit.page(
        "letters/texts.html",
        store=found,
        stores=await _stores(visit),
        rows=rows,
        form=Form(values=values),
        languages=tuple(LANGUAGES.items()),
        by_themselves=[(kind, *CALLED[kind]) for kind in BY_THEMSELVES],
        said=SAVED.get(request.query_params.get("saved", ""), ""),
    )


@post("/letter-texts/{store:str}/settings", status_code=200)
async def save_settings(request: Asking, store: str) -> Response[bytes]:
    """Save which letters go by themselves, and in which language."""
    visit = await _begin(request, store)
    chosen: Any = [kind for kind in BY_THEMSELVES if visit.typed(kind, 1)]
    language: Any = visit.typed("language", 8)
    change = StoreChange(letters=chosen, language=language)
    await do_once(visit, lambda one: change_store(one, visit.actor, store, change))
    return respond.go(f"/portal/letter-texts/{store}?saved=settings")


@get("/letter-texts/{store:str}/{kind:str}/{language:str}")
async def text_page(request: Asking, store: str, kind: str, language: str) -> Response[bytes]:
    """Show a text with everything that writing it needs."""
    visit = await _begin(request, store)
    place = Place(store, kind, language)
    now = await _find(visit, place)
    source = Text(subject=now.subject, body=now.body)
    wanted = request.query_params.get("from", "")
    if wanted == "previous" and now.previous is not None:
        source = now.previous
    elif wanted == "built-in":
        source = built_in(kind, language)
    form = Form(values={"subject": source.subject, "body": source.body})
    said = SAVED.get(request.query_params.get("saved", ""), "")
    return _show(visit, place, now, form, said=said)


@post("/letter-texts/{store:str}/{kind:str}/{language:str}", status_code=200)
async def save_text(request: Asking, store: str, kind: str, language: str) -> Response[bytes]:
    """Save a store's own text; what is wrong with it is told with the line."""
    visit = await _begin(request, store)
    place, form = Place(store, kind, language), _typed(visit)
    wanted = Template(
        store=store, kind=kind, language=language, subject=form.values["subject"],
        body=form.values["body"], own=True,
    )
    now = await _find(visit, place)
    seen = visit.minor("seen")
    try:
        await do_once(visit, lambda one: keep_template(one, visit.actor, wanted, seen))
    except ValidationFailed as refused:
        _tell(refused, form)
    except VersionConflict:
        now = await _find(visit, place)
        form.notices.append(
            f"{now.updated_by or 'Somebody'} changed this text meanwhile. Yours is kept here;"
            " saving it again replaces theirs, which stays as the previous one."
        )
    if form.refused:
        return _show(visit, place, now, form)
    return respond.go(f"{place.path}?saved=saved")


@post("/letter-texts/{store:str}/{kind:str}/{language:str}/reset", status_code=200)
async def reset_text(request: Asking, store: str, kind: str, language: str) -> Response[bytes]:
    """Use the built-in text again."""
    visit = await _begin(request, store)
    place = Place(store, kind, language)
    await do_once(visit, lambda one: reset_template(one, visit.actor, *place.key))
    return respond.go(f"{place.path}?saved=reset")


@post("/letter-texts/{store:str}/{kind:str}/{language:str}/preview", status_code=200)
async def preview_text(request: Asking, store: str, kind: str, language: str) -> Response[bytes]:
    """Show a text as a letter, about an order or a sample; saved or not."""
    visit = await _begin(request, store)
    place, form = Place(store, kind, language), _typed(visit)
    await _find(visit, place)
    try:
        written = await _filled(visit, place, form)
    except (ValidationFailed, NotFound) as problem:
        found = problem.errors or [{"detail": problem.detail}]
        page = pages.render("letters/faults.html", visit.frame, faults=found)
        return _framed(page, status=422)
    if visit.typed("as", 8) == "text":
        shown = f"{written.subject}\n\n{written.text}"
        return _framed(shown, kind="text/plain; charset=utf-8")
    return _framed(written.html)


@post("/letter-texts/{store:str}/{kind:str}/{language:str}/test", status_code=200)
async def test_text(request: Asking, store: str, kind: str, language: str) -> Response[bytes]:
    """Send a text as it is typed to who asks."""
    visit = await _begin(request, store)
    place, form = Place(store, kind, language), _typed(visit)
    now = await _find(visit, place)
    try:
        written = await _filled(visit, place, form)
    except (ValidationFailed, NotFound) as problem:
        _tell(problem, form)
        return _show(visit, place, now, form)
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        told = await send_test(
            visit.works, connection, visit.actor, written, visit.session.user.email
        )
    title = "The test has left" if told.ok else "The test was not sent"
    return visit.page("letters/tested.html", title=title, told=told, back=place.path)


async def _filled(visit: Visit, place: Place, form: Form) -> Written:
    number = form.values["order"]
    text = Text(subject=form.values["subject"], body=form.values["body"])
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        order_id = None
        if number:
            order_id = await order_numbered(connection, visit.actor, place.store, number)
            if order_id is None:
                raise NotFound(f"The store has no order {number}.")
        return await preview(connection, visit.actor, text, place.key, order_id)


async def _find(visit: Visit, place: Place) -> Template:
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        return await find_template(connection, *place.key)


async def _stores(visit: Visit) -> list[Store]:
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        stores = (await list_stores(connection, limit=100)).data
    own = visit.actor.stores
    return [store for store in stores if own is None or store.code in own]


def _typed(visit: Visit) -> Form:
    """Read the form; one character more than is allowed is taken, so that it can be told."""
    return Form(values={
        "subject": visit.typed("subject", SUBJECT_MAX + 1),
        "body": visit.typed("body", BODY_MAX + 1).replace("\r\n", "\n"),
        "order": visit.typed("order", 64),
    })


def _tell(problem: Problem, form: Form) -> None:
    """Put what is wrong to its field."""
    said: dict[str, list[str]] = {}
    for error in problem.errors or [{"pointer": "/order", "detail": problem.detail}]:
        said.setdefault(error["pointer"].strip("/"), []).append(error["detail"])
    for name, found in said.items():
        form.errors[name] = " ".join(found[:5])


def _show(
    visit: Visit, place: Place, now: Template, form: Form, *, said: str = ""
) -> Response[bytes]:
    return visit.page(
        "letters/text.html",
        status=422 if form.refused else 200,
        headers=WITH_FRAME,
        place=place,
        current=now,
        called=kind_name(place.kind),
        language=LANGUAGES[place.language],
        names=names_of(words_of(place.kind)),
        form=form,
        said=said,
        most=BODY_MAX,
        to=visit.session.user.email,
        at_once=True,
    )


def _framed(page: str, *, kind: str = respond.HTML, status: int = 200) -> Response[bytes]:
    headers = {
        **respond.SAFETY,
        "Content-Security-Policy": PREVIEW_POLICY,
        "Cache-Control": "no-store",
    }
    return Response(page.encode(), status_code=status, media_type=kind, headers=headers)


ROUTES = [
    stores_page,
    texts_page,
    save_settings,
    text_page,
    save_text,
    reset_text,
    preview_text,
    test_text,
]
