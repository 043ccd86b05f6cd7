"""What is written by hand points at things that exist, and names them as they are called."""

import json
import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cyclopts import CycloptsError, MissingArgumentError

from counterfoil.api.every import every_endpoint
from counterfoil.cli.root import app as commands
from counterfoil.order.rights import ALL_RIGHTS, SCOPES
from counterfoil.settings import PREFIX, Settings
from tests.docs.pages import DOCS, ROOT, anchors, blocks, code_spans, links, pages, place, read

#: Hosts that nobody has, and the machine that reads this.
HOSTS = {"127.0.0.1", "localhost", "db.example.com", "shop.example.com", "example.com"}
PAGES = pytest.mark.parametrize("page", pages(), ids=place)
_TYPED = re.compile(r"^(?:\$ )?(?:\.venv/bin/)?(counterfoil [^|&\n]*)", re.MULTILINE)
GENERATED = DOCS / "reference"


def nothing(found: list[str], why: str) -> None:
    assert not found, "\n".join([why, *(f"  {one}" for one in found)])


def resolve(page: Path, target: str) -> tuple[Path, str]:
    path, _, anchor = target.partition("#")
    return ((page.parent / path).resolve() if path else page), anchor


@PAGES
def test_links_lead_somewhere(page):
    lost = []
    for target in links(page):
        if "://" in target:
            continue
        there, anchor = resolve(page, target)
        if not there.exists() or (anchor and anchor not in anchors(there)):
            lost.append(target)
    nothing(lost, place(page))


@PAGES
def test_pages_send_nobody_away(page):
    strangers = [t for t in links(page) if "://" in t and urlsplit(t).hostname not in HOSTS]
    nothing(strangers, f"{place(page)} links to other people's machines")


def test_every_page_is_found_from_the_front():
    seen: set[Path] = set()
    todo = [DOCS / "README.md"]
    while todo:
        page = todo.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        todo += [resolve(page, target)[0] for target in links(page) if "://" not in target]
    lost = [place(page) for page in pages() if page.is_relative_to(DOCS) and page not in seen]
    nothing(lost, "docs/README.md does not lead to")


def test_every_image_is_shown():
    shown = {resolve(page, target)[0] for page in pages() for target in links(page)}
    images = [path for path in (DOCS / "images").iterdir() if path.is_file()]
    nothing([place(path) for path in images if path not in shown], "nobody shows")


@PAGES
def test_json_is_json(page):
    wrong = []
    for block in blocks(page):
        if block.language == "json":
            try:
                json.loads(block.text)
            except ValueError as why:
                wrong.append(f"{place(page, block.line)}: {why}")
    nothing(wrong, "not JSON")


@PAGES
def test_blocks_say_what_they_are(page):
    known = {"sh", "console", "json", "text", "sql", "mermaid", "python", "http", ""}
    strange = [place(page, b.line) for b in blocks(page) if b.language not in known]
    nothing(strange, "what language is that?")


@PAGES
def test_nothing_is_promised_for_later(page):
    words = re.findall(r"\b(?:TODO|FIXME|TBD|XXX|lorem|coming soon)\b", read(page))
    nothing(words, place(page))


# ------------------------------------------------------------------------------------------- names


def said(page: Path) -> str:
    """Everything on a page that names something: spans and blocks."""
    return "\n".join([*code_spans(page), *(block.text for block in blocks(page))])


@PAGES
def test_variables_exist(page):
    known = {f"{PREFIX}{name.upper()}" for name in Settings.__struct_fields__}
    known |= {f"{PREFIX}TEST_PG"}
    found = set(re.findall(rf"{PREFIX}[A-Z_]*[A-Z]", read(page)))
    nothing(sorted(found - known), f"{place(page)} names settings that nobody has")


@PAGES
def test_addresses_exist(page):
    shapes = [re.sub(r"{\w+}", r"[^/]+", endpoint.path) for endpoint in every_endpoint()]
    sandbox = (
        *("/v1/payments", "/v1/operations", "/v1/ledger", "/v1/ping", "/v1/settlements"),
        "/v1/webhook_endpoints",
    )
    wrong = []
    for path in re.findall(r"/v1/[\w\-/${}.<>]*[\w}]", said(page)):
        plain = re.sub(r"\$\w+|\$\{\w+\}|<\w+>", "x", path)
        if not plain.startswith(sandbox) and not any(re.fullmatch(s, plain) for s in shapes):
            wrong.append(path)
    nothing(wrong, f"{place(page)} names addresses that nobody serves")


@PAGES
def test_targets_exist(page):
    known = set(re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE))
    found = set(re.findall(r"(?:^|[`$] ?)make ([a-z]+)", said(page), re.MULTILINE))
    nothing(sorted(found - known), f"{place(page)} makes what cannot be made")


def typed(page: Path) -> list[str]:
    """List the command lines of a page, as they stand behind a prompt or in a sentence."""
    found = [span for span in code_spans(page) if span.startswith("counterfoil ")]
    for block in blocks(page):
        if block.language in {"console", "sh"}:
            lines = block.text.replace("\\\n", " ")
            found += _TYPED.findall(lines)
    return found


@pytest.mark.parametrize("page", [p for p in pages() if p.parent != GENERATED], ids=place)
def test_commands_can_be_typed(page):
    wrong = []
    for line in typed(page):
        words = [word for word in shlex.split(line)[1:] if word not in {"--help", "COMMAND"}]
        try:
            unknown = commands.parse_known_args(words)[2]
        except MissingArgumentError:
            unknown = []  # a sentence may name a command without its arguments
        except CycloptsError as why:
            unknown = [str(why)]
        if unknown:
            wrong.append(f"{line}: {', '.join(unknown)}")
    nothing(wrong, f"{place(page)} types commands that nobody has")


@PAGES
def test_scopes_exist(page):
    words = re.findall(r"--scopes '?([a-z_:,*]+)'?", said(page))
    found = {scope for word in words for scope in word.split(",")}
    nothing(sorted(found - {*SCOPES, *ALL_RIGHTS}), f"{place(page)} gives scopes nobody has")


@PAGES
def test_files_of_the_program_exist(page):
    named = {s for s in code_spans(page) if re.fullmatch(r"[\w./-]+/[\w.-]+\.(?:py|sql|toml)", s)}
    roots = (ROOT, ROOT / "src/counterfoil", page.parent)
    lost = [name for name in named if not any((root / name).exists() for root in roots)]
    nothing(lost, f"{place(page)} names files that are not there")
