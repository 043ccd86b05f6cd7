"""Read a payment's statement at its provider, and bring our book to it. [U-27, rulings 26]

The statement is read with no transaction open, then the action decides on the newest folder; what
was committed meanwhile is seen, because the version would differ.
"""

from collections.abc import Sequence

import msgspec

from counterfoil.actions.sync import Synced, sync
from counterfoil.book.opening import Key, open_folder
from counterfoil.book.run import Command
from counterfoil.gateways import GatewayMisconfigured
from counterfoil.kernel.failpoint import failpoint
from counterfoil.kernel.log import log
from counterfoil.kernel.problem import NotFound
from counterfoil.kernel.secrets import CannotOpen
from counterfoil.order import answers
from counterfoil.order.actor import Actor
from counterfoil.order.change import Answered, Change
from counterfoil.order.folder import Folder
from counterfoil.order.gateway import Statement
from counterfoil.order.intent import Asked
from counterfoil.order.problems import VersionConflict
from counterfoil.order.shapes import OrderShape
from counterfoil.order.telling import TOLD, tell_order
from counterfoil.order.transaction import UNSETTLED, Transaction
from counterfoil.work.answering import answered_before, asker_of, keep_answer
from counterfoil.work.desk import Works
from counterfoil.work.now import settle_one

_ROUNDS_MAX = 100
_READINGS_MAX = 5
_encode = msgspec.json.Encoder().encode
_NEEDS = frozenset({"payments", "transactions", "gateways"})


class Outcome(msgspec.Struct, kw_only=True):
    """What bringing one payment up to date did. `reached`: the provider told its view."""

    found: int = 0
    settled: int = 0
    differs: bool = False
    reached: bool = True

    @property
    def changed(self) -> bool:
        """Whether anything was booked or settled."""
        return bool(self.found or self.settled)


