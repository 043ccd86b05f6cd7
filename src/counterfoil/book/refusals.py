"""What the database refuses, as problems: one table by SQLSTATE and constraint."""

import asyncpg

from counterfoil.kernel.db import Gone
from counterfoil.kernel.machine import TransitionNotAllowed
from counterfoil.kernel.problem import Internal, Problem, Unavailable
from counterfoil.order.problems import AmountInvalid, TrackingNumberTaken, UnknownReference


class SomebodyWasFirst(Exception):
    """Another worker got there first: open again, and decide again."""


class LeaseLost(Exception):
    """The lease on a due row is somebody else's now: write nothing, release nothing."""


#: Unique keys that a fresh look resolves: the action then sees what was first.
_LOOK_AGAIN = frozenset(
    {
        "idempotency_key",
        "refunds_reference",
        "returns_refund_reference",
        "orders_external_id",
        "orders_number",
        "merchants_code",
        "shipment_methods_code",
        "shipments_external_id",
        "transactions_of_shipment",
        "holds_open_handle",
        "cancellations_open",
        "order_term_pkey",
    }
)
_OVER = frozenset(
    {
        "payments_not_over_authorized",
        "payments_not_over_captured",
        "bags_not_over_authorized",
        "bags_not_over_captured",
        "orders_not_over_authorized",
        "orders_not_over_captured",
    }
)


def refusal(error: asyncpg.PostgresError) -> Exception:
    """Turn a refusal of the database into a problem, or into what the book does about it."""
    state = error.sqlstate or ""
    name = getattr(error, "constraint_name", None) or ""
    if state == "23505":
        if name in _LOOK_AGAIN:
            return SomebodyWasFirst(name)
        if name == "shipments_tracking_number":
            return TrackingNumberTaken()
    if state in ("40001", "40P01"):
        return SomebodyWasFirst(state)
    if state == "CF003":
        return LeaseLost() if name == "folder_lease" else SomebodyWasFirst(name)
    if state == "23514" and name in _OVER:
        return AmountInvalid("The amount is larger than what is left.")
    if state == "CF001":
        return TransitionNotAllowed(str(error))
    if state == "23503" and name == "orders_state":
        return UnknownReference("The store has no such state any more.")
    if state in ("55P03", "57014") or state[:2] in ("53", "25"):
        return Unavailable(headers={"Retry-After": "1"})
    return _internal(error)


def told_by_database(error: Exception) -> Problem | None:
    """Turn what a reading met at the database into a problem; None for any other exception."""
    if isinstance(error, Gone):
        return Unavailable(headers={"Retry-After": "1"})
    if not isinstance(error, asyncpg.PostgresError):
        return None
    found = refusal(error)
    return found if isinstance(found, Problem) else Unavailable(headers={"Retry-After": "1"})


def _internal(error: asyncpg.PostgresError) -> Problem:
    problem = Internal()
    problem.__cause__ = error
    return problem
