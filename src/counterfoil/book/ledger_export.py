"""The ledger of a period as CSV, for spreadsheets that must not run what they read. [H-11]"""

import csv
import io
from collections.abc import AsyncIterator, Iterable
from datetime import datetime

from counterfoil.book.balances import EntryShape, every_entry
from counterfoil.kernel.db import Pool
from counterfoil.kernel.money import to_decimal

COLUMNS = (
    "booked_at", "order", "version", "line", "kind", "debit", "credit", "gateway", "merchant",
    "currency", "amount", "transaction",
)  # fmt: skip
#: A cell that begins with one of these is a formula to some program.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")


def safe_cell(text: str) -> str:
    """Write text so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_lines(rows: Iterable[Iterable[str]]) -> bytes:
    """Write rows as RFC 4180 has it."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


async def export_entries(
    pool: Pool, account_id: str, *, since: datetime | None, until: datetime | None
) -> AsyncIterator[bytes]:
    """Write the entries of a period, a thousand at a time; amounts are decimals."""
    yield csv_lines([COLUMNS])
    async with pool.connection(account_id) as connection:
        async for entries in every_entry(connection, since=since, until=until):
            yield csv_lines(_cells(entry) for entry in entries)


def _cells(entry: EntryShape) -> list[str]:
    texts = [
        entry.at.isoformat(), entry.order_number, str(entry.sequence), str(entry.line), entry.kind,
        entry.debit, entry.credit, entry.gateway, entry.merchant or "", entry.currency,
    ]
    amount = to_decimal(entry.amount, entry.currency)  # a number stays a number
    return [*map(safe_cell, texts), amount, entry.transaction_id]
