"""The list of pages that are made from the code."""

from collections.abc import Callable

from docs.generator.api import api_page
from docs.generator.commands import commands_page
from docs.generator.gateways import gateways_page, sandbox_page
from docs.generator.invariants import invariants_page
from docs.generator.life import life_page
from docs.generator.lists import facts_page, money_page, problems_page, rights_page
from docs.generator.requirements import requirements_page
from docs.generator.settings import settings_page

#: File name in docs/reference, and who makes it.
MAKERS: dict[str, Callable[[], str]] = {
    "api.md": api_page,
    "life-cycles.md": life_page,
    "problems.md": problems_page,
    "facts.md": facts_page,
    "invariants.md": invariants_page,
    "rights.md": rights_page,
    "money.md": money_page,
    "gateways.md": gateways_page,
    "sandbox.md": sandbox_page,
    "settings.md": settings_page,
    "commands.md": commands_page,
    "requirements.md": requirements_page,
}


def make_pages() -> dict[str, str]:
    """Make every page of the reference, by file name."""
    return {name: make() for name, make in MAKERS.items()}
