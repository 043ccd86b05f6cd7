"""`counterfoil import orders`: a file of orders, with a progress bar and a report of its faults."""

import asyncio
import gc
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import msgspec
from cyclopts import Parameter

from counterfoil.cli.installation import (
    AccountName,
    DataDir,
    Installation,
    choose_account,
    open_database,
    open_installation,
)
from counterfoil.cli.progress import Progress
from counterfoil.cli.said import Said, say

FAULTS_SHOWN_MAX = 10
Format = Literal["ndjson", "shopify"]


class Wanted(msgspec.Struct, frozen=True):
    """What is to be imported, where to, and where the faults go."""

    file: Path
    store: str | None
    format: Format | None
    faults: Path


def orders(
    file: Path,
    /,
    *,
    store: Annotated[
        str | None, Parameter(help="The store of orders that name none, where there are several.")
    ] = None,
    format: Annotated[
        Format | None, Parameter(help="What the file is; without it the first line tells.")
    ] = None,
    errors: Annotated[
        Path | None,
        Parameter(help="Where refused lines are written down (FILE.errors.ndjson)."),
    ] = None,
    account: AccountName = None,
    data_dir: DataDir = None,
) -> int:
    """Import orders from a file: NDJSON, an order a line, or the order export of Shopify's admin.

    A line of NDJSON is what POST /v1/orders takes, with an optional `history`. Orders that are
    there already are passed over, so the same file may be imported again at any time, also after
    an import that was interrupted. A line that is refused costs itself alone: it is reported by
    its number, place and reason. Ends with 1 if any was.

    Parameters
    ----------
    file
        The file to read.
    """
    import uvloop

    if not file.is_file():
        raise Said(f"There is no file {file}.", code=2)
    faults = errors or file.with_name(file.name + ".errors.ndjson")
    gc.disable()  # orders hold no cycles, and looking for some took a fifth of the time
    with open_installation(data_dir=data_dir) as installation:
        return uvloop.run(_import(installation, account, Wanted(file, store, format, faults)))


async def _import(installation: Installation, account: str | None, wanted: Wanted) -> int:
    from counterfoil.order.actor import system
    from counterfoil.transfer.booking import Fault
    from counterfoil.transfer.importing import Into, Tally
    from counterfoil.transfer.read import read_orders
    from counterfoil.transfer.runs import run_import

    async with open_database(installation) as pool:
        chosen = await choose_account(pool, account)
        digest = await asyncio.to_thread(_digest, wanted.file)
        report = _Report(wanted.faults)
        with (
            read_orders(wanted.file, wanted.format) as lines,
            Progress("Importing", total=lines.bytes_total) as progress,
        ):

            async def tell(tally: Tally, faults: list[Fault]) -> None:
                progress.at(lines.bytes_read, _words(tally))
                report.add(faults)

            tally = await run_import(
                pool,
                lines,
                Into(actor=system(chosen.id, "Import"), store=wanted.store),
                source=wanted.file.name,
                digest=digest,
                tell=tell,
            )
        print(_words(tally) + ".")
        report.close()
    return 1 if tally.failed else 0


def _words(tally: msgspec.Struct) -> str:
    told = msgspec.structs.asdict(tally)
    words = f"{told['created']:,} imported, {told['skipped']:,} there already"
    return words + (f", {told['failed']:,} refused" if told["failed"] else "")


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _Report:
    """The faults, all in a file and the first of them on the screen."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.count = 0
        self._first: list[str] = []
        self._file: BinaryIO | None = None
        place.unlink(missing_ok=True)

    def add(self, faults: Sequence[msgspec.Struct]) -> None:
        """Write down what was found."""
        if faults and self._file is None:
            self._file = self.place.open("wb")
        for fault in faults:
            assert self._file is not None
            self._file.write(msgspec.json.encode(fault) + b"\n")
            told = msgspec.structs.asdict(fault)
            self.count += 1
            if len(self._first) < FAULTS_SHOWN_MAX:
                where = f" {told['pointer']}" if told["pointer"] else ""
                self._first.append(f"  line {told['line']}{where}: {told['detail']}")

    def close(self) -> None:
        """Show the first faults, and say where the others are."""
        if self._file is None:
            return
        self._file.close()
        for line in self._first:
            say(line)
        more = self.count - len(self._first)
        say(f"  {f'{more:,} more are' if more else 'They are'} in {self.place}")
