"""Review rules: what a store screens new orders by, and what they make of an order. [N-24]"""

from litestar import Response, get, post

from counterfoil.book.lists import Filters, list_orders
from counterfoil.book.reviews import screened
from counterfoil.order.screening import ReviewRules, judge
from counterfoil.portal import respond
from counterfoil.portal.doing import do_once
from counterfoil.portal.forms import Form
from counterfoil.portal.respond import Asking
from counterfoil.portal.review_forms import LABELS, Verdict, shown, typed_rules
from counterfoil.portal.routes.capture import form_status
from counterfoil.portal.shelf import Shelf, begin_at_store
from counterfoil.portal.visit import Visit
from counterfoil.setup.review_rules import read_rules, save_rules

RIGHT, HERE = "settings.manage", "review-rules"
PATH = "/portal/config/review-rules"


@get("/config/review-rules")
async def rules_page(request: Asking) -> Response[bytes]:
    """Show a store's rules in their form."""
    visit, shelf = await begin_at_store(request, RIGHT, here=HERE)
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        rules = await read_rules(connection, shelf.store.code)
    saved = "saved" in request.query_params
    return _show(visit, shelf, shown(rules), said="Saved. New orders are screened so." * saved)


@post("/config/review-rules", status_code=200)
async def save(request: Asking) -> Response[bytes]:
    """Save the rules; orders that are here already are not screened again."""
    visit, shelf = await begin_at_store(request, RIGHT, here=HERE)
    form, rules = typed_rules(visit)
    if rules is None:
        return _show(visit, shelf, form)
    wanted = rules
    await do_once(
        visit, lambda connection: save_rules(connection, visit.actor, shelf.store.code, wanted)
    )
    return respond.go(f"{PATH}?store={shelf.store.code}&saved=1")


@post("/config/review-rules/try", status_code=200)
async def try_rules(request: Asking) -> Response[bytes]:
    """Tell what the rules as typed would have made of an order; nothing is saved."""
    visit, shelf = await begin_at_store(request, RIGHT, here=HERE)
    form, rules = typed_rules(visit)
    verdict = None
    if rules is not None:
        verdict = await _try(visit, shelf, form, rules)
    return _show(visit, shelf, form, verdict=verdict)


async def _try(visit: Visit, shelf: Shelf, form: Form, rules: ReviewRules) -> Verdict | None:
    number = form.values["number"]
    if not number:
        form.errors["number"] = "Order number: write the number of an order."
        return None
    filters = Filters(number=(number,), store=(shelf.store.code,))
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        listed = (await list_orders(connection, visit.actor, filters, limit=1)).data
        found = await screened(connection, visit.actor, listed[0].id, rules) if listed else None
    if found is None:
        form.errors["number"] = f"Order number: {shelf.store.name} has no order {number[:40]}."
        return None
    order, screening = found
    return Verdict(order.number, order.id, judge(screening, order))


def _show(
    visit: Visit, shelf: Shelf, form: Form, *, verdict: Verdict | None = None, said: str = ""
) -> Response[bytes]:
    return visit.page(
        "reviews/rules.html",
        status=form_status(form),
        shelf=shelf,
        form=form,
        verdict=verdict,
        labels=LABELS,
        said=said,
    )


ROUTES = [rules_page, save, try_rules]
