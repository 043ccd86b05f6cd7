"""The gateway of docs/how-to/write-a-gateway.md is one: its code runs here as it stands."""

import importlib.abc
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from counterfoil.kernel.http import Http
from counterfoil.order import capability
from counterfoil.order.gateway import Capabilities, Kind, Outcome
from tests.docs.pages import DOCS, ROOT, blocks
from tests.gateways.contract import call_for
from tests.gateways.forgeries import Ring
from tests.gateways.later import HookLaws, Later
from tests.sandbox.receiver import SECRET, Receiver
from tests.sandbox.server import API_KEY, Sandbox

ADAPTER_LINES_MAX = 150
ENTRY, ADAPTER, RIGS = (
    block.text for block in blocks(DOCS / "how-to/write-a-gateway.md") if block.language == "python"
)


class Page(importlib.abc.InspectLoader):
    """Loads a block of a page as a module."""

    def __init__(self, text: str) -> None:
        self.text = text

    def get_source(self, fullname: str) -> str:
        return self.text


def load(name: str, text: str) -> ModuleType:
    spec = importlib.util.spec_from_loader(name, Page(text))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


said = load(
    "penny_capabilities",
    f"from counterfoil.order.gateway import Capabilities\nENTRY = {{\n{ENTRY}}}\n",
)
penny = load("counterfoil.gateways.penny", ADAPTER)
rigs = load("penny_rigs", RIGS)
TestPenny = rigs.TestPenny
TestPennyStatements = rigs.TestPennyStatements


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Penny can what the page says, for as long as a test runs."""
    entry: dict[str, Capabilities] = said.ENTRY
    assert list(entry) == ["penny"]
    monkeypatch.setitem(capability.CAPABILITIES, "penny", entry["penny"])


class TestPennyHooks(HookLaws):
    @pytest.fixture
    def rig(self, sandbox: Sandbox, http: Http) -> Iterator[Later]:
        credentials = {"api_key": API_KEY, "webhook_secret": SECRET}
        gateway = penny.PennyGateway({"base_url": sandbox.url}, credentials, http)
        with Receiver() as receiver:
            hook = sandbox.hook(receiver.url, SECRET, account="acct_sandbox")

            def ring(payment: str) -> Ring:
                while True:
                    for heard in receiver.wait(1):
                        if heard.event["payment"] == payment:
                            return Ring(heard.headers, {}, heard.body)

            names = ("id", "timestamp", "signature")
            yield Later(gateway, ring=ring, headers={name: f"webhook-{name}" for name in names})
            sandbox.call("DELETE", f"/control/hooks/{hook}")


def test_the_adapter_is_short_and_keeps_the_rules_of_the_house():
    assert ADAPTER.count("\n") <= ADAPTER_LINES_MAX
    checks = (["check"], ["format", "--check"])
    for words in checks:
        name = ["--stdin-filename", "src/counterfoil/gateways/penny.py", "-"]
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, *name],
            cwd=ROOT, input=ADAPTER, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


async def test_a_claim_of_the_checkout_is_verified(sandbox: Sandbox, http: Http):
    gateway = penny.PennyGateway({"base_url": sandbox.url}, {"api_key": API_KEY}, http)
    made = await gateway.send(call_for(Kind.AUTHORIZE))
    for amount, good in ((700, True), (701, False)):
        told = await gateway.send(call_for(Kind.AUTHORIZE, made.payment_reference, amount))
        assert (told.outcome is Outcome.SUCCEEDED) is good
