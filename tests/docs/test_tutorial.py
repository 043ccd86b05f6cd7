"""The tutorial, gone through from its first line to its last, in the portal too."""

import re
import shutil
from collections.abc import Callable
from html import unescape
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import expect, sync_playwright

from tests.docs.installation import Installation
from tests.docs.pages import DOCS
from tests.docs.reader import Reader
from tests.docs.test_commands import terminal

TUTORIAL = DOCS / "tutorial/your-first-order.md"
CAPTURE = "capture the rest"
Portal = Callable[[Installation], Callable[[Reader, str], None]]


def fields(page: str, action: str) -> dict[str, str]:
    """Read the fields of a page's form as a browser without script would send them."""
    form = re.search(rf'<form[^>]*action="{action}".*?</form>', page, re.DOTALL)
    assert form, f"no form for {action} in {page}"
    names = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        name, value = (re.search(rf'\b{part}="([^"]*)"', tag) for part in ("name", "value"))
        if name:
            names[name[1]] = unescape(value[1]) if value else ""
    return names


def by_forms(installation: Installation) -> Callable[[Reader, str], None]:
    """Use the portal without script: pages and forms alone."""

    def work(reader: Reader, wanted: str) -> None:
        assert wanted == CAPTURE
        path = f"/portal/orders/{reader.get('ORDER')}/capture"
        with httpx2.Client(base_url=installation.api, trust_env=False) as client:
            client.headers["Origin"] = installation.api
            form = fields(client.get("/portal/login").text, "/portal/login")
            login = {"email": installation.login.email, "password": installation.login.password}
            told = client.post("/portal/login", data={**form, **login})
            assert told.status_code == 303, told.text
            # Cookies are for https, or for this machine; a browser knows that, a client does not.
            client.headers["Cookie"] = told.headers["set-cookie"].partition(";")[0]
            page = client.get(path).text
            assert "26.50" in page
            done = client.post(path, data=fields(page, path))
            assert done.status_code == 200, done.text

    return work


def by_browser(installation: Installation) -> Callable[[Reader, str], None]:
    """Do what the page says, in a real browser."""

    def work(reader: Reader, wanted: str) -> None:
        assert wanted == CAPTURE
        with sync_playwright() as playing:
            browser = playing.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page()
            page.goto(f"{installation.api}/portal/login")
            page.fill("#email", installation.login.email)
            page.fill("#password", installation.login.password)
            page.get_by_role("button", name="Sign in").click()
            page.goto(f"{installation.api}/portal/orders/{reader.get('ORDER')}")
            expect(page.get_by_label("Capture value")).to_have_value("26.50")
            page.get_by_role("button", name="Capture transaction").click()
            button = page.locator("#money-go")
            expect(button).to_contain_text("26.50")
            button.click()
            expect(page.locator("#dialog-title")).to_contain_text("26.50")
            browser.close()

    return work


def go_through(
    installation: Installation, folder: Path, portal: Portal, *, number: str, until: str = ""
) -> None:
    """Type the tutorial; `number` makes the order one of its own."""
    reader = terminal(TUTORIAL, installation, folder, API=installation.api)
    reader.instead = ("7001", number)
    try:
        reader.read(portal(installation), until=until)
    finally:
        reader.close()


@pytest.mark.slow
def test_the_tutorial_leads_to_where_it_says(installation, tmp_path):
    go_through(installation, tmp_path, by_forms, number="7001")


@pytest.mark.browser
def test_the_portal_is_as_the_tutorial_says(installation, tmp_path):
    go_through(installation, tmp_path, by_browser, number="7002", until="Give some of it back")
