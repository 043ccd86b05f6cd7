"""The table that a run leaves behind: JSON for programs, Markdown for people."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

#: CPU milliseconds (program and database) that a command may take, and the least share of pgbench.
#: Releasing all of an order's money cancels the order.
GOALS_MS = {
    "create": 3.5,
    "capture": 2.0,
    "void": 2.0,
    "void all": 3.5,
    "refund": 2.0,
    "ship": 2.0,
    "cancel": 3.5,
    "list": 4.0,
    "list deep": 4.0,
    "detail": 2.5,
}
GOAL_RATIO = 0.3
GOAL_IMPORT = 1500
GOAL_MEMORY_MB = 150
GOAL_GROWTH = 1.5


def begun() -> str:
    """Tell when, at which commit and how busy the machine is before anything is measured."""
    asked = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    commit = subprocess.run(asked, check=False, capture_output=True, text=True).stdout.strip()
    busy = os.getloadavg()[0]
    return f"{time.strftime('%Y-%m-%d %H:%M')}, {commit or 'no commit'}, load before {busy:.1f}"


@dataclass
class Row:
    """One command, measured."""

    name: str
    per_second: float
    p50_ms: float
    p99_ms: float
    program_ms: float
    database_ms: float
    statements: float
    pgbench_before: float | None = None
    pgbench_after: float | None = None
    orders: int = 0

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds of program and database for one operation."""
        return self.program_ms + self.database_ms

    @property
    def ratio(self) -> float | None:
        """Requests a second as a share of what pgbench makes of the same statements."""
        if not self.pgbench_before or not self.pgbench_after:
            return None
        return self.per_second / ((self.pgbench_before + self.pgbench_after) / 2)


@dataclass
class Report:
    """Everything one run found."""

    orders: int
    connections: int
    rows: list[Row] = field(default_factory=list)
    memory_mb: dict[str, float] = field(default_factory=dict)
    imported: dict[str, dict[str, float]] = field(default_factory=dict)
    database: str = ""
    begun: str = ""

    def _machine(self) -> str:
        return f"{os.cpu_count()} cores, Python {platform.python_version()}, {self.database}"

    def markdown(self) -> str:
        """Write the table for people."""
        lines = [
            "# Measured",
            "",
            (
                f"{self._machine()}; {self.connections} connections, 2 server processes, "
                f"{self.orders:,} orders. CPU is that of program and database together, from the "
                "processes' own accounting. pgbench ran the very statements the commands issued, "
                "over as many connections, before and after."
            ),
            "",
            f"{self.begun}.",
            "",
            (
                "| command | orders | requests/s | p50 ms | p99 ms | CPU ms | program | database "
                "| statements | pgbench/s | ratio | goal |"
            ),
            "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|",
        ]
        lines += [self._line(row) for row in self.rows]
        lines += ["", *self._growth(), *self._rest(), ""]
        return "\n".join(lines)

    def _line(self, row: Row) -> str:
        goal = GOALS_MS.get(row.name)
        met = "" if goal is None else f"≤ {goal} ms {'✓' if row.cpu_ms <= goal else '✗'}"
        if row.ratio is not None and row.name in GOALS_MS:
            met += f", ≥ {GOAL_RATIO} {'✓' if row.ratio >= GOAL_RATIO else '✗'}"
        both = [n for n in (row.pgbench_before, row.pgbench_after) if n]
        bench = " / ".join(f"{n:,.0f}" for n in both) or "–"
        ratio = f"{row.ratio:.2f}" if row.ratio is not None else "–"
        statements = f"{row.statements:.1f}" if row.statements else "–"
        return (
            f"| {row.name} | {row.orders:,} | {row.per_second:,.0f} | {row.p50_ms:.1f} "
            f"| {row.p99_ms:.1f} | {row.cpu_ms:.2f} | {row.program_ms:.2f} "
            f"| {row.database_ms:.2f} | {statements} | {bench} | {ratio} | {met} |"
        )

    def _growth(self) -> list[str]:
        told = []
        for name in ("list", "list deep", "detail"):
            sizes = sorted((row for row in self.rows if row.name == name), key=lambda r: r.orders)
            if len(sizes) > 1:
                grown = sizes[-1].p99_ms / sizes[0].p99_ms
                mark = "✓" if grown <= GOAL_GROWTH else "✗"
                told.append(
                    f"- {name}: p99 at {sizes[-1].orders:,} is {grown:.2f} × that at "
                    f"{sizes[0].orders:,} (≤ {GOAL_GROWTH}) {mark}"
                )
        return told

    def _rest(self) -> list[str]:
        told = []
        for name, took in self.imported.items():
            rate = took["orders"] / took["seconds"]
            mark = "✓" if rate >= GOAL_IMPORT else "✗"
            told.append(
                f"- import of TPC-H {name}: {took['orders']:,.0f} in {took['seconds']:.1f} s, "
                f"{rate:,.0f} orders/s (≥ {GOAL_IMPORT:,}) {mark}"
            )
        if self.memory_mb:
            most = max(self.memory_mb.values())
            mark = "✓" if most <= GOAL_MEMORY_MB else "✗"
            told.append(f"- memory: at most {most:.0f} MB a process (≤ {GOAL_MEMORY_MB}) {mark}")
        return told

    def write(self, folder: Path) -> None:
        """Write both tables into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        told: dict[str, Any] = asdict(self)
        for plain, row in zip(told["rows"], self.rows, strict=True):
            plain |= {"cpu_ms": row.cpu_ms, "ratio": row.ratio}
        (folder / "results.json").write_text(json.dumps(told, indent=2) + "\n")
        (folder / "results.md").write_text(self.markdown())
