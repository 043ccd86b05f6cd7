"""What comes to the Stripe shape: form fields with brackets, and Stripe's way to say no."""

import re
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from litestar import Response
from msgspec import Meta, Struct

from counterfoil.sandbox.wire import Address

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")
Units = Annotated[int, Meta(ge=1, le=99_999_999, description="Smallest currency unit.")]
Metadata = dict[Annotated[str, Meta(max_length=40)], Annotated[str, Meta(max_length=500)]]
Limit = Annotated[int, Meta(ge=1, le=100)]
Form = TypeVar("Form")


class Expanding(Struct, forbid_unknown_fields=True, kw_only=True):
    """What every request may ask to be spelt out."""

    expand: list[str] = []


class CreateIntent(Expanding, kw_only=True):
    """Make a payment; with `confirm` pay at once with the card that is named."""

    amount: Units
    currency: Annotated[str, Meta(pattern="^[a-z]{3}$")]
    capture_method: Annotated[str, Meta(pattern="^(automatic|automatic_async|manual)$")] = (
        "automatic_async"
    )
    confirm: bool = False
    customer: str | None = None
    description: str | None = None
    metadata: Metadata = {}
    off_session: bool = False
    payment_method: str | None = None
    payment_method_types: tuple[str, ...] = ("card",)
    return_url: Address | None = None


class CaptureIntent(Expanding, kw_only=True):
    """Take what is held, or less and let go of the rest."""

    amount_to_capture: Units | None = None
    metadata: Metadata = {}


class CancelIntent(Expanding, kw_only=True):
    """Give up what is held."""

    cancellation_reason: Annotated[
        str, Meta(pattern="^(duplicate|fraudulent|requested_by_customer|abandoned)$")
    ] | None = None  # fmt: skip


class CreateRefund(Expanding, kw_only=True):
    """Return money; without an amount all that is left."""

    payment_intent: str
    amount: Units | None = None
    metadata: Metadata = {}
    reason: str | None = None


class Listing(Expanding, kw_only=True):
    """One page, newest first."""

    limit: Limit = 10
    payment_intent: str | None = None
    starting_after: str | None = None


class Search(Expanding, kw_only=True):
    """What is looked for, in Stripe's own little language."""

    query: str
    limit: Limit = 10


class NewEndpoint(Expanding, kw_only=True):
    """An address on this machine that hears of changes."""

    url: Address
    enabled_events: tuple[str, ...] = ("*",)


class Wrong(Exception):
    """A refusal in Stripe's words."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"type": "invalid_request_error", "message": message, **more}


def refusal(wrong: Wrong, headers: dict[str, str] | None = None) -> Response[Any]:
    """Make the answer of a refusal."""
    body = msgspec.json.encode({"error": wrong.error})
    return Response(
        body, status_code=wrong.status, media_type="application/json", headers=headers or {}
    )


def read_form(text: str, shape: type[Form]) -> Form:
    """Read form fields as a shape. Raises Wrong, as Stripe would for a field it does not have."""
    try:
        return msgspec.convert(nested(text), shape, strict=False)
    except msgspec.ValidationError as why:
        code = "parameter_unknown" if "unknown field" in str(why) else "parameter_invalid_empty"
        raise Wrong(400, f"Received a parameter that does not fit: {why}", code=code) from why


def nested(text: str) -> dict[str, Any]:
    """Turn `a[b]=1&c[0]=2` into nested objects and lists. Raises Wrong."""
    told: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=500):
        found = _KEY.fullmatch(name)
        if found is None:
            raise Wrong(400, f"Invalid parameter name: {name[:80]}", code="parameter_unknown")
        place: dict[str, Any] = told
        path = [found[1], *_PART.findall(found[2])]
        for part in path[:-1]:
            deeper = place.setdefault(part, {})
            if not isinstance(deeper, dict):
                raise Wrong(400, f"Invalid parameter: {name[:80]}", code="parameter_unknown")
            place = deeper
        place[path[-1] or str(len(place))] = value
    return {name: _listed(value) for name, value in told.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    parts = {name: _listed(one) for name, one in value.items()}
    return list(parts.values()) if parts and all(name.isdigit() for name in parts) else parts
