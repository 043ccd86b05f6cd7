"""Refunds over HTTP: through several payments, in parts, looked at first, and decided about."""

import asyncio

import msgspec
import pytest

from counterfoil.access.keys import NewKey, create_key
from counterfoil.actions.refund import WantedRefund, refund
from counterfoil.book.opening import Key
from counterfoil.book.run import Book, Command
from counterfoil.kernel.ids import new_id
from counterfoil.order.actor import system
from counterfoil.order.intent import Asked
from tests.api.server import code_of

TAXED = [
    {"merchant": "acme", "shipping_total": 500, "tax_total": 600,
     "items": [{"sku": "MUG-1", "name": "Mug", "quantity": 2, "unit_price": 1250}]},
    {"merchant": "zeta", "items": [{"sku": "TEE-M", "name": "T-shirt", "quantity": 1,
                                    "unit_price": 2000}]},
]


def paid_twice(shop, **changes):
    """5,000 by hand: 3,000 with the order, and 2,000 after it."""
    order = shop.order(payment={"gateway": "manual", "flow": "payment", "amount": 3000}, **changes)
    left = order["total"] - 3000
    made = shop.post(f"/v1/orders/{order['id']}/payments", {
        "gateway": "manual", "flow": "payment", "amount": left})
    assert made.status_code == 201, made.text
    return shop.read(order)


def at(order, tail="/refund"):
    return f"/v1/orders/{order['id']}{tail}"


def clerk(shop, limit=1000, name="Carl"):
    """Somebody of the account who may refund so much alone."""
    return msgspec.structs.replace(
        system(shop.account_id), kind="user", id=name.lower(), name=name,
        credential=f"user:{name.lower()}", limits={"refund": {"EUR": limit}})


def waiting(shop, order, amount=4000, **wanted):
    """Let Carl ask for more than he may give back alone; the refund that waits."""
    actor = clerk(shop)
    reference = f"W-{new_id()}"
    key = Key(credential=actor.credential, key=reference, fingerprint="-")
    command = Command(order_id=order["id"], actor=actor, key=key, reference=reference)
    asked = Asked(actor=actor, key=key.key)
    wish = WantedRefund(reference=reference, amount=amount, **wanted)
    return command, asked, wish


async def wait_for_approval(shop, order, **wanted):
    command, asked, wish = waiting(shop, order, **wanted)
    ran = await Book(shop.pool).run(command, refund, asked=asked, wanted=wish)
    assert ran.answered.status == 202
    return msgspec.json.decode(ran.answered.body)


@pytest.mark.parametrize(
    ("how", "amounts"), [("last_in_first", [2000, 1500]), ("first_in_first", [3000, 500])])
def test_one_refund_goes_back_through_two_payments(shop, how, amounts):
    order = paid_twice(shop)
    reference = f"R-{order['number']}-{how}"
    body = {"reference": reference, "amount": 3500, "payment_order": how}
    made = shop.post(at(order), body)
    assert made.status_code == 201, made.text
    told = made.json()
    assert [part["amount"] for part in told["plan"]] == amounts
    assert [row["amount"] for row in told["transactions"]] == amounts
    assert (told["status"], told["payment_order"]) == ("COMPLETED", how)
    again = shop.post(at(order), body)
    assert (again.status_code, again.json()["id"]) == (200, told["id"])
    assert shop.read(order)["amounts"]["refundable"] == 1500
    kept = shop.get(at(order, f"/refunds/{told['id']}")).json()
    assert (kept["plan"], len(kept["transactions"])) == (told["plan"], 2)
    assert kept["allowed_actions"] == []


def test_the_store_says_in_which_order(own_shop):
    changed = own_shop.patch("/v1/stores/main", {"refund_order": "first_in_first"})
    assert changed.status_code == 200, changed.text
    order = paid_twice(own_shop)
    told = own_shop.post(at(order), {"reference": "R", "amount": 100}).json()
    assert (told["payment_order"], told["plan"][0]["payment_id"]) == (
        "first_in_first", order["payments"][0]["id"])
    pinned = own_shop.post(at(order), {
        "reference": "P", "amount": 100, "payment_id": order["payments"][1]["id"]}).json()
    assert (pinned["payment_order"], pinned["plan"][0]["payment_id"]) == (
        None, order["payments"][1]["id"])
    assert own_shop.post(at(order), {"reference": "Q", "payment_order": "alphabetic"}
                         ).status_code == 422


