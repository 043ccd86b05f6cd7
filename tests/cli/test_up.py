"""`counterfoil up` as a newcomer meets it: everything starts, answers, stops, and starts again."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psutil
import pytest

from tests.ports import free_port

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
ORDERS = 30
STOP_S_MAX = 20


class Up:
    """One run of everything in a folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        words = ["up", "--port", str(port), "--data-dir", str(folder)]
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "counterfoil", *words, "--demo-orders", str(ORDERS)],
            env={
                **{name: text for name, text in os.environ.items() if "COUNTERFOIL" not in name},
                "PYTHONPATH": str(ROOT / "src"),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def started(self) -> str:
        """Wait until it says that it runs, or has ended; what it said."""
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if line.startswith("Ctrl-C"):
                break
        return said

    def get(self, path: str, **headers: str) -> httpx2.Response:
        with httpx2.Client(trust_env=False, timeout=10) as client:
            return client.get(f"http://127.0.0.1:{self.port}{path}", headers=headers)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def workers(self) -> list[psutil.Process]:
        """The processes that do due work; one that ends while it is looked at is none."""
        found = []
        for child in self.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.cmdline()[-1:] == ["work"]:
                    found.append(child)
        return found

    def stop(self, how: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """End it; its exit code, and what it said on standard error."""
        self.process.send_signal(how)
        _, said = self.process.communicate(timeout=STOP_S_MAX)
        return self.process.returncode, said


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A data folder with a space in its path, shared by the starts of this file."""
    return Path(tmp_path_factory.mktemp("up") / "with a space")


@pytest.fixture
def up(folder) -> Iterator[Up]:
    running = Up(folder, free_port())
    yield running
    if running.process.poll() is None:
        running.stop()


def login_of(folder: Path) -> dict[str, str]:
    lines = (folder / "demo-login.txt").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def test_a_newcomer_gets_a_shop_that_answers(up, folder):
    said = up.started()
    login = login_of(folder)
    assert f"http://127.0.0.1:{up.port}" in said
    assert login["E-mail"] in said
    assert login["Password"] in said
    assert login["API key"] in said
    assert (folder / "demo-login.txt").stat().st_mode & 0o077 == 0
    assert up.get("/healthz").status_code == 200
    assert up.get("/readyz").json()["worker"] == "alive"
    assert up.get("/v1/orders").status_code == 401
    bearer = {"authorization": f"Bearer {login['API key']}"}
    page = up.get("/v1/orders?limit=100", **bearer).json()
    assert len(page["data"]) == ORDERS
    held = [
        payment
        for one in page["data"]
        for payment in up.get(f"/v1/orders/{one['id']}", **bearer).json()["payments"]
        if payment["gateway"] == "sandbox" and payment["amounts"]["open"]
    ]
    assert held
    assert all(payment["expires_at"] for payment in held)
    taken = subprocess.run(
        [*up.process.args[:4], "up", "--data-dir", str(folder), "--port", str(up.port)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert taken.returncode == 2
    assert f"Port {up.port} is taken" in taken.stderr
    assert "--port" in taken.stderr
    beside = Up(folder, free_port())
    _, words = beside.process.communicate(timeout=STOP_S_MAX)
    assert beside.process.returncode == 2
    assert f"already runs in {folder} (process {up.process.pid})" in words
    children = up.children()
    began = time.monotonic()
    assert up.stop()[0] == 0
    assert time.monotonic() - began < 10
    assert not any(child.is_running() for child in children)


def test_the_next_start_has_the_same_data(up, folder):
    before = login_of(folder)
    said = up.started()
    assert before["API key"] in said
    assert login_of(folder) == before
    bearer = {"authorization": f"Bearer {before['API key']}"}
    assert len(up.get("/v1/orders?limit=100", **bearer).json()["data"]) == ORDERS
    assert up.stop(signal.SIGTERM)[0] == 0


def test_a_child_that_dies_is_started_again(up):
    up.started()
    (worker,) = up.workers()
    worker.kill()
    until = time.monotonic() + STOP_S_MAX
    while not [one for one in up.workers() if one.pid != worker.pid]:
        assert time.monotonic() < until
        time.sleep(0.05)
    code, said = up.stop()
    assert code == 0
    assert "The worker ended" in said
    assert "starting it again" in said


def test_children_end_with_a_parent_that_was_killed(up, folder):
    up.started()
    children = [child for child in up.children() if "postgres" not in child.name()]
    assert len(children) >= 4
    up.process.kill()
    up.process.communicate()
    _, alive = psutil.wait_procs(children, timeout=STOP_S_MAX)
    assert alive == []
    again = Up(folder, up.port)
    assert f":{up.port}" in again.started()
    assert again.stop()[0] == 0


def test_the_gateway_is_found_at_another_port(folder):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8790))
            taken.listen()
        except OSError:
            pass  # somebody else has it: so much the better
        running = Up(folder, free_port())
        running.started()
        bearer = {"authorization": f"Bearer {login_of(folder)['API key']}"}
        gateways = running.get("/v1/gateways", **bearer).json()["data"]
        assert running.stop()[0] == 0
    (sandbox,) = (one for one in gateways if one["kind"] == "sandbox")
    assert not sandbox["settings"]["base_url"].endswith(":8790")
    assert json.dumps(sandbox).count("api_key") == 0
