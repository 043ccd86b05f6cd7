"""Hostile input at every address: refused as a problem, never a 500, and nothing happens."""

import gzip
import re
import socket

import pytest

from counterfoil.api.every import every_endpoint
from tests.api.hostile import MALFORMED, WRONG
from tests.api.server import code_of

SOME_ID = "0199c000-0000-7000-8000-000000000001"
JSON = {"content-type": "application/json"}
WRITES = sorted(
    {(e.method, e.path) for e in every_endpoint()
     if e.method in ("POST", "PUT", "PATCH") and not e.streams}
)
EVERY = sorted({(e.method, e.path) for e in every_endpoint()})


def filled(path: str, value: str = SOME_ID) -> str:
    return re.sub(r"{\w+}", value, path)


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_no_body_gets_through(shop, method, path):
    found = {}
    for name, body in {**MALFORMED, **WRONG}.items():
        answer = shop.call(method, filled(path), body, **JSON)
        found[name] = code_of(answer)
    assert {name: found[name] for name in MALFORMED if found[name] != (400, "malformed")} == {}
    assert {name: found[name] for name in WRONG if found[name] != (422, "validation_failed")} == {}


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_no_other_kind_of_body_gets_through(shop, method, path):
    at = filled(path)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                 "application/json; charset=utf-16"):
        assert code_of(shop.call(method, at, b"{}", content_type=kind)) == (
            415, "unsupported_media_type"
        )
    packed = gzip.compress(b"{}")
    assert code_of(shop.call(method, at, packed, content_encoding="gzip", **JSON))[0] == 415
    large = b'{"reason": "' + b"x" * 1024 * 1024 + b'"}'
    assert code_of(shop.call(method, at, large, **JSON)) == (413, "too_large")


def test_a_body_without_a_length_is_counted_too(shop):
    piece = b"%x\r\n" % 65536 + b" " * 65536 + b"\r\n"
    head = (
        f"POST /v1/merchants HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shop.key}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", shop.server.port), 10) as raw:
        raw.sendall(head + piece * 16 + b"1\r\n \r\n")
        told = raw.recv(65536)
    assert told.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"too_large"' in told


@pytest.mark.parametrize(("method", "path"), EVERY)
def test_no_address_gets_through(shop, method, path):
    for value in ("%00", f"{SOME_ID}%00", "%0a", "%7f", "..%2f%00"):
        if "{" in path:
            assert code_of(shop.call(method, filled(path, value))) == (400, "malformed")
    for query in ("a=%00", "limit=%00", "%00=1", "a=%ff", "q=%ed%a0%80", "cursor=%0d%0a"):
        answer = shop.call(method, f"{filled(path)}?{query}", **JSON)
        assert code_of(answer)[0] in (400, 422), query


@pytest.mark.parametrize("value", ["%ff", "%ed%a0%80", "x", "1" * 400, "%e2%80%ae", "'--", "%25"])
def test_what_is_no_id_is_nobodys(shop, value):
    for path in ("/v1/orders/{}", "/v1/orders/{}/transactions", "/v1/orders/{}/refunds"):
        assert code_of(shop.get(path.format(value)))[0] in (400, 404)
    assert code_of(shop.post(f"/v1/shipments/{value}/ship"))[0] in (400, 404)
    assert code_of(shop.patch(f"/v1/merchants/{value}", {"name": "x"}))[0] in (400, 404)


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("idempotency-key", "", 422),
        ("idempotency-key", "a b", 422),
        ("idempotency-key", "x" * 256, 422),
        ("if-match", "7", 400),
        ("if-match", '"x"', 400),
        ("if-match", '"1", "2"', 400),
        ("if-match", 'W/"1"', 400),
        ("if-match", '"99999999999999999999"', 400),
        ("accept", "text/html", 406),
        ("accept", "application/json;q=0", 406),
        ("authorization", "Bearer", 401),
        ("authorization", "Basic eDp5", 401),
        ("authorization", "Bearer " + "x" * 5000, 401),
        ("authorization", "Bearer cf_" + "0" * 32 + "_" + "0" * 32 + "_" + "A" * 43, 401),
    ],
)
def test_headers_are_looked_at(shop, header, value, status):
    order = shop.order()
    answer = shop.call("POST", f"/v1/orders/{order['id']}/capture", **{header: value})
    assert code_of(answer)[0] == status
    assert shop.read(order)["version"] == 2


def test_bytes_that_are_no_text_in_a_header_do_no_harm(shop):
    for header in (b"Authorization: Bearer \xff\xfe", b"Idempotency-Key: \xff", b"If-Match: \xff",
                   b"Accept: \xff", b"X-Request-Id: \xff\xfe", b"Content-Type: \xff"):
        with socket.create_connection(("127.0.0.1", shop.server.port), 10) as raw:
            raw.sendall(
                b"POST /v1/merchants HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                b"Content-Length: 2\r\n" + header + b"\r\n\r\n{}"
            )
            told = raw.recv(65536)
        assert told.split()[1] in (b"400", b"401", b"406", b"415", b"422"), (header, told)


@pytest.mark.parametrize(
    "amount", [0, -1, 5001, 2**31, 2**53, 10**12 - 1, 10**12, 2**63, 2**64, -(2**63)]
)
@pytest.mark.parametrize("verb", ["capture", "void", "refund"])
def test_amounts_have_bounds(shop, verb, amount):
    order = shop.captured() if verb == "refund" else shop.order()
    body = {"amount": amount, "reference": "r"} if verb == "refund" else {"amount": amount}
    answer = shop.post(f"/v1/orders/{order['id']}/{verb}", body)
    assert code_of(answer) in ((422, "amount_invalid"), (422, "validation_failed"))
    assert shop.read(order)["amounts"] == order["amounts"]