def test_tax_goes_back_with_lines_and_shipping(shop):
    order = shop.captured(bags=TAXED, payment={"gateway": "manual"})
    mug = order["bags"][0]["items"][0]["id"]
    bag = order["bags"][0]["id"]
    part = shop.post(at(order, f"/bags/{bag}/refunds"), {
        "lines": [{"item_id": mug, "quantity": 1}], "shipping_amount": 500})
    assert part.status_code == 201, part.text
    told = part.json()
    assert (told["amount"], told["tax_amount"], told["shipping_amount"]) == (2100, 350, 500)
    assert told["lines"] == [{"item_id": mug, "quantity": 1, "amount": 1250, "tax_amount": 250}]
    plain = shop.post(at(order), {"reference": f"T-{order['number']}", "tax_amount": 250})
    assert (plain.json()["amount"], plain.json()["tax_amount"]) == (250, 250)
    over = shop.post(at(order), {"reference": "over", "tax_amount": 1})
    assert (code_of(over), over.json()["left"]) == ((422, "amount_invalid"), 0)


def test_a_dry_run_tells_the_plan_and_a_sentence_for_each_figure(shop):
    order = paid_twice(shop, bags=TAXED)
    mug = order["bags"][0]["items"][0]["id"]
    body = {"reference": "dry", "lines": [{"item_id": mug, "quantity": 2}],
            "shipping_amount": 500, "dry_run": True}
    told = shop.post(at(order), body)
    assert told.status_code == 200, told.text
    seen = told.json()
    assert (seen["amount"], seen["tax_amount"], seen["approval"]) == (3600, 600, "not_needed")
    assert [(part["gateway"], part["amount"]) for part in seen["plan"]] == [
        ("manual", 2600), ("manual", 1000)]
    assert seen["explanation"] == [
        "25.00 EUR was paid for 2 × Mug, net of discounts, and has not gone back.",
        "5.00 EUR is the tax that was paid on these lines.",
        "5.00 EUR is of the shipping that was charged.",
        "1.00 EUR is the tax that was paid on that shipping.",
        "26.00 EUR goes back through manual.",
        "10.00 EUR goes back through manual.",
        "The newest payment first.",
    ]
    assert shop.read(order) == order
    done = shop.post(at(order), {**body, "reference": f"D-{order['number']}", "dry_run": False})
    same = ("amount", "tax_amount", "lines", "shipping_amount", "plan", "allocations")
    assert {name: done.json()[name] for name in same} == {name: seen[name] for name in same}
    assert "explanation" not in done.json()
    again = shop.post(at(order), {**body, "reference": f"D-{order['number']}"})
    assert (again.status_code, again.json()["id"]) == (200, done.json()["id"])


async def test_what_waits_is_approved_by_somebody_else(shop):
    order = paid_twice(shop)
    made = await wait_for_approval(shop, order)
    path = at(order, f"/refunds/{made['id']}")
    seen = shop.get(path).json()
    assert (seen["status"], seen["transactions"]) == ("AWAITING_APPROVAL", [])
    assert [one["action"] for one in seen["allowed_actions"]] == ["approve", "reject"]
    amounts = shop.read(order)["amounts"]
    assert (amounts["refund_pending"], amounts["refundable"]) == (4000, 1000)
    approved = shop.post(f"{path}/approve", {"note": "Agreed."}, idempotency_key=f"a{made['id']}")
    assert approved.status_code == 200, approved.text
    told = approved.json()
    assert (told["status"], told["decision_note"], told["actor"]["name"]) == (
        "COMPLETED", "Agreed.", "Carl")
    assert told["approved_by"]["kind"] == "key"
    again = shop.post(f"{path}/approve", {"note": "Agreed."}, idempotency_key=f"a{made['id']}")
    assert (again.content, again.headers["idempotent-replayed"]) == (approved.content, "true")
    assert code_of(shop.post(f"{path}/approve")) == (409, "invalid_state")
    assert code_of(shop.post(f"{path}/reject", {"note": "x"})) == (409, "invalid_state")
    facts = [fact["type"] for fact in shop.get(at(order, "/facts")).json()]
    assert facts[-4:] == ["refund.requested", "refund.approved", *["refund.succeeded"] * 2]
    assert shop.read(order)["amounts"]["refunded"] == 4000


