"""Take authorised money."""

import msgspec

from counterfoil.actions.unowed import release_unowed
from counterfoil.order.allowed import MONEY_STATES
from counterfoil.order.change import Change
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked, new_transaction
from counterfoil.order.moves import allocate, book, reserve, share_open
from counterfoil.order.opening import opens
from counterfoil.order.payment import Payment
from counterfoil.order.problems import (
    AmountInvalid,
    AttentionRequired,
    AuthorizationExpired,
    InvalidState,
    OrderOnHold,
    PartialCaptureNotEnabled,
)
from counterfoil.order.transaction import Allocation, Transaction


@opens("bags", "payments", "gateways", "holds")
def capture(
    folder: Folder,
    *,
    asked: Asked,
    amount: int | None = None,
    payment_id: str | None = None,
    allocations: list[Allocation] | None = None,
) -> Change:
    """Take authorised money of one payment: what is open and owed, or a part of it.

    Where several have money open, the first that has the amount; without one it is named by
    `payment_id`. Raises, in this order: PermissionDenied, InvalidState (cancelling or cancelled),
    OrderOnHold, AmountInvalid (of several payments), AttentionRequired, AuthorizationExpired,
    InvalidState (nothing open, nothing owed), AmountInvalid, PartialCaptureNotEnabled.
    [Z-16…Z-21, U-28, rulings 25]
    """
    asked.actor.require("payments.capture")
    asked.actor.require_whole_order()
    payment, amount = capturable(folder, asked, amount, payment_id)
    draft = Draft(folder, asked.actor)
    shares = share_open(amount, folder.bags, allocations)
    row = new_transaction(
        draft, payment, kind="CAPTURE", amount=amount, allocations=shares, asked=asked
    )
    if row.status == "PENDING":
        reserve(draft, row)
        draft.fact("payment.capture_requested", row)
    else:
        book(draft, row)
        captured(draft, row, asked)
    return draft.change(row)


def capturable(
    folder: Folder, asked: Asked, amount: int | None, payment_id: str | None
) -> tuple[Payment, int]:
    """Find the payment to capture and the amount, or say why not; the portal previews with it."""
    order = folder.order
    if order.system_state not in MONEY_STATES:
        raise InvalidState(
            f"Money cannot be captured while the order is {folder.state.name}.",
            state=order.state,
        )
    blocking = [hold.handle for hold in folder.open_holds if "capture" in hold.blocks]
    if order.hold_capture and not asked.instant:
        raise OrderOnHold(f"Held by: {', '.join(blocking)}.", holds=blocking)
    payment = _payment_with_open(folder, payment_id, amount)
    if payment.open > 0:
        require_one_payment(folder, payment_id, amount)
    if payment.attention:
        raise AttentionRequired(attention=payment.attention)
    if payment.expires_at and payment.expires_at <= folder.at:
        raise AuthorizationExpired(f"It ended at {payment.expires_at.isoformat()}.")
    if payment.open <= 0 and payment.expired:
        raise AuthorizationExpired("The hold time passed, and what was open has been given up.")
    if payment.open <= 0:
        raise InvalidState("Nothing is open to capture.", open=0)
    if order.owed == 0:
        raise InvalidState(
            "Nothing is owed any more: all that the order is worth has been taken.",
            open=payment.open,
            owed=0,
        )
    if payment.capture_pending and not folder.gateway_of(payment).capabilities.multi_capture:
        raise InvalidState("A capture is on its way, and this gateway takes only one.")
    left = min(payment.open, order.owed)
    wanted = left if amount is None else amount
    _check_amount(payment, wanted, order.owed)
    if wanted < payment.open and not asked.instant:
        _require_partial(folder, payment, asked, all_owed=wanted == left)
    return payment, wanted


def _check_amount(payment: Payment, wanted: int, owed: int) -> None:
    if not 0 < wanted <= payment.open:
        raise AmountInvalid(
            f"{wanted} is not between 1 and the {payment.open} that is open.",
            asked=wanted,
            open=payment.open,
        )
    if wanted > owed:
        raise AmountInvalid(
            f"{wanted} is more than the {owed} that is still owed; {payment.open} is open, and what"
            " is not owed is released.",
            asked=wanted,
            owed=owed,
            open=payment.open,
        )


def require_one_payment(folder: Folder, payment_id: str | None, amount: int | None) -> None:
    """Go on where it is clear which payment is meant, and it has the amount.

    One movement is one payment's, so that its answer says what became of it. Raises AmountInvalid,
    which names what each payment has open.
    """
    able = [payment for payment in folder.payments if payment.open > 0]
    if payment_id is not None or len(able) < 2:
        return
    if amount is not None and amount <= max(payment.open for payment in able):
        return
    named = ", ".join(f"{payment.open} of payment {payment.id}" for payment in able)
    raise AmountInvalid(
        f"Open are {named}. Take each by itself, with its payment_id; a cancellation releases all.",
        payments=[{"payment_id": payment.id, "open": payment.open} for payment in able],
    )


def _payment_with_open(folder: Folder, payment_id: str | None, amount: int | None) -> Payment:
    wanted = [p for p in folder.payments if payment_id in (None, p.id)]
    if not wanted:
        raise InvalidState("The order has no such payment.", payment_id=payment_id)
    return next(
        (p for p in wanted if p.open > 0 and (amount is None or amount <= p.open)),
        next((p for p in wanted if p.open > 0), wanted[0]),
    )


def _require_partial(folder: Folder, payment: Payment, asked: Asked, *, all_owed: bool) -> None:
    """Go on where less than is open may be taken: of the gateway, of the store, by the actor.

    All that is owed is the whole price of an order that is worth less now: that takes no more than
    a gateway that can.
    """
    able = folder.gateway_of(payment).capabilities.partial_capture
    if all_owed and able:
        return
    if all_owed:
        raise PartialCaptureNotEnabled(
            f"{payment.open} is open, the order is worth less by now, and this gateway takes all of"
            " it or nothing: release it and ask for a new payment.",
            open=payment.open,
            owed=folder.order.owed,
        )
    if not folder.store.captures_in_part or not able:
        raise PartialCaptureNotEnabled(
            f"Capture {payment.open}, all that is open, or have partial capture switched on.",
            open=payment.open,
        )
    asked.actor.require("payments.capture_partial")


def captured(draft: Draft, row: Transaction, asked: Asked) -> None:
    """Record a capture that happened, and what follows from it. [Z-21, rulings 25]"""
    draft.fact("payment.captured", row)
    payment: Payment = draft.get("payments", row.payment_id)
    able = draft.before.gateway_of(payment).capabilities
    if payment.open > 0 and not able.multi_capture and not asked.instant:
        bags = [bag for bag in draft.section("bags") if bag.open > 0]
        rest = new_transaction(
            draft,
            payment,
            kind="VOID",
            amount=payment.open,
            allocations=allocate(payment.open, bags, "open"),
            asked=msgspec.structs.replace(asked, instant=True, key=None),
        )
        book(draft, rest)
        draft.fact("payment.voided", rest)
    release_unowed(draft, asked)
    if draft.order.system_state == "NEW":
        draft.go_to_built_in("processing")
