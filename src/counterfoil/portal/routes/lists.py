"""Open orders and All orders: the address read, the page of rows, and the tabs above it. [U-1, U-2]"""

from typing import Any
from urllib.parse import quote

from litestar import Response, get

from counterfoil.portal import listing
from counterfoil.portal.listing import ALL, OPEN, Page
from counterfoil.portal.offered import offered_of
from counterfoil.portal.respond import Asking
from counterfoil.portal.visit import Visit


@get("/orders/open")
async def open_orders(request: Asking) -> Response[str]:
    """List what is open, newest first."""
    return await _list(request, OPEN, "open")


@get("/orders/all")
async def all_orders(request: Asking) -> Response[str]:
    """List every order there is."""
    return await _list(request, ALL, "all")


ROUTES = [open_orders, all_orders]
