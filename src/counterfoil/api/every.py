"""Every address of the API, from the files that declare them."""

from counterfoil.api import money, orders
from counterfoil.api.door import Endpoint

DOORS = (orders.door, money.door)


def every_endpoint() -> list[Endpoint]:
    """List the addresses in the order they are shown."""
    return [endpoint for door in DOORS for endpoint in door.endpoints]
