"""The embedded PostgreSQL: a newcomer's first start, and everything a crash can leave behind."""

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from counterfoil.kernel.postgres import Server, ServerFailed, home, start

QUICK = {"fsync": "off"}

# A program that owns a server until somebody ends it; tells how it ended.
OWNER = """
import pathlib, sys, time
from counterfoil.kernel.postgres import start
folder, version = pathlib.Path(sys.argv[1]), int(sys.argv[2])
with start(folder, version=version, settings={"fsync": "off"}) as server:
    try:
        print(server.pid, flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        import psutil
        print("interrupted", psutil.Process(server.pid).status() != "zombie", flush=True)
print("stopped", flush=True)
"""


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder of the test's own, gone afterwards.

    Pytest's lie in one that every new run of it closes to other users, also while a server of ours
    works there as one.
    """
    with tempfile.TemporaryDirectory(prefix="cf-house-") as folder:
        yield Path(folder)


@pytest.fixture(params=[16, 18])
def version(request) -> int:
    return request.param


async def ask(server: Server, statement: str):
    connection = await asyncpg.connect(server.url())
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@contextmanager
def owned_elsewhere(data_dir: Path, version: int) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Yield a program of its own process group that owns a server, and the server's pid."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(data_dir), str(version)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as program:
        assert program.stdout is not None
        try:
            yield program, int(program.stdout.readline())
        finally:
            program.kill()


def gone(pid: int) -> bool:
    for _ in range(500):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.01)
    return False


async def test_first_start_makes_a_cluster_and_what_was_written_survives_a_restart(
    tmp_path, version
):
    with start(tmp_path / "pg", version=version) as server:
        assert server.owned
        assert int(await ask(server, "show server_version_num")) // 10000 == version
        assert await ask(server, "show server_encoding") == "UTF8"
        assert await ask(server, "show synchronous_commit") == "on"
        assert await ask(server, "show data_checksums") == "on"
        assert await ask(server, "select lower('ÉΩ')") == "éω"
        await ask(server, "create table kept as select 7 as n")
    assert gone(server.pid)

    started = time.monotonic()
    with start(tmp_path / "pg", version=version) as server:
        assert time.monotonic() - started < 3
        assert await ask(server, "select n from kept") == 7


async def test_nobody_reaches_it_over_the_network_nor_as_another_user(tmp_path):
    with start(tmp_path / "pg", settings=QUICK) as server:
        assert await ask(server, "show listen_addresses") == ""
        held = psutil.Process(server.pid).net_connections(kind="inet")
        assert [c for c in held if c.status == psutil.CONN_LISTEN] == []
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) & 0o077 == 0


@pytest.mark.parametrize(
    "name",
    ["a 'space' \"$`, and=sign&more%20", "日本語", 40 * "abc/"],
    ids=["signs", "script", "long"],
)
async def test_any_folder_name_will_do(tmp_path, name):
    with start(tmp_path / name / "pg", settings=QUICK) as server:
        assert await ask(server, "select 1") == 1
        sockets = server.socket_dir
    assert sockets == server.data_dir or not sockets.exists()


async def test_a_second_start_joins_and_takes_over_when_the_owner_is_killed(tmp_path):
    with owned_elsewhere(tmp_path / "pg", 18) as (_, pid):
        with start(tmp_path / "pg") as joined:
            assert (joined.pid, joined.owned) == (pid, False)
        assert psutil.pid_exists(pid)
    with start(tmp_path / "pg") as server:
        assert (server.pid, server.owned) == (pid, True)
        assert await ask(server, "select 1") == 1
    assert gone(pid)


async def test_a_killed_server_is_recovered(tmp_path, version):
    with owned_elsewhere(tmp_path / "pg", version) as (program, pid):
        with start(tmp_path / "pg", version=version) as joined:
            await ask(joined, "create table kept as select 7 as n")
        program.kill()
        os.kill(pid, signal.SIGKILL)
    with start(tmp_path / "pg", version=version, settings=QUICK) as server:
        assert server.pid != pid
        assert await ask(server, "select n from kept") == 7


async def test_a_process_number_that_is_someone_elses_by_now_does_not_keep_us_out(tmp_path):
    with start(tmp_path / "pg", settings=QUICK) as server:
        left = (tmp_path / "pg" / "postmaster.pid").read_text().splitlines()
    user = (tmp_path / "pg").stat().st_uid
    with subprocess.Popen(["sleep", "60"], user=user if os.geteuid() == 0 else None) as other:
        left[0] = str(other.pid)
        (tmp_path / "pg" / "postmaster.pid").write_text("\n".join(left) + "\n")
        with start(tmp_path / "pg", settings=QUICK) as server:
            assert server.owned
            assert await ask(server, "select 1") == 1
        assert other.poll() is None
        other.kill()


def test_ctrl_c_reaches_the_program_and_not_its_server(tmp_path):
    with owned_elsewhere(tmp_path / "pg", 18) as (program, pid):
        os.killpg(program.pid, signal.SIGINT)
        said, _ = program.communicate(timeout=20)
    assert said.split("\n")[:2] == ["interrupted True", "stopped"]
    assert gone(pid)
    assert "database system is shut down" in (tmp_path / "pg" / "server.log").read_text()


def test_data_of_another_version_is_refused_and_left_alone(tmp_path):
    with start(tmp_path / "pg", version=16, settings=QUICK):
        pass
    with pytest.raises(ServerFailed, match="PostgreSQL 16, not 18"):
        start(tmp_path / "pg", version=18)
    with start(tmp_path / "pg", version=16, settings=QUICK) as server:
        assert server.owned


def test_a_folder_with_other_things_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "letters.txt").write_text("mine")
    with pytest.raises(ServerFailed, match="neither empty"):
        start(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_a_server_that_cannot_start_says_why(tmp_path):
    with pytest.raises(ServerFailed, match="shared_buffers"):
        start(tmp_path / "pg", settings={"shared_buffers": "nonsense"})
    with start(tmp_path / "pg", settings=QUICK) as server:
        assert server.owned


def test_root_opens_a_closed_folder_for_passing_through_only(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with start(closed / "pg", settings=QUICK) as server:
        assert psutil.Process(server.pid).uids().effective != 0
    assert stat.S_IMODE(closed.stat().st_mode) == (0o701 if os.geteuid() == 0 else 0o700)


def test_a_socket_folder_of_someone_else_is_not_used(tmp_path):
    data_dir = tmp_path / "with a space"
    with start(data_dir, settings=QUICK) as server:
        sockets = server.socket_dir
    sockets.mkdir(mode=0o755)
    with socket.socket(socket.AF_UNIX) as trap:
        trap.bind(str(sockets / "trap"))
    try:
        with pytest.raises(ServerFailed, match="in the way"):
            start(data_dir)
    finally:
        (sockets / "trap").unlink()
        sockets.rmdir()


def test_the_wheel_brings_the_programs_that_bench_needs(version):
    assert (home(version) / "bin" / "pgbench").exists()
    assert (home(version) / "bin" / "pg_dump").exists()
