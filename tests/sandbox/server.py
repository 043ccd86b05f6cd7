"""Starts the sandbox as the process it is, for the fixtures of any test that needs a gateway."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx2

ROOT = Path(__file__).parents[2]
API_KEY = "CANARY-sandbox-key-5f1c"


class Sandbox:
    """A running sandbox; `start` again after `kill` continues on the same file and port."""

    def __init__(self, folder: Path, options: dict[str, Any]) -> None:
        self.folder = folder
        self.options = options
        self.port = 0
        self.url = ""
        self.process: subprocess.Popen[str] | None = None
        self.client = httpx2.Client(trust_env=False, timeout=10)
        self._lines = threading.local()
        self._opened: list[http.client.HTTPConnection] = []

    @property
    def settings(self) -> dict[str, Any]:
        """What a gateway of kind `sandbox` needs to know to reach this one."""
        return {"base_url": self.url}

    @property
    def credentials(self) -> dict[str, Any]:
        return {"api_key": API_KEY}

    def start(self) -> "Sandbox":
        """Start it and wait until it answers."""
        chosen = {"data": self.folder / "sandbox.db", "api_key": API_KEY, **self.options}
        chosen["port"] = self.port
        command = [sys.executable, "-m", "counterfoil.sandbox"]
        for name, value in chosen.items():
            option = "--" + name.replace("_", "-")
            if value is True:
                command.append(option)
            elif value is not False:
                command += [option, str(value)]
        paths = [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url, f"the sandbox did not start: {self.process.wait(5)}"
        self.port = int(self.url.rsplit(":", 1)[1])
        until = time.monotonic() + 10
        while True:
            with contextlib.suppress(httpx2.TransportError):
                self.call("GET", "/v1/ping")
                return self
            assert time.monotonic() < until, "the sandbox does not answer"
            time.sleep(0.02)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send one request with the key and return the parsed answer; raises on a refusal.

        Thousands of these are sent, so over a bare connection: a fifth of what a client costs.
        """
        content = None if body is None else json.dumps(body)
        headers = {"authorization": f"Bearer {API_KEY}", **headers}
        if content is not None:
            headers["content-type"] = "application/json"
        status, told = self._exchange(method, path, content, headers)
        if status >= 400:
            request = httpx2.Request(method, self.url + path)
            httpx2.Response(status, content=told, request=request).raise_for_status()
        return json.loads(told) if told else None

    def _exchange(
        self, method: str, path: str, content: str | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        """Say it once more where the line was given up since it was last used."""
        while True:
            line = getattr(self._lines, "kept", None)
            used = line is not None and line.port == self.port
            if not used:
                line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
                self._lines.kept = line
                self._opened.append(line)
            try:
                line.request(method, path, content, headers)
                answer = line.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, OSError) as broken:
                line.close()
                self._lines.kept = None
                if not used or not isinstance(broken, ConnectionError):
                    raise httpx2.ReadError(repr(broken)) from broken

    def ledger(self, **only: str | int) -> list[dict[str, Any]]:
        """Every effect there was, in order; `reference=` and `payment=` narrow it."""
        query = str(httpx2.QueryParams(only))
        found = self.call("GET", f"/v1/ledger?{query}")["entries"]
        assert isinstance(found, list)
        return found

    def payment(self, payment: str) -> dict[str, Any]:
        """One payment with its totals, status and operations."""
        found = self.call("GET", f"/v1/payments/{payment}")
        assert isinstance(found, dict)
        return found

    def fault(self, fault: str, *, times: int | None = 1, **more: Any) -> None:
        """Script a fault; `kind`, `reference`, `payment`, `amount` say for which calls."""
        match = {
            name: more.pop(name)
            for name in ("kind", "reference", "payment", "amount")
            if name in more
        }
        self.call(
            "POST", "/control/faults", {"fault": fault, "match": match, "times": times, **more}
        )

    def clear(self) -> None:
        """Forget all scripted faults and tricks, and set the clock right."""
        self.call("DELETE", "/control/faults")
        self.call("DELETE", "/control/tricks")
        self.clock(0)

    def clock(self, offset_seconds: int) -> None:
        """Let the sandbox live in another time."""
        self.call("POST", "/control/clock", {"offset_seconds": offset_seconds})

    def hook(self, url: str, secret: str, **more: Any) -> str:
        """Have it tell `url` of changes; `account=` listens to one. Returns the hook's id."""
        found = self.call("POST", "/control/hooks", {"url": url, "secret": secret, **more})["id"]
        assert isinstance(found, str)
        return found

    def trick(self, trick: str, *, times: int | None = 1, **more: Any) -> None:
        """Script what goes wrong with telling; `type`, `payment`, `reference`, `account` match."""
        names = ("type", "payment", "reference", "account")
        match = {name: more.pop(name) for name in names if name in more}
        body = {"trick": trick, "match": match, "times": times, **more}
        self.call("POST", "/control/tricks", body)

    def events(self, **only: str | int) -> list[dict[str, Any]]:
        """Everything that happened, `{seq, event, attempts}`; `payment=`, `account=` narrow it."""
        found = self.call("GET", f"/control/events?{httpx2.QueryParams(only)}")
        assert isinstance(found, list)
        return found

    def deliver(self, events: list[str], **more: Any) -> list[dict[str, Any]]:
        """Tell these events in this order; `hook=`, `at_once=True`, `trick=`."""
        found = self.call("POST", "/control/deliveries", {"events": events, **more})
        assert isinstance(found, list)
        return found

    def end(self, name: str, how: str, code: str | None = None) -> dict[str, Any]:
        """Let an operation `succeed` or `fail`, named by its id or by the caller's reference."""
        body = None if code is None else {"code": code}
        found = self.call("POST", f"/control/operations/{name}/{how}", body)
        assert isinstance(found, dict)
        return found

    def shopper(self, payment: str, does: str) -> dict[str, Any]:
        """Be the shopper: `approve`, `decline` or `leave`."""
        found = self.call("POST", f"/control/payments/{payment}/shopper", {"does": does})
        assert isinstance(found, dict)
        return found

    def move(self, payment: str, kind: str, amount: int | None = None) -> dict[str, Any]:
        """Capture, void or refund at the provider's own console, under nobody's reference."""
        body = {"kind": kind, "amount": amount}
        found = self.call("POST", f"/control/payments/{payment}/moves", body)
        assert isinstance(found, dict)
        return found

    def settlement(self, day: str) -> str:
        """The settlement report of a day, as CSV."""
        headers = {"authorization": f"Bearer {API_KEY}"}
        answer = self.client.get(f"{self.url}/v1/settlements?date={day}", headers=headers)
        answer.raise_for_status()
        return answer.text

    def stop(self) -> int:
        """End it politely; returns the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End it as a crash would."""
        return self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        code = self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.client.close()
        self.client = httpx2.Client(trust_env=False, timeout=10)
        while self._opened:
            self._opened.pop().close()
        self._lines = threading.local()
        return code


def start_sandbox(tmp_path: Path, **options: Any) -> Sandbox:
    """Start a sandbox on a free loopback port, its ledger in `tmp_path`.

    Options are those of `python -m counterfoil.sandbox`, with underscores: magic_amounts=True,
    hang_s=2, key_lifetime_s=…, hold_s=…, propagation_s=…, rate=…
    """
    return Sandbox(tmp_path, options).start()
