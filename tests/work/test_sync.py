"""Sync Payments against the sandbox: what its console did comes in once. [U-27, rulings 26]"""

from collections import Counter
from typing import Any

import pytest

from counterfoil.order.actor import system
from counterfoil.order.folder import Folder
from counterfoil.work.sync import Outcome, sync_order
from tests.db import Clock
from tests.sandbox.server import Sandbox
from tests.work.ledger import assert_same, moved
from tests.work.shop import CAPTURE, REFUND, VOID, Shop

pytestmark = pytest.mark.database


async def synced(shop: Shop, order_id: str) -> Outcome:
    (outcome,) = await sync_order(shop.works, shop.actor, order_id)
    return outcome


async def twice(shop: Shop, order_id: str) -> tuple[int, int]:
    """Sync; the second time changes nothing."""
    first = await synced(shop, order_id)
    version = (await shop.folder(order_id)).order.version
    again = await synced(shop, order_id)
    assert not again.changed
    assert (await shop.folder(order_id)).order.version == version
    return first.found, first.settled


async def provider(shop: Shop, order_id: str) -> str:
    found = (await shop.folder(order_id)).payments[0].provider_reference
    assert found is not None
    return found


async def console(shop: Shop, sandbox: Sandbox, order_id: str, kind: str, amount: int) -> Any:
    payment = await provider(shop, order_id)
    return sandbox.call(
        "POST", f"/control/payments/{payment}/moves", {"kind": kind, "amount": amount}
    )


def facts(folder: Folder) -> Counter[str]:
    return Counter(row.type for row in folder.transactions if row.source == "sync")


async def test_where_both_sides_agree_nothing_changes(shop: Shop, sandbox: Sandbox):
    order_id = await shop.order(5000, bags=2)
    await shop.run(CAPTURE, order_id, amount=2000)
    await shop.run(REFUND, order_id, amount=500)
    await shop.run(VOID, order_id, amount=1000)
    version = (await shop.folder(order_id)).order.version
    assert await twice(shop, order_id) == (0, 0)
    folder = await shop.folder(order_id)
    assert folder.order.version == version
    assert folder.payments[0].synced_at is not None


async def test_what_the_console_did_comes_in_once(shop: Shop, sandbox: Sandbox):
    order_id = await shop.order(5000, bags=3)
    await console(shop, sandbox, order_id, "capture", 2000)
    await console(shop, sandbox, order_id, "capture", 1001)
    await console(shop, sandbox, order_id, "refund", 700)
    await console(shop, sandbox, order_id, "void", 400)
    assert await twice(shop, order_id) == (4, 0)
    folder = await shop.folder(order_id)
    assert_same(folder, sandbox)
    assert facts(folder) == {"CAPTURE": 2, "REFUND": 1, "VOID": 1}
    assert folder.order.system_state == "PROCESSING"
    (refund,) = folder.refunds
    assert (refund.status, refund.amount) == ("EXTERNAL", 700)
    assert refund.reference.startswith("external-")
    assert refund.external_id == next(
        row.gateway_transaction_id for row in folder.transactions if row.type == "REFUND"
    )
    assert sum(part.amount for part in refund.allocations) == 700
    # What is left can be moved by us as before.
    assert (await shop.run(REFUND, order_id, amount=2301)).status == 201
    assert (await shop.run(CAPTURE, order_id)).status == 201
    assert_same(await shop.folder(order_id), sandbox)


async def test_a_payment_taken_at_once_is_the_same_on_both_sides(shop: Shop, sandbox: Sandbox):
    order_id = await shop.order(5000, flow="payment")
    assert await twice(shop, order_id) == (0, 0)
    await console(shop, sandbox, order_id, "refund", 5000)
    assert await twice(shop, order_id) == (1, 0)
    assert (await shop.folder(order_id)).order.financial_status == "REFUNDED"
    assert_same(await shop.folder(order_id), sandbox)


