"""Start the sandbox: one process, one port, one file."""

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
from pathlib import Path

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from counterfoil.sandbox.app import make_app
from counterfoil.sandbox.desk import Desk
from counterfoil.sandbox.ledger import Ledger
from counterfoil.sandbox.till import Till


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        prog="counterfoil sandbox", description="A card gateway to practise on."
    )
    add = options.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=8790, help="0 takes any free port")
    add("--data", type=Path, default=Path("sandbox.db"), help="the file that keeps the ledger")
    add("--api-key", default="sandbox", help="what callers send as bearer token")
    add("--magic-amounts", action="store_true", help="amounts choose faults on every payment")
    add("--key-lifetime-s", type=int, default=86_400, help="how long idempotency keys live")
    add("--hold-s", type=int, default=7 * 86_400, help="how long an authorisation holds")
    add("--hang-s", type=int, default=30, help="how long a hang lasts where the fault is silent")
    add("--propagation-s", type=int, default=0, help="until the status query knows an operation")
    add("--rate", type=int, default=0, help="requests a second before 429; 0 means no limit")
    return options


async def _serve(chosen: argparse.Namespace, port: int) -> None:
    till = Till(
        Ledger(chosen.data),
        key_lifetime_s=chosen.key_lifetime_s,
        hold_s=chosen.hold_s,
        propagation_s=chosen.propagation_s,
        magic_everywhere=chosen.magic_amounts,
    )
    app = make_app(Desk(till, rate=chosen.rate, hang_s=chosen.hang_s), chosen.api_key)
    server = Server(
        app,
        address=chosen.host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(name, server.stop)
    sys.stdout.write(f"http://{chosen.host}:{port}\n")
    sys.stdout.flush()
    await server.serve()


def main(argv: list[str] | None = None) -> int:
    """Serve until told to stop; the address is the first line that is printed."""
    chosen = _options().parse_args(argv)
    port = chosen.port
    if port == 0:
        with socket.socket() as free:
            free.bind((chosen.host, 0))
            port = free.getsockname()[1]
    uvloop.run(_serve(chosen, port))
    return 0
