"""Every address of the API, from the files that declare them."""

from functools import cache

from counterfoil.api import (
    bulk,
    configuration,
    credentials,
    feed,
    money,
    orders,
    payments,
    reading,
    refunds,
    running,
    shipping,
    states,
)
from counterfoil.api.door import Endpoint
from counterfoil.api.explorer import explorer
from counterfoil.api.openapi import describe

DOORS = (
    orders.door,
    bulk.door,
    reading.door,
    money.door,
    payments.door,
    refunds.door,
    shipping.door,
    configuration.door,
    states.door,
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
