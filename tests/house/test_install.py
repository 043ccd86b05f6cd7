"""bin/install on a machine where little is there: what it asks for, and when it keeps quiet."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = (
    "sh",
    "cat",
    "cksum",
    "dirname",
    "mktemp",
    "tail",
    "env",
    "rm",
    "find",
    "sort",
    "grep",
    "uname",
)

# Debian's own Python: new enough, but with neither ensurepip nor pip.
BARE_PYTHON = """#!/bin/sh
case "$2" in *version_info*) exit 0 ;; esac
exit 1
"""
RECORD = """#!/bin/sh
echo "$0 $*" >>"{log}"
exit {answer}
"""


class Machine:
    """A clone, and a PATH in which nothing is found but what is put there."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "a clone"
        self.bin = folder / "bin"
        self.log = folder / "log"
        self.bin.mkdir()
        for name in TOOLS:
            found = shutil.which(name)
            assert found is not None
            (self.bin / name).symlink_to(found)
        for name in ("bin", "requirements"):
            shutil.copytree(ROOT / name, self.clone / name)
        shutil.copy(ROOT / "pyproject.toml", self.clone)

    def put(self, name: str, script: str) -> None:
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def record(self, name: str, answer: int = 0) -> None:
        """Put a program there that only notes how it was called."""
        self.put(name, RECORD.format(log=self.log, answer=answer))

    def recorded(self) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.replace(f"{self.bin}/", "") for line in lines]

    def install(self, *parts: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "bin/install", *parts],
            cwd=self.clone,
            env={"PATH": str(self.bin), "HOME": str(self.clone)},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path) -> Machine:
    made = Machine(tmp_path)
    made.put("python3", BARE_PYTHON)
    made.put("id", "#!/bin/sh\necho 1000\n")
    made.record("apt-get")
    return made


def commands(said: str) -> list[str]:
    return [line.strip() for line in said.splitlines() if line.startswith("    ")]


def test_a_user_who_may_not_install_is_told_one_command(machine):
    done = machine.install("run", "assets")
    assert done.returncode == 2
    assert commands(done.stderr) == ['su -c "apt-get install -y python3-venv"']
    assert machine.recorded() == []
    assert not (machine.clone / ".venv").exists()


def test_it_asks_for_everything_at_once(machine):
    machine.put("sudo", "#!/bin/sh\nexit 1\n")  # there, but it wants a password
    done = machine.install("test", "assets", "browser")
    assert done.returncode == 2
    (command,) = commands(done.stderr)
    assert command.startswith("sudo apt-get install -y python3-venv chromium")


def test_sudo_without_a_password_is_used(machine):
    machine.put("sudo", '#!/bin/sh\n[ "$1" = -n ] && shift\nexec "$@"\n')
    machine.put("true", "#!/bin/sh\nexit 0\n")
    machine.install("run")
    assert machine.recorded()[0] == "apt-get install -y --no-install-recommends python3-venv"


def test_lists_of_packages_are_fetched_when_they_are_missing(machine):
    machine.put("id", "#!/bin/sh\necho 0\n")
    machine.record("apt-get", answer=100)
    done = machine.install("run")
    assert done.returncode == 2
    assert "could not install python3-venv" in done.stderr
    wanted = "apt-get install -y --no-install-recommends python3-venv"
    assert machine.recorded() == [wanted, "apt-get update"]


def test_elsewhere_than_on_debian_it_names_what_it_needs(machine):
    (machine.bin / "apt-get").unlink()
    done = machine.install("run", "browser")
    assert done.returncode == 2
    assert "needs python3-venv" in done.stderr


def install_here() -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "bin/install", "test"], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_what_is_there_already_costs_nothing():
    assert install_here().returncode == 0
    started = time.monotonic()
    done = install_here()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - started < 1.0


def test_continuous_integration_runs_the_test_command_and_nothing_else():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    commands_ = [line for line in lines if line and not line.startswith("#")]
    assert commands_ == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "exec make test"]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
