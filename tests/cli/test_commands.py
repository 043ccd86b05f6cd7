"""The commands on a database of one's own, and the sentences they end with."""

import io
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from counterfoil.cli import installation
from counterfoil.cli.root import app, run
from counterfoil.setup import migrate
from counterfoil.setup.schema import newest_number, schema_is_newest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def typed(database, monkeypatch, capsys, tmp_path):
    """Type a command; its exit code and what it said on both streams."""
    monkeypatch.setenv("COUNTERFOIL_DATABASE_URL", database.app_url)
    monkeypatch.setenv("COUNTERFOIL_OWNER_URL", database.owner_url)
    monkeypatch.setenv("COUNTERFOIL_SECRET_KEY", "a" * 43 + "=")
    monkeypatch.setenv("COUNTERFOIL_DATA_DIR", str(tmp_path / "var"))

    def type_(*words: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = run(words)
        said = capsys.readouterr()
        return code, said.out, said.err

    return type_


def test_an_account_a_key_and_a_user_are_made(typed):
    assert typed("account", "create", "Acme", "--currency", "NOK")[0] == 0
    code, key, err = typed("key", "create", "--name", "ci", "--scopes", "orders:read,events:read")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"cf_\w{32}_\w{32}_[\w-]{43}\n", key)
    code, out, err = typed(
        "user",
        "add",
        "kari@example.com",
        "--role",
        "service",
        "--password-stdin",
        stdin="eight-small-owls\n",
    )
    assert (code, err) == (0, "")
    assert re.fullmatch(r"[0-9a-f-]{36}\n", out)


def test_roles_are_made_with_limits_and_listed(typed):
    typed("account", "create", "Acme")
    made = typed(
        "role", "create", "till", "--name", "Till", "--permissions", "orders.read,payments.refund",
        "--limit", "refund:EUR:10000", "--limit", "refund:NOK:50000",
    )
    assert made == (0, "till\n", "")
    words = ("user", "add", "tim@example.com", "--role", "till", "--password-stdin")
    assert typed(*words, stdin="eight-small-owls\n")[0] == 0
    listed = typed("role", "list")[1].splitlines()
    line = "till  1 user  refund:EUR:10000, refund:NOK:50000  orders.read, payments.refund"
    assert line in listed
    assert typed("role", "change", "till", "--limit", "refund:eur:5") == (0, "", "")
    assert "till  1 user  refund:EUR:5  " in typed("role", "list")[1]
    assert typed("role", "change", "till", "--no-limits", "--name", "Kasse")[0] == 0
    assert "till  1 user  no limits  " in typed("role", "list")[1]
    for wrong, code, sentence in (
        (("till", "--limit", "refund:100"), 2, "refund:100 is no limit; write refund:EUR:10000"),
        (("till", "--limit", "refund:EUR:1", "--no-limits"), 2, "not both"),
        (("till", "--limit", "capture:EUR:1"), 1, "'capture' has no limit."),
        (("nobody", "--no-limits"), 1, "There is no role 'nobody'."),
        (("service", "--permissions", "*"), 1, "A built-in role keeps"),
    ):
        refused = typed("role", "change", *wrong)
        assert refused[0] == code, wrong
        assert sentence in refused[2]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("key", "create", "--name", "x", "--scopes", "*"), "There is no account yet"),
        (("user", "add", "a@example.com"), "--password-stdin"),
        (("import", "orders", "nothing.csv"), "There is no file nothing.csv."),
        (("account", "create"), "requires an argument"),
        (("serve", "--portt", "1"), "--portt"),
        (("serve", "--port", "many"), "--port"),
    ],
)
def test_what_was_typed_wrongly_is_said_in_a_sentence(typed, words, sentence):
    code, out, err = typed(*words)
    assert code == 2
    assert sentence in out + err
    assert "Traceback" not in out + err


def test_refusals_of_the_domain_are_sentences(typed):
    typed("account", "create", "Acme")
    code, _, err = typed("key", "create", "--name", "ci", "--scopes", "orders:eat")
    assert code == 1
    assert "'orders:eat' is not a scope." in err
    code, _, err = typed("user", "add", "a@example.com", "--password-stdin", stdin="short\n")
    assert code == 1
    assert "12 to 256 characters" in err


def test_where_there_are_several_accounts_one_is_named(typed):
    for name in ("Acme", "Zeta"):
        typed("account", "create", name)
    code, _, err = typed("key", "create", "--name", "ci", "--scopes", "*")
    assert code == 2
    assert "say --account" in err
    assert "Acme" in err
    assert typed("key", "create", "--name", "ci", "--scopes", "*", "--account", "Zeta")[0] == 0
    code, _, err = typed("key", "create", "--name", "x", "--scopes", "*", "--account", "Nobody")
    assert code == 2
    assert "There is no account Nobody." in err
    listed = typed("account", "list")[1]
    assert [line.split("  ")[1] for line in listed.splitlines()] == ["Acme", "Zeta"]