async def test_what_nobody_knew_is_settled_and_its_request_answered(shop: Shop, sandbox: Sandbox):
    order_id = await shop.order(5000)
    sandbox.fault("reset_after_effect", kind="capture")
    said = await shop.run(CAPTURE, order_id, key="k1", amount=3000)
    assert (said.status, said.body["status"]) == (202, "UNKNOWN")
    assert await twice(shop, order_id) == (0, 1)
    folder = await shop.folder(order_id)
    assert moved(folder) == {"authorized": 5000, "captured": 3000, "open": 2000}
    assert folder.order.unknown_pending == 0
    assert_same(folder, sandbox)
    assert await shop.worked() == 0, "nothing is due any more"


async def test_an_intent_that_its_door_left_is_answered_by_the_statement(
    shop: Shop, sandbox: Sandbox
):
    order_id = await shop.order(5000)
    _, ran = await shop.intend(CAPTURE, order_id, key="k1")
    row = ran.change.result  # type: ignore[union-attr]
    sandbox.call(
        "POST", f"/v1/payments/{await provider(shop, order_id)}/captures",
        {"amount": 5000, "currency": "EUR", "reference": row.id}, **{"idempotency-key": row.id},
    )
    assert await twice(shop, order_id) == (0, 1)
    again = await shop.run(CAPTURE, order_id, key="k1")
    assert (again.status, again.body["status"], again.answered.replayed) == (201, "SUCCEEDED", True)
    assert_same(await shop.folder(order_id), sandbox)


async def test_several_movements_are_settled_each_with_its_answer(shop: Shop, sandbox: Sandbox):
    order_id = await shop.order(5000)
    sandbox.fault("reset_after_effect", kind="capture", times=3)
    for number in range(3):
        await shop.run(CAPTURE, order_id, key=f"k{number}", amount=1000)
    assert await twice(shop, order_id) == (0, 3)
    assert_same(await shop.folder(order_id), sandbox)


async def test_what_was_never_executed_stays_unknown(shop: Shop, sandbox: Sandbox):
    order_id = await shop.order(5000)
    sandbox.fault("5xx_before", kind="capture")
    await shop.run(CAPTURE, order_id, amount=1000)
    assert await twice(shop, order_id) == (0, 0)
    assert moved(await shop.folder(order_id)) == {
        "authorized": 5000, "open": 4000, "pending": 1000}


async def test_what_may_be_ours_is_not_added(shop: Shop, sandbox: Sandbox, clock: Clock):
    """The console takes just as much as we asked for: whose it is shows when ours is settled."""
    order_id = await shop.order(5000)
    sandbox.fault("5xx_before", kind="capture")
    await shop.run(CAPTURE, order_id, amount=1000)
    await console(shop, sandbox, order_id, "capture", 1000)
    assert await twice(shop, order_id) == (0, 0)
    await clock.advance(6)
    await shop.worked()
    await clock.advance(61)
    await shop.worked()
    assert await twice(shop, order_id) == (1, 0)
    folder = await shop.folder(order_id)
    assert moved(folder) == {"authorized": 5000, "captured": 2000, "open": 3000}
    assert_same(folder, sandbox)


async def test_an_authorisation_that_nobody_heard_of_is_completed(shop: Shop, sandbox: Sandbox):
    sandbox.fault("reset_after_effect", kind="authorize")
    order_id = await shop.order(5000)
    assert (await shop.folder(order_id)).payments[0].status == "CREATED"
    outcome = await synced(shop, order_id)
    assert outcome.settled == 1
    folder = await shop.folder(order_id)
    assert folder.payments[0].status == "AUTHORIZED"
    assert folder.payments[0].provider_reference is not None
    assert_same(folder, sandbox)


async def test_the_provider_lets_go_of_it_all(shop: Shop, sandbox: Sandbox):
    order_id = await shop.order(5000)
    await console(shop, sandbox, order_id, "void", 5000)
    assert await twice(shop, order_id) == (1, 0)
    folder = await shop.folder(order_id)
    assert (folder.order.financial_status, folder.order.system_state) == ("VOIDED", "CANCELED")
    assert_same(folder, sandbox)


