"""What the pages of gateways show: one reading of the database for each."""

from typing import Any

import msgspec

from counterfoil.book.answered import Lately, answered_lately
from counterfoil.kernel.db import Connection
from counterfoil.order.capability import capabilities
from counterfoil.order.config import Gateway, Store
from counterfoil.order.gateway import Capabilities
from counterfoil.portal.figures import count, plural
from counterfoil.portal.forms import Form
from counterfoil.portal.gateway_forms import Field, secret_fields, setting_fields, show_settings
from counterfoil.portal.gateway_words import Can, abilities, in_short
from counterfoil.portal.reading import gateway_name
from counterfoil.setup.gateways import Replaced, credentials_set, find_gateway, list_gateways
from counterfoil.setup.stores import list_stores
from counterfoil.work.connecting import hook_address

SHOWN_MAX = 100
KIND_NAMES = {
    "manual": ("By hand", "Cash, bank transfer, a terminal: what staff say is believed."),
    "sandbox": ("Sandbox", "A card gateway to practise on. No real money moves."),
    "zip": ("Zip", "The shopper pays Zip in instalments, Zip pays you."),
    "stripe": ("Stripe", "Cards and wallets."),
}


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway in the list."""

    gateway: Gateway
    lately: Lately
    form: Form

    @property
    def name(self) -> str:
        """How people know it."""
        return gateway_name(self.gateway.code)

    @property
    def kind(self) -> str:
        """What its kind is called."""
        return kind_name(self.gateway.kind)

    @property
    def able(self) -> Capabilities:
        """What it can do."""
        return capabilities(self.gateway.kind, self.gateway.settings)

    @property
    def in_short(self) -> str:
        """What it can do, in a line."""
        return in_short(self.able)

    @property
    def health(self) -> str:
        """The last hour in a line."""
        return last_hour(self.lately)


class View(Card, frozen=True, kw_only=True):
    """A gateway on its own page. `stores` are those that it can serve."""

    stores: list[Store]
    all_stores: list[Store]
    replaced: Replaced | None
    hook: str
    hook_is_whole: bool
    settings_form: Form
    secrets_form: Form

    @property
    def abilities(self) -> list[Can]:
        """Everything it can and cannot do."""
        return abilities(self.able)

    @property
    def fields(self) -> list[Field]:
        """The fields of its settings."""
        return setting_fields(self.gateway.kind)

    @property
    def secrets(self) -> list[Field]:
        """The fields of its credentials."""
        return secret_fields(self.gateway.kind)

    @property
    def store_choices(self) -> list[tuple[str, str]]:
        """The stores that it may be for."""
        return store_choices(self.all_stores)


async def read_cards(connection: Connection) -> list[Card]:
    """Read every gateway with its last hour."""
    page = await list_gateways(connection, limit=SHOWN_MAX)
    lately = await answered_lately(connection)
    return [
        Card(gateway=one, lately=lately.get(one.code, Lately(gateway=one.code)), form=Form())
        for one in page.data
    ]


async def read_view(
    connection: Connection,
    code: str,
    public_url: str | None,
    *,
    settings_form: Form | None = None,
    secrets_form: Form | None = None,
) -> View:
    """Read a gateway for its page; a form that was refused is shown as it was. Raises NotFound."""
    gateway = await find_gateway(connection, code)
    lately = await answered_lately(connection)
    stores = list((await list_stores(connection, limit=SHOWN_MAX)).data)
    values = show_settings(gateway.kind, gateway.settings) | {"store": gateway.store or ""}
    return View(
        gateway=gateway,
        lately=lately.get(code, Lately(gateway=code)),
        form=Form(),
        stores=[one for one in stores if gateway.store in (None, one.code)],
        all_stores=stores,
        replaced=await credentials_set(connection, code),
        hook=hook_address(connection.account, code, public_url),
        hook_is_whole=public_url is not None,
        settings_form=settings_form or Form(values=values),
        secrets_form=secrets_form or Form(),
    )


def store_choices(stores: list[Store]) -> list[tuple[str, str]]:
    """List the stores for a field, every store first."""
    return [("", "Every store"), *((one.code, one.name) for one in stores)]


def kind_name(kind: str) -> str:
    """Name a kind of gateway."""
    return KIND_NAMES.get(kind, (gateway_name(kind), ""))[0]


def kind_cards(kinds: list[str]) -> list[dict[str, Any]]:
    """List the kinds to choose from, with a sentence and what each can do."""
    return [
        {
            "kind": kind,
            "name": kind_name(kind),
            "about": KIND_NAMES.get(kind, ("", ""))[1],
            "in_short": in_short(capabilities(kind, {})),
        }
        for kind in kinds
    ]


def last_hour(lately: Lately) -> str:
    """Tell a gateway's last hour in a line."""
    if not lately.answers:
        return "No answers in the last hour"
    parts = [plural(lately.answers, "answer", "answers") + " in the last hour"]
    if lately.p95_ms is not None:
        parts.append(f"95 of 100 within {_seconds(lately.p95_ms)}")
    parts.append(f"declined {_share(lately.declined, lately.answers)}")
    parts.append(f"not known {_share(lately.unknown, lately.answers)}")
    return " · ".join(parts)


def _seconds(milliseconds: int) -> str:
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    tenths = -(-milliseconds // 100)
    return f"{count(tenths // 10)}.{tenths % 10} s"


def _share(part: int, whole: int) -> str:
    """Write a share with one decimal; a share that is not nothing is never 0.0%."""
    tenths = max((1000 * part + whole // 2) // whole, 1) if part else 0
    return f"{tenths // 10}.{tenths % 10}%" if tenths % 10 else f"{tenths // 10}%"
