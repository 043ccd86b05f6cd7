"""Let an authorisation end when its hold time has passed."""

from counterfoil.actions.acknowledge import asked_to_keep
from counterfoil.actions.decide_refund import send_waiting
from counterfoil.actions.warn import warn
from counterfoil.kernel.ids import new_id
from counterfoil.order.attention import REAUTHORISE, call_person, clear_attention
from counterfoil.order.change import Change, Lease
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.moves import allocate, book
from counterfoil.order.opening import opens
from counterfoil.order.transaction import Transaction


@opens(
    "bags", "items", "payments", "gateways", "refunds", "transactions", "tasks", "drift_lines",
)  # fmt: skip
def expire(folder: Folder, *, asked: Asked, payment_id: str, lease: str) -> Change:
    """Give up what is open of an expired authorisation; what is reserved is left to its outcome.

    Before its end it is told that it is near. Nothing to write where the clock was stopped
    meanwhile, or may be: what the gateway was asked to keep is not given up before it has
    answered. What somebody still waits for is for a person to have renewed. [domain.md §6,
    rulings 24, faults A-4]
    """
    payment = next(p for p in folder.payments if p.id == payment_id)
    if payment.expires_at is None or payment.open <= 0:
        return Change.none(folder, payment)
    if payment.expires_at > folder.at:
        return warn(folder, asked=asked, payment=payment, lease=lease)
    if asked_to_keep(folder, payment):
        return Change.none(folder, payment)
    draft = Draft(folder, asked.actor)
    draft.lease = Lease("payments", payment.id, lease)
    bags = [bag for bag in folder.bags if bag.open > 0]
    row = Transaction(
        id=new_id(),
        order_id=folder.order.id,
        payment_id=payment.id,
        type="EXPIRE",
        status="SUCCEEDED",
        amount=payment.open,
        currency=payment.currency,
        allocations=allocate(payment.open, bags, "open"),
        source="system",
        actor=asked.actor.told(),
        created_at=draft.at,
        settled_at=draft.at,
    )
    book(draft, row)
    ended = draft.get("payments", payment.id)
    if ended.attention and ended.attention.get("reason") == "cannot_expire":
        clear_attention(draft, ended.id)
        send_waiting(draft)
    draft.fact("payment.expired", row)
    if draft.order.system_state not in ("CANCELED", "CANCEL_REQUESTED"):
        able = folder.gateway_of(payment).capabilities
        call_person(
            draft,
            REAUTHORISE,
            payment_id=payment.id,
            gateway=payment.gateway,
            amount=row.amount,
            currency=row.currency,
            may_reauthorise=able.reauthorize and payment.provider_reference is not None,
        )
    return draft.change(row)
