"""Requirements: what the four documents ask for, and the tests that prove it.

A test names what it proves: `@pytest.mark.proves("Z-5", "Z-7")`. The marks are read off the
files, so that writing the page imports and runs nothing.
"""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import msgspec

from docs.generator.markdown import page, table

ROOT = Path(__file__).parents[2]
PENDING = ROOT / "docs/requirements_pending.txt"
_TABLE = Path(__file__).with_name("requirements.toml")


class Document(msgspec.Struct, frozen=True):
    """One of the documents: its title, and what it asks for by id."""

    title: str
    asks: dict[str, str]


class Requirements(msgspec.Struct, frozen=True):
    """All of them; `nothing` are the ids that ask nothing of a program."""

    documents: dict[str, Document]
    nothing: tuple[str, ...]

    @property
    def ids(self) -> list[str]:
        """List every id."""
        return [id_ for document in self.documents.values() for id_ in document.asks]


class Proof(msgspec.Struct, frozen=True):
    """A test that names an id; `file` is its path from the root."""

    file: str
    test: str


@cache
def requirements() -> Requirements:
    """Read the table."""
    return msgspec.convert(tomllib.loads(_TABLE.read_text("utf-8")), Requirements)


def pending() -> list[str]:
    """List the ids that nothing proves yet."""
    return PENDING.read_text("utf-8").split()


@cache
def proofs() -> dict[str, list[Proof]]:
    """Find the tests that name an id, by id. A mark anywhere but on a test is an error."""
    found: dict[str, list[Proof]] = {}
    for file in sorted((ROOT / "tests").rglob("*.py")):
        text = file.read_text("utf-8")
        if "mark.proves" not in text:
            continue
        tree = ast.parse(text)
        name = str(file.relative_to(ROOT))
        marks = 0
        for test in ast.walk(tree):
            if not isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for mark in filter(_is_mark, test.decorator_list):
                assert test.name.startswith("test_"), f"{name}: {test.name} is no test"
                marks += 1
                for id_ in _ids(mark, name):
                    found.setdefault(id_, []).append(Proof(name, test.name))
        everywhere = sum(map(_is_mark, ast.walk(tree)))
        assert marks == everywhere, f"{name}: `proves` stands on tests alone"
    return found


def _is_mark(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.proves"


def _ids(mark: ast.AST, name: str) -> list[str]:
    assert isinstance(mark, ast.Call)
    ids = [one.value for one in mark.args if isinstance(one, ast.Constant)]
    assert len(ids) == len(mark.args) > 0, f"{name}: `proves` takes ids in quotes"
    return [str(one) for one in ids]


def requirements_page() -> str:
    """Write the page of requirements."""
    every, proven = requirements(), proofs()
    sums = [
        [document.title, str(len(document.asks)), str(len(document.asks.keys() & proven.keys()))]
        for document in every.documents.values()
    ]
    return page(
        "Requirements",
        """
        Four published documents say what the program is for. Their requirements have the ids that
        the code and its tests name; the words are ours. Beside each stand the tests that prove it,
        by the sentences that are their names. Where it says *not yet*, nothing proves it so far.
        """,
        table(["document", "requirements", "proven"], sums),
        *(
            f"## {document.title}\n\n"
            + table(
                ["", "what it asks for", "proven by"],
                (
                    [id_, says, "<br>".join(_shown(id_, every, proven))]
                    for id_, says in document.asks.items()
                ),
            )
            for document in every.documents.values()
        ),
    )


def _shown(id_: str, every: Requirements, proven: dict[str, list[Proof]]) -> list[str]:
    if id_ in every.nothing:
        return ["asks nothing of a program"]
    shown = [f"[{_sentence(one.test)}](../../{one.file})" for one in proven.get(id_, [])]
    return shown or ["*not yet*"]


def _sentence(test: str) -> str:
    return re.sub("_+", " ", test.removeprefix("test_"))