class SyncedShape(msgspec.Struct, frozen=True, kw_only=True):
    """What Sync Payments did: movements that were missing, movements that were settled.

    Of `unreachable` payments the provider could not tell its view, over `differing` ones a person
    is called. [U-27]
    """

    found: int
    settled: int
    unreachable: int
    differing: int
    order: OrderShape


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which payment to compare, and what for.

    `reference` is the provider's name for it where we may not know it yet; `reconciliation_id` is
    the run that drift lines belong to.
    """

    order_id: str
    payment_id: str
    reference: str | None = None
    reconciliation_id: str | None = None


async def sync_payment(works: Works, actor: Actor, wanted: Wanted) -> Outcome:
    """Bring one payment to its provider's view: settle, then append, then compare.

    What the statement does not prove is asked about one by one, as the worker would when it is
    due. Raises NotFound, Unavailable, Gone.
    """
    folder = await _look(works, actor, wanted.order_id)
    before = _unsettled(folder, wanted.payment_id)
    outcome = await _compare(works, actor, wanted, folder)
    if before:
        folder = await _look(works, actor, wanted.order_id)
        asked = [
            await settle_one(works, actor.account_id, row)
            for row in sorted(_unsettled(folder, wanted.payment_id) & before)
        ]
        if any(asked):
            folder = await _look(works, actor, wanted.order_id)
            if not _unsettled(folder, wanted.payment_id):
                again = await _compare(works, actor, wanted, folder)
                again.found += outcome.found
                outcome = again
        folder = await _look(works, actor, wanted.order_id)
        outcome.settled = len(before - _unsettled(folder, wanted.payment_id))
    return outcome


async def sync_order(works: Works, actor: Actor, order_id: str) -> Sequence[Outcome]:
    """Bring every payment of an order to its provider's view; instant gateways have none.

    Raises NotFound, Unavailable, Gone.
    """
    folder = await _look(works, actor, order_id)
    return [
        await sync_payment(works, actor, Wanted(order_id=order_id, payment_id=payment.id))
        for payment in folder.payments
        if not folder.gateway_of(payment).capabilities.instant
    ]


async def sync_now(works: Works, actor: Actor, order_id: str, key: Key) -> Answered:
    """Bring an order's payments to their providers' view, and tell what that did.

    Under its key the answer is the same at every repeat. Raises NotFound, MerchantLimited,
    PermissionDenied, IdempotencyKeyReused, RequestInProgress, Unavailable.
    """
    actor.require("payments.sync")
    actor.require_whole_order()
    async with works.pool.connection(actor.account_id) as connection:
        before = await answered_before(connection, key)
    if before is not None:
        return before
    done: Answered = await works.undisturbed(_sync_and_answer(works, actor, order_id, key))
    return done


async def _sync_and_answer(works: Works, actor: Actor, order_id: str, key: Key) -> Answered:
    outcomes = await sync_order(works, actor, order_id)
    async with works.pool.connection(actor.account_id) as connection:
        folder = (await open_folder(connection, order_id, frozenset(TOLD))).folder
        assert folder is not None, "an order is never deleted"
        shape = SyncedShape(
            found=sum(one.found for one in outcomes),
            settled=sum(one.settled for one in outcomes),
            unreachable=sum(not one.reached for one in outcomes),
            differing=sum(one.differs for one in outcomes),
            order=tell_order(folder, actor),
        )
        answered = Answered(
            status=200, body=_encode(shape).decode(), etag=f'"{folder.order.version}"'
        )
        return await keep_answer(connection, key, answered)


async def read_statement(
    works: Works, account_id: str, gateway: str, reference: str
) -> Statement | None:
    """Ask a provider for its account of a payment; None where it cannot be had now."""
    try:
        adapter = await works.adapters.of(account_id, gateway)
    except (GatewayMisconfigured, NotFound, CannotOpen) as problem:
        log.warning("gateway_misconfigured", gateway=gateway, error=str(problem))
        return None
    failpoint("sync.before_statement")
    statement = await adapter.statement(reference)
    failpoint("sync.after_statement")
    return statement


async def _look(works: Works, actor: Actor, order_id: str) -> Folder:
    async with works.pool.connection(actor.account_id) as connection:
        folder = (await open_folder(connection, order_id, _NEEDS)).folder
    if folder is None or (actor.stores is not None and folder.order.store not in actor.stores):
        raise NotFound("There is no such order.")
    return folder


def _unsettled(folder: Folder, payment_id: str) -> set[str]:
    return {
        row.id
        for row in folder.transactions
        if row.payment_id == payment_id and row.status in UNSETTLED
    }


async def _compare(works: Works, actor: Actor, wanted: Wanted, folder: Folder) -> Outcome:
    """Compare with a statement that is younger than all we know of the payment.

    Whoever stood still with a statement in hand would book from it what has changed since: where
    anything was committed meanwhile, both are read again. One that never gets that far has not
    reached the provider.
    """
    outcome = Outcome()
    for _ in range(_READINGS_MAX):
        payment = next((one for one in folder.payments if one.id == wanted.payment_id), None)
        if payment is None:
            raise NotFound("There is no such payment.")
        reference = payment.provider_reference or wanted.reference
        if reference is None:
            return outcome
        statement = await read_statement(works, actor.account_id, payment.gateway, reference)
        if statement is None:
            break
        try:
            await _bring(works, actor, wanted, statement, seen=folder.order.version, told=outcome)
        except VersionConflict:
            folder = await _look(works, actor, wanted.order_id)
            continue
        await _stamp(works, actor.account_id, wanted.payment_id)
        return outcome
    outcome.reached = False
    return outcome


async def _bring(
    works: Works, actor: Actor, wanted: Wanted, statement: Statement, *, seen: int, told: Outcome
) -> None:
    """Run the action until there is nothing left to settle. Raises VersionConflict."""
    for _ in range(_ROUNDS_MAX):
        command = Command(
            order_id=wanted.order_id, actor=actor, seen=seen,
            answer_to=lambda change: _answer_to(change, actor),
        )
        ran = await works.book.run(
            command,
            sync,
            asked=Asked(actor=actor, source="sync"),
            payment_id=wanted.payment_id,
            statement=statement,
            reconciliation_id=wanted.reconciliation_id,
        )
        assert ran.change is not None, "without a key nothing is answered from before"
        done: Synced = ran.change.result
        failpoint("sync.booked")
        seen = ran.change.after.order.version
        told.found += done.found
        told.settled += done.settled is not None
        told.differs = done.differs
        if done.settled is None:
            return


def _answer_to(change: Change, actor: Actor) -> tuple[Answered, tuple[str, str]] | None:
    """Make the answer of the request that a settled movement came from. [rulings 11]"""
    done: Synced = change.result
    row: Transaction | None = next(
        (one for one in change.after.transactions if one.id == done.settled), None
    )
    if row is None:
        return None
    return answers.answer_to_settled(change.after, row, asker_of(actor.account_id, row))


async def _stamp(works: Works, account_id: str, payment_id: str) -> None:
    """Note that both sides were compared; this is no fact about the order."""
    async with works.pool.connection(account_id) as connection:
        await connection.rows(
            "update payments set synced_at = cf_now() where account_id = $1 and id = $2",
            account_id,
            payment_id,
        )
