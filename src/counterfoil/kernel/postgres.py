"""The PostgreSQL that comes along: a server of our own, run from the wheel's binaries.

`start(data_dir)` makes the cluster on first use, starts the server and returns a `Server`, whose
`url()` the rest of the program connects to. It listens on a Unix socket that only its user can
reach, never on the network, and so needs no password.

Who holds the lock beside the data folder owns the server and stops it at the end. Whoever comes
second joins the one that runs. Where an owner was killed, its server goes on; the next owner takes
it over. PostgreSQL refuses to run as root, so root runs it as the user `counterfoil` (made where
missing), or as the user whom an existing data folder belongs to. [rulings 18, 47]
"""

import fcntl
import hashlib
import logging
import os
import re
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

import psutil

from counterfoil.kernel.cluster import (
    DATABASE,
    ENVIRONMENT,
    OWNER,
    ServerFailed,
    home,
    make_cluster,
    spawn,
)
from counterfoil.kernel.unprivileged import SYSTEM_USER, Account, open_the_way, server_account

__all__ = ["DATABASE", "OWNER", "Server", "ServerFailed", "home", "start"]

log = logging.getLogger(__name__)

START_S_MAX: Final = 300.0
"""A server that was killed first repeats what its log says; that may take minutes."""
STOP_S_MAX: Final = 60.0
LEFTOVERS_S_MAX: Final = 10.0
"""How long the processes of a killed server may take to notice and go."""

# Every folder may hold a socket whose whole name fits the kernel's 104 bytes (Linux: 108).
_SOCKET: Final = ".s.PGSQL.5432"
_SOCKET_BYTES_MAX: Final = 103
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./+@-]+")

_LOG_BYTES_MAX: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class _Running:
    """What a server says about itself in postmaster.pid."""

    pid: int
    socket_dir: Path
    ready: bool


@dataclass(slots=True)
class Server:
    """A running server. Leaving it as a context stops it, if it is ours to stop."""

    data_dir: Path
    version: int
    socket_dir: Path
    pid: int
    _lock: int | None = None
    _child: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def owned(self) -> bool:
        """Whether this process stops the server; False where it joined someone else's."""
        return self._lock is not None

    def url(self, database: str = DATABASE, user: str = OWNER) -> str:
        """Return the address of a database; by default ours, as the owner (a superuser)."""
        return f"postgresql://{quote(user)}@/{quote(database)}?host={quote(str(self.socket_dir))}"

    def stop(self) -> None:
        """Shut an owned server down in order: sessions end, everything is on disk. Repeatable."""
        if self._lock is None:
            return
        try:
            for signal_, patience_s in (
                (signal.SIGINT, STOP_S_MAX),  # the fast shutdown: transactions roll back
                (signal.SIGQUIT, 5.0),  # the immediate one: the next start recovers
                (signal.SIGKILL, 5.0),
            ):
                if _signal_and_wait(self.pid, self._child, signal_, patience_s):
                    break
            if self.socket_dir != self.data_dir:
                shutil.rmtree(self.socket_dir, ignore_errors=True)
        finally:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(
    data_dir: Path, *, version: int = 18, settings: Mapping[str, str] | None = None
) -> Server:
    """Start the server of a data folder, or join the one that already runs there.

    `settings` are PostgreSQL's own, for this run only (`{"fsync": "off"}` in tests). Blocks, about
    a second when the cluster is new, a quarter when it is there. Raises ServerFailed.
    """
    settings = settings or {}
    data_dir = data_dir.expanduser().absolute()
    programs = home(version) / "bin"
    try:
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        patience_until = time.monotonic() + START_S_MAX
        while (lock := _take(data_dir)) is None:
            running = _read_running(data_dir)
            if running is not None and running.ready:
                _check_version(data_dir, version)
                return Server(data_dir, version, running.socket_dir, running.pid)
            if time.monotonic() > patience_until:
                raise ServerFailed(f"Another process holds {data_dir} and does not get ready.")
            time.sleep(0.05)
    except PermissionError as problem:
        raise ServerFailed(
            f"{problem.filename} belongs to another user. Run this as that user, or choose"
            " another folder with COUNTERFOIL_DATA_DIR."
        ) from problem
    try:
        account = _account(data_dir)
        if account is not None:
            open_the_way(account, data_dir, home(version))
        if not (data_dir / "PG_VERSION").exists():
            make_cluster(data_dir, programs, account, sync=settings.get("fsync") != "off")
        _check_version(data_dir, version)
        running = _still_running(data_dir, programs)
        if running is not None:
            log.info("taking over the PostgreSQL that a killed process left running")
            return Server(data_dir, version, running.socket_dir, running.pid, lock)
        return _launch(data_dir, programs, account, dict(settings), lock)
    except BaseException:
        os.close(lock)
        raise


def _account(data_dir: Path) -> Account | None:
    try:
        return server_account(data_dir)
    except (OSError, subprocess.CalledProcessError) as problem:
        raise ServerFailed(
            "PostgreSQL does not run as root, and no user could be made for it. Run this as an"
            f" ordinary user, or make a system user named {SYSTEM_USER}. ({problem})"
        ) from problem


