"""Letters over the API: texts of a store's own, previews, what was sent, sending again."""

import json

import asyncpg
import pytest

from tests.api.server import code_of, wanted

AT = "/v1/letter-templates"
OWN = {"subject": "Gone: {{ number }}", "body": "<p>Dear {{ name }}</p>"}


def test_every_kind_has_a_text_in_every_language(own_shop):
    told = own_shop.get(AT).json()
    assert {(one["kind"], one["language"]) for one in told} == {
        (kind, language)
        for kind in ("order_received", "shipped", "canceled", "part_canceled", "refunded",
                     "return_received")
        for language in ("en", "nb")
    }
    assert not any(one["own"] for one in told)
    assert own_shop.get(f"{AT}?store=main").json() == told
    assert code_of(own_shop.get(f"{AT}?store=none")) == (422, "unknown_reference")


def test_a_text_is_saved_replaced_and_reset(own_shop):
    at = f"{AT}/canceled?language=nb"
    built_in = own_shop.get(at).json()
    assert (built_in["own"], built_in["version"], built_in["previous"]) == (False, 0, None)
    first = own_shop.call("PUT", at, OWN)
    assert first.status_code == 200, first.text
    told = first.json()
    assert (told["own"], told["version"], told["subject"]) == (True, 1, OWN["subject"])
    again = own_shop.call("PUT", at, OWN | {"subject": "Second", "version": 1}).json()
    assert (again["version"], again["previous"]) == (2, OWN)
    stale = own_shop.call("PUT", at, OWN | {"version": 1})
    assert code_of(stale) == (412, "version_conflict")
    assert code_of(own_shop.call("PUT", at, OWN | {"version": 0})) == (412, "version_conflict")
    reset = own_shop.call("DELETE", at).json()
    assert (reset["own"], reset["subject"]) == (False, built_in["subject"])
    assert reset["previous"]["subject"] == "Second"
    assert own_shop.call("DELETE", at).json()["version"] == reset["version"], "nothing to reset"
    assert own_shop.get(f"{AT}/canceled").json()["version"] == 0, "another language is another text"


def test_the_same_save_twice_is_one(own_shop):
    first = own_shop.call("PUT", f"{AT}/shipped", OWN, idempotency_key="save-1")
    second = own_shop.call("PUT", f"{AT}/shipped", OWN, idempotency_key="save-1")
    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"
    assert own_shop.get(f"{AT}/shipped").json()["version"] == 1


@pytest.mark.parametrize(
    ("change", "pointer", "detail"),
    [
        ({"body": "<p>\n{{ nam }}</p>"}, "/body", "Line 2: There is no nam in this letter."),
        ({"body": "<script>x</script>"}, "/body", "Line 1: The tag <script> cannot be used."),
        ({"subject": "{{ x }}"}, "/subject", "Line 1: There is no x in this letter."),
        ({"body": "{{ ''.__class__ }}"}, "/body", "Line 1:"),
        ({"body": " "}, "/body", "Line 1: Write something."),
        ({"subject": "x" * 201}, "/subject", ""),
    ],
)
def test_what_is_wrong_is_told_with_field_and_line(own_shop, change, pointer, detail):
    for method, path in (("PUT", f"{AT}/shipped"), ("POST", f"{AT}/shipped/preview")):
        answer = own_shop.call(method, path, OWN | change)
        assert code_of(answer) == (422, "validation_failed")
        (error,) = answer.json()["errors"]
        assert error["pointer"] == pointer
        assert error["detail"].startswith(detail)
    assert own_shop.get(f"{AT}/shipped").json()["version"] == 0


@pytest.mark.parametrize("path", [f"{AT}/nothing", f"{AT}/shipped?language=xx"])
def test_a_letter_that_is_none_is_not_there(own_shop, path):
    assert code_of(own_shop.get(path)) == (404, "not_found")
    assert code_of(own_shop.call("PUT", path, OWN)) == (404, "not_found")


def test_a_preview_is_about_a_sample_or_an_order(shop):
    sample = shop.post(f"{AT}/order_received/preview").json()
    assert sample["subject"].endswith("10412 from Shop")
    assert "Kari Nordmann" in sample["text"]
    order = shop.order(customer={"email": "o@example.com", "first_name": "<b>Ola</b>"})
    body = OWN | {"order_id": order["id"]}
    told = shop.post(f"{AT}/order_received/preview?language=nb", body).json()
    assert told["subject"] == f"Gone: {order['number']}"
    assert told["text"] == "Dear <b>Ola</b>\n"
    assert "&lt;b&gt;Ola" in told["html"]
    body = OWN | {"order_id": "0199c000-0000-7000-8000-000000000001"}
    assert code_of(shop.post(f"{AT}/order_received/preview", body)) == (404, "not_found")


