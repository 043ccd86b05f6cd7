"""Every address of the API, from the files that declare them."""

from functools import cache

from counterfoil.api import (
    bulk,
    cancelling,
    configuration,
    credentials,
    delivery_states,
    edits,
    feed,
    holds,
    hooks,
    items,
    ledger,
    letters,
    money,
    orders,
    paper,
    payments,
    reading,
    reconciliation,
    refunds,
    returns,
    reviews,
    running,
    shipping,
    states,
    syncing,
)
from counterfoil.api.door import Endpoint
from counterfoil.api.explorer import explorer
from counterfoil.api.openapi import describe

DOORS = (
    orders.door,
    bulk.door,
    reading.door,
    edits.door,
    cancelling.door,
    money.door,
    payments.door,
    refunds.door,
    syncing.door,
    reconciliation.door,
    ledger.door,
    shipping.door,
    returns.door,
    items.door,
    paper.door,
    holds.door,
    reviews.door,
    hooks.door,
    letters.door,
    configuration.door,
    states.door,
    delivery_states.door,
    credentials.door,
    feed.door,
    running.door,
)


@cache
def document() -> bytes:
    """Tell the API's description as JSON."""
    return describe([endpoint for door in DOORS for endpoint in door.endpoints])


def every_endpoint() -> list[Endpoint]:
    """List the addresses in the order they are shown, those of their description last."""
    doors = (*DOORS, explorer(document()))
    return [endpoint for door in doors for endpoint in door.endpoints]
