"""What happens at the provider's side: shoppers, staff at the console, refunds that fail late."""

import csv
import io
import re
import sqlite3
import time

import httpx2
import pytest

from tests.sandbox.server import API_KEY, start_sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"), hang_s=1)
    yield running
    running.stop()
    running.client.close()


@pytest.fixture(autouse=True)
def afterwards(sandbox):
    yield
    sandbox.clear()


def post(sandbox, path, reference, **more):
    body = {"amount": 1000, "currency": "EUR", "reference": reference, **more}
    headers = {"authorization": f"Bearer {API_KEY}", "idempotency-key": f"key-{reference}"}
    answer = sandbox.client.post(sandbox.url + path, json=body, headers=headers)
    return answer.status_code, answer.json()


def authorize(sandbox, reference, **more):
    status, told = post(sandbox, "/v1/payments", reference, **more)
    assert status == 201, told
    return told["payment"]


def totals(sandbox, payment):
    seen = sandbox.payment(payment)
    names = ("authorized", "captured", "voided", "expired", "refunded")
    return [seen[name] for name in names], seen["status"]


def kinds(sandbox, **only):
    return [(one["kind"], one["amount"]) for one in sandbox.ledger(**only)]


def types(sandbox, payment):
    return [one["event"]["type"] for one in sandbox.events(payment=payment)]


# ----------------------------------------------------------------------------- asynchronous refunds


@pytest.mark.parametrize(
    ("how", "status", "refunded", "events"),
    [("succeed", "succeeded", 400, ["payment.refunded"]), ("fail", "failed", 0, ["refund.failed"])],
)
def test_a_refund_waits_until_it_is_told(sandbox, how, status, refunded, events):
    payment = authorize(sandbox, f"a1{how}", capture=True)
    reference = f"a2{how}"
    sandbox.fault("async", reference=reference)
    told = post(sandbox, f"/v1/payments/{payment}/refunds", reference, amount=400)
    assert (told[0], told[1]["status"]) == (201, "pending")
    sandbox.clock(30 * 86400)
    assert totals(sandbox, payment)[0][4] == 400, "reserved for as long as it takes"
    assert kinds(sandbox, reference=reference) == []
    ended = sandbox.end(reference, how)
    assert (ended["id"], ended["status"]) == (told[1]["id"], status)
    assert totals(sandbox, payment)[0][4] == refunded
    assert types(sandbox, payment)[2:] == events
    with pytest.raises(httpx2.HTTPStatusError, match="409"):
        sandbox.end(reference, "succeed")


def test_a_refund_may_end_by_itself_after_some_time(sandbox):
    payment = authorize(sandbox, "b1", capture=True)
    sandbox.fault("async", reference="b2", seconds=100)
    assert post(sandbox, f"/v1/payments/{payment}/refunds", "b2")[1]["status"] == "pending"
    sandbox.clock(101)
    assert kinds(sandbox, reference="b2") == [("refund", 1000)]


def test_a_refund_that_had_succeeded_may_fail(sandbox):
    payment = authorize(sandbox, "c1", capture=True)
    told = post(sandbox, f"/v1/payments/{payment}/refunds", "c2", amount=400)[1]
    ended = sandbox.end(told["id"], "fail", "account_closed")
    assert (ended["status"], ended["code"]) == ("failed", "account_closed")
    assert totals(sandbox, payment) == ([1000, 1000, 0, 0, 0], "captured")
    assert kinds(sandbox, reference="c2") == [("refund", 400), ("reversal", 400)]
    assert types(sandbox, payment)[2:] == ["payment.refunded", "refund.failed"]
    assert post(sandbox, f"/v1/payments/{payment}/refunds", "c3")[0] == 201, "all of it again"
    for name, how, status in (("c2", "fail", 409), ("c1", "fail", 409), ("none", "fail", 404)):
        with pytest.raises(httpx2.HTTPStatusError, match=str(status)):
            sandbox.end(name, how)


def test_a_pending_capture_that_was_final_gives_everything_back_where_it_fails(sandbox):
    payment = authorize(sandbox, "d1")
    sandbox.fault("async", reference="d2")
    post(sandbox, f"/v1/payments/{payment}/captures", "d2", amount=600, final=True)
    assert totals(sandbox, payment)[0] == [1000, 600, 400, 0, 0]
    assert post(sandbox, f"/v1/payments/{payment}/captures", "d3", amount=1)[0] == 409
    sandbox.end("d2", "fail")
    assert totals(sandbox, payment) == ([1000, 0, 0, 0, 0], "authorized")


# ------------------------------------------------------------------------------------- the shopper