async def test_what_is_rejected_is_free_again(shop):
    order = paid_twice(shop)
    made = await wait_for_approval(shop, order)
    path = at(order, f"/refunds/{made['id']}")
    for body in ({}, {"note": ""}, {"note": "  "}):
        assert code_of(shop.post(f"{path}/reject", body)) == (422, "validation_failed")
    rejected = shop.post(f"{path}/reject", {"note": "Not back yet."})
    assert (rejected.status_code, rejected.json()["status"]) == (200, "CANCELED")
    assert rejected.json()["decision_note"] == "Not back yet."
    assert shop.read(order)["amounts"]["refundable"] == 5000
    assert shop.get(at(order, "/facts")).json()[-1]["type"] == "refund.rejected"


async def test_deciding_wants_its_right_and_the_bag(shop):
    order = paid_twice(shop)
    made = await wait_for_approval(shop, order, amount=1500, bag_id=order["bags"][1]["id"])
    path = at(order, f"/refunds/{made['id']}")
    plain = shop.make_key("payments:refund")
    for verb in ("approve", "reject"):
        body = {"note": "x"}
        refused = shop.post(f"{path}/{verb}", body, key=plain)
        assert code_of(refused) == (403, "permission_denied")
        assert refused.json()["permission"] == "payments.approve"
        other = shop.make_key("*", merchants=["acme"])
        assert code_of(shop.post(f"{path}/{verb}", body, key=other)) == (404, "not_found")
        nobody = at(order, f"/refunds/{new_id()}/{verb}")
        assert code_of(shop.post(nobody, body)) == (404, "not_found")
    own = shop.make_key("payments:approve", merchants=["zeta"])
    assert shop.post(f"{path}/approve", key=own).json()["status"] == "COMPLETED"


async def test_a_key_that_asked_cannot_approve_it_itself(shop):
    """The credential is what counts: a limited one that asks is the one that asked."""
    order = paid_twice(shop)
    actor = clerk(shop)
    async with shop.pool.connection(shop.account_id) as connection:
        made = await create_key(
            connection, system(shop.account_id), NewKey(name="own", scopes=["*"]))
    command, _, wish = waiting(shop, order)
    as_key = msgspec.structs.replace(actor, kind="key", id=made.id, credential=f"key:{made.id}")
    asked = Asked(actor=as_key, key=command.key.key)
    ran = await Book(shop.pool).run(
        msgspec.structs.replace(command, actor=as_key), refund, asked=asked, wanted=wish)
    refund_id = msgspec.json.decode(ran.answered.body)["id"]
    path = at(order, f"/refunds/{refund_id}/approve")
    refused = shop.post(path, key=made.key)
    assert (code_of(refused), "yourself" in refused.json()["detail"]) == (
        (403, "permission_denied"), True)
    assert shop.post(path).status_code == 200


async def test_a_cancellation_takes_along_what_waits(shop):
    order = paid_twice(shop)
    made = await wait_for_approval(shop, order)
    done = shop.post(at(order, "/cancel"), {})
    assert (done.status_code, done.json()["refunded_amount"]) == (200, 5000)
    seen = shop.get(at(order, f"/refunds/{made['id']}")).json()
    assert (seen["status"], seen["allowed_actions"]) == ("CANCELED", [])
    path = at(order, f"/refunds/{made['id']}/approve")
    assert code_of(shop.post(path)) == (409, "invalid_state")


async def test_approvals_at_once_over_http_send_it_once(shop):
    order = paid_twice(shop)
    made = await wait_for_approval(shop, order)
    path = at(order, f"/refunds/{made['id']}/approve")
    answers = await asyncio.gather(*(
        asyncio.to_thread(shop.post, path, {}, idempotency_key=f"{made['id']}-{n}")
        for n in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    assert shop.read(order)["amounts"]["refunded"] == 4000
