"""What runs in a process of its own under `up` and `serve`; it ends when its parent does.

    python -P -m counterfoil.cli.child server | work | sandbox … | mailbox …

Its settings come from the environment, complete. Standard input is a pipe from the parent: nothing
is ever written to it, and its end means that the parent is gone, however that happened.
"""

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

from counterfoil.cli.said import say
from counterfoil.settings import read_settings


def _server(_: list[str]) -> int:
    from counterfoil.app import serve_with

    serve_with(read_settings())
    return 0


def _work(_: list[str]) -> int:
    import uvloop

    from counterfoil.kernel.log import set_up_log
    from counterfoil.work.loop import run_work

    settings = read_settings()
    set_up_log(settings.log_level)
    uvloop.run(run_work(settings))
    return 0


def _sandbox(words: list[str]) -> int:
    from counterfoil.sandbox.serve import main

    return main(words)


def _mailbox(words: list[str]) -> int:
    host, port, folder = words
    asyncio.run(keep_letters(host, int(port), Path(folder)))
    return 0


async def keep_letters(host: str, port: int, folder: Path) -> None:
    """Run the mailbox until told to stop."""
    from counterfoil.mail.mailbox import run_mailbox

    task = asyncio.ensure_future(run_mailbox(host, port, folder))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await asyncio.wait({task})
    if not task.cancelled():
        task.result()


_PROGRAMS = {"server": _server, "work": _work, "sandbox": _sandbox, "mailbox": _mailbox}


def _follow_parent() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main(words: list[str]) -> int:
    """Run one program until it is told to stop."""
    threading.Thread(target=_follow_parent, daemon=True, name="parent").start()
    try:
        return _PROGRAMS[words[0]](words[1:])
    except KeyboardInterrupt:
        return 0
    except Exception as mistake:  # noqa: BLE001 - the parent shows the last line
        say(f"{type(mistake).__name__}: {mistake}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
