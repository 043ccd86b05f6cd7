"""`counterfoil reconcile`, `settlement import` and `doctor --providers`, against the sandbox."""

import base64
import io
import sys

import pytest

from counterfoil.cli.root import run
from counterfoil.kernel.db import Pool
from counterfoil.order.config import Account
from counterfoil.setup.gateways import NewGateway, create_gateway
from tests.conftest import make_admin
from tests.sandbox.server import start_sandbox
from tests.work.shop import CAPTURE, RING, Shop, open_shop

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.stop()
    running.client.close()


@pytest.fixture
async def shop(pool: Pool, account: Account, sandbox):
    opened = await open_shop(pool, account, sandbox)
    yield opened
    await opened.works.aclose()


@pytest.fixture
def typed(database, monkeypatch, capsys, tmp_path):
    """Type a command in a thread of its own; its exit code and what it said on both streams."""
    import threading

    monkeypatch.setenv("COUNTERFOIL_DATABASE_URL", database.app_url)
    monkeypatch.setenv("COUNTERFOIL_OWNER_URL", database.owner_url)
    monkeypatch.setenv("COUNTERFOIL_SECRET_KEY", base64.b64encode(RING[0]).decode())
    monkeypatch.setenv("COUNTERFOIL_DATA_DIR", str(tmp_path / "var"))

    def type_(*words: str) -> tuple[int, str, str]:
        codes: list[int] = []
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        thread = threading.Thread(target=lambda: codes.append(run(words)))
        thread.start()
        thread.join(120)
        said = capsys.readouterr()
        return codes[0], said.out, said.err

    return type_


async def provider(shop: Shop, order_id: str) -> str:
    found = (await shop.folder(order_id)).payments[0].provider_reference
    assert found is not None
    return found


async def test_a_gateway_is_compared(shop: Shop, sandbox, typed):
    order_id = await shop.order(5000)
    await shop.order(5000)
    assert typed("doctor", "--providers")[0] == 0
    sandbox.call("POST", f"/control/payments/{await provider(shop, order_id)}/moves",
                 {"kind": "capture", "amount": 700})
    code, out, _ = typed("doctor", "--providers")
    assert (code, "1 movements are missing here" in out) == (1, True)
    assert "1 of 2 payments differ" in out
    code, out, err = typed("reconcile")
    assert (code, err) == (0, "")
    assert out == "card: 2 payments, 1 agree, 1 movements added, 0 settled.\n"
    assert (await shop.folder(order_id)).order.captured == 700
    code, out, _ = typed("reconcile", "--gateway", "card", "--since", "2020-01-01")
    assert (code, out) == (0, "card: 2 payments, 2 agree, 0 movements added, 0 settled.\n")
    assert typed("doctor", "--providers")[0] == 0


async def test_what_cannot_be_compared_is_said(shop: Shop, sandbox, typed):
    assert typed("reconcile", "--gateway", "nowhere")[0] == 1
    assert typed("reconcile", "--since", "yesterday")[0] == 2
    await shop.order(5000)
    sandbox.fault("5xx_before", kind="payment")
    code, out, err = typed("reconcile")
    assert (code, "1 could not be read" in out, "drift" in err) == (1, True, False)


async def test_a_settlement_file_is_read(shop: Shop, typed, tmp_path):
    order_id = await shop.order(5000)
    row = (await shop.run(CAPTURE, order_id)).body
    file = tmp_path / "day.csv"
    file.write_text(
        "reference,gateway_transaction_id,type,amount,fee,currency,settled_at\n"
        f"{row['id']},,capture,50.00,0.95,EUR,2026-11-20T10:15:00Z\n")
    code, out, err = typed("settlement", "import", str(file), "--gateway", "card")
    assert (code, out, err) == (0, "1 paid out now; 1 lines, 1 agree.\n", "")
    code, out, _ = typed("settlement", "import", str(file), "--gateway", "card")
    assert (code, out) == (0, "0 paid out now; 1 lines, 1 agree.\n")
    file.write_text(file.read_text() + "x,y,capture,1.00,,EUR,2026-11-20T10:15:00Z\nrubbish\n")
    code, out, err = typed("settlement", "import", str(file), "--gateway", "card")
    assert (code, out) == (1, "0 paid out now; 3 lines, 1 agree, 1 differ, 1 could not be read.\n")
    assert "line 4: It has 1 fields, the header 7." in err
    assert typed("settlement", "import", str(tmp_path / "no.csv"), "--gateway", "card")[0] == 2


async def test_without_such_a_gateway_there_is_nothing_to_compare(pool, account, typed):
    async with pool.connection(account.id) as connection:
        await create_gateway(
            connection, make_admin(account), NewGateway(code="till", kind="manual"), None)
    assert typed("reconcile") == (0, "No enabled gateway keeps an account of its own.\n", "")
