"""Nobody gives away more than they have. [faults H-17]"""

from collections.abc import Iterable, Mapping

from counterfoil.kernel.db import Connection
from counterfoil.kernel.problem import PermissionDenied
from counterfoil.order.actor import Actor
from counterfoil.order.problems import UnknownReference
from counterfoil.order.rights import LIMITED, rights_of

Limits = Mapping[str, Mapping[str, int]]


def require_all(actor: Actor, scopes: Iterable[str], limits: Limits | None = None) -> None:
    """Go on only where the actor has every right that the scopes stand for, up to as much.

    `limits` are what the rights are given with; None is without any. Raises PermissionDenied,
    which names the missing rights, or what the actor may do only up to a limit.
    """
    given = rights_of(scopes)
    missing = sorted(right for right in given if not actor.can(right))
    if missing:
        raise PermissionDenied(
            f"You cannot give rights that you lack: {', '.join(missing)}.", missing=missing
        )
    wanted = limits or {}
    beyond = [
        right
        for what, right in LIMITED.items()
        if right in given and not _fits(actor.limits.get(what), wanted.get(what))
    ]
    if beyond:
        raise PermissionDenied(
            f"You have {', '.join(beyond)} up to a limit and cannot give more.", limited=beyond
        )


def _fits(own: Mapping[str, int] | None, wanted: Mapping[str, int] | None) -> bool:
    """Tell whether a limit is no higher than one's own; None is no limit, a missing currency 0."""
    if own is None:
        return True
    return wanted is not None and all(
        amount <= own.get(currency, 0) for currency, amount in wanted.items()
    )


def require_within(
    actor: Actor, merchants: Iterable[str] | None, stores: Iterable[str] | None
) -> None:
    """Go on only where the merchants and stores are within the actor's own.

    None is all of them, which an actor who is limited cannot give. Raises PermissionDenied.
    """
    for word, wanted, own in (
        ("merchants", merchants, actor.merchants),
        ("stores", stores, actor.stores),
    ):
        if own is None:
            continue
        beyond = ["all of them"] if wanted is None else sorted(set(wanted) - own)
        if beyond:
            raise PermissionDenied(
                f"You see only some {word} yourself and cannot give {', '.join(beyond)}."
            )


async def check_named(
    connection: Connection, merchants: Iterable[str] | None, stores: Iterable[str] | None = None
) -> None:
    """Refuse merchants and stores that do not exist. Raises UnknownReference, naming each."""
    missing = await connection.rows(
        "select 'merchants' as word, code from unnest($2::text[]) code"
        " where not exists (select from merchants m where m.account_id = $1 and m.code = code.code)"
        " union all"
        " select 'stores', code from unnest($3::text[]) code"
        " where not exists (select from stores s where s.account_id = $1 and s.code = code.code)",
        connection.account,
        list(merchants or ()),
        list(stores or ()),
    )
    if missing:
        raise UnknownReference(
            "Some names are not known.",
            errors=[
                {"pointer": f"/{row['word']}", "detail": f"There is no {row['code']!r}."}
                for row in missing
            ],
        )
