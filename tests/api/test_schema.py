"""What openapi.json promises is what is answered: schemathesis asks every address at random.

Half of the requests go to things that are there, so that not every answer is 404.
"""

import json
import re
from zlib import crc32

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from counterfoil.api.every import document
from counterfoil.api.examples import EXAMPLES as SHOWN
from tests.api.server import wanted

EXAMPLES = 12
URI_TOO_LONG, URI_BYTES_MAX = 414, 60_000
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


# Bulk takes lines, which the generator cannot write; its answers are looked at in test_bulk.py.
SCHEMA = schemathesis.openapi.from_dict(json.loads(document())).exclude(path="/v1/orders/bulk")


@pytest.fixture(scope="module")
def there(shop):
    """Things that are there, by the names that addresses have for them."""
    order = shop.captured()
    at = f"/v1/orders/{order['id']}"
    bag = order["bags"][0]
    refund = shop.post(f"{at}/refund", {"reference": "R-there", "amount": 1}).json()
    parcel = shop.post(f"{at}/bags/{bag['id']}/shipments", {}).json()
    for path, body in (
        ("/v1/merchants", {"code": "there", "name": "There"}),
        ("/v1/stores", {"code": "there", "name": "There", "currency": "EUR"}),
        ("/v1/gateways", {"code": "there", "kind": "manual"}),
        ("/v1/order-states", {"code": "there", "name": "There", "system_state": "NEW",
                              "store": "main"}),
        ("/v1/shipment-methods", {"code": "there", "name": "There", "store": "main"}),
    ):
        assert shop.post(path, body).status_code == 201
    return {
        "order_id": order["id"], "bag_id": bag["id"], "refund_id": refund["id"],
        "shipment_id": parcel["id"], "transaction_id": refund["transactions"][0]["id"],
        "code": "there",
    }


@pytest.fixture(scope="module")
def session():
    with requests.Session() as one:
        one.trust_env = False
        yield one


@pytest.mark.slow
@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, phases=[Phase.explicit, Phase.generate], database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_described(case, shop, there, session):
    if crc32(repr((case.body, case.query)).encode()) % 2:
        for name in case.path_parameters:
            case.path_parameters[name] = there.get(name, case.path_parameters[name])
    headers = {"Authorization": f"Bearer {shop.key}"}
    answer = case.call(base_url=shop.server.url, session=session, headers=headers)
    if answer.status_code == URI_TOO_LONG and len(answer.request.url) > URI_BYTES_MAX:
        return  # refused by the server before the program saw it
    case.validate_response(answer, checks=CHECKS)


def test_the_examples_of_the_description_are_answered_as_described(shop, there):
    """The answers that chance seldom finds: those of requests that succeed."""
    order = shop.order()
    at = f"/v1/orders/{order['id']}"
    bag, shirt = order["bags"][0], order["bags"][1]["items"][0]["id"]
    parcel = shop.post(f"{at}/bags/{bag['id']}/shipments", {"tracking_number": "T-9"}).json()
    paid = f"/v1/orders/{shop.captured()['id']}"
    for method, path, body in (
        ("POST", "/v1/orders", wanted(fraud_review=True)),
        ("GET", "/v1/orders?limit=5&q=kari", None),
        ("GET", at, None),
        ("PATCH", at, {"tags": ["x"], "invoice_number": "F-1"}),
        ("POST", f"{at}/notes", {"body": "x"}),
        ("POST", f"{at}/capture", {"amount": 100}),
        ("POST", f"{at}/void", {"amount": 100}),
        ("GET", f"{at}/transactions", None),
        ("GET", f"{at}/facts", None),
        ("PATCH", f"/v1/shipments/{parcel['id']}", {"carrier": "Posten"}),
        ("POST", f"/v1/shipments/{parcel['id']}/split",
         {"items": [{"item_id": bag["items"][0]["id"], "quantity": 1}]}),
        ("POST", f"{at}/shipment-method", {"items": [shirt], "method": "express"}),
        ("PATCH", f"{at}/items/{shirt}", {"delivery_state": "READY"}),
        ("GET", "/v1/carriers", None),
        ("POST", f"/v1/shipments/{parcel['id']}/ship", None),
        ("POST", f"/v1/shipments/{parcel['id']}/fail", None),
        ("POST", f"{paid}/refund", {"reference": "R-described", "amount": 100}),
        ("GET", f"{paid}/refunds", None),
        ("POST", f"{paid}/cancel", {"notify_customer": True}),
        ("GET", "/v1/events", None),
        ("GET", "/v1/order-numbers?since_date=2026-11-01&store=main&statuses=true", None),
        ("GET", "/v1/me", None),
        ("GET", "/v1/stores", None),
        ("GET", "/v1/gateways", None),
        ("GET", "/v1/order-states", None),
        ("GET", "/v1/order-states/there?store=main", None),
        ("PATCH", "/v1/order-states/there?store=main", {"next": ["processing"]}),
        ("POST", "/v1/order-states/there/migrate?store=main", {"to": "new", "dry_run": True}),
        ("GET", f"{at}/states", None),
        ("GET", "/v1/shipment-methods", None),
        ("GET", "/v1/api-keys", None),
        ("POST", "/v1/gateways/manual/test", None),
    ):
        operation = next(
            found.ok() for found in SCHEMA.get_all_operations()
            if found.ok().method.upper() == method
            and re.fullmatch(re.sub(r"{\w+}", "[^/]+", found.ok().path), path.partition("?")[0])
        )
        answer = shop.call(method, path, body)
        assert answer.status_code < 300, f"{method} {path}: {answer.text}"
        operation.validate_response(answer)


def test_every_body_has_an_example():
    told = json.loads(document())
    shown = 0
    for methods in told["paths"].values():
        for operation in methods.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                assert "example" in content, operation["operationId"]
                shown += 1
    assert shown == len(SHOWN)
