"""The review queue, and deciding: pass, fail, take, give back, send to review. [N-21…N-28]"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Response, get, post

from counterfoil.actions.cancel import cancelable
from counterfoil.actions.decide_review import fail_review, pass_review
from counterfoil.actions.review import (
    SENDERS,
    give_review_back,
    put_review_off,
    reviewable,
    send_to_review,
    take_review,
    take_review_up,
    waiting_review,
)
from counterfoil.book.reviews import count_reviews, list_reviews
from counterfoil.kernel.problem import PermissionDenied, Problem
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.portal import respond
from counterfoil.portal.commands import Wanted, repeated, run, run_money
from counterfoil.portal.counts import REVIEWS
from counterfoil.portal.forms import Form
from counterfoil.portal.reading import Read, own_id, read_order, why_not
from counterfoil.portal.respond import Asking
from counterfoil.portal.reviewing import review_row, review_view, say_fail, say_pass
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.routes.holds import REGIONS, closed
from counterfoil.portal.routes.order import after_save
from counterfoil.portal.saying_cancel import whole_steps
from counterfoil.portal.visit import Visit

RIGHT, QUEUE = "reviews.decide", "/portal/reviews"
SHOWN = 50
TABS = (("waiting", "Waiting"), ("passed", "Passed"), ("failed", "Failed"))
NOTE_NEEDED = "Write down what you found; others will ask."


@get("/reviews")
async def queue_page(request: Asking) -> Response[bytes]:
    """List the orders that wait for a review, the oldest first, or what was decided."""
    visit = await Visit.begin(request, "orders.read", here="reviews")
    asked = request.query_params.get("status", "")
    status: Any = asked if asked in ("passed", "failed") else "waiting"
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        page = await list_reviews(
            connection,
            visit.actor,
            status=status,
            limit=SHOWN,
            cursor=request.query_params.get("after"),
        )
        counts = await count_reviews(connection, visit.actor, _midnight(visit))
    return visit.page(
        "reviews/queue.html",
        rows=[review_row(one, visit.frame.now, visit.actor.id) for one in page.data],
        which=status,
        tabs=TABS,
        counts=counts,
        found=page.count,
        more=f"{QUEUE}?status={status}&after={page.next_cursor}" if page.next_cursor else "",
    )


@post("/orders/{order_id:str}/review/take", status_code=200)
async def take(request: Asking, order_id: str) -> Response[bytes]:
    """Say that one looks at it."""
    return await _assign(request, order_id, take_review)


@post("/orders/{order_id:str}/review/give-back", status_code=200)
async def give_back(request: Asking, order_id: str) -> Response[bytes]:
    """Let others look at it."""
    return await _assign(request, order_id, give_review_back)


@post("/orders/{order_id:str}/review/put-off", status_code=200)
async def put_off(request: Asking, order_id: str) -> Response[bytes]:
    """Say that it needs more time."""
    return await _assign(request, order_id, put_review_off)


@post("/orders/{order_id:str}/review/take-up", status_code=200)
async def take_up(request: Asking, order_id: str) -> Response[bytes]:
    """Say that it is looked at again."""
    return await _assign(request, order_id, take_review_up)


@get("/orders/{order_id:str}/review/pass")
async def pass_form(request: Asking, order_id: str) -> Response[bytes]:
    """Say where the order goes when it passes, and ask for a note."""
    visit, read = await _begin(request, order_id)
    if why := why_not(waiting_review, read.folder):
        return closed(visit, read, f"Pass order {read.order.number}", why)
    return _show_pass(visit, read, Form(version=read.order.version))


@post("/orders/{order_id:str}/review/pass", status_code=200)
async def pass_now(request: Asking, order_id: str) -> Response[bytes]:
    """Pass the review."""
    visit, read = await _begin(request, order_id)
    form = _typed(visit, read)
    if not form.refused:
        try:
            await run(visit, read.order.id, pass_review, note=form.values["note"])
        except Problem as problem:
            if problem.status != 409:
                raise
            form.notices.append(problem.detail)
            read = await read_order(visit, order_id)
    if form.refused:
        return _show_pass(visit, read, form)
    await _recount(visit)
    if visit.came_from(QUEUE):
        return await _decided(visit, order_id)
    return await after_save(
        visit, read.order.id, "holds", REGIONS, closes=True, said="The review is passed"
    )


@get("/orders/{order_id:str}/review/fail")
async def fail_form(request: Asking, order_id: str) -> Response[bytes]:
    """Show what failing does with the money, step by step, and ask for a note."""
    visit, read = await _begin(request, order_id)
    if why := why_not(failable, read.folder, Asked(actor=visit.actor)):
        return closed(visit, read, f"Fail order {read.order.number}", why)
    return _show_fail(visit, read, Form(version=read.order.version))


@post("/orders/{order_id:str}/review/fail", status_code=200)
async def fail_now(request: Asking, order_id: str) -> Response[bytes]:
    """Fail the review: the cancellation runs, on the balance that was shown."""
    visit, read = await _begin(request, order_id)
    if again := await repeated(visit, order_id):
        return again
    form = _typed(visit, read)
    wanted = Wanted(
        action=fail_review,
        measure="all",
        form=form,
        arguments={"note": form.values["note"] or None},
        show=lambda again: _show_fail(visit, again, form),
    )
    answer = await run_money(visit, read, wanted)
    await _recount(visit)
    return answer


@get("/orders/{order_id:str}/review/open")
async def open_form(request: Asking, order_id: str) -> Response[bytes]:
    """Say what a review does to an order, and ask why."""
    visit, read = await _begin(request, order_id, SENDERS)
    if why := why_not(reviewable, read.folder):
        return closed(visit, read, f"Send order {read.order.number} to review", why)
    return _show_open(visit, read, Form(version=read.order.version))


@post("/orders/{order_id:str}/review/open", status_code=200)
async def open_now(request: Asking, order_id: str) -> Response[bytes]:
    """Send the order to review."""
    visit, read = await _begin(request, order_id, SENDERS)
    form = _typed(visit, read)
    if not form.refused:
        try:
            await run(visit, read.order.id, send_to_review, note=form.values["note"])
        except Problem as problem:
            if problem.status != 409:
                raise
            form.notices.append(problem.detail)
    if form.refused:
        return _show_open(visit, read, form)
    await _recount(visit)
    return await after_save(
        visit, read.order.id, "holds", REGIONS, closes=True, said="The order waits for a review"
    )


def failable(folder: Folder, asked: Asked) -> None:
    """Say why an order's review cannot be failed, if it cannot."""
    waiting_review(folder)
    if folder.order.system_state != "CANCELED":
        cancelable(folder, asked)