async def test_doctor_finds_what_does_not_add_up(typed_in_process, owner):
    doctor = typed_in_process
    assert doctor("account", "create", "Acme").returncode == 0
    healthy = doctor("doctor")
    assert (healthy.returncode, healthy.stdout) == (0, "Acme: everything agrees.\n")
    await owner.execute("insert into life_cycle values ('bag', '', 'REJECTED')")
    sick = doctor("doctor")
    assert sick.returncode == 1
    assert sick.stdout == "The code does not know bag ∅ → REJECTED.\n"


async def test_a_file_is_imported_with_its_faults_told(typed_in_process, tmp_path):
    imported = typed_in_process
    imported("account", "create", "Acme")
    file = tmp_path / "orders.ndjson"
    order = {
        "external_id": "A-1",
        "currency": "EUR",
        "items": [{"name": "Mug", "quantity": 1, "unit_price": 1250}],
    }
    file.write_text(json.dumps(order) + "\n" + json.dumps({**order, "currency": "EURO"}) + "\n")
    first = imported("import", "orders", str(file))
    assert first.returncode == 1
    assert first.stdout == "1 imported, 0 there already, 1 refused.\n"
    assert "line 2 /currency:" in first.stderr
    (told,) = (tmp_path / "orders.ndjson.errors.ndjson").read_text().splitlines()
    assert json.loads(told)["line"] == 2
    file.write_text(json.dumps(order))
    again = imported("import", "orders", str(file))
    assert (again.returncode, again.stdout) == (0, "0 imported, 1 there already.\n")
    assert not (tmp_path / "orders.ndjson.errors.ndjson").exists()


@pytest.fixture
def typed_in_process(database, tmp_path):
    """Type a command into a process of its own, as an async test must."""

    def type_(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-P", "-m", "counterfoil", *words],
            env={
                "COUNTERFOIL_DATABASE_URL": database.app_url,
                "COUNTERFOIL_SECRET_KEY": "a" * 43 + "=",
                "COUNTERFOIL_DATA_DIR": str(tmp_path / "var"),
                "PYTHONPATH": str(ROOT / "src"),
                "PATH": "/usr/bin:/bin",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    return type_


async def test_migrate_makes_the_role_and_tells_the_address(server, tmp_path):
    owner_url = await server.empty("cf_fresh")
    assert not await schema_is_newest(owner_url)
    env = {
        "COUNTERFOIL_OWNER_URL": owner_url,
        "COUNTERFOIL_SECRET_KEY": "a" * 43 + "=",
        "COUNTERFOIL_DATA_DIR": str(tmp_path),
        "PYTHONPATH": str(ROOT / "src"),
    }
    command = [sys.executable, "-P", "-m", "counterfoil"]
    done = subprocess.run(
        [*command, "migrate"], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"postgresql://{installation.APPLICATION}")
    assert await schema_is_newest(owner_url)
    # The address is kept beside the data: the owner's is enough from now on.
    made = subprocess.run([*command, "account", "create", "Acme"], env=env, check=False)
    assert made.returncode == 0


def test_the_role_and_the_revision_are_those_of_the_migrations():
    assert installation.APPLICATION == migrate.APP
    assert newest_number() == migrate.newest_revision()


def test_help_is_quick_and_complete(capsys):
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-P", "-m", "counterfoil", "--help"],
        env={"PYTHONPATH": str(ROOT / "src")},
        check=True,
        capture_output=True,
    )
    assert time.monotonic() - began < 15, "about 0.5 s on an idle machine"
    slow = {"litestar", "granian", "sqlalchemy", "alembic", "jinja2", "asyncpg"}
    script = (
        "import sys; from counterfoil.cli.root import run; run(['--help']); print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env={"PYTHONPATH": str(ROOT / "src")},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()[-1]
    assert slow.isdisjoint(loaded.split())
    names = ("up", "serve", "work", "sandbox", "mailbox", "migrate", "doctor", "openapi")
    for words in (*((name,) for name in names), ("import", "orders"), ("key", "create")):
        assert run([*words, "--help"]) == 0
        told = capsys.readouterr().out
        assert "Usage:" in told
    assert app.name == ("counterfoil",)


def test_openapi_is_printed(typed):
    code, out, _ = typed("openapi")
    assert code == 0
    told = json.loads(out)
    assert told["openapi"].startswith("3.1")
    assert "/v1/orders" in told["paths"]