@pytest.mark.parametrize(
    ("does", "operation", "payment_status", "event"),
    [
        ("approve", ("succeeded", None), "authorized", "payment.authorized"),
        ("decline", ("declined", "declined"), "declined", "payment.declined"),
        ("leave", ("declined", "abandoned"), "abandoned", "payment.declined"),
    ],
)
def test_the_shopper_decides_on_a_page(sandbox, does, operation, payment_status, event):
    address = "http://127.0.0.1:1/back?cart=7"
    status, told = post(sandbox, "/v1/payments", f"e-{does}", redirect=True, return_url=address)
    payment = told["payment"]
    assert (status, told["status"], totals(sandbox, payment)) == (
        201, "pending", ([0, 0, 0, 0, 0], "pending"),
    )  # fmt: skip
    moved = post(sandbox, f"/v1/payments/{payment}/captures", f"e2-{does}")
    assert (moved[0], moved[1]["error"]["code"]) == (409, "payment_pending")
    page = sandbox.client.get(told["redirect_url"])
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for label in ("Approve", "Decline", "Leave"):
        assert f"<button>{label}</button>" in page.text
    (action,) = re.findall(rf'action="([^"]+/{does})"', page.text)
    for _ in range(2):
        back = sandbox.client.post(sandbox.url + action)
        assert (back.status_code, back.headers["location"]) == (303, f"{address}&payment={payment}")
    found = sandbox.call("GET", f"/v1/operations?reference=e-{does}")["operations"]
    assert [(one["status"], one["code"]) for one in found] == [operation]
    assert totals(sandbox, payment)[1] == payment_status
    assert types(sandbox, payment) == [event]
    assert " hidden>" in sandbox.client.get(told["redirect_url"]).text
    with pytest.raises(httpx2.HTTPStatusError, match="409"):
        sandbox.shopper(payment, "approve")


def test_a_sale_by_redirect_is_taken_when_the_shopper_agrees(sandbox):
    payment = authorize(sandbox, "f1", redirect=True, capture=True)
    done = sandbox.shopper(payment, "approve")
    assert (done["status"], done["also"]) == ("succeeded", {"kind": "capture", "amount": 1000})
    assert totals(sandbox, payment) == ([1000, 1000, 0, 0, 0], "captured")
    assert kinds(sandbox, reference="f1") == [("authorize", 1000), ("capture", 1000)]


def test_a_hold_begins_when_the_shopper_agrees_and_nobody_waits_for_ever(sandbox):
    kept = authorize(sandbox, "g1", redirect=True, hold_seconds=900)
    lost = authorize(sandbox, "g2", redirect=True)
    sandbox.clock(3000)
    sandbox.shopper(kept, "approve")
    assert totals(sandbox, kept)[1] == "authorized"
    sandbox.clock(3700)
    assert totals(sandbox, kept)[1] == "authorized"
    assert totals(sandbox, lost)[1] == "abandoned"
    sandbox.clock(3950)
    assert totals(sandbox, kept) == ([1000, 0, 0, 1000, 0], "expired")
    page = sandbox.client.get(f"{sandbox.url}/pay/{lost}")
    assert "abandoned" in page.text
    assert sandbox.client.get(f"{sandbox.url}/pay/pay_none").status_code == 404
    assert sandbox.client.post(f"{sandbox.url}/pay/{kept}/dance").status_code in (400, 404)


def test_the_page_shows_references_as_text(sandbox):
    payment = authorize(sandbox, "<script>alert(1)</script>", redirect=True)
    page = sandbox.client.get(f"{sandbox.url}/pay/{payment}").text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


# --------------------------------------------------------------------------------- the rest of it


def test_an_earlier_payment_is_renewed(sandbox):
    old = authorize(sandbox, "h1", hold_seconds=60)
    new = authorize(sandbox, "h2", renews=old)
    assert sandbox.payment(new)["renews"] == old
    assert totals(sandbox, old)[1] == "authorized", "its hold is not touched"
    assert post(sandbox, "/v1/payments", "h3", renews="pay_none")[0] == 404
    sandbox.fault("decline", reference="h4")
    declined = post(sandbox, "/v1/payments", "h4")[1]["operation"]["payment"]
    told = post(sandbox, "/v1/payments", "h5", renews=declined)
    assert (told[0], told[1]["error"]["code"]) == (409, "payment_declined")


