"""The program as people run it, and a browser that looks at it."""

import base64
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from counterfoil.access.sessions import begin_session
from counterfoil.access.users import NewUser, create_user, list_users
from counterfoil.kernel.db import Pool
from counterfoil.order.actor import Actor
from counterfoil.portal.respond import SESSION_COOKIE, ZONE_COOKIE
from counterfoil.setup.accounts import create_account
from tests.db import Database, TestServer
from tests.ports import free_port
from tests.sandbox.server import Sandbox, start_sandbox
from tests.work.shop import RING, Shop, open_shop

ROOT = Path(__file__).parents[2]
PATHS = str(ROOT / "src")
EMAIL, PASSWORD, COLLEAGUE = "anna@example.com", "counterfoil-anna-1", "kari@example.com"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WATCH = """addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"""


class Tab:
    """A page, and what the browser complained about."""

    def __init__(self, site: "Site", context: BrowserContext, page: Page) -> None:
        self.site, self.context, self.page = site, context, page
        self.faults: list[str] = []
        page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        page.on("console", self._heard)

    def _heard(self, said: Any) -> None:
        expected = "Failed to load resource" in said.text  # a 4xx that a story is about
        cut = "ERR_" in said.text or "htmx:error" in said.text
        if said.type == "error" and not expected and not cut:
            self.faults.append(said.text)

    async def goto(self, path: str) -> None:
        await self.page.goto(self.site.url + path)

    async def sign_in(self, email: str = EMAIL) -> None:
        await self.goto("/portal/login")
        await self.page.fill("#email", email)
        await self.page.fill("#password", PASSWORD)
        await self.page.click("main button")
        await self.page.wait_for_url("**/orders/open")

    async def expect_focus(self, selector: str) -> None:
        """Wait until the focus is where a selector says."""
        await expect(self.page.locator(selector)).to_be_focused()

    async def close(self) -> None:
        await self.context.close()
        assert self.faults == []


class Site:
    """Database, sandbox, mail folder, server and worker; `start` makes all of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.children: list[subprocess.Popen[bytes]] = []
        self.sandbox: Sandbox
        self.shop: Shop
        self.browser: Browser

    async def start(self, server: TestServer) -> None:
        self.database = await server.create()
        self.pool = Pool(self.database.app_url)
        self.sandbox = start_sandbox(self.folder, hang_s=2)
        account = await create_account(self.pool, "Nordlys Handel")
        self.shop = await open_shop(self.pool, account, self.sandbox)
        admin = self.shop.actor
        async with self.pool.connection(account.id) as connection:
            for email, name in ((EMAIL, "Anna Berg"), (COLLEAGUE, "Kari Lie")):
                new = NewUser(email=email, name=name, role="admin", password=PASSWORD)
                await create_user(connection, admin, new)
        self._run_program(self.database)
        self.playing = await async_playwright().start()
        self.browser = await self.playing.chromium.launch(
            executable_path=shutil.which("chromium"), args=FLAGS
        )

    def _run_program(self, database: Database) -> None:
        port, mail = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        words = {
            "DATABASE_URL": database.app_url,
            "DATA_DIR": str(self.folder),
            "PORT": str(port),
            "SECRET_KEY": base64.b64encode(RING[0]).decode(),
            "SMTP_URL": f"smtp://127.0.0.1:{mail}",
            "MAIL_PRIVATE": "true",
            "LEASE_S": "3",
            "PROVIDER_DEADLINE_S": "1",
            "PROPAGATION_S": "1",
            "CREDENTIAL_CACHE_S": "0",
            "TESTING": "true",
        }
        settings = {f"COUNTERFOIL_{name}": text for name, text in words.items()}
        self.mail, self.mail_port = self.folder / "mail", mail
        for program in (["server"], ["work"], ["mailbox", "127.0.0.1", str(mail), str(self.mail)]):
            with (self.folder / f"{program[0]}.log").open("wb") as log:
                self.children.append(
                    subprocess.Popen(
                        [sys.executable, "-P", "-m", "counterfoil.cli.child", *program],
                        env={**os.environ, **settings, "PYTHONPATH": PATHS},
                        stdin=subprocess.PIPE,
                        stderr=log,
                    )
                )
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + 30
        with httpx2.Client(trust_env=False) as client:
            while True:
                try:
                    if client.get(self.url + "/portal/login").status_code == 200:
                        return
                except httpx2.HTTPError:
                    pass
                log = self.folder / "server.log"
                assert time.monotonic() < until, log.read_text()[-3000:]
                time.sleep(0.1)

    async def stop(self) -> None:
        await self.browser.close()
        await self.playing.stop()
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.wait(30)
            if child.stdin:
                child.stdin.close()
        self.sandbox.stop()
        self.sandbox.client.close()
        await self.shop.works.aclose()
        await self.pool.close()

    async def open_tab(self, email: str = EMAIL, **options: Any) -> Tab:
        """Open a browser of its own, signed in."""
        context = await self.browser.new_context(
            viewport={"width": 1440, "height": 900}, timezone_id="Europe/Oslo", **options
        )
        context.set_default_timeout(10_000)
        cookies = {SESSION_COOKIE: await self._session(email)}
        if options.get("java_script_enabled", True):
            await context.add_init_script(WATCH)
            cookies[ZONE_COOKIE] = quote("Europe/Oslo", safe="")  # as the login page's script does
        safe = self.url.replace("http:", "https:")  # a browser takes a loopback address for safe
        await context.add_cookies([
            {"name": name, "value": value, "url": safe, "secure": True, "sameSite": "Lax"}
            for name, value in cookies.items()
        ])
        return Tab(self, context, await context.new_page())

    async def _session(self, email: str) -> str:
        """Sign somebody in as the login page does, without waiting for that page each time."""
        async with self.pool.connection(self.actor.account_id) as connection:
            user = next(one for one in (await list_users(connection)).data if one.email == email)
            return (await begin_session(connection, user, 3600)).cookie

    @property
    def actor(self) -> Actor:
        return self.shop.actor

    def letters(self) -> list[str]:
        """The letters that the mail server has taken."""
        return [path.read_text() for path in sorted(self.mail.glob("[!.]*.eml"))]

    async def provider_id(self, order_id: str) -> str:
        """The sandbox's own id of an order's payment."""
        folder = await self.shop.folder(order_id)
        return folder.payments[0].provider_reference or ""

    async def moved(self, order_id: str, kind: str) -> list[int]:
        """The amounts that the sandbox moved for an order, in the order of moving."""
        provider_id = await self.provider_id(order_id)
        entries = self.sandbox.ledger(payment=provider_id)
        return [one["amount"] for one in entries if one["kind"] == kind]

    async def number(self, order_id: str) -> str:
        return (await self.shop.folder(order_id)).order.number

    def row(self, tab: Tab, order_id: str) -> Any:
        return tab.page.locator(f"#order-{order_id}")
