"""Shopify's order export: sums that agree, pasts that can have been, or a named refusal."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.kernel.money import to_decimal
from tests.transfer.export import line
from tests.transfer.reading import one, past, refusal


def test_an_order_of_two_vendors_becomes_two_bags() -> None:
    found = one(
        line(),
        line(vendor="Zeta & Sønn", lineitem_name="Tee", lineitem_price="20", lineitem_sku="TEE"),
        line(lineitem_quantity="1", lineitem_name="Cup", lineitem_price="0.50", lineitem_sku=""),
        subtotal="65.50",
        shipping="5.01",
        total="70.51",
    )
    assert found.external_id == "5001"
    assert found.merchant_reference == "#1001"
    assert found.bags is not None
    assert [bag.merchant for bag in found.bags] == ["acme", "zeta-sonn-28fd0db0"]
    assert [[item.sku for item in bag.items] for bag in found.bags] == [["MUG-1", "cup"], ["TEE"]]
    assert [bag.shipping_total for bag in found.bags] == [195, 306]
    assert found.placed_at is not None
    assert found.placed_at.isoformat() == "2026-10-01T08:00:00+00:00"


def test_an_address_keeps_its_parts() -> None:
    found = one(
        shipping_name="Kari Nordmann",
        shipping_address1="Storgata 1",
        shipping_address2="3. etg",
        shipping_company="Nordmann AS",
        shipping_city="Oslo",
        shipping_zip="'0155",
        shipping_province="03",
        shipping_country="no",
        shipping_phone="'+4791234567",
    )
    told = msgspec.to_builtins(found.shipping_address)
    assert told == {
        "name": "Kari Nordmann",
        "line1": "Storgata 1",
        "line2": "3. etg",
        "company": "Nordmann AS",
        "city": "Oslo",
        "postal_code": "0155",
        "region": "03",
        "country": "NO",
        "phone": "+4791234567",
    }
    assert found.billing_address is None
    person = found.customer
    assert (person.first_name, person.last_name) == ("Kari", "Nordmann")
    assert person.phone == "+4791234567"


MONEY = {
    "nothing but goods": ({"shipping": "", "taxes": "", "total": "25.00"}, (0, 0, 0)),
    "taxes on top": ({"taxes": "6.25", "total": "36.25"}, (500, 625, 0)),
    "taxes inside": ({"taxes": "6.00", "total": "30.00"}, (500, 0, 0)),
    "duties": ({"duties": "3.10", "total": "33.10"}, (500, 0, 0)),
    "a discount on goods": (
        {"subtotal": "20.00", "discount_amount": "5.00", "total": "25.00"},
        (500, 0, 500),
    ),
    "free shipping, written after": (
        {"shipping": "0.00", "discount_amount": "5.00", "total": "25.00"},
        (0, 0, 0),
    ),
    "free shipping, written before": ({"discount_amount": "5.00", "total": "25.00"}, (0, 0, 0)),
    "both": (
        {"subtotal": "22.50", "discount_amount": "7.50", "total": "22.50"},
        (0, 0, 250),
    ),
    "no subtotal": ({"subtotal": "", "discount_amount": "5", "total": "25.00"}, (500, 0, 500)),
    "all of it": (
        {"subtotal": "0.00", "discount_amount": "25.00", "shipping": "0", "total": "0.00"},
        (0, 0, 2500),
    ),
}


@pytest.mark.parametrize("name", MONEY)
def test_the_reading_that_comes_to_total_is_taken(name: str) -> None:
    cells, expected = MONEY[name]
    found = one(**cells)
    (bag,) = found.bags or []
    assert (bag.shipping_total, bag.tax_total, bag.discount_total) == expected


def test_a_tip_outside_the_subtotal_is_a_line() -> None:
    tip = line(lineitem_name="Tip", lineitem_quantity="1", lineitem_price="3.00", vendor="")
    found = one(line(), tip, total="33.00")
    (bag,) = found.bags or []
    assert [item.unit_price for item in bag.items] == [1250, 300]
    assert bag.discount_total == 0


@pytest.mark.parametrize(
    ("currency", "price", "total", "minor"),
    [
        ("JPY", "1200", "2400", 2400),
        ("JPY", "1200.00", "2400.00", 2400),
        ("KWD", "1.250", "2.500", 2500),
        ("CLF", "0.0001", "0.0002", 2),
        ("EUR", "1.2", "2.4", 240),
    ],
)
def test_amounts_have_the_digits_of_their_currency(
    currency: str, price: str, total: str, minor: int
) -> None:
    found = one(
        line(lineitem_price=price),
        currency=currency,
        subtotal=total,
        shipping="0",
        taxes="0",
        discount_amount="0",
        total=total,
    )
    assert found.total == minor


@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), st.integers(1, 20), st.sampled_from("ABC")),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 100),
    st.integers(0, 99_999),
    st.integers(0, 99_999),
)
def test_bags_always_add_up_to_the_total(
    lines: list[tuple[int, int, str]], percent: int, shipping: int, tax: int
) -> None:
    def euros(minor: int) -> str:
        return to_decimal(minor, "EUR")

    goods = sum(price * quantity for price, quantity, _ in lines)
    discount = goods * percent // 100
    found = one(
        *(
            line(lineitem_price=euros(price), lineitem_quantity=str(quantity), vendor=vendor)
            for price, quantity, vendor in lines
        ),
        subtotal=euros(goods - discount),
        discount_amount=euros(discount),
        shipping=euros(shipping),
        taxes=euros(tax),
        total=euros(goods - discount + shipping + tax),
    )
    bags = found.bags or []
    assert sum(bag.shipping_total for bag in bags) == shipping
    assert sum(bag.tax_total for bag in bags) == tax
    assert sum(bag.discount_total for bag in bags) == discount


STATUSES = {
    "pending": ({}, None, (0, 0, 0), "new"),
    "": ({}, None, (0, 0, 0), "new"),
    "authorized": ({}, "auth", (0, 0, 0), "new"),
    "paid": ({}, "payment", (0, 0, 0), "processing"),
    "paid later": ({"paid_at": "2026-10-03 10:00:00 +0200"}, "auth", (3000, 0, 0), "processing"),
    "partially_paid": ({"outstanding_balance": "10.00"}, "auth", (2000, 0, 0), "processing"),
    "partially_refunded": ({"refunded_amount": "7.00"}, "payment", (0, 0, 700), "processing"),
    "refunded": ({"refunded_amount": "30.00"}, "payment", (0, 0, 3000), "processing"),
    "refunded, no amount": ({}, "payment", (0, 0, 3000), "processing"),
    "refunded in part": ({"refunded_amount": "10.00"}, "auth", (1000, 2000, 1000), "processing"),
    "voided": ({}, "auth", (0, 3000, 0), "canceled"),
    "voided, shipped": ({"fulfillment_status": "partial"}, None, (0, 0, 0), "processing"),
    "expired": ({}, None, (0, 0, 0), "new"),
    "Paid": ({"cancelled_at": "2026-10-02 09:00:00 +0200"}, "payment", (0, 0, 0), "canceled"),
}


@pytest.mark.parametrize("name", STATUSES)
def test_a_financial_status_is_told_as_what_moved(name: str) -> None:
    cells, flow, amounts, state = STATUSES[name]
    status = {"refunded in part": "refunded", "paid later": "paid"}.get(
        name, name.partition(",")[0]
    )
    shipped = "partial" if "shipped" in name else "pending"
    found = one(line(lineitem_fulfillment_status=shipped), financial_status=status, **cells)
    history = past(found)
    back = sum(refund.amount for refund in history.refunds)
    assert (history.captured, history.voided, back) == amounts
    assert (found.payment and found.payment.flow) == flow
    assert history.state == state
    assert found.payment is None or found.payment.amount == found.total


def test_an_order_of_nothing_has_no_payment() -> None:
    free = {"subtotal": "0.00", "shipping": "0.00", "total": "0.00"}
    assert one(line(lineitem_price="0.00"), **free).payment is None


def test_what_was_fulfilled_is_a_parcel_for_each_bag() -> None:
    found = one(
        line(lineitem_fulfillment_status="fulfilled"),
        line(vendor="Zeta", lineitem_price="1", lineitem_fulfillment_status="fulfilled"),
        line(vendor="Zeta", lineitem_price="2", lineitem_fulfillment_status="unfulfilled"),
        fulfillment_status="partial",
        fulfilled_at="2026-10-02 12:00:00 +0200",
        subtotal="31.00",
        total="36.00",
    )
    shipped = [
        (parcel.bag, [(item.line, item.quantity) for item in parcel.items or ()])
        for parcel in past(found).shipments
    ]
    assert shipped == [(0, [(0, 2)]), (1, [(0, 2)])]
    assert past(found).state == "processing"
    assert past(found).shipments[0].shipped_at.isoformat() == "2026-10-02T10:00:00+00:00"


def test_all_fulfilled_is_completed_downloads_and_tips_included() -> None:
    found = one(
        line(lineitem_fulfillment_status="fulfilled"),
        line(lineitem_price="0", lineitem_requires_shipping="false"),
        fulfillment_status="fulfilled",
    )
    assert past(found).state == "completed"
    assert [len(parcel.items or ()) for parcel in past(found).shipments] == [1]
    assert [item.digital for bag in found.bags or () for item in bag.items] == [False, True]


@pytest.mark.parametrize(("status", "state"), [("fulfilled", "completed"), ("", "processing")])
def test_downloads_travel_in_no_parcel(status: str, state: str) -> None:
    found = one(line(lineitem_requires_shipping="false"), fulfillment_status=status)
    assert past(found).shipments == []
    assert past(found).state == state


def test_how_many_of_a_line_were_shipped_is_not_in_the_export() -> None:
    found = one(
        line(lineitem_quantity="5", lineitem_price="5", lineitem_fulfillment_status="partial"),
        fulfillment_status="partial",
    )
    (parcel,) = past(found).shipments
    assert [item.quantity for item in parcel.items] == [1]
    assert "Some of 5 × MUG-1 were shipped" in past(found).notes[-1].body


def test_notes_keep_what_has_no_field() -> None:
    found = one(
        notes="Ring twice\r\nthen wait",
        note_attributes="gift: yes",
        payment_method="Shopify Payments",
        taxes="4.00",
        tags=", ".join(f"tag {number}" for number in range(32)),
    )
    bodies = [note.body for note in past(found).notes]
    assert bodies[:2] == ["Ring twice\nthen wait", "gift: yes"]
    assert "Payment Method: Shopify Payments." in bodies[2]
    assert "Taxes inside the prices: 4.00." in bodies[2]
    assert "More tags: tag 30, tag 31." in bodies[2]
    assert len(found.tags) == 30


NO_TIME = ("validation_failed", "/Created at")
REFUSALS: dict[str, tuple[dict[str, str], str, str]] = {
    "sums": ({"total": "30.01"}, "totals_mismatch", "/Total"),
    "a lost line": (
        {"subtotal": "20.00", "discount_amount": "6.00", "total": "25.00"},
        "totals_mismatch",
        "/Total",
    ),
    "a comma": ({"total": "30,00"}, "amount_invalid", "/Total"),
    "grouping": ({"total": "1,030.00"}, "amount_invalid", "/Total"),
    "exponent": ({"total": "3e1"}, "amount_invalid", "/Total"),
    "NaN": ({"total": "NaN"}, "amount_invalid", "/Total"),
    "three decimals": ({"total": "30.000"}, "amount_invalid", "/Total"),
    "negative": ({"shipping": "-5.00", "total": "20.00"}, "amount_invalid", "/Shipping"),
    "currency": ({"currency": "euro"}, "validation_failed", "/Currency"),
    "no currency of ISO": ({"currency": "EUX"}, "amount_invalid", "/Lineitem price"),
    "time in another order": (
        {"created_at": "10/01/2026 10:00"},
        "validation_failed",
        "/Created at",
    ),
    "time without zone": (
        {"created_at": "2026-10-01 10:00:00"},
        "validation_failed",
        "/Created at",
    ),
    "no such day": (
        {"created_at": "2026-02-30 10:00:00 +0200"},
        "validation_failed",
        "/Created at",
    ),
    "the year 1": ({"created_at": "0001-01-01 00:00:00 +1400"}, *NO_TIME),
    "spreadsheet's id": ({"id": "7.41099E+12"}, "validation_failed", "/Id"),
    "formula": ({"id": "=1+1"}, "validation_failed", "/Id"),
    "formula as e-mail": ({"email": '=HYPERLINK("http://x")'}, "validation_failed", "/Email"),
    "no name": ({"name": "", "id": ""}, "validation_failed", "/Name"),
    "status": ({"financial_status": "bezahlt"}, "validation_failed", "/Financial Status"),
    "country": ({"billing_country": "Norway"}, "validation_failed", "/Billing Country"),
    "too much back": ({"refunded_amount": "31"}, "amount_invalid", "/Refunded Amount"),
    "no balance": (
        {"financial_status": "partially_paid", "outstanding_balance": "0"},
        "amount_invalid",
        "/Outstanding Balance",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_cannot_be_is_refused_and_named(name: str) -> None:
    cells, code, pointer = REFUSALS[name]
    assert refusal(**cells)[:2] == (code, pointer)
