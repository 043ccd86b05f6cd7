"""The order page: the whole, its regions alone, and its life while somebody looks."""

from typing import Any

from litestar import Response, get, post

from counterfoil.kernel.problem import NotFound
from counterfoil.order.telling_cancellation import cancellations_seen
from counterfoil.order.transaction import UNSETTLED
from counterfoil.portal import respond
from counterfoil.portal.cancel_panel import cancellation_panel
from counterfoil.portal.commands import happened
from counterfoil.portal.forms import Form
from counterfoil.portal.listing import way_back
from counterfoil.portal.order_view import Crumb
from counterfoil.portal.reading import ALL, FIRST, Read, own_id, read_order, tab_of
from counterfoil.portal.respond import Asking
from counterfoil.portal.results import panel, tag_of, view_of
from counterfoil.portal.timeline import Facts, facts_of
from counterfoil.portal.visit import Visit
from counterfoil.work.now import settle_one


@get("/orders/{order_id:str}")
async def order_page(request: Asking, order_id: str) -> Response[bytes]:
    """Show an order with everything that hangs on it."""
    visit = await Visit.begin(request, "orders.read", here="open")
    whole = "all" in request.query_params
    read = await read_order(visit, order_id, facts_max=ALL if whole else FIRST)
    crumb = Crumb(*way_back(request.query_params.get("from", "")))
    facts = facts_of(read, whole=whole)
    view = view_of(visit, read, facts, crumb=crumb)
    return visit.page("order/page.html", order=read.order, view=view)


@get("/orders/{order_id:str}/payments")
async def payments_tab(request: Asking, order_id: str) -> Response[bytes]:
    """Show one of the tabs of the payments; without script, the page with that tab."""
    visit = await Visit.begin(request, "orders.read")
    tab = tab_of(visit)
    address = f"/portal/orders/{own_id(order_id)}" + ("" if tab == "status" else f"?tab={tab}")
    if not visit.part:
        return respond.go(address)
    read = await read_order(visit, order_id)
    view = view_of(visit, read, facts_of(read))
    return _region(visit, read, "payments", view, headers={"HX-Push-Url": address})


@get("/orders/{order_id:str}/timeline")
async def timeline(request: Asking, order_id: str) -> Response[bytes]:
    """Show the whole timeline."""
    visit = await Visit.begin(request, "orders.read")
    if not visit.part:
        return respond.go(f"/portal/orders/{own_id(order_id)}?all=1")
    read = await read_order(visit, order_id, facts_max=ALL)
    view = view_of(visit, read, facts_of(read, whole=True))
    return _region(visit, read, "timeline", view)


@get("/orders/{order_id:str}/transactions/{transaction_id:str}/result")
async def result(request: Asking, order_id: str, transaction_id: str) -> Response[bytes]:
    """Show what became of a movement, as often as a panel asks."""
    visit = await Visit.begin(request, "orders.read", whole=True)
    read = await read_order(visit, order_id)
    one = next((t for t in read.folder.transactions if t.id == transaction_id), None)
    if one is None:
        raise NotFound("There is no such movement.")
    tag = tag_of(visit, one)
    if request.headers.get("hx-ptag") == tag:
        return respond.unchanged()
    answer = panel(visit, read, one.id, facts_of(read))
    answer.headers["HX-PTag"] = tag
    return answer


@get("/orders/{order_id:str}/cancellations/{plan_id:str}/result")
async def cancellation_result(request: Asking, order_id: str, plan_id: str) -> Response[bytes]:
    """Show how far a cancellation has come."""
    visit = await Visit.begin(request, "orders.read")
    read = await read_order(visit, order_id)
    seen = cancellations_seen(read.folder, visit.actor)
    plan = next((one for one in seen if one.id == plan_id), None)
    if plan is None:
        raise NotFound("There is no such cancellation.")
    return cancellation_panel(visit, read, plan, facts_of(read))


@get("/requests/{key:str}")
async def what_happened(request: Asking, key: str) -> Response[bytes]:
    """Tell what became of a form whose answer was lost."""
    visit = await Visit.begin(request, "orders.read")
    return await happened(visit, key[:255])


@post("/orders/{order_id:str}/ask", status_code=200)
async def ask_again(request: Asking, order_id: str) -> Response[bytes]:
    """Ask the provider at once about everything of this order that is not known."""
    visit = await Visit.begin(request, "payments.sync", whole=True)
    read = await read_order(visit, order_id)
    waiting = [one.id for one in read.folder.transactions if one.status in UNSETTLED]
    for transaction_id in waiting:
        await settle_one(visit.works, visit.actor.account_id, transaction_id)
    after = await read_order(visit, order_id)
    left = sum(1 for one in after.folder.transactions if one.status in UNSETTLED)
    said = "It is known now." if waiting and not left else "The provider has not answered yet."
    return await after_save(
        visit,
        read.order.id,
        "payments",
        ("head", "attention", "refunds", "timeline", "live"),
        said=said,
    )


async def after_save(
    visit: Visit, order_id: str, region: str, changed: tuple[str, ...], **more: Any
) -> Response[bytes]:
    """Show what a save changed: its region and the ones beside it; without script, the page.

    `closes`: the form was a dialog that closes now. `said`: what is announced. Forms of the view
    may be given by name (`note_form=…`). `land`: the element that the focus goes to.
    """
    if not visit.part:
        return respond.go(f"/portal/orders/{order_id}#order-{region}")
    closes, said, land = more.pop("closes", False), more.pop("said", "Saved"), more.pop("land", "")
    read = await read_order(visit, order_id)
    view = view_of(visit, read, facts_of(read), land=land)
    for name, form in more.items():
        form.version = read.order.version
        setattr(view, name, form)
    if region == "payments":
        view.said = said
    elif region == "items" and not closes:
        view.goods_said = said
    rest = changed if closes else tuple(name for name in changed if name != region)
    return visit.region(
        "order/saved.html",
        order=read.order,
        view=view,
        region=region,
        changed=rest,
        closes=closes,
        said=said,
    )


def refused_region(
    visit: Visit, read: Read, region: str, form: Form, facts: Facts
) -> Response[bytes]:
    """Show a region's form again as it was typed; without script, the page with that form."""
    view = view_of(visit, read, facts, **{f"{region}_form": form})
    name = {"note": "notes"}.get(region, region)
    status = 412 if form.conflict else 422 if form.errors else 409
    if not visit.part:
        return visit.page("order/page.html", order=read.order, view=view, status=status)
    return _region(visit, read, name, view, status=status)


def _region(visit: Visit, read: Read, name: str, view: Any, **more: Any) -> Response[bytes]:
    return visit.region(
        "order/saved.html",
        order=read.order,
        view=view,
        region=name,
        changed=(),
        closes=False,
        said="",
        **more,
    )


ROUTES = [
    order_page,
    payments_tab,
    timeline,
    result,
    cancellation_result,
    ask_again,
    what_happened,
]
