"""Work lists: reservations that end soon, and tasks that wait for a person. [faults A-4; Z-15]"""

from litestar import Response, get, post

from counterfoil.actions.finish_task import RIGHTS, finish_task
from counterfoil.book.opening import open_folder
from counterfoil.book.waiting import expiring, tasks
from counterfoil.book.worklists import ending_sums
from counterfoil.kernel.problem import NotFound, PermissionDenied, Problem
from counterfoil.order.folder import Folder
from counterfoil.order.tells import tell_task
from counterfoil.portal.commands import run
from counterfoil.portal.counts import WORK
from counterfoil.portal.forms import Form
from counterfoil.portal.reading import own_id
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.visit import Visit
from counterfoil.portal.worklists_view import expiring_row, plots, task_row

SHOWN = 50
WITHIN = ((1, "An hour"), (24, "A day"), (168, "A week"), (8760, "All"))
WEEK_H = 168


@get("/expiring")
async def expiring_page(request: Asking) -> Response[bytes]:
    """List the reservations that end soon, the soonest first, with what they add up to."""
    visit = await Visit.begin(request, "orders.read", here="expiring")
    asked = request.query_params.get("within", "")
    within = next((hours for hours, _ in WITHIN if str(hours) == asked), WEEK_H)
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        page = await expiring(
            connection,
            visit.actor,
            within_hours=within,
            limit=SHOWN,
            cursor=request.query_params.get("after"),
        )
        sums = await ending_sums(connection, visit.actor, hours=within)
    more = f"/portal/expiring?within={within}&after={page.next_cursor}" if page.next_cursor else ""
    return visit.page(
        "operations/expiring.html",
        rows=[expiring_row(one) for one in page.data],
        count=page.count,
        plots=plots(sums),
        within=within,
        choices=WITHIN,
        later=more,
    )


@get("/tasks")
async def tasks_page(request: Asking) -> Response[bytes]:
    """List what a person has to see to, the oldest first, or what is done."""
    visit = await Visit.begin(request, "orders.read", here="tasks")
    done = request.query_params.get("status") == "done"
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        page = await tasks(
            connection,
            visit.actor,
            status="DONE" if done else "OPEN",
            limit=SHOWN,
            cursor=request.query_params.get("after"),
        )
    base = "/portal/tasks?status=done&" if done else "/portal/tasks?"
    return visit.page(
        "operations/tasks.html",
        rows=[task_row(one) for one in page.data],
        count=page.count,
        done=done,
        may_end=any(visit.actor.can(right) for right in RIGHTS),
        later=f"{base}after={page.next_cursor}" if page.next_cursor else "",
    )


@get("/tasks/{task_id:str}/done")
async def done_form(request: Asking, task_id: str) -> Response[bytes]:
    """Ask what was done."""
    visit = await _begin(request)
    folder = await _folder(visit, task_id)
    return _show(visit, folder, task_id, Form(version=folder.order.version))


@post("/tasks/{task_id:str}/done", status_code=200)
async def done_now(request: Asking, task_id: str) -> Response[bytes]:
    """Note that a task is seen to, and by whom."""
    visit = await _begin(request)
    folder = await _folder(visit, task_id)
    note = visit.typed("note", 2000)
    form = Form(version=folder.order.version, values={"note": note})
    if not note:
        form.errors["note"] = "Write down what you did; others will ask."
        return _show(visit, folder, task_id, form)
    try:
        await run(visit, folder.order.id, finish_task, task_id=own_id(task_id), note=note)
    except Problem as problem:
        if problem.status not in (409, 422):
            raise
        form.notices.append(problem.title)
        return _show(visit, folder, task_id, form)
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        await WORK.fresh(connection, visit.actor)
    return visit.page(
        "operations/task_done.html",
        task_id=own_id(task_id),
        note=note,
        number=folder.order.number,
        order_id=folder.order.id,
        back="/portal/tasks",
        listed=visit.came_from("/portal/tasks"),
    )


async def _begin(request: Asking) -> Visit:
    visit = await Visit.begin(request)
    if not any(visit.actor.can(right) for right in RIGHTS):
        raise PermissionDenied(permission=RIGHTS[0])
    return visit


async def _folder(visit: Visit, task_id: str) -> Folder:
    """Open the order of a task. Raises NotFound, also for what is another store's."""
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        needs = frozenset({"tasks"})
        opened = await open_folder(connection, own_id(task_id), needs, found_by="tasks")
    folder, actor = opened.folder, visit.actor
    if folder is None or (actor.stores is not None and folder.order.store not in actor.stores):
        raise NotFound("There is no such task.")
    return folder


def _show(visit: Visit, folder: Folder, task_id: str, form: Form) -> Response[bytes]:
    wanted = own_id(task_id)
    task = next(one for one in folder.tasks if one.id == wanted)
    return visit.page(
        "operations/task.html",
        status=form_status(form),
        row=task_row(tell_task(task)),
        number=folder.order.number,
        form=form,
        back="/portal/tasks",
    )


ROUTES = [expiring_page, tasks_page, done_form, done_now]
