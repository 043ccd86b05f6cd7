"""Take the pictures that pages show, of a running `make up`: `python -m docs.pictures`.

Needs Playwright and Chromium, which `make test` installs. The login is read from the data folder.
"""

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

IMAGES = Path(__file__).parent / "images"
SIZE = {"width": 1440, "height": 900}


def main() -> None:
    """Sign in, and take each picture in light and in dark."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--url", default="http://127.0.0.1:8000")
    options.add_argument("--login", type=Path, default=Path("var/demo-login.txt"))
    chosen = options.parse_args()
    lines = chosen.login.read_text(encoding="utf-8").splitlines()
    login = dict(line.split(": ", 1) for line in lines if ": " in line)
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playing:
        browser = playing.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        take(browser, chosen.url, login, dark=False)
        take(browser, chosen.url, login, dark=True)
        browser.close()


def take(browser: Browser, url: str, login: dict[str, str], *, dark: bool) -> None:
    """Take the pictures in one colour scheme."""
    context = browser.new_context(
        viewport={"width": SIZE["width"], "height": SIZE["height"]},
        color_scheme="dark" if dark else "light",
        timezone_id="Europe/Oslo",
        locale="en-GB",
    )
    page = context.new_page()
    page.goto(f"{url}/portal/login")
    page.fill("#email", login["E-mail"])
    page.fill("#password", login["Password"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/portal/orders/open")
    ending = "-dark" if dark else ""
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / f"orders{ending}.png")
    print(f"took orders{ending}.png")
    context.close()


if __name__ == "__main__":
    main()
