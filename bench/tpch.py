"""Real volume that nobody here wrote: TPC-H as orders, one JSON object a line.

    python bench/tpch.py --scale 0.1 --out orders.ndjson

tpchgen-cli writes the tables; an order becomes an order, its customer the customer, each line item
an item, its supplier the merchant, so that an order of several suppliers has several bags. Prices
are per unit and whole cents; discounts and taxes are those of the lines, cut off the way dbgen cuts
them, and every order's total is compared with o_totalprice. What is told of an order's past:

    F   every line shipped: authorised, captured, a parcel for each supplier
    P   some lines shipped: their worth captured, their parcels, the rest open
    O   nothing shipped: authorised; of lowest priority, not paid at all

Orders and line items come sorted by order key, so that both are read once, side by side; customers
are looked up in a mapped file. Memory does not grow with the scale, but for 8 bytes a customer.
"""

from __future__ import annotations

import argparse
import mmap
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

TABLES = ("orders", "lineitem", "customer", "supplier", "nation")
TODAY = "1995-06-17"
"""The day on which the specification stands; what arrives later is under way."""
COUNTRIES = (
    *("DZ", "AR", "BR", "CA", "EG", "ET", "FR", "DE", "IN", "ID", "IR", "IQ", "JP"),
    *("JO", "KE", "MA", "MZ", "PE", "CN", "RO", "SA", "VN", "RU", "GB", "US"),
)


class Customers:
    """The customers by key: the table mapped, and where each line begins."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as table:
            self._map = mmap.mmap(table.fileno(), 0, access=mmap.ACCESS_READ)
        self._starts = array("Q", [0])
        while (end := self._map.find(b"\n", self._starts[-1])) >= 0:
            self._starts.append(end + 1)

    def __getitem__(self, key: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Tell a customer and an address; keys count from 1 without gaps."""
        line = self._map[self._starts[key - 1] : self._starts[key] - 1]
        _, name, street, nation, phone, *_ = line.decode().split("|")
        first, _, last = name.partition("#")
        customer = {
            "email": f"{first.lower()}.{int(last)}@example.com",
            "first_name": first,
            "last_name": last,
            "phone": phone,
        }
        address = {
            "name": name,
            "line1": street.strip(),
            "city": f"City {int(nation)}",
            "postal_code": f"{key % 100_000:05d}",
            "country": COUNTRIES[int(nation)],
        }
        return customer, address


def generate(scale: str, folder: Path) -> None:
    """Write the tables with tpchgen-cli, those beside this Python first. Kept if they are there."""
    if all((folder / f"{table}.tbl").exists() for table in TABLES):
        return
    beside = Path(sys.executable).with_name("tpchgen-cli")
    program = str(beside) if beside.exists() else "tpchgen-cli"
    command = [program, "--scale-factor", scale, "--output-dir", str(folder)]
    command += ["--tables", ",".join(TABLES), "--overwrite", "--quiet", "--no-progress"]
    subprocess.run(command, check=True)


def cents(text: str) -> int:
    """Read dbgen's money, which always has two decimals."""
    return int(text.replace(".", ""))


def orders(folder: Path, *, merchants: int = 0, history: bool = True) -> Iterator[dict[str, Any]]:
    """Merge orders and line items into orders; `merchants` folds suppliers into that many."""
    customers = Customers(folder / "customer.tbl")
    with (folder / "orders.tbl").open() as heads, (folder / "lineitem.tbl").open() as items:
        lines = groupby((line.split("|") for line in items), key=lambda line: line[0])
        for head in heads:
            order = head.split("|")
            key, rows = next(lines)
            assert key == order[0], f"order {order[0]} beside lines of {key}"
            yield one(order, list(rows), customers, merchants=merchants, history=history)


