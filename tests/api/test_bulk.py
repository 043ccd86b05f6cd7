"""Many orders at once: one line, one result; a bad line stops no other."""

import json

from tests.api.server import code_of, wanted

NDJSON = {"content-type": "application/x-ndjson"}


def lines(*orders):
    return b"\n".join(o if isinstance(o, bytes) else json.dumps(o).encode() for o in orders)


def send(shop, body, **more):
    answer = shop.call("POST", "/v1/orders/bulk", body, **NDJSON, **more)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_each_line_has_its_result_in_order(shop):
    body = lines(
        wanted(external_id="bulk-1"), b'{"bad": 1}', b"", b"[", wanted(external_id="bulk-2"),
        wanted(external_id="bulk-1"), wanted(external_id="bulk-1", tags=[]),
        wanted(currency="XQQ"), b'{"reason": "\\u0000"}', wanted(),
    )
    results = send(shop, body)
    assert [(one["line"], one["status"]) for one in results] == [
        (1, 201), (2, 422), (4, 400), (5, 201), (6, 200), (7, 409), (8, 422), (9, 400), (10, 201)
    ]
    first, bad, _, second, same, other, unknown, _, plain = results
    assert same["id"] == other["id"] == first["id"]
    assert other["problem"]["code"] == "duplicate_external_id"
    assert bad["problem"]["errors"][0]["pointer"] == "/bad"
    assert unknown["problem"]["code"] == "unknown_reference"
    assert shop.get(f"/v1/orders/{second['id']}").json()["external_id"] == "bulk-2"
    assert shop.get(f"/v1/orders/{plain['id']}").json()["number"] == plain["number"]


def test_a_file_may_be_sent_again_and_meets_single_orders(shop):
    body = lines(*(wanted(external_id=f"again-{n}") for n in range(1200)))
    first, second = send(shop, body), send(shop, body)
    assert {one["status"] for one in first} == {201}
    assert {one["status"] for one in second} == {200}
    assert [one["id"] for one in second] == [one["id"] for one in first]
    assert len({one["number"] for one in first}) == 1200
    single = shop.post("/v1/orders", wanted(external_id="again-7"))
    assert (single.status_code, single.json()["id"]) == (200, first[7]["id"])


def test_a_key_places_lines_without_an_external_id_once(shop):
    body = lines(wanted(), wanted())
    first = send(shop, body, idempotency_key="bulk")
    second = send(shop, body, idempotency_key="bulk")
    assert [one["id"] for one in second] == [one["id"] for one in first]
    assert first[0]["id"] != first[1]["id"]


def test_a_history_is_booked_with_its_own_times(shop):
    past = {"captured": 5000, "captured_at": "2026-11-20T11:00:00Z", "invoice_number": "F-9",
            "refunds": [{"reference": "old-1", "amount": 700, "at": "2026-11-20T12:00:00Z"}]}
    done, over = send(shop, lines(
        wanted(external_id="past-1", history=past),
        wanted(external_id="past-2", history={"captured": 5001}),
    ))
    order = shop.get(f"/v1/orders/{done['id']}").json()
    assert (order["amounts"]["refunded"], order["invoice_number"]) == (700, "F-9")
    assert over["status"] == 422


def test_unknown_merchants_of_a_batch_are_made_once(shop):
    bag = {"merchant": "brand-new", "items": [{"name": "x", "quantity": 1, "unit_price": 1}]}
    orders = [wanted(bags=[bag], payment=None, shipping_method="pigeon") for _ in range(5)]
    assert {one["status"] for one in send(shop, lines(*orders))} == {201}


def test_limits_hold_for_lines_not_for_the_whole(shop):
    long = b'{"merchant_reference": "' + b"x" * (1024 * 1024) + b'"}'
    results = send(shop, lines(wanted(), long, wanted()))
    assert [one["status"] for one in results] == [201, 413, 201]
    many = send(shop, b"\n".join([b"{}"] * 10_002))
    assert len(many) == 10_001
    assert [one["status"] for one in many[-2:]] == [422, 413]


def test_what_is_no_ndjson_or_not_allowed_is_refused_whole(shop):
    assert code_of(shop.post("/v1/orders/bulk", {})) == (415, "unsupported_media_type")
    refused = shop.call("POST", "/v1/orders/bulk", b"{}", content_encoding="gzip", **NDJSON)
    assert code_of(refused)[0] == 415
    limited = shop.make_key("*", merchants=["acme"])
    assert code_of(shop.call("POST", "/v1/orders/bulk", b"{}", key=limited, **NDJSON)) == (
        403, "merchant_limited")
    assert send(shop, b"") == []
