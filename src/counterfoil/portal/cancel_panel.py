"""What became of a cancellation, step by step, on a panel. [U-33; design guide 3.6]"""

from litestar import Response

from counterfoil.order.actor import Actor
from counterfoil.order.canceling import of_bag
from counterfoil.order.canceling_again import unfinished
from counterfoil.order.cancellation import Cancellation
from counterfoil.order.folder import Folder
from counterfoil.order.telling import visible_bags
from counterfoil.order.telling_cancellation import tell_cancellation
from counterfoil.order.transaction import Transaction
from counterfoil.portal.figures import money
from counterfoil.portal.forms import Step
from counterfoil.portal.reading import Read
from counterfoil.portal.results import beside, pulse_for
from counterfoil.portal.timeline import Facts
from counterfoil.portal.visit import Visit

_LOOKS = {
    "SUCCEEDED": ("success", "check", "was {past}"),
    "FAILED": ("danger", "x", "was refused: not {past}"),
    "UNKNOWN": ("unknown", "help-circle", "is not known yet"),
    "PENDING": ("progress", "hourglass", "is under way"),
}
_KINDS = {"VOID": ("authorised", "reversed"), "REFUND": ("captured", "refunded")}


def cancellation_panel(
    visit: Visit, read: Read, plan: Cancellation, facts: Facts, *, status: int = 200
) -> Response[bytes]:
    """Show what became of a cancellation; to a merchant what of it is of its own bags."""
    order, page = read.order, f"/portal/orders/{read.order.id}"
    oldest = visit.frame.now - plan.created_at
    finished, under_way = plan.status == "CANCELED", plan.status == "PROCESSING"
    return visit.page(
        "money/cancelled.html",
        status=status,
        order=order,
        back=page,
        whole=plan.whole,
        heading=_heading(read, plan),
        message=_message(visit, read, plan),
        finished=finished,
        under_way=under_way,
        steps=_steps(visit, read, plan),
        pulse=pulse_for(oldest),
        tag=f"{order.version}-{pulse_for(oldest)}",
        again_href=_again(visit, read, plan),
        result_href=f"{page}/cancellations/{plan.id}/result",
        **beside(visit, read, facts),
    )


def _again(visit: Visit, read: Read, plan: Cancellation) -> str:
    """Lead to where it is tried again to give the money of a part back; else nowhere."""
    root = plan.again_of or plan.id
    left = [one.id for one in unfinished(read.folder, visit.actor)]
    if root not in left or not visit.actor.can("orders.cancel"):
        return ""
    return f"/portal/orders/{read.order.id}/cancel?scope=again&again={root}"


def _heading(read: Read, plan: Cancellation) -> str:
    number = read.order.number
    if plan.status == "PROCESSING":
        return "The cancellation is under way"
    if plan.status != "CANCELED":
        return "The cancellation is not finished" if plan.whole else "Not all the money went back"
    what = f"Order {number}" if plan.whole else f"A part of order {number}"
    return f"{what} is cancelled"


def _message(visit: Visit, read: Read, plan: Cancellation) -> str:
    """Say both amounts, in the past tense. [U-33]"""
    currency = read.order.currency
    told = tell_cancellation(plan, read.folder, visit.actor)
    message = (
        f"Captured amount {money(told.refunded_amount, currency)} has been refunded; authorised"
        f" amount {money(told.reversed_amount, currency)} has been reversed."
    )
    if plan.status == "PROCESSING":
        return "The provider has not answered yet. We keep asking."
    if plan.status == "CANCELED":
        return message
    if plan.whole:
        return f"{message} You can run it again; nothing is done twice."
    left = (told.amount or 0) - told.refunded_amount - told.reversed_amount
    return (
        f"{message} The items are cancelled, but {money(left, currency)} did not go back. You can"
        " try again; nothing goes back twice."
    )


def _steps(visit: Visit, read: Read, plan: Cancellation) -> list[Step]:
    """Tell each step as it went; the movements of the plan are its steps."""
    currency, folder = read.order.currency, read.folder
    steps = []
    for one in folder.transactions:
        amount = _seen(folder, visit.actor, one)
        if one.cancellation_id == plan.id and one.type in _KINDS and amount:
            what, past = _KINDS[one.type]
            tone, icon, text = _LOOKS[one.status]
            told = f"{money(amount, currency)} {what} {text.format(past=past)}"
            steps.append(Step(tone=tone, icon=icon, text=told))
    if not plan.whole or plan.status == "CANCELED":
        steps.append(Step(tone="success", icon="check", text=_goods(folder, plan)))
    if plan.status != "CANCELED":
        return steps
    told_ = tell_cancellation(plan, folder, visit.actor)
    kept = (told_.amount or 0) - told_.refunded_amount - told_.reversed_amount
    if kept > 0:
        text = f"{money(kept, currency)} stays authorised and is not captured any more"
        steps.append(Step(tone="info", icon="lock", text=text))
    email = read.order.customer.get("email")
    if plan.notify_customer and email:
        text = f"An e-mail to {email} is on its way"
        steps.append(Step(tone="success", icon="mail", text=text))
    else:
        steps.append(Step(tone="neutral", icon="mail", text="No e-mail is sent"))
    return steps


def _seen(folder: Folder, actor: Actor, row: Transaction) -> int:
    """Tell how much of a movement is of bags that the actor may see."""
    if actor.merchants is None:
        return row.amount
    return sum(of_bag(row, bag.id) for bag in visible_bags(folder, actor))


def _goods(folder: Folder, plan: Cancellation) -> str:
    back = ", back in stock" if plan.restock_items else ""
    if plan.whole:
        return f"What had not left is cancelled{back}"
    names = {item.id: item.name for item in folder.items}
    if plan.lines:
        told = ", ".join(f"{line.quantity} × {names[line.item_id]}" for line in plan.lines)
    else:
        inside = [one for one in folder.items if one.bag_id == plan.bag_id and one.deliverable]
        told = ", ".join(f"{one.quantity_canceled} × {one.name}" for one in inside)
    return f"Cancelled: {told}{back}"
