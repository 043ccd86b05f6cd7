"""What lists take: every list a page, the list of orders its filters."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from counterfoil.book.filters import TEXT_MAX, VALUES_MAX, Filters
from counterfoil.kernel.page import LIMIT, LIMIT_MAX
from counterfoil.kernel.shape import refuse

Limit = Annotated[int, Meta(ge=1, le=LIMIT_MAX)]
Cursor = Annotated[str, Meta(max_length=500)]
Text = Annotated[str, Meta(max_length=TEXT_MAX)]
Texts = Annotated[list[Text], Meta(max_length=VALUES_MAX)]
FIRST_YEAR, LAST_YEAR = 1900, 2999
Moment = Annotated[datetime, Meta(tz=True)]
System = Literal[
    "NEW", "PROCESSING", "COMPLETED", "CANCEL_REQUESTED", "CANCELED", "FRAUD", "SUSPENDED"
]
Financial = Literal[
    "UNPAID", "PENDING", "AUTHORIZED", "PARTIALLY_PAID", "PAID", "PARTIALLY_REFUNDED", "REFUNDED",
    "VOIDED",
]
Fulfillment = Literal[
    "PROCESSING", "PARTIALLY_SHIPPED", "SHIPPED", "DELIVERED", "COULD_NOT_DELIVER", "RETURNED",
    "FULFILLED", "PARTIALLY_FULFILLED",
]
Fraud = Literal["NOT_REQUIRED", "PENDING", "ON_HOLD", "PASSED", "FAILED"]


class PageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which page of a list: how long, and after which place."""

    limit: Limit = LIMIT
    cursor: Cursor | None = None


class OrderQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which orders; a filter that is there several times means any of its values."""

    state: Texts = []
    system_state: list[System] = []
    financial_status: list[Financial] = []
    fulfillment_status: list[Fulfillment] = []
    fraud_status: list[Fraud] = []
    hold: bool | None = None
    open: bool | None = None
    store: Texts = []
    channel: Texts = []
    merchant: Texts = []
    tag: Texts = []
    is_test: bool | None = None
    placed_from: Moment | None = None
    placed_to: Moment | None = None
    number: Texts = []
    external_id: Texts = []
    q: Text | None = None
    sort: Literal["-placed_at", "placed_at", "-total", "-updated_at"] = "-placed_at"

    def filters(self) -> Filters:
        """Give the filters as the book takes them. Raises ValidationFailed."""
        for name in ("placed_from", "placed_to"):
            _check_year(name, getattr(self, name))
        return Filters(
            state=tuple(self.state),
            system_state=tuple(self.system_state),
            financial_status=tuple(self.financial_status),
            fulfillment_status=tuple(self.fulfillment_status),
            fraud_status=tuple(self.fraud_status),
            hold=self.hold,
            open=self.open,
            store=tuple(self.store),
            channel=tuple(self.channel),
            merchant=tuple(self.merchant),
            tag=tuple(self.tag),
            is_test=self.is_test,
            placed_from=self.placed_from,
            placed_to=self.placed_to,
            number=tuple(self.number),
            external_id=tuple(self.external_id),
            q=self.q,
        )


def _check_year(name: str, moment: datetime | None) -> None:
    """Refuse a time that would leave the calendar on its way to UTC."""
    if moment is not None and not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise refuse(f"/{name}", f"Its year is {FIRST_YEAR} to {LAST_YEAR}.")
