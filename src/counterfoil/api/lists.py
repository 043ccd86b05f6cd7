"""What every list takes."""

from typing import Annotated

import msgspec
from msgspec import Meta

from counterfoil.kernel.page import LIMIT, LIMIT_MAX

Limit = Annotated[int, Meta(ge=1, le=LIMIT_MAX)]
Cursor = Annotated[str, Meta(max_length=500)]


class PageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which page of a list: how long, and after which place."""

    limit: Limit = LIMIT
    cursor: Cursor | None = None
