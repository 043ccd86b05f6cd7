"""Somebody who types what a page says, and looks whether the answers are those that it shows."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.docs.pages import Block, asides, blocks, place, read

_END = "-- end of block --"
#: Stands for whatever differs from time to time.
ANYTHING = "…"


class Reader:
    """One terminal in which the blocks of a page are run one after the other."""

    def __init__(self, page: Path, folder: Path, environment: dict[str, str]) -> None:
        self.page = page
        self.output = ""
        #: Written on the page, and what is typed instead.
        self.instead = ("", "")
        self.shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            cwd=folder, env={**os.environ, **environment},
        )

    def read(
        self, portal: Callable[["Reader", str], None] | None = None, *, until: str = ""
    ) -> None:
        """Run every block of shell; compare every block of JSON or text with what came before.

        `portal` does what the page asks its reader to do in the browser; `until` is the heading
        where reading ends.
        """
        todo = asides(self.page)
        lines = read(self.page).splitlines()
        end = lines.index(f"## {until}") if until else len(lines)
        for block in map(self._own, blocks(self.page)):
            if block.line > end:
                break
            for line in [line for line in todo if line < block.line]:
                assert portal is not None
                portal(self, todo.pop(line))
            if block.language == "sh":
                self.type(block)
            elif block.language == "json" and self.output:  # before that it is an example
                self._compare(block, json.loads(block.text))
            elif block.language == "text":
                for shown in block.text.splitlines():
                    assert _like(shown, self.output), self._say(block, f"no line {shown!r} in")

    def _own(self, block: Block) -> Block:
        written, instead = self.instead
        text = block.text.replace(written, instead) if written else block.text
        return Block(block.language, text, block.line)

    def type(self, block: Block) -> None:
        """Run a block to its end. It must succeed."""
        assert self.shell.stdin is not None
        assert self.shell.stdout is not None
        self.shell.stdin.write(f"{block.text}\necho; echo '{_END}' $?\n")
        self.shell.stdin.flush()
        lines = []
        for line in self.shell.stdout:
            if line.startswith(_END):
                break
            lines.append(line)
        self.output = "".join(lines)
        assert line == f"{_END} 0\n", self._say(block, "ended badly")

    def get(self, name: str) -> str:
        """Return a variable of the shell."""
        self.type(Block("sh", f'echo "${name}"', 0))
        return self.output.strip()

    def _compare(self, block: Block, shown: Any) -> None:
        answers = documents(self.output)
        assert answers, self._say(block, "no JSON in")
        differences = [*differ(shown, answers[-1])]
        assert not differences, self._say(block, "; ".join(differences))

    def _say(self, block: Block, what: str) -> str:
        return f"{place(self.page, block.line)}: {what}\n{block.text}\n{self.output[-3000:]}"

    def close(self) -> None:
        assert self.shell.stdin is not None
        assert self.shell.stdout is not None
        self.shell.stdin.close()
        self.shell.wait(10)
        self.shell.stdout.close()


def documents(output: str) -> list[Any]:
    """Read every JSON document that a terminal shows, those on one line too."""
    found, at, decoder = [], 0, json.JSONDecoder()
    while (begins := re.compile(r"[{\[]").search(output, at)) is not None:
        try:
            document, at = decoder.raw_decode(output, begins.start())
            found.append(document)
        except ValueError:
            at = begins.end()
    return found


def differ(shown: Any, found: Any, where: str = "") -> list[str]:
    """Tell where an answer is not as shown: what a page leaves out may be anything."""
    if isinstance(shown, dict) and isinstance(found, dict):
        return [
            told
            for name, value in shown.items()
            for told in (
                differ(value, found[name], f"{where}/{name}")
                if name in found
                else [f"{where}/{name} is missing"]
            )
        ]
    if isinstance(shown, list) and isinstance(found, list):
        if len(shown) > len(found):
            return [f"{where} has {len(found)} of {len(shown)}"]
        pairs = enumerate(zip(shown, found, strict=False))
        return [told for n, (a, b) in pairs for told in differ(a, b, f"{where}/{n}")]
    if isinstance(shown, str) and isinstance(found, str):
        same = re.fullmatch(_pattern(shown), found) is not None
    else:
        same = shown == found and type(shown) is type(found)
    return [] if same else [f"{where} is {found!r}, not {shown!r}"]


def _pattern(shown: str) -> str:
    return ".*".join(re.escape(part) for part in shown.split(ANYTHING))


def _like(line: str, output: str) -> bool:
    wanted = re.compile(_pattern(line.strip()), re.IGNORECASE)
    return any(wanted.fullmatch(one.strip()) for one in output.splitlines())
