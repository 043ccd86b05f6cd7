"""Packing slips over HTTP: who may print what, and what comes. [design guide 5.10]"""

import pypdfium2
import pytest

from tests.api.server import code_of
from tests.paper.reading import text_of

PDF = "application/pdf"


def read(answer) -> str:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == PDF
    return " ".join(text_of(answer.content))


def test_an_order_is_printed_bag_by_bag(shop):
    order = shop.order(is_test=True)
    answer = shop.get(f"/v1/orders/{order['id']}/packing-slip", accept=PDF)
    text = read(answer)
    assert answer.headers["content-disposition"] == (
        f'inline; filename="packing-slip-{order["number"]}.pdf"')
    assert "Bag 1 of 2" in text and "Bag 2 of 2" in text and order["number"] in text
    assert "TEST ORDER – DO NOT SHIP" in text and "2 Mug MUG-1" in text
    assert "12.50" not in text
    priced = shop.get(f"/v1/orders/{order['id']}/packing-slip?prices=yes&paper=letter", accept=PDF)
    assert "12.50 EUR 25.00 EUR" in read(priced)
    assert round(pypdfium2.PdfDocument(priced.content)[0].get_width()) == 612


def test_a_shipment_is_printed_with_what_follows_until_it_is_cancelled(shop):
    order = shop.order()
    bag = order["bags"][0]
    parcel = shop.post(
        f"/v1/orders/{order['id']}/bags/{bag['id']}/shipments",
        {"items": [{"item_id": bag["items"][0]["id"], "quantity": 1}], "tracking_number": "TN-77"},
    ).json()
    path = f"/v1/shipments/{parcel['id']}/packing-slip"
    text = read(shop.get(path, accept=PDF))
    assert "TN-77" in text and "1 Mug MUG-1" in text and "Follows later 1 × Mug" in text
    assert "T-shirt" not in text
    assert shop.post(f"/v1/shipments/{parcel['id']}/cancel", {}).status_code == 200
    assert code_of(shop.get(path)) == (404, "not_found")


def test_a_key_for_one_merchant_prints_its_own_bags(shop):
    order = shop.order()
    own = shop.make_key("orders:read", merchants=["acme"])
    none = shop.make_key("payments:capture")
    path = f"/v1/orders/{order['id']}/packing-slip"
    text = read(shop.get(path, key=own))
    assert "Mug" in text and "T-shirt" not in text and "of 2" not in text
    theirs = shop.order(bags=[{"merchant": "zeta", "items": [
        {"sku": "T", "name": "Tee", "quantity": 1, "unit_price": 5000}]}])
    answer = shop.get(f"/v1/orders/{theirs['id']}/packing-slip", key=own)
    assert code_of(answer) == (404, "not_found")
    assert code_of(shop.get(path, key=none))[0] == 403


@pytest.mark.parametrize(("accept", "query", "expected"), [
    ("text/html", "", (406, "not_acceptable")),
    (PDF, "?paper=a3", (422, "validation_failed")),
    (PDF, "?colour=red", (422, "validation_failed")),
])
def test_what_cannot_be_printed_is_refused(shop, accept, query, expected):
    path = f"/v1/orders/{shop.order()['id']}/packing-slip{query}"
    assert code_of(shop.get(path, accept=accept)) == expected


def test_nothing_is_left_to_print_of_a_cancelled_order(shop):
    order = shop.order()
    answer = shop.post(f"/v1/orders/{order['id']}/cancel", {"notify_customer": False})
    assert answer.status_code in (200, 202), answer.text
    assert code_of(shop.get(f"/v1/orders/{order['id']}/packing-slip")) == (409, "invalid_state")
