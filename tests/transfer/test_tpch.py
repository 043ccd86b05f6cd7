"""TPC-H as orders: its totals come out to the cent, and what it makes is what an import takes."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest

from bench.tpch import Customers, orders, write
from counterfoil.order.history import Brought, faults_of
from counterfoil.transfer.read import read_orders

CUSTOMERS = """\
1|Customer#000000001|Somewhere 1|6|16-111-222-3333|1.00|BUILDING|nothing|
2|Customer#000000002| Elsewhere 22|12|22-111-222-3333|-1.00|MACHINERY|much|
"""
ORDERS = """\
1|2|P|416.20|1995-06-01|5-LOW|Clerk#1|0|words|
2|1|F|10.00|1994-01-02|1-URGENT|Clerk#2|0|words|
5|1|O|10.00|1996-01-02|5-LOW|Clerk#2|0|words|
6|1|O|10.00|1996-01-02|1-URGENT|Clerk#2|0|words|
"""
LINES = """\
1|11|7|1|3|300.03|0.05|0.08|N|F|1995-06-10|1995-06-01|1995-06-20|NONE|TRUCK|words|
1|12|8|2|1|99.99|0.00|0.03|N|O|1995-07-10|1995-06-01|1995-07-20|NONE|MAIL|words|
1|13|7|3|2|6.00|0.10|0.00|N|F|1995-06-12|1995-06-01|1995-06-16|NONE|RAIL|words|
2|11|7|1|1|10.00|0.00|0.00|R|F|1994-02-01|1994-02-01|1994-02-03|NONE|AIR|words|
5|11|7|1|1|10.00|0.00|0.00|N|O|1996-02-01|1996-02-01|1996-02-03|NONE|AIR|words|
6|11|7|1|1|10.00|0.00|0.00|N|O|1996-02-01|1996-02-01|1996-02-03|NONE|AIR|words|
"""


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    for name, rows in {"customer": CUSTOMERS, "orders": ORDERS, "lineitem": LINES}.items():
        (tmp_path / f"{name}.tbl").write_text(rows)
    return tmp_path


def test_every_order_is_one_that_an_import_takes(tables: Path, tmp_path: Path) -> None:
    out = tmp_path / "orders.ndjson"
    assert write(orders(tables), out) == (4, 6, 5)
    found = list(read_orders(io.BytesIO(out.read_bytes())))
    typed = [msgspec.json.decode(line.raw, type=Brought) for line in found]
    assert [faults_of(order) for order in typed] == [[], [], [], []]
    partly, shipped, unpaid, waiting = typed
    assert [bag.merchant for bag in partly.bags or ()] == [
        "supplier-000000007",
        "supplier-000000008",
    ]
    assert partly.history is not None
    # 300.03 − 5 % = 285.02 + 8 % = 307.82; 6.00 − 10 % = 5.40: cut off, never rounded up.
    assert partly.history.captured == 30782 + 540
    (parcel,) = partly.history.shipments
    assert [(item.line, item.quantity) for item in parcel.items or ()] == [(0, 3), (1, 2)]
    assert parcel.delivered_at is None
    assert shipped.history is not None
    assert shipped.history.state == "completed"
    assert shipped.history.shipments[0].delivered_at is not None
    assert (unpaid.payment, unpaid.history) == (None, None)
    assert waiting.payment is not None
    assert waiting.history is None


def test_a_total_that_does_not_agree_is_not_written(tables: Path, tmp_path: Path) -> None:
    path = tables / "orders.tbl"
    path.write_text(path.read_text().replace("416.20", "416.21"))
    with pytest.raises(AssertionError, match="tpch-1 comes to 41620"):
        write(orders(tables), tmp_path / "orders.ndjson")


def test_suppliers_fold_into_as_many_merchants_as_asked(tables: Path) -> None:
    found = [bag["merchant"] for order in orders(tables, merchants=1) for bag in order["bags"]]
    assert set(found) == {"supplier-000000000"}


def test_customers_are_found_by_key(tables: Path) -> None:
    customer, address = Customers(tables / "customer.tbl")[2]
    assert customer["email"] == "customer.2@example.com"
    assert (address["line1"], address["country"]) == ("Elsewhere 22", "JP")
