"""What the tidy tests look at: our own files, as git knows them, read once."""

import ast
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = "src/counterfoil/"
_TEXT = {
    *(".py", ".pyi", ".sql", ".html", ".txt", ".css", ".js", ".mjs", ".json", ".toml", ".md"),
    *(".cfg", ".ini", ".sh", ".yml", ".yaml", ".svg", ".mako", ".csv", ".ndjson", ""),
}


@cache
def files() -> tuple[str, ...]:
    """Every text file that is tracked, or would be if it were added now."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    names = sorted(name for name in listed.split("\0") if name)
    return tuple(n for n in names if Path(n).suffix in _TEXT and (ROOT / n).is_file())


@cache
def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(text(name))


def source(*suffixes: str) -> list[str]:
    """Return the files of the program itself that end so."""
    return [name for name in files() if name.startswith(SOURCE) and name.endswith(suffixes)]


def nodes(*kinds: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """Yield (file, node) for each node of these kinds in the program."""
    for name in source(".py"):
        for node in ast.walk(tree(name)):
            if isinstance(node, kinds):
                yield name, node


def place(name: str, node: ast.AST) -> str:
    return f"{name}:{getattr(node, 'lineno', 1)}"


def nothing(found: Iterable[object], why: str) -> None:
    """Fail with one line for each thing that was found."""
    lines = [f"  {line}" for line in found]
    assert not lines, "\n".join([why, *lines])
