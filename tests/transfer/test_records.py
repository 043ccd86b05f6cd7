"""Records of CSV: a row is lost alone, whatever it holds."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from counterfoil.transfer.line import LINE_BYTES_MAX, Source
from counterfoil.transfer.records import Record, read_records


def read(content: bytes) -> list[Record]:
    return list(read_records(Source(io.BytesIO(content))))


def faults(content: bytes) -> list[tuple[int, str | None]]:
    return [(found.number, found.fault.code if found.fault else None) for found in read(content)]


def test_cells_hold_newlines_quotes_and_commas() -> None:
    rows = read(b'a,"b ""c"", d\r\n\ne"\r\nf,g\r\n')
    assert [row.cells for row in rows] == [["a", 'b "c", d\r\n\ne'], ["f", "g"]]
    assert [row.number for row in rows] == [1, 4]


def test_a_cell_of_ten_megabytes_is_one_row_lost() -> None:
    content = b'a,1\nb,"' + (b"x" * 79 + b"\n") * (128 * 1024) + b'"\nc,3\n'
    rows = read(content)
    assert [row.cells[0] for row in rows] == ["a", "b", "c"]
    assert rows[1].fault is not None
    assert rows[1].fault.code == "too_large"
    assert rows[2].number == 2 + 128 * 1024 + 1


def test_a_long_line_without_quotes_is_one_row_lost() -> None:
    assert faults(b"a,1\nb," + b"x" * (3 * LINE_BYTES_MAX) + b"\nc,3") == [
        (1, None),
        (2, "too_large"),
        (3, None),
    ]


def test_a_cell_larger_than_csv_allows_is_one_row_lost() -> None:
    assert faults(b"a,1\nb," + b"x" * 200_000 + b"\nc,3\n") == [
        (1, None),
        (2, "malformed"),
        (3, None),
    ]


def test_bytes_that_are_no_utf8_are_one_row_lost() -> None:
    rows = read("a,1\nb,Bjørn\nc,3\n".encode("latin-1"))
    assert [(row.cells[0], row.fault is not None) for row in rows] == [
        ("a", False),
        ("b", True),
        ("c", False),
    ]


def test_control_characters_are_one_row_lost() -> None:
    assert faults(b"a,1\nb,\x00\nc,\x1b[2J\nd,4\n") == [
        (1, None),
        (2, "malformed"),
        (3, "malformed"),
        (4, None),
    ]


def test_a_quote_inside_an_unquoted_cell_is_a_letter() -> None:
    assert [row.cells for row in read(b'a,2"\nb,5" pipe\n')] == [["a", '2"'], ["b", '5" pipe']]


def test_a_quote_that_never_closes_costs_its_own_line_only() -> None:
    assert faults(b'a,1\nb,"2\nc,3\nd,4') == [(1, None), (2, "malformed"), (3, None), (4, None)]


def test_a_quote_closed_by_the_next_rows_quote_costs_its_own_line_only() -> None:
    content = b'a,1\nb,"2\nc,3\nd,"4"\n"e",5\nf,"6"7\ng,8\n'
    assert faults(content) == [
        *((1, None), (2, "malformed"), (3, None), (4, None), (5, None)),
        *((6, "malformed"), (7, None)),
    ]


def test_a_long_open_quote_costs_no_more_than_up_to_the_next_quoted_cell() -> None:
    lines = [b"a,1", b'b,"2', *[b"c," + b"x" * 100] * 30_000, b'd,"4"', b"e,5", b'f,"6"']
    found = faults(b"\n".join(lines))
    assert found == [(1, None), (2, "too_large"), (30_004, None), (30_005, None)]


def test_many_open_quotes_take_no_more_than_their_share_of_time() -> None:
    found = faults(b'a,"b\n' * 50_000)
    assert len(found) == 50_000
    assert {code for _, code in found} == {"malformed"}


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\n",;'))
rows = st.lists(st.lists(cells, min_size=2, max_size=4), max_size=8)


@given(rows)
def test_what_csv_writes_is_read_as_it_was(written: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(written)
    content = out.getvalue().encode()
    found = read(content)
    assert [row.cells for row in found] == written
    numbers = [1]
    for row in written[:-1]:
        numbers.append(numbers[-1] + 1 + sum(cell.count("\n") for cell in row))
    assert [row.number for row in found] == numbers[: len(found)]