def test_money_moves_at_the_console_without_our_reference(sandbox):
    payment = authorize(sandbox, "i1")
    for kind, amount in (("capture", 600), ("refund", 50), ("void", None)):
        moved = sandbox.move(payment, kind, amount)
        assert (moved["reference"], moved["status"]) == ("", "succeeded")
    assert totals(sandbox, payment) == ([1000, 600, 400, 0, 50], "captured")
    assert types(sandbox, payment) == [
        "payment.authorized", "payment.captured", "payment.refunded", "payment.voided",
    ]  # fmt: skip
    for kind, amount in (("capture", None), ("refund", 551), ("void", 1)):
        with pytest.raises(httpx2.HTTPStatusError, match="409"):
            sandbox.move(payment, kind, amount)


def test_the_settlement_report_has_what_was_paid_with_its_fee(sandbox):
    sandbox.clock(400 * 86400 + 43200 - int(time.time()) % 86400)  # at noon: nothing ends a day
    day = sandbox.payment(authorize(sandbox, "j0"))["created_at"][:10]
    payment = authorize(sandbox, "j1", amount=12_345, hold_seconds=10)
    post(sandbox, f"/v1/payments/{payment}/captures", "j2", amount=10_000)
    post(sandbox, f"/v1/payments/{payment}/refunds", "j3", amount=250)
    sandbox.end("j3", "fail")
    authorize(sandbox, 'j4,"x"', amount=1234, currency="JPY", capture=True)
    sandbox.call("POST", "/control/terms", {"fee_basis_points": 50, "fee_fixed": 0})
    try:
        for number, amount in enumerate((100, 300, 700)):  # 0.5, 1.5 and 3.5: to the even
            authorize(sandbox, f"j5{number}", amount=amount, currency="KWD", capture=True)
    finally:
        sandbox.call("POST", "/control/terms", {"fee_basis_points": 140, "fee_fixed": 25})
    rows = list(csv.DictReader(io.StringIO(sandbox.settlement(day))))
    shown = [(r["reference"], r["type"], r["amount"], r["fee"], r["currency"]) for r in rows]
    assert shown == [
        ("j2", "capture", "100.00", "1.65", "EUR"),
        ("j3", "refund", "2.50", "0.00", "EUR"),
        ("j3", "refund_reversal", "2.50", "0.00", "EUR"),
        ('j4,"x"', "capture", "1234", "42", "JPY"),
        ("j50", "capture", "0.100", "0.000", "KWD"),
        ("j51", "capture", "0.300", "0.002", "KWD"),
        ("j52", "capture", "0.700", "0.004", "KWD"),
    ]
    assert all(row["settled_at"].startswith(day) for row in rows)
    operations = {one["reference"]: one for one in sandbox.payment(payment)["operations"]}
    assert rows[0]["gateway_transaction_id"] == operations["j2"]["id"]
    assert operations["j2"]["fee"] == 165
    assert sandbox.settlement("2020-02-02").count("\n") == 1
    for wrong in ("", "yesterday", "2020-2-2"):
        with pytest.raises(httpx2.HTTPStatusError, match="400"):
            sandbox.settlement(wrong)


def test_terms_can_be_changed(sandbox):
    before = sandbox.call("GET", "/control/terms")
    sandbox.call("POST", "/control/terms", {"propagation_s": 60, "hold_s": 100})
    try:
        payment = authorize(sandbox, "k1")
        assert sandbox.call("GET", "/v1/operations?reference=k1") == {"operations": []}
        sandbox.clock(61)
        assert len(sandbox.call("GET", "/v1/operations?reference=k1")["operations"]) == 1
        sandbox.clock(101)
        assert totals(sandbox, payment)[1] == "expired"
    finally:
        assert sandbox.call("POST", "/control/terms", before) == before


def test_what_time_brings_is_told_without_anybody_asking(sandbox):
    payment = authorize(sandbox, "l1", hold_seconds=1)
    until = time.monotonic() + 5
    while types(sandbox, payment) != ["payment.authorized", "payment.expired"]:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert totals(sandbox, payment)[1] == "expired"


def test_a_file_of_before_is_opened(tmp_path):
    sandbox = start_sandbox(tmp_path)
    try:
        payment = authorize(sandbox, "m1")
        sandbox.kill()
        with sqlite3.connect(tmp_path / "sandbox.db") as db:
            for table, names in {
                "payment": ["account", "state", "sale", "hold_s", "return_url", "redirect_url",
                            "renews"],
                "operation": ["fee", "also_kind", "also_amount"],
            }.items():  # fmt: skip
                for name in names:
                    db.execute(f"alter table {table} drop column {name}")
        sandbox.start()
        assert sandbox.payment(payment)["account"] == "acct_sandbox"
        assert post(sandbox, f"/v1/payments/{payment}/captures", "m2")[0] == 201
    finally:
        sandbox.stop()
        sandbox.client.close()
