"""The mail server from the command line: set, tried, removed; its password is never said."""

import asyncio
import io
import sys
import threading
from collections.abc import Iterator

import pytest

from counterfoil.cli.root import run
from tests.work.post_office import PostOffice

PASSWORD = "CANARY-mail-3"


@pytest.fixture
def typed(database, monkeypatch, capsys, tmp_path):
    """Type a command; its exit code and what it said on both streams."""
    monkeypatch.setenv("COUNTERFOIL_DATABASE_URL", database.app_url)
    monkeypatch.setenv("COUNTERFOIL_SECRET_KEY", "a" * 43 + "=")
    monkeypatch.setenv("COUNTERFOIL_DATA_DIR", str(tmp_path / "var"))

    def type_(words: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = run(words.split())
        said = capsys.readouterr()
        return code, said.out, said.err

    return type_


@pytest.fixture
def listening(tmp_path) -> Iterator[int]:
    """The port of a mail server in a loop of its own, so that commands may have theirs."""
    loop = asyncio.new_event_loop()
    office = loop.run_until_complete(PostOffice(tmp_path / "letters").open())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    assert office.server is not None
    yield office.server.sockets[0].getsockname()[1]
    asyncio.run_coroutine_threadsafe(office.close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_a_mail_server_is_set_tried_and_removed(typed, listening, monkeypatch):
    typed("account create Acme")
    assert typed("mail test") == (1, "", "No mail server is set up.\n")
    words = f"mail set 127.0.0.1 --port {listening} --security none --sender shop@example.com"
    code, out, err = typed(words)
    assert (code, out) == (1, "")
    assert "The port is one of 25, 465, 587, 2525." in err
    monkeypatch.setenv("COUNTERFOIL_MAIL_PRIVATE", "true")
    code, out, err = typed(f"{words} --password-stdin --user shop", f"{PASSWORD}\n")
    assert (code, out, err) == (0, f"Letters leave through 127.0.0.1:{listening}.\n", "")
    code, out, err = typed("mail test")
    assert code == 1, "the server knows no users"
    assert PASSWORD not in out + err
    assert typed("mail remove")[:2] == (0, "Removed.\n")
    assert typed("mail remove")[:2] == (0, "There was none.\n")
    assert typed(words)[0] == 0
    code, out, err = typed("mail test")
    assert (code, err) == (0, "")
    assert out.startswith(f"127.0.0.1:{listening} answers")


def test_what_is_wrong_is_said_with_its_field(typed):
    typed("account create Acme")
    code, out, err = typed("mail set smtp.example.com --sender nobody")
    assert (code, out) == (1, "")
    assert "/sender_address" in err
