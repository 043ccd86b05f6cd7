"""Every address of the API, from the files that declare them."""

from counterfoil.api import configuration, credentials, money, orders, shipping
from counterfoil.api.door import Endpoint

DOORS = (orders.door, money.door, shipping.door, configuration.door, credentials.door)


def every_endpoint() -> list[Endpoint]:
    """List the addresses in the order they are shown."""
    return [endpoint for door in DOORS for endpoint in door.endpoints]