def _take(data_dir: Path) -> int | None:
    """Return the open lock of a data folder, or None while another process has it.

    The system gives it back when its holder ends, however that happens.
    """
    name = data_dir.parent / f".{data_dir.name}.lock"
    lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _read_running(data_dir: Path) -> _Running | None:
    try:
        lines = (data_dir / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if len(lines) < 8:
        return None
    return _Running(int(lines[0]), Path(lines[4]), lines[7].strip() == "ready")


def _still_running(data_dir: Path, programs: Path) -> _Running | None:
    """Return the server that a dead owner left in this folder, once it answers; None if it is gone.

    The process named in postmaster.pid may be anyone's by now. The file stays all the same, with
    our own number in it: PostgreSQL takes its parent's for stale, but reads on, and so still sees
    whether a killed server's last processes hold its memory.
    """
    patience_until = time.monotonic() + START_S_MAX
    while (running := _read_running(data_dir)) is not None:
        if not _works_in(running.pid, data_dir):
            name = data_dir / "postmaster.pid"
            _, _, rest = name.read_text().partition("\n")
            name.write_text(f"{os.getpid()}\n{rest}")
            return None
        asked = [str(programs / "pg_isready"), "-q", "-h", str(running.socket_dir)]
        if running.ready and subprocess.run(asked, check=False, env=ENVIRONMENT).returncode == 0:
            return running
        if time.monotonic() > patience_until:
            raise ServerFailed(f"PostgreSQL (process {running.pid}) in {data_dir} is stuck.")
        time.sleep(0.05)
    return None


def _works_in(pid: int, data_dir: Path) -> bool:
    """Return whether a process lives in this data folder, as a server does."""
    try:
        return Path(psutil.Process(pid).cwd()) == data_dir.resolve()
    except (psutil.Error, FileNotFoundError):
        return False  # gone, a zombie, or another user's: no server of this folder


def _check_version(data_dir: Path, version: int) -> None:
    found = (data_dir / "PG_VERSION").read_text().strip()
    if found != str(version):
        raise ServerFailed(
            f"{data_dir} holds data of PostgreSQL {found}, not {version}. Choose another folder,"
            f" or run with version {found} and move the data with pg_dump."
        )


def _launch(
    data_dir: Path,
    programs: Path,
    account: Account | None,
    settings: dict[str, str],
    lock: int,
) -> Server:
    socket_dir = _socket_dir(data_dir, account)
    settings |= {"listen_addresses": "", "unix_socket_directories": str(socket_dir), "port": "5432"}
    command = [str(programs / "postgres"), "-D", str(data_dir)]
    command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    log_file = data_dir / "server.log"
    if log_file.exists() and log_file.stat().st_size > _LOG_BYTES_MAX:
        log_file.replace(data_dir / "server.log.1")
    for left in (_SOCKET, f"{_SOCKET}.lock"):  # a crash's: nothing runs here now
        (socket_dir / left).unlink(missing_ok=True)
    version = int((data_dir / "PG_VERSION").read_text())
    leftovers_until = time.monotonic() + LEFTOVERS_S_MAX
    while True:
        with log_file.open("ab") as out:
            said_before = out.tell()
            child = spawn(account, command, subprocess.DEVNULL, out.fileno())
        server = Server(data_dir, version, socket_dir, child.pid, lock, child)
        try:
            if _becomes_ready(data_dir, child):
                return server
            with log_file.open("rb") as said:
                said.seek(said_before)
                words = said.read().decode(errors="replace")
            # A killed server's last processes are still there: they go by themselves.
            if "is still in use" not in words or time.monotonic() > leftovers_until:
                raise ServerFailed(f"PostgreSQL did not start:\n{words[-2000:]}")
            time.sleep(0.2)
        except BaseException:
            _signal_and_wait(child.pid, child, signal.SIGINT, STOP_S_MAX)
            raise


def _becomes_ready(data_dir: Path, child: subprocess.Popen[bytes]) -> bool:
    patience_until = time.monotonic() + START_S_MAX
    while child.poll() is None:
        running = _read_running(data_dir)
        if running is not None and running.pid == child.pid and running.ready:
            return True
        if time.monotonic() > patience_until:
            raise ServerFailed(f"PostgreSQL was not ready in {START_S_MAX:.0f} s.")
        time.sleep(0.01)
    return False


def _socket_dir(data_dir: Path, account: Account | None) -> Path:
    """Return a folder for the socket that only the server's user can enter.

    The data folder is one, but its name may be too long, or hold what addresses cannot.
    """
    name = str(data_dir)
    if _PLAIN.fullmatch(name) and len(f"{name}/{_SOCKET}".encode()) <= _SOCKET_BYTES_MAX:
        return data_dir
    uid = os.getuid() if account is None else account.uid
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    folder = Path("/tmp") / f"counterfoil-{uid}-{digest}"  # noqa: S108 -- checked to be ours below
    try:
        folder.mkdir(mode=0o700)
        if account is not None:
            os.chown(folder, account.uid, account.gid)
    except FileExistsError:
        pass
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or found.st_mode & 0o077:
        raise ServerFailed(f"{folder} is in the way: it must be a folder of user {uid} alone.")
    return folder


def _signal_and_wait(
    pid: int, child: subprocess.Popen[bytes] | None, signal_: int, patience_s: float
) -> bool:
    """Send a signal and return whether the process ended in time.

    One that we took over is not our child: whoever is may leave it a zombie, which is ended too.
    """
    try:
        if child is not None:
            child.send_signal(signal_)
            child.wait(patience_s)
            return True
        process = psutil.Process(pid)
        process.send_signal(signal_)
        patience_until = time.monotonic() + patience_s
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > patience_until:
                return False
            time.sleep(0.01)
    except subprocess.TimeoutExpired:
        return False
    except psutil.NoSuchProcess:
        pass
    return True
