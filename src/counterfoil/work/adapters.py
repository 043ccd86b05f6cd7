"""The adapters of configured gateways, opened with their credentials and kept for a moment."""

import time

from counterfoil.gateways import Gateway, open_gateway
from counterfoil.kernel.db import Pool
from counterfoil.kernel.http import Http
from counterfoil.kernel.secrets import KeyRing
from counterfoil.order.gateway import Answer
from counterfoil.setup.gateways import find_gateway, open_credentials

KEEP_S = 5
_KEPT_MAX = 1000
_SILENCES_MAX = 3
_PAUSE_S = 10
_RATE_LIMITED = "rate_limited"
_SILENT = "timeout"


class Mood:
    """How a provider has taken our last calls; the worker leaves one alone that wants a rest.

    So one that is silent or counts its calls does not hold up the others. [faults P-9, N-2]
    """

    def __init__(self) -> None:
        self.silences = 0
        self.again_at = 0.0

    @property
    def wait_s(self) -> float:
        """Seconds to leave it alone; 0 or less means none."""
        return self.again_at - time.monotonic()

    def heard(self, answer: Answer) -> None:
        """Take note of an answer, or of none."""
        self.silences = self.silences + 1 if answer.error_code == _SILENT else 0
        if answer.error_code == _RATE_LIMITED:
            self.again_at = time.monotonic() + (answer.retry_after_s or 1)
        elif self.silences >= _SILENCES_MAX:
            self.again_at = time.monotonic() + _PAUSE_S


class Adapters:
    """Opens adapters; a change of settings or credentials is seen within five seconds.

    So a command that calls a provider costs no reading of its own for the gateway.
    """

    def __init__(
        self, pool: Pool, keys: KeyRing | None, http: Http, *, deadline_s: float
    ) -> None:
        self._pool = pool
        self._keys = keys
        self._http = http
        self._deadline_s = deadline_s
        self._kept: dict[tuple[str, str], tuple[float, Gateway]] = {}
        self._moods: dict[tuple[str, str], Mood] = {}

    def mood(self, account_id: str, code: str) -> Mood:
        """Tell how the provider behind a gateway is doing."""
        if len(self._moods) >= _KEPT_MAX:
            self._moods.clear()
        return self._moods.setdefault((account_id, code), Mood())

    def forget(self, account_id: str, code: str) -> None:
        """Open a gateway anew the next time: this process has just changed or doubts it."""
        self._kept.pop((account_id, code), None)

    async def of(self, account_id: str, code: str) -> Gateway:
        """Open the adapter of a gateway. One exchange of it ends before the lease does.

        Raises NotFound, GatewayMisconfigured, CannotOpen, Unavailable, Gone.
        """
        now = time.monotonic()
        until, kept = self._kept.get((account_id, code), (now, None))
        if kept is not None and now < until:
            return kept
        async with self._pool.connection(account_id) as connection:
            gateway = await find_gateway(connection, code)
            credentials = {}
            if gateway.has_credentials:
                assert self._keys is not None, "sealed credentials need the keys they are under"
                credentials = await open_credentials(connection, code, self._keys)
        settings = {"deadline_s": self._deadline_s, **gateway.settings}
        if isinstance(settings["deadline_s"], int | float):
            settings["deadline_s"] = min(settings["deadline_s"], self._deadline_s)
        opened = open_gateway(gateway.kind, settings, credentials, http=self._http)
        if len(self._kept) >= _KEPT_MAX:
            self._kept.clear()
        self._kept[account_id, code] = (now + KEEP_S, opened)
        return opened
