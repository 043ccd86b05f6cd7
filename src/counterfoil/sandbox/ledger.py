"""What the sandbox keeps, in one SQLite file that survives `kill -9`.

Every answer that was given after an effect is in the file before a byte of it leaves. Write-ahead
logging without an fsync per commit: the machine may lose the last moments, the process may not.
"""

import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from counterfoil.sandbox.wire import Also, Entry, Operation, Payment, Status

_SCHEMA = """
create table if not exists setting (name text primary key, value integer not null) without rowid;
create table if not exists payment (
  id text primary key, reference text not null, currency text not null,
  authorized integer not null, captured integer not null default 0,
  voided integer not null default 0, expired integer not null default 0,
  refunded integer not null default 0, magic integer not null,
  created_at integer not null, acknowledged_at integer, expires_at integer,
  account text not null default 'acct_sandbox', state text not null default 'open',
  sale integer not null default 0, hold_s integer, return_url text, redirect_url text, renews text,
  check (captured + voided + expired <= authorized and refunded <= captured),
  check (min(authorized, captured, voided, expired, refunded) >= 0)
) without rowid;
create index if not exists payment_expires on payment (expires_at) where expires_at is not null;
create table if not exists operation (
  id text primary key, payment text not null, kind text not null, status text not null,
  amount integer not null, currency text not null, reference text not null,
  code text, message text, created_at integer not null, visible_at integer not null,
  next_status text, next_at integer,
  fee integer not null default 0, also_kind text, also_amount integer
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
create table if not exists event (
  seq integer primary key autoincrement, id text not null unique, type text not null,
  account text not null, payment text not null, operation text not null, reference text not null,
  at integer not null
);
create index if not exists event_payment on event (payment);
create table if not exists hook (id text primary key, content blob not null) without rowid;
create table if not exists attempt (
  seq integer primary key autoincrement, event text not null, hook text not null,
  at integer not null, status integer, note text
);
create index if not exists attempt_event on attempt (event);
"""
#: Columns that came later, by table and name: a file of before them gets them when it is opened.
_LATER = {
    ("payment", "account"): "alter table payment add account text not null default 'acct_sandbox'",
    ("payment", "state"): "alter table payment add state text not null default 'open'",
    ("payment", "sale"): "alter table payment add sale integer not null default 0",
    ("payment", "hold_s"): "alter table payment add hold_s integer",
    ("payment", "return_url"): "alter table payment add return_url text",
    ("payment", "redirect_url"): "alter table payment add redirect_url text",
    ("payment", "renews"): "alter table payment add renews text",
    ("operation", "fee"): "alter table operation add fee integer not null default 0",
    ("operation", "also_kind"): "alter table operation add also_kind text",
    ("operation", "also_amount"): "alter table operation add also_amount integer",
}
#: So many events are kept, and at least as many attempts to tell them.
EVENTS_MAX = 10_000


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
        for (table, column), statement in _LATER.items():
            if not self.one("select 1 from pragma_table_info(?) where name = ?", table, column):
                self.run(statement)
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

    def write_event(self, type_: str, operation: Any, at: int) -> None:
        """Note that a payment changed, for those who want to hear of it; the oldest are dropped."""
        self.run(
            "insert into event (id, type, account, payment, operation, reference, at)"
            " select ?, ?, account, id, ?, ?, ? from payment where id = ?",
            "evt_" + secrets.token_hex(12), type_, operation["id"], operation["reference"], at,
            operation["payment"],
        )  # fmt: skip
        last = self.last_event()
        if last % 100 == 0:
            self.run("delete from event where seq <= ?", last - EVENTS_MAX)
            self.run(
                "delete from attempt where seq <= (select max(seq) from attempt) - ?",
                2 * EVENTS_MAX,
            )

    def last_event(self) -> int:
        """Tell the number of the newest event; 0 where there is none."""
        last = self.one("select max(seq) as seq from event")["seq"]
        return last or 0

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


def operation_view(row: Any, payment: Any) -> Operation:
    """Turn a row into what the caller sees."""
    also = None
    if row["also_kind"] and row["status"] == "succeeded":
        also = Also(row["also_kind"], row["also_amount"])
    first = row["kind"] == "authorize"
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
        expires_at=_maybe(payment["expires_at"]) if first else None,
        redirect_url=payment["redirect_url"] if first else None,
        fee=row["fee"] if row["status"] == "succeeded" else 0,
        also=also,
    )


def payment_view(row: Any, operations: list[Any]) -> Payment:
    """Turn a row into what the caller sees; the status is computed from the amounts."""
    return Payment(
        id=row["id"],
        reference=row["reference"],
        account=row["account"],
        status=payment_status(row),
        currency=row["currency"],
        authorized=row["authorized"],
        captured=row["captured"],
        voided=row["voided"],
        expired=row["expired"],
        refunded=row["refunded"],
        magic=bool(row["magic"]),
        renews=row["renews"],
        redirect_url=row["redirect_url"],
        created_at=instant(row["created_at"]),
        acknowledged_at=_maybe(row["acknowledged_at"]),
        expires_at=_maybe(row["expires_at"]),
        operations=[operation_view(one, row) for one in operations],
    )


def payment_status(row: Any) -> Status:
    """Tell where a payment is, from what the shopper did and from its amounts."""
    if row["state"] != "open":
        return "pending" if row["state"] == "waiting" else "abandoned"
    if row["authorized"] == 0:
        return "declined"
    if row["captured"] + row["voided"] + row["expired"] < row["authorized"]:
        return "partially_captured" if row["captured"] else "authorized"
    if row["captured"]:
        return "captured"
    return "voided" if row["voided"] else "expired"


def _maybe(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else instant(milliseconds)
