"""Who acts: a key, a user or the system itself, and what they may do.

An actor is handed to every action; the door that knew the credential made it. [rulings 4, 5, 40]
"""

from typing import Any, Literal

import msgspec

from counterfoil.kernel.problem import MerchantLimited, PermissionDenied

EVERYTHING = "*"
SYSTEM_ID = "system"


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who acts in one account.

    `rights` are names of rulings 40 (`payments.capture`) or `*`. `merchants` and `stores` are
    codes; None is all of them. `limits` are those of the role: {"refund": {"EUR": 10000}}, in
    minor units. `credential` is the scope of idempotency keys: `key:<id>` or `user:<id>`.
    """

    kind: Literal["key", "user", "system"]
    id: str
    name: str
    account_id: str
    rights: frozenset[str]
    merchants: frozenset[str] | None = None
    stores: frozenset[str] | None = None
    limits: dict[str, dict[str, int]] = {}
    credential: str

    def can(self, right: str) -> bool:
        """Tell whether the actor has a right."""
        return right in self.rights or EVERYTHING in self.rights

    def require(self, right: str) -> None:
        """Go on only with a right. Raises PermissionDenied, which names it (H-17)."""
        if not self.can(right):
            scope = right.replace(".", ":")
            raise PermissionDenied(
                f"You lack the right {right}. A key needs the scope {scope}.",
                permission=right,
                scope=scope,
            )

    def limit(self, what: str, currency: str) -> int | None:
        """Tell up to how many minor units the actor may do something alone; None: any amount.

        Where some currencies have a limit, it is 0 in all others: what nobody thought of is not
        allowed by that. [rulings 45; faults R-7]
        """
        limits = self.limits.get(what)
        return None if limits is None else limits.get(currency, 0)

    def require_whole_order(self) -> None:
        """Go on only where every bag may be seen. Raises MerchantLimited (rulings 5)."""
        if self.merchants is not None:
            raise MerchantLimited(merchants=sorted(self.merchants))

    def require_whole_account(self) -> None:
        """Go on only where every bag of every store may be seen: books, gateways, mail server.

        Raises MerchantLimited, PermissionDenied. [faults H-13]
        """
        self.require_whole_order()
        if self.stores is not None:
            raise PermissionDenied("This is about all stores, and you see some of them.")

    def told(self) -> dict[str, Any]:
        """Tell who it was, as facts and audit entries keep it."""
        return {"kind": self.kind, "id": self.id, "name": self.name}


def system(account_id: str, name: str = "Counterfoil") -> Actor:
    """Make the actor of work that nobody asked for: a due row, an import, set-up."""
    return Actor(
        kind="system",
        id=SYSTEM_ID,
        name=name,
        account_id=account_id,
        rights=frozenset({EVERYTHING}),
        credential=SYSTEM_ID,
    )