async def _begin(
    request: Asking, order_id: str, rights: tuple[str, ...] = (RIGHT,)
) -> tuple[Visit, Read]:
    visit = await Visit.begin(request, whole=True)
    if not any(visit.actor.can(right) for right in rights):
        raise PermissionDenied(
            f"You lack the right {' or '.join(rights)}.", permission=rights[0]
        )
    return visit, await read_order(visit, order_id)


async def _assign(
    request: Asking, order_id: str, action: Callable[..., Any]
) -> Response[bytes]:
    visit = await Visit.begin(request, RIGHT, whole=True)
    order_id, said = own_id(order_id), "Saved"
    try:
        await run(visit, order_id, action)
    except Problem as problem:
        if problem.status != 409:
            raise
        said = problem.detail
    if not visit.part and visit.typed("back", 20) == "reviews":
        return respond.go(QUEUE)
    return await after_save(
        visit, order_id, "holds", ("head", "attention", "timeline", "live"), said=said
    )


async def _decided(visit: Visit, order_id: str) -> Response[bytes]:
    read = await read_order(visit, order_id)
    return visit.page(
        "reviews/decided.html",
        order=read.order,
        review=review_view(read.order, visit.actor.id),
        back=QUEUE,
    )


async def _recount(visit: Visit) -> None:
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        await REVIEWS.fresh(connection, visit.actor)


def _typed(visit: Visit, read: Read) -> Form:
    note = visit.typed("note", 2000)
    form = Form(version=read.order.version, values={"note": note})
    if not note:
        form.errors["note"] = NOTE_NEEDED
    return form


def _midnight(visit: Visit) -> datetime:
    here = visit.frame.now.astimezone(ZoneInfo(visit.frame.zone))
    return here.replace(hour=0, minute=0, second=0, microsecond=0)


def _about(visit: Visit, read: Read, form: Form) -> dict[str, Any]:
    return {
        "status": form_status(form),
        "order": read.order,
        "review": review_view(read.order, visit.actor.id),
        "form": form,
        "back": f"/portal/orders/{read.order.id}#order-holds",
    }


def _show_pass(visit: Visit, read: Read, form: Form) -> Response[bytes]:
    waits = not why_not(waiting_review, read.folder)
    lines = say_pass(read.folder) if waits else ()
    return visit.page("reviews/pass.html", lines=lines, **_about(visit, read, form))


def _show_fail(visit: Visit, read: Read, form: Form) -> Response[bytes]:
    ask, say = whole_steps(read.folder)
    return visit.page(
        "reviews/fail.html",
        ask=ask,
        lines=say_fail(read.folder),
        say=say,
        preview=False,
        **_about(visit, read, form),
    )


def _show_open(visit: Visit, read: Read, form: Form) -> Response[bytes]:
    return visit.page("reviews/open.html", **_about(visit, read, form))


ROUTES = [
    queue_page,
    take,
    give_back,
    put_off,
    take_up,
    pass_form,
    pass_now,
    fail_form,
    fail_now,
    open_form,
    open_now,
]
