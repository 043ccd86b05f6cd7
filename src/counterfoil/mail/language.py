"""The language of letters: text with `{{ names }}`, `{% if %}` and `{% for %}`, and no more.

Jinja reads it, but only what is listed here may stand in it, and it runs in Jinja's sandbox with
nothing but texts and lists of texts within reach. Whatever is wrong is found when a text is saved
and told with its line. [faults H-12, M-3]
"""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

#: What a text may name: a sentence for a plain value, fields with their sentences for a list.
#: A list whose entries are plain has no fields.
Words = Mapping[str, "str | Mapping[str, str]"]

SUBJECT_MAX = 200
BODY_MAX = 20_000
RENDERED_MAX = 2_000_000
DEPTH_MAX = 40
_CONDITIONS = (nodes.And, nodes.Or, nodes.Not, nodes.Compare, nodes.Operand, nodes.Const)
_FRAME = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For)
_DEEP = "Too much stands inside of each other."
_CAN = "A text may use {{ names }}, {% if … %} and {% for … in … %}, nothing else."


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a text, in which field, on which line, and what to do about it."""

    field: str
    line: int
    said: str


class CannotRender(Exception):
    """The text does not work with this order."""


def _environment(*, escaped: bool) -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        autoescape=escaped, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )
    made.globals.clear()
    made.filters.clear()
    made.tests.clear()
    return made


_PLAIN, _HTML = _environment(escaped=False), _environment(escaped=True)


def check(field: str, source: str, words: Words) -> list[Fault]:
    """Find what is wrong with a text without running it."""
    try:
        tree = _HTML.parse(source)
    except TemplateSyntaxError as wrong:
        said = (wrong.message or "It cannot be read").rstrip(".")
        return [Fault(field, wrong.lineno, f"{said}. Check the brackets.")]
    except RecursionError:
        return [Fault(field, 1, _DEEP)]
    return [Fault(field, line, said) for line, said in _Walk(words).look(tree)]


def render(source: str, values: Mapping[str, Any], *, escaped: bool) -> str:
    """Fill a text in. Raises CannotRender, also where it becomes longer than any letter."""
    environment = _HTML if escaped else _PLAIN
    parts, length = [], 0
    try:
        for part in environment.from_string(source).generate(values):
            parts.append(part)
            length += len(part)
            if length > RENDERED_MAX:
                raise CannotRender(f"It becomes longer than {RENDERED_MAX} characters.")
    except (TemplateError, TypeError, ValueError, ArithmeticError, RecursionError) as wrong:
        raise CannotRender(str(wrong) or type(wrong).__name__) from wrong
    return "".join(parts)


def literal(source: str, hole: str, own_holes: Mapping[str, str]) -> str:
    """Return what stands outside the brackets, each value a hole, every line where it was.

    `own_holes` are for values that have one of their own.
    """
    found: list[str] = []
    line, inside = 1, False
    for lineno, kind, text in _HTML.lex(source):
        if kind == "data":
            found.append("\n" * (lineno - line) + text)
            line = max(line, lineno) + text.count("\n")
        elif kind == "name" and inside:
            found.append("\n" * (lineno - line) + own_holes.get(text, hole))
            line = max(line, lineno)
        if kind != "whitespace":
            inside = kind == "variable_begin"
    return "".join(found)


class _Walk:
    """One look through a text: which names stand where, and whether they are known."""

    def __init__(self, words: Words) -> None:
        self.words = words

    def look(self, node: nodes.Node) -> Iterator[tuple[int, str]]:
        """Yield what is wrong below a node, by line."""
        yield from self._look(node, {}, 0)

    def _look(
        self, node: nodes.Node, own: dict[str, Any], depth: int
    ) -> Iterator[tuple[int, str]]:
        if depth > DEPTH_MAX:
            yield getattr(node, "lineno", 1), _DEEP
        elif isinstance(node, nodes.For):
            yield from self._look_at_loop(node, own, depth)
        elif isinstance(node, nodes.Name):
            yield from self._look_at_name(node, own)
        elif isinstance(node, nodes.Getattr):
            yield from self._look_at_field(node, own)
        elif isinstance(node, _FRAME + _CONDITIONS):
            for below in node.iter_child_nodes():
                yield from self._look(below, own, depth + 1)
                if isinstance(node, nodes.Output) and isinstance(below, nodes.Name):
                    yield from self._look_at_list(below, own)
        else:
            yield node.lineno, f"This is not possible here ({_called(node)}). {_CAN}"

    def _look_at_list(self, node: nodes.Name, own: dict[str, Any]) -> Iterator[tuple[int, str]]:
        kind = self.words.get(node.name)
        if node.name not in own and kind is not None and not isinstance(kind, str):
            yield node.lineno, f"Go through it: {{% for one in {node.name} %}}."

    def _look_at_loop(
        self, node: nodes.For, own: dict[str, Any], depth: int
    ) -> Iterator[tuple[int, str]]:
        over, each = node.iter, node.target
        if own:
            yield node.lineno, "A {% for %} cannot stand inside another one."
            return
        if node.recursive or node.test is not None or not isinstance(each, nodes.Name):
            yield node.lineno, "Write {% for one in items %}, with one name."
            return
        fields = self.words.get(over.name) if isinstance(over, nodes.Name) else None
        if fields is None or isinstance(fields, str):
            lists = [name for name, kind in self.words.items() if not isinstance(kind, str)]
            yield node.lineno, f"Only these can be gone through: {', '.join(lists)}."
            return
        for below in (*node.body, *node.else_):
            yield from self._look(below, {each.name: fields}, depth + 1)

    def _look_at_name(self, node: nodes.Name, own: dict[str, Any]) -> Iterator[tuple[int, str]]:
        fields = own.get(node.name, self.words.get(node.name))
        if fields is None:
            yield node.lineno, _unknown(node.name, [*self.words, *own])
        elif node.name in own and fields:
            yield node.lineno, f"Say which part: {_shown(node.name, fields)}."

    def _look_at_field(
        self, node: nodes.Getattr, own: dict[str, Any]
    ) -> Iterator[tuple[int, str]]:
        if not isinstance(node.node, nodes.Name) or node.node.name not in own:
            named = node.node.name if isinstance(node.node, nodes.Name) else ""
            if named and named not in self.words:
                yield node.lineno, _unknown(named, [*self.words, *own])
            else:
                yield node.lineno, "Only an entry of {% for one in … %} has parts after a dot."
        elif node.attr not in own[node.node.name]:
            fields = own[node.node.name]
            known = f"There is: {_shown(node.node.name, fields)}." if fields else "It has no parts."
            yield node.lineno, f"There is no {node.node.name}.{node.attr}. {known}"


def _shown(name: str, fields: Mapping[str, str]) -> str:
    return ", ".join(f"{name}.{field}" for field in fields)


def _unknown(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, 1, 0.75)
    hint = f"Did you mean {close[0]}?" if close else "The names are listed beside the text."
    return f"There is no {name} in this letter. {hint}"


def _called(node: nodes.Node) -> str:
    names = {"Filter": "a filter", "Call": "a call", "Assign": "set", "Getitem": "square brackets",
             "Test": "is", "Include": "include", "Import": "import", "Macro": "macro"}
    return names.get(type(node).__name__, type(node).__name__.lower())
