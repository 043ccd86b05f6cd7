"""What Zip's adapter sends, what it keeps, and how it is set up."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from counterfoil.gateways import GatewayMisconfigured, capabilities, open_gateway
from counterfoil.gateways.zip_shapes import from_wire, to_wire
from counterfoil.kernel.money import NotAnAmount
from counterfoil.order.gateway import Basket, Kind, Outcome
from tests.gateways.zip_rig import CREDENTIALS, SECRET, Zip, as_json, zip_call

DONE = {"id": "cap_1"}
NO, ASK = Outcome.DECLINED, Outcome.UNKNOWN

# ------------------------------------------------------------------------------------- the requests

BASKET = Basket(
    customer={"email": "kari@example.com", "first_name": "Kari", "last_name": "N",
              "phone": "+64 21 555 0199"},
    billing_address=None,
    shipping_address={"line1": "1 Queen St", "city": "Auckland", "postal_code": "1010",
                      "region": "AUK", "country": "NZ", "line2": None},
    lines=[
        {"name": "Lamp" * 400, "sku": "L" * 200, "quantity": 2, "unit_price": 500, "type": "sku"},
        {"name": "Duty", "sku": None, "quantity": 1, "unit_price": 5, "type": "duty"},
        {"name": "Off", "sku": None, "quantity": 1, "unit_price": -10, "type": "discount"},
    ],
    shipping_total=50,
    tax_total=105,
)  # fmt: skip


async def test_an_order_is_told_in_zips_words(http):
    made = {"orderId": "pay_1", "redirectUrl": "https://zip.example/x", "expiryDateTime": "soon"}
    call = zip_call(
        Kind.AUTHORIZE, None, 1010, basket=BASKET, return_url="https://shop.example/b?o=1",
        callback_url="https://oms.example/v1/hooks/acme-zip",
    )  # fmt: skip
    async with Zip(http, 201, made) as server:
        got = await server.gateway(product_type="Classic").send(call)
        head, body = server.heard
    assert (got.outcome, got.error_code, got.payment_reference) == (ASK, "pending", "pay_1")
    assert (got.redirect_url, got.expires_at) == ("https://zip.example/x", None)
    assert head.startswith("POST /order HTTP/1.1")
    assert f"idempotency-key: {call.transaction_id}" in head.lower()
    assert b'"amount":10.10,' in body
    assert b'"price":-0.10' in body
    told = json.loads(body, parse_float=Decimal)
    address = told["merchant"].pop("statusCallbackUrl")
    assert address.startswith(
        f"https://oms.example/v1/hooks/acme-zip?for={call.our_reference}&signature="
    )
    assert told == {
        "productType": "Classic",
        "amount": Decimal("10.10"),
        "description": "Order 1001",
        "merchant": {
            "redirectConfirmUrl": "https://shop.example/b?o=1&result=confirmed",
            "redirectCancelUrl": "https://shop.example/b?o=1&result=cancelled",
        },
        "merchantReference": call.our_reference,
        "paymentFlow": "auth",
        "metadata": {"orderNumber": "1001"},
        "consumer": {
            "phoneNumber": {"number": "+64 21 555 0199", "isVerified": False},
            "givenNames": "Kari",
            "surname": "N",
            "email": "kari@example.com",
        },
        "shipping": {
            "addressLine1": "1 Queen St", "city": "Auckland", "postcode": "1010", "state": "AUK",
        },
        "items": [
            {"name": "Lamp" * 250, "sku": "L" * 100, "quantity": 2, "price": Decimal("5.00"),
             "type": "sku"},
            {"name": "Duty", "quantity": 1, "price": Decimal("0.05"), "type": "tax"},
            {"name": "Off", "quantity": 1, "price": Decimal("-0.10"), "type": "discount"},
        ],
        "taxAmount": Decimal("1.05"),
        "shippingAmount": Decimal("0.50"),
    }  # fmt: skip
    kept = json.dumps(msgspec.to_builtins(got))
    for private in ("kari@example.com", "Queen", "555 0199", SECRET, "CANARY-token", address[-64:]):
        assert private not in kept
    assert got.raw["request"]["body"]["amount"] == "10.10"


@pytest.mark.parametrize(
    "told",
    [
        {"orderId": "pay_1"},
        {"orderId": "", "redirectUrl": "https://zip.example/x"},
        {"orderId": "pay_1", "redirectUrl": "javascript:alert(1)"},
        {"orderId": "pay_1", "redirectUrl": "https://zip.example/x y"},
    ],
)
async def test_an_order_without_a_page_to_go_to_is_not_complete(http, told):
    call = zip_call(Kind.AUTHORIZE, None, return_url="https://shop.example/b")
    async with Zip(http, 200, told) as server:
        got = await server.gateway().send(call)
    assert (got.outcome, got.error_code, got.redirect_url) == (ASK, "invalid_answer", None)


async def test_what_zip_repeats_of_us_is_hidden(http):
    echo = f'{{"errorCode": "x", "message": "{SECRET} CANARY-token"}}'.encode() + b"\0\xff"
    echo += b"?for=1&signature=" + b"a" * 64
    async with Zip(http, 500, echo) as server:
        got = await server.gateway().send(zip_call(Kind.CAPTURE))
    kept = json.dumps(msgspec.to_builtins(got))
    assert "CANARY" not in kept
    assert "a" * 64 not in kept
    assert kept.count("[hidden]") >= 3


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"currency": "JPY"}, "amount_not_representable"),
        ({"currency": "KWD"}, "amount_not_representable"),
        ({"currency": "XXX"}, "amount_not_representable"),
        ({"currency": "AUD"}, "currency_not_supported"),
    ],
)
async def test_what_cannot_be_said_is_refused_before_any_call(http, more, code):
    async with Zip(http, 200, DONE) as server:
        for kind in Kind:
            got = await server.gateway().send(zip_call(kind, **more))
            assert (got.outcome, got.error_code) == (NO, code)
            assert got.error_message.endswith(".")
        assert server.server.requests == []
    nowhere = await server.gateway().send(zip_call(Kind.AUTHORIZE, None))
    assert (nowhere.outcome, nowhere.error_code) == (NO, "return_url_missing")


@pytest.mark.parametrize("minor", [1, 9, 10, 99, 100, 101, 12345, 10**12 - 1])
def test_amounts_are_exact_in_both_directions(minor):
    wire = to_wire(minor, "NZD")
    assert wire.as_tuple().exponent == -2
    text = as_json({"a": wire})
    assert from_wire(msgspec.json.decode(text, type=dict[str, Decimal])["a"]) == minor


@pytest.mark.parametrize(
    "text", ["0.001", "-0.01", "NaN", "Infinity", "1E+400", "1E-400", "10000000000.00"]
)
def test_what_is_no_amount_in_hundredths_is_none(text):
    with pytest.raises(NotAnAmount):
        from_wire(Decimal(text))


# ------------------------------------------------------------------------------------------- set-up


@pytest.mark.proves("Z-18", "Z-19")
def test_the_scope_for_parts_brings_several_captures():
    without = capabilities("zip", {})
    assert (without.partial_capture, without.multi_capture) == (False, False)
    assert (without.partial_void, without.hold_seconds, without.acknowledge) == (True, 900, True)
    assert (without.query, without.redirect, without.hooks) == (False, True, True)
    scope = capabilities("zip", {"partial_capture": True})
    assert (scope.partial_capture, scope.multi_capture) == (True, True)
    one = capabilities("zip", {"partial_capture": True, "multi_capture": False})
    assert one.multi_capture is False
    assert open_gateway("zip", {}, CREDENTIALS).capabilities == without


@pytest.mark.parametrize(
    ("settings", "credentials"),
    [
        ({}, {}),
        ({}, {"client_id": "shop"}),
        ({}, {"client_id": "shop", "client_secret": "CANARY\r\nb"}),
        ({}, CREDENTIALS | {"callback_secret": "short"}),
        ({"base_url": "nonsense"}, CREDENTIALS),
        ({"currency": "JPY"}, CREDENTIALS),
        ({"currency": "nzd"}, CREDENTIALS),
        ({"partial_capture": "yes"}, CREDENTIALS),
        ({"product_type": "Gold"}, CREDENTIALS),
        ({"deadline_s": 0}, CREDENTIALS),
    ],
)
def test_what_is_set_up_wrongly_is_refused_without_telling_secrets(settings, credentials):
    with pytest.raises(GatewayMisconfigured) as raised:
        open_gateway("zip", settings, credentials)
    assert "CANARY" not in raised.value.detail


async def test_a_time_is_read_with_its_zone_and_without(http):
    for text, expected in (
        ("2026-03-01T10:00:00.1234567Z", datetime(2026, 3, 1, 10, 0, 0, 123456, UTC)),
        ("2026-03-01T10:00:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01T22:00:00+12:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        (None, None),
    ):
        made = {"orderId": "p", "redirectUrl": "https://zip.example/x", "expiryDateTime": text}
        call = zip_call(Kind.AUTHORIZE, None, return_url="https://shop.example/b")
        async with Zip(http, 200, made) as server:
            assert (await server.gateway().send(call)).expires_at == expected
