"""The computed axes, checked against the table they were decided by."""

import pytest

from counterfoil.order.amounts import Amounts
from counterfoil.order.status import Units, financial_status, fulfillment_status


@pytest.mark.proves("V-3", "V-4")
@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ({"authorized": 100, "voided": 40}, "AUTHORIZED"),
        ({"authorized": 100, "voided": 100}, "VOIDED"),
        ({"authorized": 100, "captured": 60}, "PARTIALLY_PAID"),
        ({"authorized": 100, "captured": 60, "voided": 40}, "PAID"),
        ({"authorized": 100, "captured": 60, "voided": 40, "refunded": 60}, "REFUNDED"),
        ({"authorized": 100, "captured": 60, "refunded": 60}, "PARTIALLY_REFUNDED"),
        ({"authorized": 100, "captured": 60, "voided": 40, "refunded": 1}, "PARTIALLY_REFUNDED"),
        ({"authorized": 100, "expired": 100}, "VOIDED"),
        ({"authorized": 100}, "AUTHORIZED"),
        ({"authorized": 100, "capture_pending": 30}, "PENDING"),
        ({"authorized": 100, "void_pending": 100}, "AUTHORIZED"),
        ({}, "UNPAID"),
    ],
)
def test_financial_status(amounts, expected):
    assert financial_status(Amounts(**amounts), total=100, asked=False) == expected


def test_a_free_order_is_paid_and_an_asked_one_pending():
    assert financial_status(Amounts(), total=0, asked=False) == "PAID"
    assert financial_status(Amounts(), total=100, asked=True) == "PENDING"


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        (Units(), "PROCESSING"),
        (Units(live=3), "PROCESSING"),
        (Units(live=3, shipped=1), "PARTIALLY_SHIPPED"),
        (Units(live=3, shipped=3), "SHIPPED"),
        (Units(live=3, shipped=3, delivered=1), "SHIPPED"),
        (Units(live=3, shipped=3, delivered=3), "DELIVERED"),
        (Units(live=3, shipped=3, delivered=2, failed=1), "COULD_NOT_DELIVER"),
        (Units(live=3, shipped=2, failed=1), "PARTIALLY_SHIPPED"),
        (Units(live=3, shipped=3, delivered=2, returned=1), "DELIVERED"),
        (Units(live=3, shipped=3, returned=3), "RETURNED"),
    ],
)
def test_fulfillment_status(units, expected):
    assert fulfillment_status(units) == expected
