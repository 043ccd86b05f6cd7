"""The sandbox as Stripe: its fields, its refusals, its keys, and the one ledger behind it."""

import pytest

from tests.sandbox.server import API_KEY, start_sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    running = start_sandbox(tmp_path_factory.mktemp("stripe"))
    yield running
    running.stop()
    running.client.close()


def post(sandbox, path, key=None, **fields):
    return ask(sandbox, "POST", path, key, data=fields)


def ask(sandbox, method, path, key=None, **more):
    headers = {"authorization": f"Bearer {API_KEY}"}
    if key:
        headers["idempotency-key"] = key
    answer = sandbox.client.request(
        method, f"{sandbox.url}/stripe/v1{path}", headers=headers, **more
    )
    return answer.status_code, answer.json()


def create(sandbox, key, **fields):
    fields = {
        "amount": "1000", "currency": "eur", "capture_method": "manual", "confirm": "true",
        "payment_method": "pm_card_visa", "metadata[our_reference]": key, **fields,
    }  # fmt: skip
    return post(sandbox, "/payment_intents", key, **fields)


def error(answer):
    status, told = answer
    return status, told["error"]["type"], told["error"].get("code")


def test_both_shapes_show_one_ledger(sandbox):
    status, made = create(sandbox, "a1")
    assert (status, made["object"], made["status"]) == (200, "payment_intent", "requires_capture")
    assert (made["amount_capturable"], made["amount_received"]) == (1000, 0)
    path = f"/payment_intents/{made['id']}/capture"
    status, done = post(sandbox, path, "a2", amount_to_capture="600")
    assert (done["status"], done["amount_received"]) == ("succeeded", 600)
    status, back = post(sandbox, "/refunds", "a3", payment_intent=made["id"], amount="50")
    assert (back["object"], back["status"], back["amount"]) == ("refund", "succeeded", 50)
    native = sandbox.payment(made["id"].replace("pi_", "pay_"))
    sums = [native[name] for name in ("authorized", "captured", "voided", "refunded")]
    assert sums == [1000, 600, 400, 50]
    entries = [(one["kind"], one["reference"]) for one in sandbox.ledger(payment=native["id"])]
    assert entries == [("authorize", "a1"), ("capture", "a2"), ("void", "a2"), ("refund", "a3")]


def test_what_is_asked_for_is_spelt_out(sandbox):
    made = create(sandbox, "b1", **{"expand[0]": "latest_charge"})[1]
    assert made["latest_charge"]["payment_method_details"]["card"]["capture_before"]
    path = f"/payment_intents/{made['id']}"
    assert ask(sandbox, "GET", path)[1]["latest_charge"] == made["latest_charge"]["id"]
    post(sandbox, path + "/capture", "b2")
    query = {"expand[0]": "latest_charge.balance_transaction"}
    told = ask(sandbox, "GET", path, params=query)[1]["latest_charge"]
    assert told["balance_transaction"]["fee"] == 39
    assert told["balance_transaction"]["net"] == 961


def test_refusals_are_in_stripes_words(sandbox):
    made = create(sandbox, "c1")[1]
    path = f"/payment_intents/{made['id']}"
    invalid = "invalid_request_error"
    assert error(create(sandbox, "c2", amount="0"))[:2] == (400, invalid)
    assert error(create(sandbox, "c2", amount="1.5"))[:2] == (400, invalid)
    assert error(create(sandbox, "c2", colour="red")) == (400, invalid, "parameter_unknown")
    assert error(create(sandbox, "c2", **{"metadata[a][b]": "1"}))[:2] == (400, invalid)
    assert error(create(sandbox, "c2", **{"]": "1"})) == (400, invalid, "parameter_unknown")
    missing = post(sandbox, "/payment_intents/pi_none/capture", "c3")
    assert error(missing) == (404, invalid, "resource_missing")
    much = post(sandbox, path + "/capture", "c4", amount_to_capture="1001")
    assert error(much) == (400, invalid, "amount_too_large")
    early = post(sandbox, "/refunds", "c5", payment_intent=made["id"])
    assert error(early) == (400, invalid, "payment_intent_unexpected_state")
    post(sandbox, path + "/cancel", "c6")
    late = post(sandbox, path + "/capture", "c7")
    assert error(late) == (400, invalid, "payment_intent_unexpected_state")
    assert late[1]["error"]["payment_intent"]["status"] == "canceled"
    assert [one["kind"] for one in sandbox.ledger(reference="c6")] == ["void"]
    status, declined = create(sandbox, "c8", payment_method="pm_card_chargeDeclined")
    assert (status, declined["error"]["code"]) == (402, "card_declined")
    assert declined["error"]["payment_intent"]["status"] == "requires_payment_method"
    headers = {"authorization": "Bearer wrong"}
    answer = sandbox.client.get(sandbox.url + "/stripe/v1/payment_intents", headers=headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, invalid)


