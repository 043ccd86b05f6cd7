"""Files of Shopify's export: an order whole or not at all, and never at another's cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from counterfoil.transfer.read import read_orders
from tests.transfer.export import HEADER, export, line, order
from tests.transfer.reading import brought, one, past, read, refusal

FILES = Path(__file__).parent / "files"


@pytest.mark.parametrize("cells", [{"lineitem_quantity": "1.5"}, {"lineitem_quantity": "-1"}])
def test_a_broken_line_refuses_its_order_only(cells: dict[str, str]) -> None:
    good = order(name="#1002", id="5002")
    found = read(export(order(line(), line(**cells)), good))
    assert [entry.number for entry in found] == [2, 4]
    assert found[0].error is not None
    assert found[0].error.pointer == "/Lineitem quantity"
    assert "Row 3" in found[0].error.detail
    assert brought(found[1]).external_id == "5002"


def test_lines_of_no_units_are_passed_over() -> None:
    found = one(line(), line(lineitem_quantity="0", lineitem_name="Removed"))
    assert [len(bag.items) for bag in found.bags or ()] == [1]
    assert refusal(line(lineitem_quantity="0"))[1] == "/Lineitem quantity"


def test_a_row_without_its_order_is_an_error_and_never_another_orders_line() -> None:
    stray = {**line(), "Name": "#0999"}
    found = read(export([stray], order(), [stray], order(name="#1002", id="5002")))
    assert [entry.number for entry in found] == [2, 3, 4, 5]
    assert [entry.error is None for entry in found] == [False, True, False, True]
    assert found[2].error is not None
    assert "#0999" in found[2].error.detail


def test_the_same_order_twice_is_told_twice() -> None:
    first, second = read(export(order(), order()))
    assert first.order == second.order


def test_a_row_cut_short_refuses_its_order_only() -> None:
    content = export(order(), order(name="#1002", id="5002"))
    found = read(content[: content.rindex(b"5002") + 2])
    assert found[0].error is None
    assert found[1].error is not None
    assert "cells" in found[1].error.detail


def test_a_byte_that_is_no_utf8_refuses_its_order_only() -> None:
    rows = [order(name=f"#{number}", id=str(number)) for number in (1, 2, 3)]
    rows[1] = order(line(), line(lineitem_name="Bl\udcffe"), name="#2", id="2")
    found = read(export(*rows))
    assert [entry.error is None for entry in found] == [True, False, True]
    assert found[1].error is not None
    assert "Row 4 of order #2" in found[1].error.detail


def test_a_large_cell_refuses_its_order_only() -> None:
    huge = "long\n" * 300_000
    found = read(
        export(order(name="#1", id="1"), order(name="#2", id="2", notes=huge), order(id="3"))
    )
    assert [entry.error is None for entry in found] == [True, False, True]
    assert found[1].error is not None
    assert found[1].error.code == "too_large"


def test_an_order_of_more_rows_than_anybody_buys_is_refused() -> None:
    (found,) = read(export(order(*[line()] * 10_002)))
    assert found.error is not None
    assert found.error.code == "too_large"


def test_a_note_cannot_smuggle_in_an_order() -> None:
    inner = export(order(name="#6666", id="6666")).decode().splitlines()[1]
    found = read(export(order(notes=f"hello\n{inner}\n"), order(name="#1002", id="5002")))
    assert [brought(entry).external_id for entry in found] == ["5001", "5002"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b"\r\n\n"])
def test_spreadsheets_separators_and_marks_are_no_matter(delimiter: str, mark: bytes) -> None:
    content = export(order(notes="a;b,c\td"), delimiter=delimiter).replace(b"\n", b"\r\n")
    (found,) = read(mark + content)
    assert past(brought(found)).notes[0].body == "a;b,c\td"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Name,Lineitem name\n#1,Mug\n", "no column"),
        (b"a,b,c\n1,2,3\n", "neither"),
        (b"[{}]", "list"),
        ("Name,Lineitem name\n".encode("utf-16"), "UTF-16"),
        (export().replace(b"Paid at", b"Total"), "two columns Total"),
    ],
)
def test_a_file_that_is_something_else_is_said_once(content: bytes, words: str) -> None:
    (found,) = read(content)
    assert found.error is not None
    assert words in found.error.detail


def test_an_empty_file_has_no_lines() -> None:
    assert read(b"") == []
    assert read(b"\xef\xbb\xbf\n\n") == []
    assert read(export()) == []


def test_columns_stand_in_any_order() -> None:
    shuffled = sorted(HEADER)
    rows = [shuffled, *([cells.get(name, "") for name in shuffled] for cells in order())]
    content = "\n".join(",".join(cells) for cells in rows).encode()
    (found,) = read(content)
    assert brought(found).external_id == "5001"


def test_a_whole_file_as_the_admin_writes_it() -> None:
    with read_orders(FILES / "orders_export.csv") as reading:
        found = list(reading)
        assert reading.bytes_read == reading.bytes_total
    told = {entry.number: entry for entry in found}
    good = {number: brought(entry) for number, entry in told.items() if entry.error is None}
    bad = {number: entry.error.pointer for number, entry in told.items() if entry.error}
    assert {n: (o.merchant_reference, o.currency, o.total) for n, o in good.items()} == {
        2: ("#1001", "EUR", 7401),
        6: ("#1002", "NOK", 124900),
        10: ("#1003", "JPY", 8860),
        12: ("#1004", "KWD", 15750),
        13: ("#1005", "USD", 5413),
        17: ("#1008", "EUR", 0),
    }
    assert bad == {14: "/Total", 15: "/Created at", 16: "/Name"}
    states = {number: past(entry).state for number, entry in good.items()}
    ends = [*("completed", "processing", "canceled"), *("new", "completed", "processing")]
    assert list(states.values()) == ends
