"""Holds, fraud reviews and the rules that open them, over HTTP. [N-21…N-28, U-16, U-17]"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import uuid4

import pytest

from tests.api.server import code_of

RULES = "/v1/stores/main/review-rules"


def at(order, rest=""):
    return f"/v1/orders/{order['id']}{rest}"


def put(shop, body, path=RULES, **more):
    return shop.call("PUT", path, body, **more)


def decide(shop, order, decision, **more):
    body = {"decision": decision} | ({"note": more.pop("note")} if "note" in more else {})
    return shop.post(at(order, "/fraud-review"), body, **more)


def handles(order):
    return [one["handle"] for one in order["holds"]]


@pytest.mark.proves("U-16", "U-17")
def test_holds_stack_and_are_released_one_by_one(shop):
    order = shop.order()
    placed = shop.post(at(order, "/holds"), {
        "handle": "address", "reason_code": "INCORRECT_ADDRESS", "note": "No house number.",
        "owner": "Kari in the warehouse",
        "blocks": ["shipment"], "due_at": "2130-01-01T12:00:00Z",
        "auto_release_at": "2130-01-02T12:00:00Z",
    })
    assert placed.status_code == 200, placed.text
    told = placed.json()["holds"][0]
    assert told | {
        "handle": "address", "note": "No house number.", "owner": "Kari in the warehouse",
        "blocks": ["shipment"], "due_at": "2130-01-01T12:00:00Z",
        "auto_release_at": "2130-01-02T12:00:00Z",
    } == told
    assert (placed.json()["state"]["code"], placed.json()["display_status"]) == ("new", "On hold")
    both = shop.post(at(order, "/holds"), {"handle": "stock"}).json()
    assert handles(both) == ["address", "stock"]
    taken = shop.post(at(order, "/holds"), {"handle": "stock"})
    assert code_of(taken) == (409, "hold_handle_taken")
    assert code_of(shop.post(at(order, "/capture"))) == (409, "order_on_hold")
    bag = order["bags"][0]["id"]
    refused = shop.post(at(order, f"/bags/{bag}/shipments"), {})
    assert code_of(refused) == (409, "shipment_update_not_allowed")
    gone = shop.call("DELETE", at(order, "/holds/stock"), idempotency_key="let-go")
    assert (gone.status_code, handles(gone.json())) == (200, ["address"])
    again = shop.call("DELETE", at(order, "/holds/stock"), idempotency_key="let-go")
    assert again.content == gone.content
    assert shop.post(at(order, "/capture")).status_code == 201
    assert code_of(shop.call("DELETE", at(order, "/holds/stock"))) == (404, "not_found")
    facts = [one["type"] for one in shop.get(at(order, "/facts")).json()]
    assert facts.count("order.held") == 2 and facts.count("order.released") == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"handle": "a b"}, {"handle": "a", "blocks": []}, {"handle": "a", "blocks": ["refund"]},
     {"handle": "a", "reason_code": "WEATHER"}, {"handle": "fraud-review"},
     {"handle": "a", "auto_release_at": "2020-01-01T00:00:00Z"},
     {"handle": "a", "due_at": "2130-01-01T00:00:00"}],
)  # fmt: skip
def test_a_hold_that_cannot_be_is_refused(shop, body):
    order = shop.order()
    assert code_of(shop.post(at(order, "/holds"), body)) == (422, "validation_failed")


def test_who_may_hold_and_who_may_decide(shop):
    order = shop.order(fraud_review=True)
    holds, decides = shop.make_key("orders:holds"), shop.make_key("reviews:decide")
    review = at(order, "/holds/fraud-review")
    assert code_of(shop.call("DELETE", review, key=holds)) == (403, "permission_denied")
    assert code_of(decide(shop, order, "pass", key=holds)) == (403, "permission_denied")
    held = shop.post(at(order, "/holds"), {"handle": "a"}, key=decides)
    assert code_of(held) == (403, "permission_denied")
    assert shop.call("DELETE", review, key=decides).status_code == 200
    assert decide(shop, order, "pass", key=decides).status_code == 200
    opened = decide(shop, order, "open", key=holds, note="Odd.")
    assert opened.json()["fraud_status"] == "PENDING"
    none = shop.make_key("orders:read")
    assert code_of(decide(shop, order, "open", key=none)) == (403, "permission_denied")


@pytest.mark.proves("N-22", "N-24", "N-25", "N-27")
def test_a_review_is_taken_passed_and_told(own_shop):
    shop = own_shop
    order = shop.order(fraud_review=True)
    assert (order["state"]["code"], order["fraud_status"]) == ("suspended", "PENDING")
    assert order["fraud_review"]["rule"] == "asked"
    assert order["attention"] == ["in_review"]
    queue = shop.get("/v1/fraud-reviews").json()
    assert [one["order_number"] for one in queue["data"]] == [order["number"]]
    assert decide(shop, order, "take").json()["fraud_review"]["assignee"]["name"] == "ci"
    assert decide(shop, order, "give_back").json()["fraud_review"]["assignee"] is None
    off = decide(shop, order, "put_off", note="The bank answers tomorrow.").json()
    assert (off["fraud_status"], off["fraud_review"]["status"]) == ("ON_HOLD", "ON_HOLD")
    assert (off["display_status"], len(off["holds"])) == ("On hold – fraud review", 1)
    same = decide(shop, order, "put_off").json()
    assert same["version"] == off["version"]
    assert [one["status"] for one in shop.get("/v1/fraud-reviews").json()["data"]] == ["ON_HOLD"]
    assert decide(shop, order, "take_up").json()["fraud_status"] == "PENDING"
    passed = decide(shop, order, "pass", note="Rang her.", idempotency_key="pass")
    told = passed.json()
    assert (told["state"]["code"], told["fraud_status"], told["holds"]) == ("new", "PASSED", [])
    assert told["fraud_review"]["note"] == "Rang her."
    assert decide(shop, order, "pass", note="Rang her.",
                  idempotency_key="pass").content == passed.content
    late = decide(shop, order, "fail")
    assert code_of(late) == (409, "invalid_state")
    assert "ci passed the review already" in late.json()["detail"]
    assert shop.get("/v1/fraud-reviews").json()["data"] == []
    done = shop.get("/v1/fraud-reviews?status=passed").json()["data"]
    assert [one["order_id"] for one in done] == [order["id"]]
    facts = {one["type"]: one["data"] for one in shop.get(at(order, "/facts")).json()}
    assert facts["fraud.passed"]["review"]["status"] == "PASSED"
    assert "note" in facts["fraud.passed"]["review"] and "Rang" not in str(facts)


@pytest.mark.proves("N-28")
def test_a_failed_review_cancels_and_gives_back(shop):
    order = shop.captured()
    part = {"reference": "R-1", "amount": 700}
    assert shop.post(at(order, "/refund"), part).status_code == 201
    assert decide(shop, order, "open").json()["state"]["code"] == "suspended"
    failed = decide(shop, order, "fail", note="A stolen card.", idempotency_key="fail")
    assert failed.status_code == 200, failed.text
    told = failed.json()
    assert (told["state"]["code"], told["fraud_status"]) == ("canceled", "FAILED")
    assert (told["amounts"]["refunded"], told["id"]) == (5000, order["id"])
    assert [one["amount"] for one in told["refunds"]] == [700, 4300]
    again = decide(shop, order, "fail", note="A stolen card.", idempotency_key="fail")
    assert again.content == failed.content


def test_the_queue_is_paged_oldest_first(own_shop):
    shop = own_shop
    numbers = [shop.order(fraud_review=True)["number"] for _ in range(3)]
    first = shop.get("/v1/fraud-reviews?limit=2").json()
    rest = shop.get(f"/v1/fraud-reviews?limit=2&cursor={first['next_cursor']}").json()
    found = [one["order_number"] for page in (first, rest) for one in page["data"]]
    assert (found, first["count"]["value"], rest["next_cursor"]) == (numbers, 3, None)
    assert code_of(shop.get("/v1/fraud-reviews?status=lost")) == (422, "validation_failed")


@pytest.mark.proves("N-21", "N-23", "N-24")
def test_the_rules_of_a_store_open_reviews(own_shop):
    shop = own_shop
    assert shop.get(RULES).json() == {
        "store": "main", "amount_over": {}, "countries_differ": False, "velocity": None,
        "first_order": False, "blocked": {"emails": [], "domains": [], "countries": []},
    }
    assert shop.order()["fraud_review"] is None
    saved = put(shop, {"amount_over": {"EUR": 5000}, "first_order": True,
                       "velocity": {"orders": 3, "hours": 24}})
    assert saved.status_code == 200, saved.text
    assert saved.json() == shop.get(RULES).json()
    known = shop.order()
    assert (known["fraud_status"], known["state"]["code"]) == ("NOT_REQUIRED", "new")
    stranger = shop.order(customer={"email": "ola@example.com"})
    assert stranger["fraud_review"]["explanation"] == (
        "It is the first order of this e-mail address.")
    dear = shop.order(bags=None, items=[{"sku": "A", "name": "A", "quantity": 1,
                                         "unit_price": 5001}], payment=None)
    assert (dear["fraud_review"]["rule"], dear["state"]["code"]) == ("amount_over", "suspended")
    fast = shop.order()  # two of hers came before, and the dear one
    assert fast["fraud_review"]["rule"] == "velocity"
    line = b'{"currency": "EUR", "items": [{"name": "A", "quantity": 1, "unit_price": 9000}]}'
    bulk = shop.call("POST", "/v1/orders/bulk", line, content_type="application/x-ndjson")
    made = shop.get(f"/v1/orders/{bulk.json()['id']}").json()
    assert made["fraud_review"] is None, "imports open reviews only where they ask for them"
    assert put(shop, {}).json()["first_order"] is False
    assert shop.order(customer={"email": "eva@example.com"})["fraud_review"] is None


def test_rules_are_tried_on_an_order_that_is_here(own_shop):
    shop = own_shop
    put(shop, {"countries_differ": True, "amount_over": {"EUR": 100_000}})
    order = shop.order(shipping_address={"country": "SE"})
    tried = shop.post(f"{RULES}/try", {"order_id": order["id"]}).json()
    assert tried == {"would_review": True, "judged": [
        {"rule": "amount_over", "matched": False, "explanation": ""},
        {"rule": "countries_differ", "matched": True,
         "explanation": "It is billed in NO and shipped to SE."},
    ]}
    other = {"order_id": order["id"], "rules": {"first_order": True}}
    assert shop.post(f"{RULES}/try", other).json()["would_review"] is True
    assert shop.get(RULES).json()["first_order"] is False
    second = shop.order()
    other["order_id"] = second["id"]
    assert shop.post(f"{RULES}/try", other).json()["would_review"] is False
    for lost in (str(uuid4()), "x"):
        assert code_of(shop.post(f"{RULES}/try", {"order_id": lost})) == (404, "not_found")
    assert code_of(put(shop, {}, "/v1/stores/nowhere/review-rules")) == (404, "not_found")
    assert code_of(put(shop, {"amount_over": {"EURO": 1}})) == (422, "validation_failed")


async def test_block_lists_are_not_named_in_the_audit(own_shop, owner_of_api):
    shop = own_shop
    put(shop, {"blocked": {"emails": ["Secret@Example.com"], "domains": [], "countries": []}})
    assert shop.get(RULES).json()["blocked"]["emails"] == ["secret@example.com"]
    entries = await owner_of_api.fetch(
        "select data::text as data from audit_entry where account_id = $1"
        " and type = 'store.review_rules'", shop.account_id)
    assert len(entries) == 1 and "secret" not in entries[0]["data"].lower()


async def test_who_wins_decides_alone(own_shop, owner_of_api):
    """Pass, fail and release at once: one decision, and the order as that one left it."""
    shop = own_shop
    tries = ["pass", "fail", "release"] * 3

    def attempt(order, what):
        if what == "release":
            return shop.call("DELETE", at(order, "/holds/fraud-review")).status_code
        return decide(shop, order, what).status_code

    for _ in range(6):
        order = shop.order(fraud_review=True)
        with ThreadPoolExecutor(8) as crowd:
            codes = list(crowd.map(partial(attempt, order), tries))
        won = [what for what, code in zip(tries, codes, strict=True)
               if code == 200 and what != "release"]
        assert len(won) == 1 and set(codes) <= {200, 404, 409}
        now = shop.read(order)
        state = {"pass": ("new", "PASSED"), "fail": ("canceled", "FAILED")}[won[0]]
        assert (now["state"]["code"], now["fraud_status"]) == state
        assert now["holds"] == []
        rows = await owner_of_api.fetchval(
            "select count(*) from facts where order_id = $1 and type in"
            " ('fraud.passed', 'fraud.failed')", order["id"])
        assert rows == 1
