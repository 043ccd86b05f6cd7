"""The house rules that no linter knows. The limits are tripwires: split what has two subjects."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.tidy.files import files, nodes, nothing, place, source, text, tree

LINES_MAX = 400
FUNCTION_LINES_MAX = 70
PARAMETERS_MAX = 6
COLUMNS_MAX = 100
SENTENCES_MAX = 5

EXCUSE = re.compile(r"\s+# (?:noqa|type: ignore).*")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


# ------------------------------------------------------------------------------------------- sizes


def test_files_are_short():
    # A migration is one change and is never taken apart again.
    ours = [n for n in source(".py", ".html", ".txt", ".sql") if "/migrations/" not in n]
    ours += [n for n in files() if n.startswith(("assets/", "tests/", "bench/")) and "." in n]
    sizes = {name: text(name).count("\n") for name in ours}
    nothing([f"{n}: {size}" for n, size in sizes.items() if size > LINES_MAX], "too many lines")


def test_functions_are_short():
    sizes = {
        f"{place(name, f)} {f.name}": (f.end_lineno or f.lineno) - f.lineno + 1
        for name, f in nodes(*FUNCTIONS)
        if isinstance(f, FUNCTIONS)
    }
    found = [f"{name}: {size}" for name, size in sizes.items() if size > FUNCTION_LINES_MAX]
    nothing(found, "too many lines in one function")


def test_functions_have_few_parameters():
    found = []
    for name, function in nodes(*FUNCTIONS):
        assert isinstance(function, FUNCTIONS)
        arguments = function.args
        names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        count = len([n for n in names if n not in {"self", "cls"}])
        if count > PARAMETERS_MAX and "/cli/" not in name:  # a command has its options
            found.append(f"{place(name, function)} {function.name}: {count}")
    nothing(found, "too many parameters")


def test_lines_fit():
    found = [
        f"{name}:{number}"
        for name in files()
        if name.endswith(".py")
        for number, line in enumerate(text(name).splitlines(), 1)
        if len(EXCUSE.sub("", line)) > COLUMNS_MAX
    ]
    nothing(found, "lines over 100 columns")


# ------------------------------------------------------------------------------------------- words


def test_names_say_what_is_inside():
    bad = {"util", "helper", "manager", "service", "data", "info", "process", "handle", "common"}
    bad |= {f"{word}s" for word in bad} | {"misc", "base", "core", "handler", "handlers"}
    found = [n for n in source(".py") if bad & set(Path(n).with_suffix("").parts[2:])]
    nothing(found, "a name that would fit every file")


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize(
    ("called", "instead"),
    [
        ("float", "money is a whole number of minor units; Fraction or Decimal for the rest"),
        ("datetime.now", "the time of a command is the database's, given as `at` [ruling 17]"),
        ("datetime.datetime.now", "the time of a command is the database's [ruling 17]"),
        ("datetime.utcnow", "times are aware"),
        ("date.today", "a day is one only in a time zone"),
        ("eval", "nothing"),
        ("exec", "nothing"),
        ("uuid.uuid4", "kernel.ids.new_id"),
        ("uuid4", "kernel.ids.new_id"),
    ],
)
def test_some_calls_have_a_better_one(called, instead):
    found = [
        place(name, call)
        for name, call in nodes(ast.Call)
        if isinstance(call, ast.Call) and dotted(call.func) == called
    ]
    nothing(found, f"instead of {called}: {instead}")


def test_the_environment_is_read_in_one_place():
    found = [
        place(name, node)
        for name, node in nodes(ast.Attribute)
        if dotted(node) in {"os.environ", "os.getenv", "os.environb"}
        and name != "src/counterfoil/settings.py"
        # Stands apart, started by a command line of its own.
        and not name.startswith("src/counterfoil/sandbox/")
    ]
    nothing(found, "the environment is read in settings.py alone")


def test_nothing_is_left_for_later():
    found = [
        place(name, node)
        for name, node in nodes(ast.Raise)
        if isinstance(node, ast.Raise)
        and node.exc is not None
        and dotted(getattr(node.exc, "func", node.exc)) == "NotImplementedError"
    ]
    nothing(found, "left for later")


def test_a_silenced_rule_has_a_reason():
    silenced = re.compile(r"#\s*noqa(?::\s*[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*)?(.*)")
    found = [
        f"{name}:{number}"
        for name in source(".py")
        for number, line in enumerate(text(name).splitlines(), 1)
        if (match := silenced.search(line)) and len(match[1].strip(" -–—#:")) < 5
    ]
    nothing(found, "a noqa without a reason")


# --------------------------------------------------------------------------------------------- SQL

SQL = re.compile(
    r"\s*(?:select\s|insert\s+into|update\s+\S+\s+set|delete\s+from|with\s+\w+\s*(?:\(|as\b)|copy\s"
    r"|(?:create|alter|drop)\s+(?:role|table|index|function|schema|database|user|policy|trigger)"
    r"|grant\s|revoke\s|set\s+(?:local\s+)?\w+\s*(?:=|to\b)|notify\s|listen\s|truncate\s)",
    re.IGNORECASE,
)


def begins(node: ast.AST) -> str:
    """Return the literal text that a composed string begins with."""
    if isinstance(node, ast.JoinedStr) and node.values:
        return begins(node.values[0])
    if isinstance(node, ast.BinOp):
        return begins(node.left)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return begins(node.func.value) if node.func.attr in {"format", "replace"} else ""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_sql_is_never_put_together_from_strings():
    found = []
    for name, node in nodes(ast.JoinedStr, ast.BinOp, ast.Call):
        if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Mod):
            continue
        if SQL.match(begins(node)):
            found.append(place(name, node))
    nothing(found, "values go in as parameters, names are written out")


# --------------------------------------------------------------------------------------- templates


TEMPLATES = source(".html", ".jinja", ".txt.j2")
INLINE = re.compile(
    r"<style\b|\sstyle\s*=|<script\b(?![^>]*\ssrc=)|\son[a-z]+\s*=|\shx-on\b|javascript:",
    re.IGNORECASE,
)
JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


def found_in_templates(pattern: re.Pattern[str], *, html_only: bool) -> list[str]:
    found = []
    for name in TEMPLATES:
        page = text(name)
        if html_only:
            page = JINJA.sub(lambda match: "x" + "\n" * match[0].count("\n"), page)
        found += [f"{name}:{page.count(chr(10), 0, m.start()) + 1}" for m in pattern.finditer(page)]
    return found


def test_what_people_typed_is_always_escaped():
    unescaped = re.compile(r"\|\s*safe\b|autoescape\s+false|\bMarkup\(")
    nothing(found_in_templates(unescaped, html_only=False), "not escaped")


def test_templates_hold_no_script_and_no_style():
    found = found_in_templates(INLINE, html_only=True)
    nothing(found, "the Content-Security-Policy lets nothing inline run or show")


def test_pages_load_nothing_from_elsewhere():
    elsewhere = re.compile(r"(?:src|href|action)\s*=\s*[\"'](?:https?:)?//", re.IGNORECASE)
    nothing(found_in_templates(elsewhere, html_only=True), "loaded from elsewhere")


# ------------------------------------------------------------------------------------ introductions


def test_every_package_says_what_it_is():
    packages = {str(Path(name).parent) for name in source(".py")}
    packages = {p for p in packages if "/migrations/" not in p}
    silent, long_ = [], []
    for package in sorted(packages):
        name = f"{package}/__init__.py"
        says = ast.get_docstring(tree(name)) if name in files() else None
        if not says:
            silent.append(package)
        elif len(re.findall(r"[.!?](?:\s|$)", says)) > SENTENCES_MAX:
            long_.append(package)
    nothing(silent, "packages without a docstring")
    nothing(long_, f"packages that say more than {SENTENCES_MAX} sentences")


# ------------------------------------------------------------------------------------------- places


def test_no_file_names_a_place_that_only_we_know():
    # Pieced together, so that this file names none either.
    hosts = [
        ("pypi.", "org"),
        ("pythonhosted.", "org"),
        ("registry.npmjs.", "org"),
        ("npmjs.", "com"),
        ("deb.debian.", "org"),
        ("/work/", "main"),
        ("/work/", "shared"),
        ("/root/", "."),
        ("/tmp/", "cf/"),
    ]
    found = [
        f"{name} names {''.join(host)}"
        for name in files()
        for host in hosts
        if "".join(host) in text(name)
    ]
    nothing(found, "places that only we know")


def test_locks_carry_checksums_and_no_addresses():
    locks = [n for n in files() if n.startswith("requirements/") or n == ".npmrc"]
    nothing([n for n in locks if re.search(r"//[a-z0-9.-]+\.[a-z]+", text(n))], "an address")
    unlocked = [
        line
        for name in locks
        if name.endswith(".txt")
        for line in text(name).replace("\\\n", "").splitlines()
        if line and "--hash=sha256:" not in line
    ]
    nothing(unlocked, "without a checksum")
    assert '"resolved"' not in text("package-lock.json")


def test_locks_have_what_pyproject_names():
    project = tomllib.loads(text("pyproject.toml"))
    groups = project["dependency-groups"]
    wanted = {
        "run": project["project"]["dependencies"] + groups["run"],
        "test": project["project"]["dependencies"] + groups["run"] + groups["test"],
        "bench": project["project"]["dependencies"] + groups["run"] + groups["bench"],
        "node": groups["node"],
    }
    found = []
    for name, requirements in wanted.items():
        locked = dict(
            re.findall(r"^([\w.-]+)==(\S+)", text(f"requirements/{name}.txt"), re.MULTILINE)
        )
        for requirement in map(Requirement, requirements):
            version = locked.get(canonicalize_name(requirement.name))
            if version is None or version not in requirement.specifier:
                found.append(f"requirements/{name}.txt: {requirement}, not {version}")
    nothing(found, "`make lock` writes them anew")


# -------------------------------------------------------------------------------------------- tests


def test_tests_mock_nothing_of_ours():
    found = [
        name
        for name in files()
        if name.startswith("tests/") and name.endswith(".py") and "/tidy/" not in name
        if re.search(r"unittest\.mock|pytest_mock|\bmocker\b|MagicMock", text(name))
    ]
    nothing(found, "mocks")
