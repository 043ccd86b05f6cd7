"""A brought order's past: what can have been passes, what cannot is pointed at."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from counterfoil.order.history import Brought, History, faults, faults_of

AT = "2026-10-01T10:00:00Z"


def history(**members: Any) -> History:
    return msgspec.convert(members, History, strict=False)


def pointers(past: History, **other: Any) -> list[str]:
    given: dict[str, Any] = {"units": [[2, 1], [5]], "authorized": 5000, **other}
    return [fault["pointer"] for fault in faults(past, **given)]


GOOD: list[dict[str, Any]] = [
    {},
    {"captured": 5000},
    {"captured": 3000, "voided": 2000, "refunds": [{"reference": "R", "amount": 3000}]},
    {"shipments": [{"bag": 0}, {"bag": 1, "items": [{"line": 0, "quantity": 5}]}]},
    {"shipments": [{"bag": 1, "items": [{"line": 0, "quantity": 2}]}, {"bag": 1}]},
    {"shipments": [{"shipped_at": AT, "delivered_at": AT, "tracking_number": "T"}]},
    {"canceled_at": AT, "state": "canceled", "voided": 5000},
    {"holds": [{"handle": "stock"}, {"handle": "fraud", "blocks": ["capture"]}]},
    {"notes": [{"body": "x"}, {"body": "x", "visibility": "customer"}]},
]

IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"captured": 5001}, "captured"),
    ({"captured": 3000, "voided": 2001}, "voided"),
    ({"captured": 300, "refunds": [{"reference": "R", "amount": 301}]}, "refunds"),
    ({"captured": 300, "refunds": [{"reference": "R", "amount": 1}] * 2}, "refunds"),
    ({"shipments": [{"bag": 2}]}, "shipments/0/bag"),
    ({"shipments": [{"items": [{"line": 2, "quantity": 1}]}]}, "shipments/0/items"),
    ({"shipments": [{"items": [{"line": 0, "quantity": 3}]}]}, "shipments/0/items"),
    (
        {"shipments": [{"items": [{"line": 0, "quantity": 1}, {"line": 0, "quantity": 1}]}]},
        "shipments/0/items",
    ),
    (
        {"shipments": [{"bag": 1}, {"bag": 1, "items": [{"line": 0, "quantity": 1}]}]},
        "shipments/1/items",
    ),
    ({"shipments": [{"bag": 1}, {"bag": 1}]}, "shipments/1"),
    ({"shipments": [{"items": []}]}, "shipments/0"),
    ({"shipments": [{"delivered_at": AT}]}, "shipments/0/shipped_at"),
    (
        {"shipments": [{"bag": 0, "tracking_number": "T"}, {"bag": 1, "tracking_number": "T"}]},
        "shipments",
    ),
    ({"canceled_at": AT, "state": "completed"}, "state"),
    ({"holds": [{"handle": "a"}, {"handle": "a"}]}, "holds"),
    ({"holds": [{"handle": "a", "blocks": []}]}, "holds"),
]


@pytest.mark.parametrize("members", GOOD)
def test_a_past_that_can_have_been_has_no_faults(members: dict[str, Any]) -> None:
    assert pointers(history(**members)) == []


@pytest.mark.parametrize(("members", "pointer"), IMPOSSIBLE)
def test_a_past_that_cannot_have_been_is_pointed_at(members: dict[str, Any], pointer: str) -> None:
    assert pointers(history(**members)) == [f"/history/{pointer}"]


def test_a_payment_takes_all_when_it_is_placed() -> None:
    assert pointers(history(captured=5000), flow="payment") == []
    assert pointers(history(captured=4000), flow="payment") == ["/history/captured"]
    assert pointers(history(voided=1), flow="payment") == ["/history/voided"]
    assert pointers(history(refunds=[{"reference": "R", "amount": 5000}]), flow="payment") == []


def test_without_a_payment_no_money_moved() -> None:
    assert pointers(history(captured=1), authorized=0) == ["/history/captured"]


@pytest.mark.parametrize(
    "members",
    [
        {"paid": 1},
        {"captured": -1},
        {"captured": 10**12},
        {"captured_at": "2026-10-01T10:00:00"},
        {"refunds": [{"amount": 1}]},
        {"refunds": [{"reference": "R", "amount": 0}]},
        {"shipments": [{"items": [{"line": 0, "quantity": 0}]}]},
        {"notes": [{"body": "x", "visibility": "secret"}]},
        {"holds": [{"handle": "a", "blocks": ["everything"]}]},
    ],
)
def test_a_past_of_another_shape_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(members, History)


@pytest.mark.parametrize(
    ("order", "captured", "fine"),
    [
        ({"payment": {"gateway": "manual"}}, 3200, True),
        ({"payment": {"gateway": "manual"}}, 3201, False),
        ({"payment": {"gateway": "manual", "amount": 100}}, 101, False),
        ({}, 1, False),
    ],
)
def test_an_orders_total_bounds_what_was_captured(
    order: dict[str, Any], captured: int, fine: bool
) -> None:
    items = [
        {"name": "Mug", "quantity": 2, "unit_price": 1250},
        {"name": "Coupon", "quantity": 1, "unit_price": -100},
        {"name": "Card", "quantity": 1, "unit_price": 200, "type": "store_credit"},
    ]
    sums = {"shipping_total": 500, "tax_total": 400, "duty_total": 300, "discount_total": 200}
    for shape in ({"items": items, **sums}, {"bags": [{"items": items, **sums}]}):
        told = {"currency": "EUR", "history": {"captured": captured}, **order, **shape}
        assert (faults_of(msgspec.convert(told, Brought)) == []) is fine
