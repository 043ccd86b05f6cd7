"""Which columns a noun has in the database, and of which type; read off the nouns themselves."""

import typing
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Any

import msgspec

from counterfoil.order.fact import Fact
from counterfoil.order.folder import SECTIONS
from counterfoil.order.ledger import LedgerEntry
from counterfoil.order.order import Order

#: Fields that end in `_id` and are somebody else's text, not our ids.
_FOREIGN_TEXT = frozenset({"external_id", "product_id", "gateway_transaction_id", "message_id"})
#: Fields that are written for their table alone.
_TYPES = {"lease_token": "uuid", "renews": "uuid", "added_in": "uuid", "again_of": "uuid",
          "exchange_for": "uuid", "data": "json", "actor": "jsonb"}
_NOUNS: dict[str, type[msgspec.Struct]] = {
    **SECTIONS,
    "orders": Order,
    "facts": Fact,
    "ledger_entries": LedgerEntry,
}
_CALLS = {
    "id": "uuid",
    "order_id": "uuid",
    "transaction_id": "uuid",
    "purpose": "text",
    "outcome": "text",
    "raw": "jsonb",
    "at": "timestamptz",
}
_CONFIGURATION = {
    "merchants": {"id": "uuid", "code": "text", "name": "text"},
    "shipment_methods": {"id": "uuid", "store": "text", "code": "text", "name": "text"},
}


def _sql_type(name: str, annotation: Any, table: str) -> str:
    if name in _TYPES:
        return "json" if name == "actor" and table == "facts" else _TYPES[name]
    if name == "id" or (name.endswith("_id") and name not in _FOREIGN_TEXT):
        return "uuid"
    kinds = typing.get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    kind = next(k for k in kinds if k is not type(None))
    kind = typing.get_origin(kind) or kind
    return {str: "text", int: "bigint", bool: "boolean", datetime: "timestamptz"}.get(kind, "jsonb")


@cache
def columns_of(table: str) -> dict[str, str]:
    """Map the columns that the book writes in a table to their SQL types."""
    if table == "gateway_calls":
        return _CALLS
    if table in _CONFIGURATION:
        return _CONFIGURATION[table]
    noun = _NOUNS[table]
    hints = typing.get_type_hints(noun)
    return {name: _sql_type(name, hints[name], table) for name in noun.__struct_fields__}
