"""Reading an order for its page: one folder, and what the page says beside it.

Sentences that say why a door is closed come from the actions' own checks, so page and action cannot
disagree.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import msgspec

from counterfoil.actions.capture import capturable
from counterfoil.actions.change_state import check_state
from counterfoil.actions.edit_lines import may_be_edited
from counterfoil.actions.hold import may_be_held
from counterfoil.actions.pay import due_now, require_payable
from counterfoil.actions.review import reviewable
from counterfoil.actions.ship import check_gate
from counterfoil.book.balances import EntryShape, entries_of_order
from counterfoil.book.looking import GatewayCall
from counterfoil.book.page import open_page
from counterfoil.kernel.problem import NotFound, Problem
from counterfoil.order.actor import Actor
from counterfoil.order.config import OrderState
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.life import ORDER
from counterfoil.order.problems import InvalidState
from counterfoil.order.shapes import FactShape, OrderShape
from counterfoil.order.telling import TOLD, tell_order
from counterfoil.order.tells import tell_transaction
from counterfoil.portal.approving import why_waits
from counterfoil.portal.order_view import Known
from counterfoil.portal.paying import judge
from counterfoil.portal.visit import Visit
from counterfoil.portal.words import REFUSED

FIRST = 50
ALL = 2000
NEEDS = frozenset(TOLD) | {"transactions", "states", "methods", "cancellations", "gateways"}


SENTENCES = REFUSED
#: The ledger of an order is short; a longer one is told in full by the API.
ENTRIES = 100
#: A number of more digits than this is no page of lines.
LONG = 4
TABS = ("status", "history", "ledger")


class Read(msgspec.Struct, frozen=True):
    """An order as opened, and as the actor may see it, with its newest facts."""

    folder: Folder
    order: OrderShape
    facts: list[FactShape]
    calls: list[GatewayCall]
    entries: list[EntryShape] = []


async def read_order(
    visit: Visit, order_id: str, *, facts_max: int = FIRST, also: frozenset[str] = frozenset()
) -> Read:
    """Read an order in one round trip; its ledger in one more, where that is looked at.

    `also`: sections of the folder that few pages need. Raises NotFound, also for what is another
    store's.
    """
    actor = visit.actor
    wanted, entries = own_id(order_id), list[EntryShape]()
    async with visit.works.pool.connection(actor.account_id) as connection:
        page = await open_page(connection, actor, wanted, NEEDS | also, facts_max=facts_max + 1)
        if page is not None and tab_of(visit) == "ledger":
            entries = list((await entries_of_order(connection, wanted, limit=ENTRIES)).data)
    if page is None or (actor.stores is not None and page.folder.order.store not in actor.stores):
        raise NotFound("There is no such order that you may see. It may be in another store.")
    folder = page.folder
    order = tell_order(folder, actor)
    if actor.merchants is not None and not order.bags:
        raise NotFound("There is no such order that you may see. It may be in another store.")
    return Read(folder, order, page.facts, page.calls, entries)


def tab_of(visit: Visit) -> str:
    """Tell which tab of the payments is looked at: asked for, or that of the page below."""
    below = parse_qs(urlsplit(visit.request.headers.get("hx-current-url", "")).query)
    asked = visit.request.query_params.get("tab") or below.get("tab", ["status"])[-1]
    if asked == "ledger" and not (visit.actor.can("reports.read") and not visit.actor.merchants):
        return "status"
    return asked if asked in TABS else "status"


def lines_page_of(visit: Visit) -> int:
    """Tell which hundred of a long bag's lines is looked at, in the page or in that below."""
    below = parse_qs(urlsplit(visit.request.headers.get("hx-current-url", "")).query)
    asked = visit.request.query_params.get("lines") or below.get("lines", ["1"])[-1]
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < LONG else 1


def own_id(text: str) -> str:
    """Take an id of an address. Raises NotFound where it can be nobody's."""
    try:
        return str(UUID(text))
    except ValueError as wrong:
        raise NotFound("There is nothing under this address.") from wrong


def why_not(check: Callable[..., Any], *arguments: Any) -> str:
    """Ask an action's own check, and take its sentence where it refuses."""
    try:
        check(*arguments)
    except Problem as problem:
        return SENTENCES.get(problem.code, problem.detail)
    return ""


def known(folder: Folder, actor: Actor, **more: Any) -> Known:
    """Collect what the order page says beside the order."""
    asked = Asked(actor=actor, source="portal")
    whole = actor.merchants is None
    return Known(
        payable=whole and not why_not(check_payable, folder) and actor.can("orders.edit"),
        transactions=[
            tell_transaction(one)
            for one in sorted(folder.transactions, key=lambda t: (t.created_at, t.id), reverse=True)
        ]
        if whole
        else [],
        states=_states(folder),
        gateways={gateway.code: gateway_name(gateway.code) for gateway in folder.gateways},
        methods={method.code: method.name for method in folder.methods},
        gate=why_not(check_gate, folder),
        hold_why=why_not(may_be_held, folder),
        review_why=why_not(reviewable, folder),
        edit_why=why_not(may_be_edited, folder),
        whole=whole,
        actor_id=actor.id,
        now=folder.at,
        judged={one.id: judge(folder, one, actor) for one in folder.payments} if whole else {},
        refund_doors={
            one.id: why_waits(folder, one, actor)
            for one in folder.refunds
            if one.waits_for_approval
        },
        money_why=_money_why(folder, asked),
        **more,
    )


def gateway_name(code: str) -> str:
    """Name a gateway as people know it."""
    return code.replace("_", " ").replace("-", " ").capitalize()


def gateway_of(folder: Folder) -> str:
    """Name the gateway that an order's money runs through."""
    return next((gateway_name(payment.gateway) for payment in folder.payments), "the gateway")


def _states(folder: Folder) -> list[tuple[OrderState, str]]:
    """List the store's states, each with the sentence that closes it now."""
    now = folder.order.system_state
    reached = (now, *ORDER.targets(now))
    return [
        (
            state,
            why_not(check_state, folder, state)
            if state.system_state in reached
            else f"Not from {folder.state.name}.",
        )
        for state in folder.states
    ]


def check_payable(folder: Folder) -> None:
    """Go on where another payment may be taken. Raises InvalidState."""
    require_payable(folder)
    if due_now(folder) <= 0:
        raise InvalidState("Nothing is due: payments cover it, or are about to.")


def _money_why(folder: Folder, asked: Asked) -> str:
    """Say why no money can be captured, where some is open; empty where one payment can be."""
    whys = [
        why_not(capturable, folder, asked, None, one.id) for one in folder.payments if one.open > 0
    ]
    return next(iter(whys), "") if all(whys) else ""