def one(
    order: list[str], rows: list[list[str]], customers: Customers, *, merchants: int, history: bool
) -> dict[str, Any]:
    """Make an order of its row and its line items' rows."""
    key, customer_key, status, total, day, priority = order[:6]
    bags: dict[str, dict[str, Any]] = {}
    shipped: dict[str, list[list[str]]] = {}
    captured = 0
    for row in rows:
        supplier = int(row[2]) % merchants if merchants else int(row[2])
        code = f"supplier-{supplier:09d}"
        bag = bags.get(code)
        if bag is None:
            bag = bags[code] = {"merchant": code, "discount_total": 0, "tax_total": 0, "items": []}
        worth = add_line(bag, row)
        if row[9] == "F":
            captured += worth
            shipped.setdefault(code, []).append([str(len(bag["items"]) - 1), *row])
    customer, address = customers[int(customer_key)]
    amount = cents(total)
    made = {
        "external_id": f"tpch-{key}",
        "currency": "USD",
        "placed_at": f"{day}T{int(key) % 86_400 // 3600:02d}:{int(key) // 7 % 60:02d}:00Z",
        "customer": customer,
        "billing_address": address,
        "shipping_address": address,
        "shipping_method": "standard",
        "bags": list(bags.values()),
        "tags": [priority.partition("-")[2].lower()],
        "total": amount,
    }
    if not (status == "O" and priority.startswith("5")):
        made["payment"] = {"gateway": "manual", "flow": "auth", "amount": amount}
    if history and captured:
        parcels = [
            parcel(key, place, code, shipped[code])
            for place, code in enumerate(bags)
            if code in shipped
        ]
        made["history"] = {
            "state": "completed" if status == "F" else "processing",
            "captured": captured,
            "captured_at": min(parcel["shipped_at"] for parcel in parcels),
            "shipments": parcels,
        }
    return made


def add_line(bag: dict[str, Any], row: list[str]) -> int:
    """Put a line item into its bag; tell what it costs with its discount and tax."""
    quantity, extended = int(row[4]), cents(row[5])
    price, rest = divmod(extended, quantity)
    assert rest == 0, f"line {row[3]} of order {row[0]} has no whole price"
    net = extended * (100 - cents(row[6])) // 100
    gross = net * (100 + cents(row[7])) // 100
    bag["discount_total"] += extended - net
    bag["tax_total"] += gross - net
    bag["items"].append(
        {
            "sku": f"PART-{int(row[1]):09d}",
            "name": f"Part {row[1]}",
            "quantity": quantity,
            "unit_price": price,
        }
    )
    return gross


def parcel(key: str, place: int, code: str, rows: list[list[str]]) -> dict[str, Any]:
    """Make the parcel of one supplier's bag: it left with its last line."""
    received = max(row[13] for row in rows)
    made: dict[str, Any] = {
        "bag": place,
        "items": [{"line": int(row[0]), "quantity": int(row[5])} for row in rows],
        "method": "standard",
        "carrier": rows[0][15].title(),
        "tracking_number": f"T{key}-{code[-9:]}",
        "shipped_at": max(row[11] for row in rows) + "T12:00:00Z",
    }
    if received <= TODAY:
        made["delivered_at"] = f"{received}T16:00:00Z"
    return made


def write(found: Iterator[dict[str, Any]], out: Path) -> tuple[int, int, int]:
    """Write one order a line and check its total; count orders, lines and bags."""
    encoder = msgspec.json.Encoder()
    orders_count = lines_count = bags_count = 0
    with out.open("wb", buffering=1024 * 1024) as file:
        for order in found:
            computed = sum(
                sum(item["quantity"] * item["unit_price"] for item in bag["items"])
                - bag["discount_total"]
                + bag["tax_total"]
                for bag in order["bags"]
            )
            assert computed == order["total"], f"{order['external_id']} comes to {computed}"
            orders_count += 1
            bags_count += len(order["bags"])
            lines_count += sum(len(bag["items"]) for bag in order["bags"])
            file.write(encoder.encode(order) + b"\n")
    return orders_count, lines_count, bags_count


def main(arguments: list[str] | None = None) -> None:
    """Generate and write, and say how much and how fast."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scale", default="0.1", help="TPC-H scale factor (0.1: 150,000 orders)")
    parser.add_argument("--out", type=Path, required=True, help="the NDJSON file to write")
    parser.add_argument("--work", type=Path, help="keep the tables in this folder")
    parser.add_argument("--merchants", type=int, default=0, help="fold suppliers into so many")
    parser.add_argument("--plain", action="store_true", help="leave the history out")
    asked = parser.parse_args(arguments)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tpch-") as scratch:
        folder = (asked.work / f"sf{asked.scale}") if asked.work else Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        generate(asked.scale, folder)
        found = orders(folder, merchants=asked.merchants, history=not asked.plain)
        orders_count, lines_count, bags_count = write(found, asked.out)
    seconds = time.monotonic() - started
    print(
        f"{orders_count:,} orders, {bags_count:,} bags, {lines_count:,} lines, "
        f"{asked.out.stat().st_size:,} bytes in {seconds:.1f} s"
    )


if __name__ == "__main__":
    main()
