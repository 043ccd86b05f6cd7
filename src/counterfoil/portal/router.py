"""The portal as one router."""

from litestar import Response, Router, get

from counterfoil.kernel.problem import NotFound
from counterfoil.portal import respond
from counterfoil.portal.assets_served import static_file
from counterfoil.portal.respond import Asking
from counterfoil.portal.routes import (
    access,
    approvals,
    cancel,
    cancel_request,
    capture,
    changes,
    deliveries,
    drift,
    edits,
    gateways,
    holds,
    inbound,
    item_states,
    items,
    ledger,
    letter_texts,
    letters,
    lists,
    live,
    mail,
    methods,
    migrations,
    operations,
    order,
    paper,
    parcels,
    pay,
    payments,
    reconciliation,
    refund,
    returns,
    returns_list,
    returns_steps,
    review_rules,
    reviews,
    settings,
    shipment_method,
    shipment_steps,
    shipments,
    shipments_list,
    states,
    ticked,
    void,
    worklists,
)
from counterfoil.portal.visit import Visit


@get(["/", "/portal"])
async def front(request: Asking) -> Response[bytes]:
    """Send people on to where the work is."""
    return respond.go("/portal/orders/open")


@get("/portal/{rest:path}")
async def nowhere(request: Asking, rest: str) -> Response[bytes]:
    """Tell that there is no such page, with the menu where somebody is signed in."""
    await Visit.begin(request)
    raise NotFound("There is no such page.")


def create_portal() -> Router:
    """Make the router of the pages; `app` hangs it beside the API, with `app.state.works`."""
    pages = Router(
        path="/portal",
        route_handlers=[
            *access.ROUTES,
            *lists.ROUTES,
            *live.ROUTES,
            *order.ROUTES,
            *paper.ROUTES,
            *changes.ROUTES,
            *edits.ROUTES,
            *capture.ROUTES,
            *void.ROUTES,
            *pay.ROUTES,
            *payments.ROUTES,
            *worklists.ROUTES,
            *refund.ROUTES,
            *returns_list.ROUTES,
            *returns.ROUTES,
            *returns_steps.ROUTES,
            *approvals.ROUTES,
            *cancel.ROUTES,
            *cancel_request.ROUTES,
            *shipments.ROUTES,
            *shipments_list.ROUTES,
            *shipment_method.ROUTES,
            *parcels.ROUTES,
            *shipment_steps.ROUTES,
            *ticked.ROUTES,
            *items.ROUTES,
            *item_states.ROUTES,
            *operations.ROUTES,
            *gateways.ROUTES,
            *reconciliation.ROUTES,
            *drift.ROUTES,
            *ledger.ROUTES,
            *inbound.ROUTES,
            *letters.ROUTES,
            *letter_texts.ROUTES,
            *mail.ROUTES,
            *states.ROUTES,
            *migrations.ROUTES,
            *methods.ROUTES,
            *deliveries.ROUTES,
            *holds.ROUTES,
            *reviews.ROUTES,
            *review_rules.ROUTES,
            *settings.ROUTES,
        ],
    )
    return Router(
        path="/",
        route_handlers=[front, static_file, nowhere, pages],
        include_in_schema=False,
    )
