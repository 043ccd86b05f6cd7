"""The one list of rights, the scopes and roles made of them.

A right `a.b` is the same as a key's scope `a:b`. Every route, button and command names one of
these; a word that is not here grants nothing. [rulings 40; faults H-17]
"""

from collections.abc import Iterable

import msgspec

from counterfoil.kernel.problem import ValidationFailed
from counterfoil.order.actor import EVERYTHING


class Right(msgspec.Struct, frozen=True):
    """One right: its name, the group it is shown in, and a sentence that says what it allows."""

    name: str
    group: str
    why: str

    @property
    def scope(self) -> str:
        """The same right as a key carries it."""
        return self.name.replace(".", ":")


RIGHTS = (
    Right("orders.read", "Look", "See orders, their history and their letters."),
    Right("orders.create", "Change", "Take in orders one by one or many at once."),
    Right("orders.edit", "Change", "Change lines, addresses, customer and tags."),
    Right("orders.state", "Change", "Move orders from state to state."),
    Right("orders.cancel", "Change", "Cancel orders and decline requests to cancel."),
    Right("orders.cancel_completed", "Change", "Cancel orders that are already completed."),
    Right("orders.invoice", "Change", "Set invoice numbers."),
    Right("orders.notes", "Change", "Write notes."),
    Right("orders.holds", "Change", "Place and release holds, and send orders to review."),
    Right("payments.capture", "Money", "Take authorised money, and ask the gateway to keep it."),
    Right("payments.capture_partial", "Money", "Take less than what is authorised."),
    Right("payments.void", "Money", "Release authorised money."),
    Right("payments.refund", "Money", "Give money back."),
    Right("payments.approve", "Money", "Approve or reject refunds that other people asked for."),
    Right("payments.sync", "Money", "Ask the gateway how things stand."),
    Right("shipments.write", "Change", "Ship parcels and set tracking numbers."),
    Right("returns.write", "Change", "Open, approve, receive and close returns."),
    Right("reviews.decide", "Change", "Pass or fail fraud reviews."),
    Right("states.manage", "Set-up", "Make and change order states and shipment methods."),
    Right("channels.manage", "Set-up", "Connect the places that orders come from."),
    Right("gateways.manage", "Set-up", "Connect the places that money moves at."),
    Right("webhooks.manage", "Set-up", "Tell other programs what happens."),
    Right("settings.manage", "Set-up", "Make and change stores and merchants."),
    Right("access.manage", "Set-up", "Make and change users, roles and keys."),
    Right("imports.run", "Change", "Import files and ask channels for orders."),
    Right("exports.run", "Look", "Download lists and files."),
    Right("events.read", "Look", "Follow everything that happens, as a feed."),
    Right("reports.read", "Look", "See figures and reports."),
    Right("audit.read", "Look", "See who changed what in the set-up."),
    Right("views.share", "Change", "Share saved filters with other people."),
    Right("api.explore", "Look", "Use the API explorer."),
)
ALL_RIGHTS = frozenset(right.name for right in RIGHTS)
SCOPE_GROUPS = {
    "orders:write": frozenset(
        f"orders.{verb}"
        for verb in ("create", "edit", "state", "cancel", "invoice", "notes", "holds")
    ),
    "users:manage": frozenset({"access.manage"}),
    EVERYTHING: ALL_RIGHTS,
}
#: What a role may limit by amount, and the right that is limited so. [rulings 45; faults R-7]
LIMITED = {"refund": "payments.refund"}
SCOPES = (*(right.scope for right in RIGHTS), *SCOPE_GROUPS)


def rights_of(scopes: Iterable[str]) -> frozenset[str]:
    """Return the rights that scopes stand for; what is not known stands for none.

    Permissions (`a.b`) are taken as well, so that roles are read by the same function.
    """
    found: set[str] = set()
    for scope in scopes:
        right = scope.replace(":", ".")
        found |= SCOPE_GROUPS.get(scope, {right} & ALL_RIGHTS)
    return frozenset(found)


def check_scopes(scopes: Iterable[str], pointer: str = "/scopes") -> None:
    """Refuse words that are no scope or permission. Raises ValidationFailed, naming each."""
    known = {*SCOPES, *ALL_RIGHTS}
    errors = [
        {"pointer": f"{pointer}/{index}", "detail": f"{scope!r} is not a scope."}
        for index, scope in enumerate(scopes)
        if scope not in known
    ]
    if errors:
        raise ValidationFailed("Some scopes are not known.", errors=errors)


class BuiltInRole(msgspec.Struct, frozen=True):
    """A role that every account has from its first day."""

    code: str
    name: str
    permissions: tuple[str, ...]


def _but(*without: str) -> tuple[str, ...]:
    return tuple(right.name for right in RIGHTS if right.name not in without)


BUILT_IN_ROLES = (
    BuiltInRole("admin", "Administrator", (EVERYTHING,)),
    BuiltInRole(
        "manager",
        "Manager",
        _but("access.manage", "gateways.manage", "channels.manage", "webhooks.manage"),
    ),
    BuiltInRole(
        "service",
        "Customer service",
        (
            *("orders.read", "orders.create", "orders.edit", "orders.state", "orders.cancel"),
            *("orders.notes", "orders.holds", "payments.void", "payments.refund"),
            *("returns.write", "exports.run"),
        ),
    ),
    BuiltInRole(
        "warehouse",
        "Warehouse",
        (
            *("orders.read", "orders.state", "orders.notes", "orders.holds"),
            *("shipments.write", "returns.write", "exports.run"),
        ),
    ),
    BuiltInRole(
        "accounting",
        "Accounting",
        (
            *("orders.read", "orders.invoice", "orders.notes", "payments.capture"),
            *("payments.capture_partial", "payments.void", "payments.refund", "payments.approve"),
            *("payments.sync", "exports.run", "events.read", "reports.read", "audit.read"),
        ),
    ),
    BuiltInRole("merchant", "Merchant", ("orders.read", "shipments.write", "returns.write")),
)
