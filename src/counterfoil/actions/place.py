"""Receive an order."""

from datetime import UTC, datetime

import msgspec

from counterfoil.actions.pay import gateway_for, new_payment, open_payment
from counterfoil.actions.review import open_review
from counterfoil.kernel.currencies import EXPONENTS as CURRENCIES
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import ValidationFailed
from counterfoil.order.bag import Bag
from counterfoil.order.change import Change
from counterfoil.order.config import Store
from counterfoil.order.draft import Draft, built_in
from counterfoil.order.folder import Folder
from counterfoil.order.intake import (
    MINOR_MAX,
    Desk,
    WantedBag,
    WantedOrder,
    WantedPayment,
    plain,
)
from counterfoil.order.intent import Asked
from counterfoil.order.item import Item
from counterfoil.order.letters import queue_if_wanted
from counterfoil.order.moves import allocate
from counterfoil.order.order import Order
from counterfoil.order.problems import AmountInvalid, TotalsMismatch, UnknownReference
from counterfoil.order.review import OPENERS
from counterfoil.order.screening import first_match

_TOTALS = ("sub_total", "shipping_total", "tax_total", "duty_total", "discount_total", "total")
_UNITS_MAX = 10**9
_YEARS = (1900, 2999)
_TYPE_TOTAL = {
    "sku": "sub_total",
    "shipping": "shipping_total",
    "tax": "tax_total",
    "duty": "duty_total",
    "discount": "discount_total",
    "store_credit": "discount_total",
}


def place(
    desk: Desk,
    *,
    asked: Asked,
    wanted: WantedOrder,
    number: str,
    channel: str,
    fingerprint: str | None = None,
) -> Change:
    """Receive an order with its bags, items, payment and review.

    Raises, in this order: PermissionDenied, UnknownReference (store, currency, gateway, merchant),
    ValidationFailed, TotalsMismatch, AmountInvalid. [domain.md §2, rulings 22, 36, 43]
    """
    asked.actor.require("orders.create")
    asked.actor.require_whole_order()
    draft = draft_order(desk, asked, wanted, number=number, channel=channel)
    draft.set_order(create_fingerprint=fingerprint)
    queue_if_wanted(draft, "order_received", asked)
    _review(draft, desk, wanted)
    if wanted.payment is not None:
        _open_payment(draft, wanted.payment, asked)
    made = draft.change(draft.order)
    return msgspec.structs.replace(made, configuration=_unknown(desk, draft))


def draft_order(
    desk: Desk, asked: Asked, wanted: WantedOrder, *, number: str, channel: str
) -> Draft:
    """Begin an order with its bags and items, and the fact that it is here.

    Whether somebody may do that was asked by the caller. Raises, in this order: UnknownReference
    (store, currency), ValidationFailed, UnknownReference (merchant), TotalsMismatch.
    """
    store = desk.store
    if store is None:
        raise UnknownReference("There is no such store, or several and none is named.")
    if wanted.currency not in CURRENCIES:
        raise UnknownReference(f"{wanted.currency} is not a currency.", currency=wanted.currency)
    if wanted.is_test and not store.test_orders:
        raise _wrong("/is_test", "This store takes no test orders.")
    order_id = new_id()
    bags, items = _bags_and_items(desk, wanted, order_id)
    if sum([item.quantity for item in items]) > _UNITS_MAX:
        raise _wrong("/bags", f"An order has at most {_UNITS_MAX} units.")
    order = _order(desk, wanted, order_id, bags, number=number, channel=channel)
    draft = Draft(_new_folder(desk, store, order), asked.actor, new=True)
    for bag in bags:
        draft.add(bag)
    for item in items:
        draft.add(item)
    draft.fact(
        "order.created",
        None,
        store=store.code,
        channel=channel,
        external_id=wanted.external_id,
        is_test=wanted.is_test,
    )
    return draft


def _new_folder(desk: Desk, store: Store, order: Order) -> Folder:
    """Open the folder of an order that is about to be: nothing hangs on it yet."""
    return Folder(
        order=order,
        store=store,
        state=built_in("new", store.code),
        at=desk.at,
        bags=(),
        items=(),
        payments=(),
        transactions=(),
        refunds=(),
        shipments=(),
        holds=(),
        fraud_reviews=(),
        notes=(),
        cancellations=(),
        letters=(),
        tasks=(),
        payouts=(),
        drift_lines=(),
        returns=(),
        edits=(),
        gateways=desk.gateways,
        states=desk.states,
        merchants=desk.merchants,
    )


def _unknown(desk: Desk, draft: Draft) -> dict[str, list[dict[str, str]]]:
    """List merchants and methods that the store does not have yet; the book adds them."""
    order = draft.order
    codes = {bag.merchant for bag in draft.section("bags")} - desk.merchants.keys()
    found = {"merchants": [{"id": new_id(), "code": code, "name": code} for code in sorted(codes)]}
    method = order.shipping_method
    if method is not None and method not in desk.methods:
        found["shipment_methods"] = [
            {"id": new_id(), "store": order.store, "code": method, "name": method}
        ]
    return {table: rows for table, rows in found.items() if rows}


def _wrong(pointer: str, detail: str) -> ValidationFailed:
    return ValidationFailed(detail, errors=[{"pointer": pointer, "detail": detail}])


