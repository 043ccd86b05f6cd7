"""The adapters of configured gateways, opened with their credentials and kept for a moment."""

import time

from counterfoil.gateways import Gateway, open_gateway
from counterfoil.kernel.db import Pool
from counterfoil.kernel.http import Http
from counterfoil.kernel.secrets import KeyRing
from counterfoil.setup.gateways import find_gateway, open_credentials

KEEP_S = 5
_KEPT_MAX = 1000


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
