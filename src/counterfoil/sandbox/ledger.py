"""What the sandbox keeps, in one SQLite file that survives `kill -9`.

Every answer that was given after an effect is in the file before a byte of it leaves. Write-ahead
logging without an fsync per commit: the machine may lose the last moments, the process may not.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from counterfoil.sandbox.wire import Entry, Operation, Payment

_SCHEMA = """
create table if not exists setting (name text primary key, value integer not null) without rowid;
create table if not exists payment (
  id text primary key, reference text not null, currency text not null,
  authorized integer not null, captured integer not null default 0,
  voided integer not null default 0, expired integer not null default 0,
  refunded integer not null default 0, magic integer not null,
  created_at integer not null, acknowledged_at integer, expires_at integer,
  check (captured + voided + expired <= authorized and refunded <= captured),
  check (min(authorized, captured, voided, expired, refunded) >= 0)
) without rowid;
create index if not exists payment_expires on payment (expires_at) where expires_at is not null;
create table if not exists operation (
  id text primary key, payment text not null, kind text not null, status text not null,
  amount integer not null, currency text not null, reference text not null,
  code text, message text, created_at integer not null, visible_at integer not null,
  next_status text, next_at integer
) without rowid;
create index if not exists operation_reference on operation (reference);
create index if not exists operation_payment on operation (payment, created_at);
create index if not exists operation_next on operation (next_at) where next_at is not null;
create table if not exists entry (
  seq integer primary key autoincrement, operation text not null, kind text not null,
  amount integer not null, currency text not null, reference text not null,
  payment text not null, at integer not null
);
create index if not exists entry_reference on entry (reference);
create index if not exists entry_payment on entry (payment);
create table if not exists key (
  key text primary key, fingerprint text not null, status integer not null, body blob not null,
  at integer not null
) without rowid;
create table if not exists played (key text primary key) without rowid;
"""


def instant(milliseconds: int) -> datetime:
    """Turn milliseconds since 1970 into a UTC time."""
    seconds, rest = divmod(milliseconds, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)


class Ledger:
    """The tables, and the statements on them; what they mean is the till's affair."""

    def __init__(self, path: str | Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        self.db.execute("pragma journal_mode = wal")
        self.db.execute("pragma synchronous = normal")
        self.db.execute("pragma busy_timeout = 5000")
        self.db.executescript(_SCHEMA)
        found = self.one("select value from setting where name = 'clock'")
        self.offset_ms: int = found["value"] if found else 0

    def now(self) -> int:
        """Tell the time in milliseconds, by the clock that tests may move."""
        return time.time_ns() // 1_000_000 + self.offset_ms

    def set_clock(self, offset_seconds: int) -> None:
        """Move the clock, also over restarts."""
        self.offset_ms = offset_seconds * 1000
        self.run("insert or replace into setting values ('clock', ?)", self.offset_ms)

    def run(self, sql: str, *values: Any) -> int:
        """Run one statement and tell how many rows it touched."""
        return self.db.execute(sql, values).rowcount

    def one(self, sql: str, *values: Any) -> Any:
        """Read the first row, or None."""
        return self.db.execute(sql, values).fetchone()

    def all(self, sql: str, *values: Any) -> list[Any]:
        """Read every row."""
        return self.db.execute(sql, values).fetchall()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write all of it or nothing."""
        self.db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self.db.execute("rollback")
            raise
        self.db.execute("commit")

    def write_entry(self, operation: Any, *, kind: str, amount: int, at: int) -> None:
        """Note one effect; entries are only ever added."""
        self.run(
            "insert into entry (operation, kind, amount, currency, reference, payment, at)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            operation["id"], kind, amount, operation["currency"], operation["reference"],
            operation["payment"], at,
        )  # fmt: skip

    def entries(self, reference: str | None, payment: str | None, after: int) -> list[Entry]:
        """Read the effects in order, of one reference or one payment where asked."""
        rows = self.all(
            "select * from entry where seq > ? and (? is null or reference = ?)"
            " and (? is null or payment = ?) order by seq",
            after, reference, reference, payment, payment,
        )  # fmt: skip
        return [Entry(**{**dict(row), "at": instant(row["at"])}) for row in rows]

    def payment(self, id_: str) -> Any:
        """Read the row of a payment, or None."""
        return self.one("select * from payment where id = ?", id_)

    def operations(self, *, reference: str | None = None, payment: str | None = None) -> list[Any]:
        """Read the operations of a reference or a payment, oldest first."""
        if reference is not None:
            return self.all(
                "select * from operation where reference = ? order by created_at, id", reference
            )
        return self.all(
            "select * from operation where payment = ? order by created_at, id", payment
        )


def operation_view(row: Any, expires_at: int | None = None) -> Operation:
    """Turn a row into what the caller sees."""
    return Operation(
        id=row["id"],
        payment=row["payment"],
        kind=row["kind"],
        status=row["status"],
        amount=row["amount"],
        currency=row["currency"],
        reference=row["reference"],
        code=row["code"],
        message=row["message"],
        created_at=instant(row["created_at"]),
        expires_at=None if expires_at is None else instant(expires_at),
    )


def payment_view(row: Any, operations: list[Any]) -> Payment:
    """Turn a row into what the caller sees; the status is computed from the amounts."""
    if row["authorized"] == 0:
        status = "declined"
    elif row["captured"] + row["voided"] + row["expired"] < row["authorized"]:
        status = "partially_captured" if row["captured"] else "authorized"
    elif row["captured"]:
        status = "captured"
    else:
        status = "voided" if row["voided"] else "expired"
    named: dict[str, Any] = {**dict(row), "status": status, "magic": bool(row["magic"])}
    for name in ("created_at", "acknowledged_at", "expires_at"):
        named[name] = None if row[name] is None else instant(row[name])
    return Payment(**named, operations=[operation_view(one) for one in operations])
