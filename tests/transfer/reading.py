"""Reads what the tests wrote, and holds every order to the shape that an import takes."""

from __future__ import annotations

import io
from typing import Any

import msgspec

from counterfoil.order.history import Brought, faults_of
from counterfoil.transfer.line import Line
from counterfoil.transfer.read import read_orders
from tests.transfer.export import export, order


def read(content: bytes) -> list[Line]:
    return list(read_orders(io.BytesIO(content)))


def brought(found: Line) -> Brought:
    """Read a line as the import does: the typed order, whose sums and past must be possible."""
    assert found.error is None, found.error
    typed = msgspec.json.decode(found.raw, type=Brought)
    assert faults_of(typed) == []
    assert typed.total == sum(total_of(bag) for bag in typed.bags or ())
    assert msgspec.json.decode(found.raw) == found.order
    return typed


def total_of(bag: Any) -> int:
    goods = sum(item.quantity * item.unit_price for item in bag.items)
    total = goods - bag.discount_total + bag.shipping_total + bag.tax_total + bag.duty_total
    assert bag.total == total
    assert min(total, bag.discount_total) >= 0
    return int(total)


def one(*lines: dict[str, str], **cells: str) -> Brought:
    (found,) = read(export(order(*lines, **cells)))
    return brought(found)


def refusal(*lines: dict[str, str], **cells: str) -> tuple[str, str, str]:
    (found,) = read(export(order(*lines, **cells)))
    assert found.order is None
    assert found.error is not None
    return found.error.code, found.error.pointer, found.error.detail


def past(typed: Brought) -> Any:
    assert typed.history is not None
    return typed.history