def test_letters_of_an_order_are_told_and_sent_again_when_they_have_left(
    shop, api_database, owner_of_api
):
    order = shop.captured()
    at = f"/v1/orders/{order['id']}"
    assert shop.get(f"{at}/letters").json() == []
    shop.post(f"{at}/cancel", {"notify_customer": True})
    (letter,) = shop.get(f"{at}/letters").json()
    assert (letter["kind"], letter["status"], letter["tries"]) == ("canceled", "QUEUED", [])
    again = f"/v1/letters/{letter['id']}/resend"
    assert code_of(shop.post(again)) == (409, "invalid_state")


async def test_a_bounced_address_wants_a_word(shop, owner_of_api: "asyncpg.Connection"):
    order = shop.captured()
    at = f"/v1/orders/{order['id']}"
    shop.post(f"{at}/cancel", {"notify_customer": True})
    (letter,) = shop.get(f"{at}/letters").json()
    await owner_of_api.execute(
        "update letters set status = 'FAILED', due_at = null, error = '550 no'"
        " where id = $1::uuid", letter["id"])
    await owner_of_api.execute(
        "insert into suppressed_addresses (account_id, address, reason, at)"
        " values ($1::uuid, 'kari@example.com', '550 no', now())", shop.account_id)
    again = f"/v1/letters/{letter['id']}/resend"
    answer = shop.post(again)
    assert code_of(answer) == (409, "address_suppressed")
    assert "550 no" in answer.json()["detail"]
    assert code_of(shop.post(again, {"recipient": "a@b, c@d"}))[0] == 422
    other = shop.post(again, {"recipient": "new@example.com"}, idempotency_key="again-1")
    assert other.status_code == 201, other.text
    assert (other.json()["recipient"], other.json()["repeats_id"]) == (
        "new@example.com", letter["id"])
    repeated = shop.post(again, {"recipient": "new@example.com"}, idempotency_key="again-1")
    assert repeated.content == other.content
    assert shop.post(again, {"confirm": True}).status_code == 201
    assert shop.post(again).status_code == 201, "it was lifted"
    told = shop.get(f"{at}/letters").json()
    assert [one["status"] for one in told].count("QUEUED") == 3
    facts = [fact["type"] for fact in shop.get(f"{at}/facts").json()]
    assert facts.count("letter.resent") == 3


def test_who_is_limited_to_merchants_sees_no_letters(shop):
    order = shop.captured()
    shop.post(f"/v1/orders/{order['id']}/cancel", {"notify_customer": True})
    key = shop.make_key("*", merchants=["acme"])
    assert shop.get(f"/v1/orders/{order['id']}/letters", key=key).json() == []
    (letter,) = shop.get(f"/v1/orders/{order['id']}/letters").json()
    assert code_of(shop.post(f"/v1/letters/{letter['id']}/resend", key=key)) == (404, "not_found")
    assert code_of(shop.call("PUT", f"{AT}/shipped", OWN, key=key)) == (403, "merchant_limited")


def test_a_store_chooses_which_letters_go_by_themselves(own_shop):
    store = own_shop.patch("/v1/stores/main", {"letters": ["order_received"], "language": "nb"})
    assert store.status_code == 200, store.text
    assert (store.json()["letters"], store.json()["language"]) == (["order_received"], "nb")
    wrong = own_shop.patch("/v1/stores/main", {"letters": ["canceled"]})
    assert code_of(wrong) == (422, "validation_failed")
    order = own_shop.order()
    (letter,) = own_shop.get(f"/v1/orders/{order['id']}/letters").json()
    assert (letter["kind"], letter["language"]) == ("order_received", "nb")
    test = own_shop.order(is_test=True)
    assert own_shop.get(f"/v1/orders/{test['id']}/letters").json() == []
    past = {"history": {"captured": 5000}}
    line = own_shop.call(
        "POST", "/v1/orders/bulk", json.dumps(wanted(**past)).encode() + b"\n",
        content_type="application/x-ndjson")
    assert line.json()["status"] == 201, line.text
    assert own_shop.get(f"/v1/orders/{line.json()['id']}/letters").json() == []
