"""Release authorised money."""

from counterfoil.actions.capture import require_one_payment
from counterfoil.order.allowed import most_to_void
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.goods import cancel_goods
from counterfoil.order.intent import Asked, new_transaction
from counterfoil.order.moves import book, reserve, share_open
from counterfoil.order.opening import opens
from counterfoil.order.payment import Payment
from counterfoil.order.problems import AmountInvalid, AttentionRequired, InvalidState
from counterfoil.order.transaction import Allocation, Transaction


@opens("bags", "items", "payments", "gateways", "shipments", "cancellations")
def void(
    folder: Folder,
    *,
    asked: Asked,
    amount: int | None = None,
    payment_id: str | None = None,
    allocations: list[Allocation] | None = None,
) -> Change:
    """Release authorised money, all that is open or a part; releasing all of it cancels the order.

    It is that of one payment: where several have money open, the first that has the amount;
    without an amount it is named by `payment_id`. Raises, in this order: PermissionDenied,
    InvalidState (cancelling, nothing open), AmountInvalid (of several payments), AttentionRequired,
    AmountInvalid, InvalidState (goods have left). [Z-22…Z-25, rulings 25, 26]
    """
    asked.actor.require("payments.void")
    asked.actor.require_whole_order()
    payment, amount = voidable(folder, amount, payment_id)
    draft = Draft(folder, asked.actor)
    shares = share_open(amount, folder.bags, allocations, first="spare")
    row = new_transaction(
        draft, payment, kind="VOID", amount=amount, allocations=shares, asked=asked
    )
    if row.status == "PENDING":
        reserve(draft, row)
        draft.fact("payment.void_requested", row)
    else:
        book(draft, row)
        voided(draft, row)
    return draft.change(row)


def voidable(folder: Folder, amount: int | None, payment_id: str | None) -> tuple[Payment, int]:
    """Find the payment to release and the amount, or say why not; the portal previews with it."""
    order = folder.order
    if folder.running_cancellation is not None:
        raise InvalidState("A cancellation is running; it releases what is open.")
    able = [p for p in folder.payments if payment_id in (None, p.id) and p.open > 0]
    if not able:
        raise InvalidState("Nothing is open to release.", open=0)
    require_one_payment(folder, payment_id, amount)
    payment = next((p for p in able if amount is None or amount <= p.open), able[0])
    if payment.attention:
        raise AttentionRequired(attention=payment.attention)
    wanted = payment.open if amount is None else amount
    if not 0 < wanted <= payment.open:
        raise AmountInvalid(
            f"{wanted} is not between 1 and the {payment.open} that is open.",
            asked=wanted,
            open=payment.open,
        )
    if wanted < payment.open and not folder.gateway_of(payment).capabilities.partial_void:
        raise AmountInvalid(
            f"This gateway releases all of it or nothing: {payment.open}.", open=payment.open
        )
    if wanted > most_to_void(order):
        raise InvalidState("Goods have left. Capture the money, or take the goods back first.")
    return payment, wanted


def voided(draft: Draft, row: Transaction) -> None:
    """Record a release that happened; when nothing was taken and nothing is open, it cancels."""
    draft.fact("payment.voided", row)
    payments = draft.section("payments")
    taken = sum(payment.captured for payment in payments)
    left = sum(payment.outstanding for payment in payments)
    if taken == left == 0 and _ends(draft):
        cancel_goods(draft, draft.section("bags"))
        draft.go_to_built_in("canceled")
        draft.fact("order.canceled", None, reason_code="VOIDED")


def _ends(draft: Draft) -> bool:
    """Whether an order without money ends: not where goods have left, which money is due for.

    Nor one that comes to nothing since it was edited; a cancellation that runs ends it itself.
    [Z-25, domain.md §6, rulings 25]
    """
    if draft.order.system_state in ("CANCELED", "COMPLETED") or draft.order.shipped_count:
        return False
    if sum(bag.worth for bag in draft.section("bags")) == 0:
        return False
    return all(plan.status != "PROCESSING" for plan in draft.section("cancellations"))
