"""Running the program: API, portal and worker; each part alone where that is wanted."""

import asyncio
import signal
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

from cyclopts import Parameter

from counterfoil.cli.child import keep_letters
from counterfoil.cli.family import Family, Member
from counterfoil.cli.installation import (
    DataDir,
    Installation,
    Port,
    bring_up_to_date,
    open_database,
    open_installation,
)
from counterfoil.cli.ports import answers, at_once, check_free
from counterfoil.cli.said import Said, say

WORK = Member(name="worker", words=("work",), ready=at_once, patience_s=30)
_LOOK_S = 2


def serve(
    *,
    port: Port = None,
    host: Annotated[str | None, Parameter(help="The address to listen on (127.0.0.1).")] = None,
    workers: Annotated[int | None, Parameter(help="Processes that answer requests (1).")] = None,
    no_work: Annotated[bool, Parameter(help="Leave the worker out.")] = False,
    data_dir: DataDir = None,
) -> int:
    """Run API and portal on one port, and a worker beside them, until told to stop.

    SIGTERM and Ctrl-C stop in order: no new requests, those under way end, the worker gives back
    what it has not begun, PostgreSQL last where it is ours. A second signal stops at once.
    """
    given = {"port": port, "host": host, "workers": workers, "data_dir": data_dir}
    return run_family(given, [WORK] if not no_work else [], server=True)


def work(*, data_dir: DataDir = None) -> int:
    """Run a worker until told to stop: movements to settle, letters, expiring authorisations.

    Any number may run beside each other, on any number of machines.
    """
    return run_family({"data_dir": data_dir}, [WORK], server=False)


def run_family(given: dict[str, Any], members: list[Member], *, server: bool) -> int:
    """Open the installation and keep its processes going. Raises Said."""
    end_on_sigterm()
    with open_installation(key="given", **given) as installation:
        if server:
            check_free(installation.settings.host, installation.settings.port)
            members = [*members, server_member(installation)]
        try:
            return asyncio.run(_live(installation, members))
        finally:
            leave_in_peace()


async def _live(installation: Installation, members: list[Member]) -> int:
    installation = await bring_up_to_date(installation)
    await check_fit(installation)
    family = Family(installation.settings, report=say)
    family.follow_signals()
    try:
        for member in members:
            await family.start(member)
        settings = installation.settings
        if any(member.name == "server" for member in members):
            say(f"Counterfoil serves on http://{settings.host}:{settings.port}.")
        await until_ended(installation, family)
    finally:
        await family.stop()
    return family.code


def server_member(installation: Installation) -> Member:
    """Make the member that answers requests."""
    settings = installation.settings
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    return Member(
        name="server",
        words=("server",),
        ready=answers(f"http://{host}:{settings.port}/healthz"),
        patience_s=35,
    )


async def check_fit(installation: Installation) -> None:
    """Refuse to run on a database that is not fit for it. Raises Said. [rulings 14; faults D-8]"""
    from counterfoil.order.life import MACHINES
    from counterfoil.setup.migrate import check_database

    async with open_database(installation, size=1) as pool:
        wrong = await check_database(pool, MACHINES)
    if wrong:
        raise Said("\n".join(wrong))


async def until_ended(installation: Installation, family: Family) -> None:
    """Wait for the end: a signal, a child that keeps dying, or our own PostgreSQL gone."""
    while not family.ended.is_set():
        try:
            await asyncio.wait_for(family.ended.wait(), _LOOK_S)
        except TimeoutError:
            if not installation.server_lives():
                log = installation.settings.data_dir / "postgres" / "server.log"
                family.give_up(f"PostgreSQL ended: everything is stopped. Its log is {log}.")


def end_on_sigterm() -> None:
    """Let SIGTERM end this process the way Ctrl-C does, wherever it is."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def leave_in_peace() -> None:
    """Hear no more signals: what is left is to stop PostgreSQL, which takes a moment."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def sandbox(
    *,
    host: str = "127.0.0.1",
    port: int = 8790,
    data: Annotated[Path, Parameter(help="The file that keeps its ledger.")] = Path("sandbox.db"),
    api_key: Annotated[str, Parameter(help="What callers send as bearer token.")] = "sandbox",
    magic_amounts: Annotated[
        bool, Parameter(help="Amounts choose faults on every payment.")
    ] = False,
) -> int:
    """Run the card gateway to practise on: it holds, takes and returns money, and fails on demand.

    Connect it as a gateway of kind `sandbox`. `python -m counterfoil.sandbox --help` has more.

    Parameters
    ----------
    host
        The address to listen on.
    port
        The port to listen on; 0 takes any free one.
    """
    from counterfoil.sandbox.serve import main

    words = ["--host", host, "--port", str(port), "--data", str(data), "--api-key", api_key]
    return main([*words, *(["--magic-amounts"] if magic_amounts else [])])


def mailbox(
    *,
    host: str = "127.0.0.1",
    port: int = 8025,
    folder: Annotated[Path, Parameter(help="Where the letters are kept.")] = Path("letters"),
) -> None:
    """Run a mail server that delivers nothing: each letter becomes a file in a folder.

    Point COUNTERFOIL_SMTP_URL at it: smtp://127.0.0.1:8025.

    Parameters
    ----------
    host
        The address to listen on.
    port
        The port to listen on.
    """
    check_free(host, port)
    say(f"Letters to smtp://{host}:{port} are kept in {folder}.")
    asyncio.run(keep_letters(host, port, folder))
