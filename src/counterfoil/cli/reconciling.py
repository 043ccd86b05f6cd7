"""`counterfoil reconcile` and `counterfoil settlement import`: gateways beside our book."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterfoil.book.reconciliations import Reconciliation
    from counterfoil.order.config import Account
    from counterfoil.work.desk import Works

_ERRORS_SHOWN_MAX = 10


def reconcile(
    *, gateway: Annotated[
        str | None, Parameter(help="The gateway's code; without it every one that is enabled.")
    ] = None,
    since: Annotated[
        str | None,
        Parameter(help="Compare what moved since then, as 2026-11-20 or 2026-11-20T10:15:00Z."),
    ] = None,
    account: AccountName = None,
    data_dir: DataDir = None,
) -> int:
    """Compare our payments with the accounts that the payment providers keep of them.

    Looks at payments that moved since the last run and at those with money that is open or not
    settled. What is missing here is added, what is unknown is settled; what a provider did beyond
    our limits becomes a line of the drift report, for a person to decide. Safe to stop and to
    repeat: a worker goes on with what was stopped. Ends with 1 if anything differs.
    """
    begin = None if since is None else _moment(since)
    with open_installation(data_dir=data_dir, key="given") as installation:
        return asyncio.run(_reconcile(installation, account, gateway, begin))


def import_settlement(
    file: Path,
    /,
    *,
    gateway: Annotated[str, Parameter(help="The code of the gateway that it comes from.")],
    overdue_days: Annotated[
        int, Parameter(help="After how many days a capture should have been paid out.")
    ] = 7,
    account: AccountName = None,
    data_dir: DataDir = None,
) -> int:
    """Book what a provider has paid out, from its settlement file.

    CSV with the columns reference, gateway_transaction_id, type (capture, refund or
    refund_reversal), amount, fee, currency and settled_at; amounts are decimals. The same file may
    be read again at any time, also after it was interrupted: what is booked is passed over. What
    differs becomes a line of the drift report. Ends with 1 if anything differs or a line could
    not be read.

    Parameters
    ----------
    file
        The file to read.
    """
    if not file.is_file():
        raise Said(f"There is no file {file}.", code=2)
    with open_installation(data_dir=data_dir, key="given") as installation:
        return asyncio.run(_settle(installation, account, file, gateway, overdue_days))


@asynccontextmanager
async def open_works(
    installation: Installation, account: str | None
) -> AsyncIterator[tuple["Works", "Account"]]:
    """Lend what work at providers needs, and the account it is for. Raises Said."""
    from counterfoil.book.run import Book
    from counterfoil.work.desk import Works

    async with open_database(installation) as pool:
        chosen = await choose_account(pool, account)
        works = Works.from_settings(installation.settings, pool, Book(pool))
        try:
            yield works, chosen
        finally:
            await works.aclose()


def _moment(text: str) -> datetime:
    try:
        found = msgspec.convert(f"{text}T00:00:00Z" if len(text) == len("2026-11-20") else text,
                                datetime)
    except msgspec.ValidationError:
        raise Said(f"{text!r} is no time as in 2026-11-20T10:15:00Z.", code=2) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


async def _reconcile(
    installation: Installation, account: str | None, gateway: str | None, since: datetime | None
) -> int:
    from counterfoil.book.reconciliations import compared_gateways
    from counterfoil.order.actor import system
    from counterfoil.work.reconcile import reconcile_now

    async with open_works(installation, account) as (works, chosen):
        async with works.pool.connection(chosen.id) as connection:
            known = await compared_gateways(connection)
        if gateway is None and not known:
            print("No enabled gateway keeps an account of its own.")
        wrong = 0
        for code in known if gateway is None else [gateway]:
            with Progress(f"Comparing {code}", total=None) as progress:
                run = await reconcile_now(
                    works, system(chosen.id, "Command line"), code, since=since,
                    follow=_follower(progress, "payments"),
                )
            print(f"{code}: {_words(run, 'payments')}.")
            wrong += _tell_errors(run)
        return 1 if wrong else 0


async def _settle(
    installation: Installation, account: str | None, file: Path, gateway: str, overdue_days: int
) -> int:
    from counterfoil.order.actor import system
    from counterfoil.work.settlements import Settlement, digest_of
    from counterfoil.work.settlements import import_settlement as read

    async with open_works(installation, account) as (works, chosen):
        with file.open("rb") as opened, Progress("Reading", total=None) as progress:
            settlement = Settlement(
                gateway=gateway, name=file.name, digest=await asyncio.to_thread(digest_of, opened),
                overdue_days=overdue_days,
            )
            run = await read(
                works, system(chosen.id, "Command line"), opened, settlement,
                follow=_follower(progress, "lines"),
            )
        print(f"{run.settled:,} paid out now; {_words(run, 'lines')}.")
        return 1 if _tell_errors(run) else 0


def _follower(progress: Progress, what: str) -> "Callable[[Reconciliation], None]":
    return lambda run: progress.at(run.seen, _words(run, what))


def _words(run: "Reconciliation", what: str) -> str:
    parts = [f"{run.seen:,} {what}", f"{run.matched:,} agree"]
    if run.kind != "settlement":
        parts += [f"{run.found:,} movements added", f"{run.settled:,} settled"]
    if run.drifted:
        parts.append(f"{run.drifted:,} differ")
    if run.failed:
        parts.append(f"{run.failed:,} could not be read")
    return ", ".join(parts)


def _tell_errors(run: "Reconciliation") -> int:
    for error in run.errors[:_ERRORS_SHOWN_MAX]:
        place = f"line {error.line}: " if error.line else ""
        say(f"  {place}{error.detail}")
    if run.drifted:
        say("  What differs is in the drift report, in the portal and at GET /v1/drift.")
    return run.drifted + run.failed + (run.status == "FAILED")
