"""The user whom root runs the embedded PostgreSQL as, and what that user must be able to reach."""

import logging
import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

SYSTEM_USER: Final = "counterfoil"
_USERADD: Final = (
    *("--system", "--user-group", "--no-create-home"),
    *("--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"),
)


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the operating system, by number."""

    uid: int
    gid: int


def server_account(data_dir: Path) -> Account | None:
    """Return whom to run a server as: None for ourselves, unless we are root.

    A data folder that exists belongs to someone already, and PostgreSQL insists on that user. For a
    new one root takes a system user that can do nothing else, and makes it where missing.
    """
    if os.geteuid() != 0:
        return None
    if data_dir.exists() and (uid := data_dir.stat().st_uid) != 0:
        return Account(uid, data_dir.stat().st_gid)
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        log.info("making the system user %s, because PostgreSQL does not run as root", SYSTEM_USER)
        subprocess.run(
            ["useradd", *_USERADD, SYSTEM_USER],
            check=True,
            capture_output=True,
        )
        entry = pwd.getpwnam(SYSTEM_USER)
    return Account(entry.pw_uid, entry.pw_gid)


def open_the_way(account: Account, data_dir: Path, programs: Path) -> None:
    """Let a user pass to its data folder and use the programs; nothing becomes listable.

    Folders on the way get the right to be passed through (x) where they lack it, and the programs'
    own files the right to be read. What is opened is logged.
    """
    for folder in {*data_dir.parents, *programs.parents}:
        found = folder.stat()
        if found.st_uid != account.uid and not found.st_mode & stat.S_IXOTH:
            log.warning("letting other users pass through %s, for PostgreSQL", folder)
            folder.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXOTH)
    if _open_to_all(programs) and _open_to_all(programs / "bin" / "postgres"):
        return
    for path in (programs, *programs.rglob("*")):
        if not path.is_symlink():
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)


def _open_to_all(path: Path) -> bool:
    return path.stat().st_mode & 0o005 == 0o005