def test_a_key_is_answered_once_and_refuses_other_fields(sandbox):
    first = create(sandbox, "d1")
    assert create(sandbox, "d1") == first
    assert error(create(sandbox, "d1", amount="1001")) == (400, "idempotency_error", None)
    refused = create(sandbox, "d2", payment_method="pm_card_chargeDeclined")
    assert create(sandbox, "d2", payment_method="pm_card_chargeDeclined") == refused
    assert len(sandbox.ledger(reference="d1")) == 1
    sandbox.clock(86_401)
    try:
        assert create(sandbox, "d1")[1]["id"] != first[1]["id"]
    finally:
        sandbox.clock(0)


def test_a_payment_is_found_by_its_reference_when_word_has_come_round(sandbox):
    sandbox.fault("ok", reference="e1", visible_after_s=60)
    made = create(sandbox, "e1")[1]
    query = {"query": 'metadata["our_reference"]:"e1"'}
    found = ask(sandbox, "GET", "/payment_intents/search", params=query)[1]
    assert (found["object"], found["data"]) == ("search_result", [])
    sandbox.clock(61)
    try:
        found = ask(sandbox, "GET", "/payment_intents/search", params=query)[1]
    finally:
        sandbox.clock(0)
    assert [one["id"] for one in found["data"]] == [made["id"]]
    other = ask(sandbox, "GET", "/payment_intents/search", params={"query": "amount>7"})
    assert error(other)[0] == 400


@pytest.mark.parametrize(
    ("fault", "status", "type_", "code"),
    [
        ("5xx_before", 503, "api_error", None),
        ("5xx_after_effect", 500, "api_error", None),
        ("429", 429, "invalid_request_error", "rate_limit"),
        ("in_use", 409, "invalid_request_error", "idempotency_key_in_use"),
    ],
)
def test_faults_are_in_stripes_words(sandbox, fault, status, type_, code):
    sandbox.fault(fault, reference=f"f-{fault}")
    assert error(create(sandbox, f"f-{fault}")) == (status, type_, code)


def test_the_shopper_decides_on_the_page(sandbox):
    made = create(sandbox, "g1", payment_method="pm_card_authenticationRequired")[1]
    assert made["status"] == "requires_action"
    page = sandbox.client.get(made["next_action"]["redirect_to_url"]["url"])
    assert page.status_code == 200
    name = made["id"].replace("pi_", "pay_")
    sandbox.call("POST", f"/control/payments/{name}/shopper", {"does": "approve"})
    told = ask(sandbox, "GET", f"/payment_intents/{made['id']}")[1]
    assert (told["status"], told["next_action"]) == ("requires_capture", None)
    waiting = create(sandbox, "g2", confirm="false")[1]
    assert waiting["status"] == "requires_payment_method"
    gone = post(sandbox, f"/payment_intents/{waiting['id']}/cancel", "g3")[1]
    assert (gone["status"], gone["cancellation_reason"]) == ("canceled", "abandoned")


def test_refunds_are_listed_newest_first_by_pages(sandbox):
    made = create(sandbox, "h1", capture_method="automatic")[1]
    assert made["status"] == "succeeded"
    made_ids = [
        post(sandbox, "/refunds", f"h2-{n}", payment_intent=made["id"], amount="10")[1]["id"]
        for n in range(3)
    ]
    query = {"payment_intent": made["id"], "limit": "2"}
    page = ask(sandbox, "GET", "/refunds", params=query)[1]
    rest = {**query, "starting_after": page["data"][-1]["id"]}
    more = ask(sandbox, "GET", "/refunds", params=rest)[1]
    assert (page["has_more"], more["has_more"]) == (True, False)
    assert {one["id"] for one in page["data"] + more["data"]} == set(made_ids)
    one = ask(sandbox, "GET", f"/refunds/{made_ids[0]}")[1]
    assert one["payment_intent"] == made["id"]
    assert error(ask(sandbox, "GET", "/refunds/re_none"))[0] == 404


def test_only_this_machine_hears_of_changes(sandbox):
    for url in ("https://hooks.example.com/", "http://10.0.0.1/", "nonsense"):
        assert error(post(sandbox, "/webhook_endpoints", url=url))[0] == 400