async def test_it_expired_there_first(shop: Shop, sandbox: Sandbox):
    order_id = await shop.order(5000)
    await shop.run(CAPTURE, order_id, amount=1000)
    sandbox.clock(8 * 24 * 3600)
    assert await twice(shop, order_id) == (1, 0)
    folder = await shop.folder(order_id)
    assert moved(folder) == {"authorized": 5000, "captured": 1000, "expired": 4000}
    assert_same(folder, sandbox)


async def test_what_expired_here_first_is_no_difference(
    shop: Shop, sandbox: Sandbox, clock: Clock
):
    order_id = await shop.order(5000)
    await clock.advance(8 * 24 * 3600)
    await shop.worked()
    assert moved(await shop.folder(order_id)) == {"authorized": 5000, "expired": 5000}
    assert await twice(shop, order_id) == (0, 0)
    assert (await shop.folder(order_id)).payments[0].attention is None
    sandbox.clock(9 * 24 * 3600)
    assert await twice(shop, order_id) == (0, 0)
    assert_same(await shop.folder(order_id), sandbox)


async def test_beyond_our_limits_a_person_decides(shop: Shop, sandbox: Sandbox, clock: Clock):
    order_id = await shop.order(5000)
    await clock.advance(8 * 24 * 3600)
    await shop.worked()  # expired here, and taken there
    await console(shop, sandbox, order_id, "capture", 5000)
    outcome = await synced(shop, order_id)
    assert (outcome.found, outcome.differs) == (0, True)
    version = (await shop.folder(order_id)).order.version
    assert (await synced(shop, order_id)).differs
    folder = await shop.folder(order_id)
    assert folder.order.version == version, "it is told once"
    assert folder.order.captured == 0
    attention = folder.payments[0].attention
    assert attention is not None
    assert attention["reason"] == "provider_differs"
    assert (attention["ours"]["captured"], attention["theirs"]["captured"]) == (0, 5000)
    (line,) = folder.drift_lines
    assert (line.kind, line.ours, line.theirs, line.status) == (
        "beyond_our_limits", 0, 5000, "OPEN")
    (task,) = [task for task in folder.tasks if task.kind == "payment_attention"]
    assert (task.status, task.payment_id) == ("OPEN", folder.payments[0].id)


async def test_a_release_that_was_undone_there_is_told(shop: Shop, sandbox: Sandbox):
    order_id = await shop.order(5000)
    said = await shop.run(VOID, order_id, amount=2000)
    sandbox.call("POST", f"/control/operations/{said.body['id']}/fail")
    outcome = await synced(shop, order_id)
    assert outcome.differs
    folder = await shop.folder(order_id)
    assert [line.kind for line in folder.drift_lines] == ["missing_there"]
    assert folder.payments[0].attention is not None


async def test_a_provider_that_cannot_be_reached_changes_nothing(shop: Shop, sandbox: Sandbox):
    order_id = await shop.order(5000)
    sandbox.fault("5xx_before", kind="payment")
    outcome = await synced(shop, order_id)
    assert (outcome.reached, outcome.changed) == (False, False)


async def test_an_instant_gateway_is_passed_over(shop: Shop):
    order_id = await shop.order(5000, gateway="manual")
    assert await sync_order(shop.works, system(shop.actor.account_id), order_id) == []


async def test_a_refund_that_came_back_is_taken_back_once(shop: Shop, sandbox: Sandbox):
    order_id = await shop.order(5000)
    await shop.run(CAPTURE, order_id)
    said = await shop.run(REFUND, order_id, amount=700)
    row = said.body["transactions"][0]["id"]
    sandbox.call("POST", f"/control/operations/{row}/fail")
    assert await twice(shop, order_id) == (1, 0)
    folder = await shop.folder(order_id)
    assert (folder.order.refunded, folder.refunds[0].status) == (0, "FAILED")
    assert [task.kind for task in folder.tasks] == ["refund_failed"]
    assert folder.payments[0].attention is None
    assert (await shop.run(REFUND, order_id, amount=5000)).status == 201