def _bags_and_items(desk: Desk, wanted: WantedOrder, order_id: str) -> tuple[list[Bag], list[Item]]:
    if (wanted.bags is None) == (wanted.items is None):
        raise _wrong("/bags", "Send either bags or items.")
    if wanted.bags is not None:
        sent = wanted.bags
    else:
        sent = [
            WantedBag(
                items=wanted.items or [],
                shipping_total=wanted.shipping_total or 0,
                tax_total=wanted.tax_total or 0,
                duty_total=wanted.duty_total or 0,
                discount_total=wanted.discount_total or 0,
            )
        ]
    bags: list[Bag] = []
    items: list[Item] = []
    for position, bag in enumerate(sent, start=1):
        new, lines = _bag(
            desk,
            bag,
            order_id,
            position,
            first_item=len(items) + 1,
            method=wanted.shipping_method,
        )
        bags.append(new)
        items += lines
    return bags, items


def _bag(
    desk: Desk,
    sent: WantedBag,
    order_id: str,
    position: int,
    *,
    first_item: int,
    method: str | None,
) -> tuple[Bag, list[Item]]:
    assert desk.store is not None
    merchant = sent.merchant or desk.store.default_merchant or "main"
    if merchant not in desk.merchants and not desk.store.create_merchants:
        raise UnknownReference(f"There is no merchant {merchant}.", merchant=merchant)
    bag_id = new_id()
    sums = {name: getattr(sent, name) for name in _TOTALS[1:5]} | {"sub_total": 0}
    items = []
    for offset, line in enumerate(sent.items):
        total = line.quantity * line.unit_price
        where = f"/bags/{position - 1}/items/{offset}"
        if line.line_total is not None and line.line_total != total:
            raise TotalsMismatch(f"{where}: the line is {total}, not {line.line_total}.")
        kind = "discount" if line.type == "sku" and line.unit_price < 0 else line.type
        sums[_TYPE_TOTAL[kind]] += abs(total) if kind in ("discount", "store_credit") else total
        items.append(
            Item(
                id=new_id(),
                order_id=order_id,
                bag_id=bag_id,
                position=first_item + offset,
                sku=line.sku,
                product_id=line.product_id,
                name=line.name,
                type=kind,
                digital=line.digital,
                quantity=line.quantity,
                unit_price=line.unit_price,
                line_total=total,
                shipping_method=method if kind == "sku" else None,
            )
        )
    total = _total(sums)
    _agree(sent, {"sub_total": sums["sub_total"], "total": total}, f"/bags/{position - 1}")
    if min(total, *sums.values()) < 0:
        raise TotalsMismatch(f"/bags/{position - 1}: a total is below zero.")
    bag = Bag(
        id=bag_id,
        order_id=order_id,
        merchant=merchant,
        position=position,
        external_id=sent.external_id,
        total=total,
        **sums,
    )
    return bag, items


def _total(sums: dict[str, int]) -> int:
    return (
        sums["sub_total"]
        + sums["shipping_total"]
        + sums["tax_total"]
        + sums["duty_total"]
        - sums["discount_total"]
    )


def _agree(sent: WantedBag | WantedOrder, sums: dict[str, int], where: str) -> None:
    for name, computed in sums.items():
        stated = getattr(sent, name)
        if stated is not None and stated != computed:
            raise TotalsMismatch(
                f"{where}/{name}: the lines add up to {computed}, not {stated}.",
                field=name,
                stated=stated,
                computed=computed,
            )


def _order(
    desk: Desk, wanted: WantedOrder, order_id: str, bags: list[Bag], *, number: str, channel: str
) -> Order:
    assert desk.store is not None
    sums = {name: sum(getattr(bag, name) for bag in bags) for name in _TOTALS}
    if max(sums.values()) > MINOR_MAX:
        raise _wrong("/bags", f"The order adds up to more than {MINOR_MAX}.")
    _agree(wanted, sums, "")
    return Order(
        id=order_id,
        store=desk.store.code,
        channel=channel,
        external_id=wanted.external_id,
        number=number,
        state="new",
        system_state="NEW",
        currency=wanted.currency,
        **sums,
        merchant_reference=wanted.merchant_reference,
        customer=plain(wanted.customer) or {},
        billing_address=plain(wanted.billing_address),
        shipping_address=plain(wanted.shipping_address),
        shipping_method=wanted.shipping_method,
        tags=list(dict.fromkeys(wanted.tags)),
        is_test=wanted.is_test,
        placed_at=_placed_at(wanted, desk),
        created_at=desk.at,
        updated_at=desk.at,
    )


def _placed_at(wanted: WantedOrder, desk: Desk) -> datetime:
    at = wanted.placed_at or desk.at
    if at.tzinfo is None or not _YEARS[0] <= at.year <= _YEARS[1]:
        raise _wrong("/placed_at", "A time has a zone and a year from {} to {}.".format(*_YEARS))
    return at.astimezone(UTC)


def _review(draft: Draft, desk: Desk, wanted: WantedOrder) -> None:
    """Open a review where it is asked for or a rule of the store calls for it. [N-24, N-25]"""
    if wanted.fraud_review:
        open_review(draft, "asked", OPENERS["asked"])
    elif desk.screening is not None and (found := first_match(desk.screening, draft.order)):
        open_review(draft, found.rule, found.explanation)


def _open_payment(draft: Draft, wanted: WantedPayment, asked: Asked) -> None:
    order, store = draft.order, draft.before.store
    gateway = gateway_for(store, draft.before.gateways, wanted.gateway)
    if order.total == 0 and wanted.amount is None and wanted.reference is None:
        return  # nothing to pay
    amount = order.total if wanted.amount is None else wanted.amount
    if not 0 < amount <= order.total:
        raise AmountInvalid(
            f"{amount} is more than the total {order.total}.", asked=amount, total=order.total
        )
    payment = new_payment(draft, gateway, wanted, amount)
    shares = allocate(amount, [bag for bag in draft.section("bags") if bag.due > 0], "due")
    open_payment(draft, payment, shares, asked)
