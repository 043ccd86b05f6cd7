"""`counterfoil up`: everything on one machine, with a demo store at first; what `make up` runs."""

import asyncio
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from counterfoil.cli.family import Family, Member
from counterfoil.cli.installation import (
    DataDir,
    Installation,
    Port,
    bring_up_to_date,
    open_database,
    open_installation,
)
from counterfoil.cli.ports import check_free, choose, listens
from counterfoil.cli.progress import Progress
from counterfoil.cli.said import Said, say
from counterfoil.cli.serve import (
    WORK,
    check_fit,
    end_on_sigterm,
    leave_in_peace,
    server_member,
    until_ended,
)
from counterfoil.kernel.db import Pool
from counterfoil.settings import Settings, read_settings
from counterfoil.transfer.demo_loading import Login

SANDBOX_PORT = 8790
MAILBOX_PORT = 8025
_HERE = "127.0.0.1"
_LOGIN_FILE = "demo-login.txt"
_DEMO = "Demo"


def up(
    *,
    port: Port = None,
    demo_orders: Annotated[
        int, Parameter(help="How many orders the demo store begins with; 0: no demo at all.")
    ] = 2000,
    data_dir: DataDir = None,
) -> int:
    """Run everything on this machine until Ctrl-C: try it, show it, develop with it.

    Starts the PostgreSQL of the data folder (or uses the one that COUNTERFOIL_DATABASE_URL or
    COUNTERFOIL_OWNER_URL name), brings it up to date, and fills a new one with a demo store. Then a
    card gateway to practise on, a mailbox that keeps letters in a folder, the worker, and API and
    portal on one port. Ctrl-C stops all of it, and the data stays. Settings like
    COUNTERFOIL_WORKERS count here too.
    """
    began = time.monotonic()
    end_on_sigterm()
    settings = read_settings(port=port, data_dir=data_dir)
    check_free(settings.host, settings.port)
    given = {"port": port, "data_dir": data_dir}
    with _alone(settings.data_dir), open_installation(key="made", **given) as installation:
        try:
            return asyncio.run(_Up(installation, demo_orders, began).live())
        except KeyboardInterrupt:
            return 0
        finally:
            leave_in_peace()


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for this process. Raises Said where another one has it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Said(
                f"Counterfoil already runs in {data_dir} (process {lock.read().strip()})."
                " Stop it there, or choose another folder with --data-dir.",
                code=2,
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


class _Up:
    """One run of everything."""

    def __init__(self, installation: Installation, demo_orders: int, began: float) -> None:
        self.demo_orders = demo_orders
        self.began = began
        self.folder = installation.settings.data_dir
        self.sandbox_port = choose(_HERE, SANDBOX_PORT)
        self.mailbox_port = choose(_HERE, MAILBOX_PORT)
        self.own_mail = installation.settings.smtp_url is None
        settings = installation.settings
        if self.own_mail:
            smtp_url = f"smtp://{_HERE}:{self.mailbox_port}"
            settings = msgspec.structs.replace(settings, smtp_url=smtp_url)
        self.installation = Installation(settings, installation.server)

    @property
    def settings(self) -> Settings:
        """The settings that every child gets."""
        return self.installation.settings

    @property
    def sandbox_url(self) -> str:
        """Where the sandbox is."""
        return f"http://{_HERE}:{self.sandbox_port}"

    async def live(self) -> int:
        """Start everybody, tell where everything is, wait for the end, stop everybody."""
        self.installation = await bring_up_to_date(self.installation)
        family = Family(self.settings, log_dir=self.folder / "logs", report=say)
        family.follow_signals()
        try:
            for member in self._first():
                await family.spawn(member)
            login = await self._demo(family)
            for member in (WORK, server_member(self.installation)):
                await family.spawn(member)
            await check_fit(self.installation)
            for member in family.members:
                await family.until_ready(member)
            self._tell(login)
            await until_ended(self.installation, family)
            say("Stopping …")
        finally:
            await family.stop()
        say("Stopped; the data stays.")
        return family.code

    def _first(self) -> list[Member]:
        sandbox = ("--port", str(self.sandbox_port), "--data", str(self.folder / "sandbox.db"))
        mailbox = (_HERE, str(self.mailbox_port), str(self.folder / "letters"))
        members = [
            Member(
                name="sandbox",
                words=("sandbox", *sandbox),
                ready=listens(_HERE, self.sandbox_port),
            )
        ]
        if self.own_mail:
            ready = listens(_HERE, self.mailbox_port)
            members.append(Member(name="mailbox", words=("mailbox", *mailbox), ready=ready))
        return members

    async def _demo(self, family: Family) -> Login | None:
        """Read how to get into the demo, or make it where the database is new."""
        from counterfoil.kernel.secrets import KeyRing
        from counterfoil.setup.accounts import create_account, list_accounts
        from counterfoil.transfer.demo_loading import Demo, load_demo

        async with open_database(self.installation) as pool:
            accounts = await list_accounts(pool)
            found = next((one for one in accounts if one.name == _DEMO), None)
            login = _read_login(self.folder)
            if found is not None and login is not None:
                await self._point_at_sandbox(pool, found.id)
                return login
            if (accounts and found is None) or not self.demo_orders:
                return None
            await family.until_ready(family.members[0])
            account = found or await create_account(pool, _DEMO)
            demo = Demo(
                account_id=account.id,
                keys=KeyRing(self.settings.secret_keys()),
                sandbox_url=self.sandbox_url,
                count=self.demo_orders,
            )
            with Progress("Making the demo store", total=self.demo_orders) as progress:

                async def follow(done: int, words: str) -> None:
                    if family.ended.is_set():
                        raise Said("Stopped while the demo was made; next time goes on.", code=0)
                    progress.at(done, words)

                login = await load_demo(pool, demo, follow=follow)
            _keep_login(self.folder, login)
            return login

    async def _point_at_sandbox(self, pool: Pool, account_id: str) -> None:
        """Follow the sandbox to the port it has this time."""
        from counterfoil.order.actor import system
        from counterfoil.setup.gateways import GatewayChange, change_gateway, list_gateways
        from counterfoil.transfer.demo_loading import sandbox_settings

        wanted = sandbox_settings(self.sandbox_url)
        async with pool.connection(account_id) as connection:
            for gateway in (await list_gateways(connection)).data:
                url = str(gateway.settings.get("base_url", ""))
                ours = gateway.kind == "sandbox" and url.startswith(f"http://{_HERE}:")
                if ours and url != self.sandbox_url:
                    settings = {**gateway.settings, "base_url": wanted["base_url"]}
                    change = GatewayChange(settings=settings)
                    await change_gateway(connection, system(account_id), gateway.code, change, None)

    def _tell(self, login: Login | None) -> None:
        host = self.settings.host
        lines = [f"Counterfoil runs ({time.monotonic() - self.began:.1f} s)."]
        lines.append(f"  Portal   http://{host}:{self.settings.port}")
        if login is not None:
            lines += [
                f"  Sign in  {login.email}",
                f"           {login.password}",
                f"  API key  {login.api_key}",
            ]
        if self.own_mail:
            lines.append(f"  Letters  {self.folder / 'letters'}")
        lines.append(f"  Logs     {self.folder / 'logs'}")
        lines.append("Ctrl-C stops everything; the data stays.")
        print("\n".join(lines), flush=True)


def _read_login(folder: Path) -> Login | None:
    """Read what the first start wrote down; None where it did not get that far."""
    kept = folder / _LOGIN_FILE
    if not kept.exists():
        return None
    told = dict(line.split(": ", 1) for line in kept.read_text().splitlines() if ": " in line)
    return Login(
        email=told["E-mail"],
        password=told["Password"],
        api_key=told["API key"],
        others=told["Others"].split(", "),
    )


def _keep_login(folder: Path, login: Login) -> None:
    """Write it down, readable for its owner alone, whole or not at all."""
    aside = folder / f".{_LOGIN_FILE}"
    aside.touch(mode=0o600)
    aside.write_text(
        "The demo store of `counterfoil up`; made at its first start.\n\n"
        f"E-mail: {login.email}\nPassword: {login.password}\nAPI key: {login.api_key}\n"
        f"Others: {', '.join(login.others)}\n\n"
        "The others have other roles and the same password.\n"
    )
    aside.replace(folder / _LOGIN_FILE)
