"""Open another payment on an order: what is due, or a part of it."""

from collections.abc import Mapping, Sequence

from counterfoil.actions.authorized import authorized
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.money import split
from counterfoil.order.allowed import MONEY_STATES
from counterfoil.order.change import Change
from counterfoil.order.config import Store
from counterfoil.order.draft import Draft
from counterfoil.order.folder import Folder
from counterfoil.order.gateway import Answer, Outcome
from counterfoil.order.intake import WantedPayment
from counterfoil.order.intent import Asked, new_transaction
from counterfoil.order.moves import book
from counterfoil.order.opening import opens
from counterfoil.order.payment import GatewayOfPayment, Payment
from counterfoil.order.problems import AmountInvalid, InvalidState, UnknownReference
from counterfoil.order.transaction import UNSETTLED, Allocation

_NOT_PAID = ("DECLINED", "ABANDONED")


@opens("bags", "items", "payments", "gateways", "transactions", "holds")
def pay(folder: Folder, *, asked: Asked, wanted: WantedPayment) -> Change:
    """Open a payment over what is due; `settle` asks the provider, or it is believed at once.

    The shopper's own payment is part of taking the order and wants no more than the right to
    change it; to take money that is held is another right. Payments that are on their way count:
    together they never ask for more than is due. Raises, in this order: PermissionDenied,
    InvalidState (the order's state), UnknownReference (gateway), InvalidState (nothing due, the
    reference is here already), AmountInvalid. [rulings 22; faults A-1, A-2]
    """
    asked.actor.require("orders.edit")
    asked.actor.require_whole_order()
    require_payable(folder)
    gateway = gateway_for(folder.store, folder.gateways, wanted.gateway)
    left = {bag_id: max(0, due) for bag_id, due in due_by_bag(folder).items()}
    amount = _amount(folder, wanted, gateway, due_now(folder))
    draft = Draft(folder, asked.actor)
    payment = new_payment(draft, gateway, wanted, amount)
    return draft.change(open_payment(draft, payment, shared(amount, left), asked))


def require_payable(folder: Folder) -> None:
    """Go on only where an order may still be paid. Raises InvalidState."""
    if folder.order.system_state not in MONEY_STATES:
        raise InvalidState(
            f"Nothing can be paid while the order is {folder.state.name}.", state=folder.order.state
        )


def gateway_for(
    store: Store, gateways: Sequence[GatewayOfPayment], named: str | None
) -> GatewayOfPayment:
    """Find the gateway that is named, or the store's default. Raises UnknownReference."""
    code = named or store.default_gateway
    if code is None:
        raise UnknownReference(
            f"The payment names no gateway and the store {store.code} has no default: name one, or"
            f" set one with PATCH /v1/stores/{store.code} as default_gateway.",
        )
    gateway = next((g for g in gateways if g.code == code), None)
    if gateway is None or not gateway.enabled or gateway.store not in (None, store.code):
        is_default = "" if named else f" It is the default of the store {store.code}."
        raise UnknownReference(f"There is no gateway {code} to pay at.{is_default}", gateway=code)
    return gateway


def due_by_bag(folder: Folder) -> dict[str, int]:
    """Tell what no payment covers or is about to cover, by bag; below zero where it is too much.

    What was released because a newer hold took its place is due to that one, not paid twice.
    """
    renewed = {p.renews for p in folder.payments if p.renews and p.authorized}
    by_id = {payment.id: payment for payment in folder.payments}
    left = {bag.id: bag.lacking for bag in folder.bags}
    for row in folder.transactions:
        sign = 0
        if row.type == "VOID" and row.status != "FAILED" and row.payment_id in renewed:
            sign = 1
        elif row.type == "AUTHORIZE" and row.status in UNSETTLED:
            replaced = by_id.get(by_id[row.payment_id].renews or "")
            sign = 0 if replaced is not None and replaced.outstanding else -1
        if sign:
            for part in row.allocations:
                left[part.bag_id] += sign * part.amount
    return left


def due_now(folder: Folder) -> int:
    """Tell what may be paid: what bags lack, but no more than the order does in all.

    An edit may make one bag cheaper and another dearer; what is authorised counts for both.
    """
    left = due_by_bag(folder).values()
    return max(0, min(sum(left), sum(due for due in left if due > 0)))


def shared(amount: int, weights: Mapping[str, int]) -> list[Allocation]:
    """Share an amount among bags by what each may take, by largest remainder."""
    assert 0 < amount <= sum(weights.values()), f"{amount} of {weights}"
    parts = split(amount, list(weights.values()))
    return [
        Allocation(bag_id, part) for bag_id, part in zip(weights, parts, strict=True) if part
    ]


def new_payment(
    draft: Draft, gateway: GatewayOfPayment, wanted: WantedPayment, amount: int
) -> Payment:
    """Make a payment that nobody has been asked about yet."""
    return Payment(
        id=new_id(),
        order_id=draft.order.id,
        position=len(draft.section("payments")) + 1,
        gateway=gateway.code,
        flow=wanted.flow,
        status="CREATED",
        currency=draft.order.currency,
        amount=amount,
        reference=wanted.reference,
        provider_reference=wanted.reference,
        return_url=wanted.return_url,
        created_at=draft.at,
    )


def open_payment(
    draft: Draft, payment: Payment, shares: list[Allocation], asked: Asked
) -> Payment:
    """Add a payment with its authorisation: wanted of the provider, or so at once."""
    draft.add(payment)
    row = new_transaction(
        draft,
        payment,
        kind="AUTHORIZE",
        amount=payment.amount,
        allocations=shares,
        asked=asked,
        reference=payment.reference,
    )
    if row.status == "PENDING":
        draft.add(row)
        draft.fact("payment.authorize_requested", row)
    else:
        book(draft, row)
        authorized(draft, row, Answer(outcome=Outcome.SUCCEEDED), asked)
    opened: Payment = draft.get("payments", payment.id)
    return opened


def _amount(
    folder: Folder, wanted: WantedPayment, gateway: GatewayOfPayment, due: int
) -> int:
    if due <= 0:
        raise InvalidState("Nothing is due: payments cover it, or are about to.", due=0)
    if wanted.reference is not None:
        first = next(
            (
                payment.id
                for payment in folder.payments
                if payment.gateway == gateway.code
                and payment.provider_reference == wanted.reference
                and payment.status not in _NOT_PAID
            ),
            None,
        )
        if first is not None:
            raise InvalidState(
                f"Payment {first} of this order has that reference already.", payment_id=first
            )
    amount = due if wanted.amount is None else wanted.amount
    if not 0 < amount <= due:
        raise AmountInvalid(
            f"{amount} is not between 1 and the {due} that is due.", asked=amount, due=due
        )
    return amount


def renewals_of(folder: Folder, renewed_id: str) -> list[Payment]:
    """List the payments that renew this one and have not been refused."""
    return [
        payment
        for payment in folder.payments
        if payment.renews == renewed_id and payment.status not in _NOT_PAID
    ]
