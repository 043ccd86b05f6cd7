"""What the API says of a return as it would be, and of returns in a list."""

from typing import Literal

from msgspec import UNSET, UnsetType

from counterfoil.order.goods_shapes import ReturnShape
from counterfoil.order.shapes import OrderShape, RefundShape


class RehearsedReturn(ReturnShape, frozen=True, kw_only=True):
    """A return; a dry run tells beside it what follows when what it waits for has come in.

    `worth_of_all` is what has come in then, with what came before; `fee_kept` is taken off now.
    `refund` is the one that would be made, `exchange` the linked order. Each figure has its
    sentence. Amounts are minor units of `currency`.
    """

    currency: str | UnsetType = UNSET
    worth_of_all: int | UnsetType = UNSET
    fee_kept: int | UnsetType = UNSET
    refund: RefundShape | UnsetType | None = UNSET
    exchange: OrderShape | UnsetType | None = UNSET
    approval: Literal["needed", "not_needed"] | UnsetType = UNSET
    explanation: list[str] | UnsetType = UNSET


class ListedReturn(ReturnShape, frozen=True, kw_only=True):
    """A return with what one has to know of its order; amounts in minor units of `currency`."""

    order_number: str
    store: str
    merchant: str
    currency: str


