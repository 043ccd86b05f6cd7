"""Settle movements of money: ask the provider, then book what it says.

Intent, call, outcome: the intent is committed before the call and the outcome after it, each in
one statement and with nothing open in between, so any line may crash and every step may be
repeated. The door settles what it asked for at once; the worker takes up what a door left behind
and what is unknown. [faults §1, P-1 to P-11; rulings 3, 11, 26, 27]
"""

import asyncio
from datetime import timedelta

import msgspec

from counterfoil.actions.attend import attend
from counterfoil.actions.settle import (
    ASK_AGAIN_S,
    ASK_SHOPPER_S,
    settle,
    waits_for_shopper,
)
from counterfoil.book.refusals import LeaseLost
from counterfoil.book.run import Command, Ran
from counterfoil.kernel.due import Claimed, back_off, jittered, park, postpone, renew, reschedule
from counterfoil.kernel.failpoint import failpoint
from counterfoil.kernel.log import log
from counterfoil.order import answers
from counterfoil.order.actor import Actor, system
from counterfoil.order.change import Answered, Change, Lease
from counterfoil.order.folder import Folder
from counterfoil.order.gateway import CANNOT_TELL, PENDING, Answer, Call, Outcome
from counterfoil.order.intent import Asked
from counterfoil.order.transaction import Transaction
from counterfoil.work.answering import answer_once
from counterfoil.work.desk import Works
from counterfoil.work.exchange import (
    ASK,
    SENDING,
    Open,
    ask,
    call_of,
    call_within,
    note,
    read_open,
    send,
)

#: Seconds until a movement that was turned away is sent again, where the provider does not say.
SEND_AGAIN_S = (1, 2, 5, 5, 10, 30, 60, 120, 300)
#: Claims that may come to nothing before a person is called. [faults K-4]
FRUITLESS_MAX = 10


async def settle_now(works: Works, asked: Asked, ran: Ran) -> Answered:
    """Settle what a command just asked for, and return what its client is told.

    For the door, right after `book.run` or `place`, with the Asked of `works.asked`: an answer
    that is there already is returned as it is. It ends when the provider has answered or its
    deadline has passed, then with 202; it goes on when the client goes away. Raises Unavailable.
    """
    if ran.answered is not None:
        return ran.answered
    assert ran.change is not None, "a command that waits has an intent"
    done: Answered = await works.undisturbed(_settle_intents(works, asked, ran.change))
    return done


async def _settle_intents(works: Works, asked: Asked, intent: Change) -> Answered:
    failpoint("settle.intent")
    rows = [
        row
        for row in intent.inserts.get("transactions", [])
        if isinstance(row, Transaction) and row.status == "PENDING" and row.lease_token
    ]
    told = await asyncio.gather(
        *(_send_now(works, asked, intent.after, row) for row in rows), return_exceptions=True
    )
    for one in told:
        if isinstance(one, BaseException):
            raise one
    failpoint("settle.before_answer")
    booked = [one for one in told if isinstance(one, Ran)]
    answered = next((one.answered for one in booked if one.answered is not None), None)
    if answered is None:
        heard = [one.change.after for one in booked if one.change is not None]
        latest = max([intent.after, *heard], key=lambda folder: folder.order.version)
        answered = answers.answer_meanwhile(intent, latest, asked.actor)
        if asked.key is not None:
            async with works.pool.connection(asked.actor.account_id) as connection:
                credential = asked.actor.credential
                answered = await answer_once(connection, credential, asked.key, answered)
    return answered


async def _send_now(works: Works, asked: Asked, folder: Folder, row: Transaction) -> Ran | None:
    """Settle one intent of ours; what came of it, with the answer where it is the last of them."""
    call = call_within(works, asked.actor.account_id, folder, row)
    gateway = next(one.gateway for one in folder.payments if one.id == row.payment_id)
    claimed = Claimed(
        account_id=asked.actor.account_id,
        kind="transaction",
        id=row.id,
        order_id=row.order_id,
        lease=row.lease_token or "",
        attempts=row.attempts,
    )
    answer = await send(works, claimed.account_id, gateway, call)
    try:
        if answer.outcome == Outcome.NOT_EXECUTED:
            await _send_again(works, claimed, row.type, answer, tries=1)
            return None
        return await _book(works, claimed, asked.actor, answer)
    except LeaseLost:
        log.warning("stale_lease", transaction_id=row.id, order_id=row.order_id)
        return None


async def settle_due(works: Works, claimed: Claimed) -> None:
    """Settle a due transaction: send what surely never left us, ask about everything else.

    Raises LeaseLost, Unavailable, Gone; whatever else it raises counts as a claim that came to
    nothing.
    """
    failpoint("settle.claimed")
    found = await read_open(works, claimed)
    if found is None:
        return
    if found.fruitless > FRUITLESS_MAX:
        await _call_person(works, claimed, found, reason="cannot_be_settled")
        return
    wait_s = works.adapters.mood(claimed.account_id, found.payment.gateway).wait_s
    if wait_s > 0:
        async with works.pool.connection(claimed.account_id) as connection:
            await postpone(connection, claimed, wait_s + jittered(1))
        return
    call = call_of(works, claimed.account_id, found)
    if found.surely_unsent and found.age_s < works.pace.key_lifetime_s:
        await _send_and_book(works, claimed, found, call)
        return
    answer = await ask(works, claimed.account_id, found.payment.gateway, call)
    definitive = answer.outcome in (Outcome.SUCCEEDED, Outcome.DECLINED)
    if definitive:
        await _book(works, claimed, _asker(claimed, found), answer, asking=True)
    elif waits_for_shopper(found.payment, found.row, answer):
        await _wait_for_shopper(works, claimed, found, answer)
    elif _cannot_tell(works, found, answer) or _may_send_again(works, found, answer):
        await _go_on(works, claimed, found, answer)
        await _send_and_book(works, claimed, found, call)
    elif found.row.status == "PENDING" and not _past_its_key(works, found, answer):
        await _book(works, claimed, _asker(claimed, found), answer, asking=True)
    elif _is_given_up(works, found, answer) and found.payment.attention is None:
        await _call_person(works, claimed, found, reason="outcome_unknown")
    elif _differs(answer) and found.payment.attention is None:
        await _call_person(
            works, claimed, found, reason="provider_differs", theirs=answer.amount
        )
    else:
        await _ask_again(works, claimed, found, answer)


def _asker(claimed: Claimed, found: Open) -> Actor:
    """Whoever wanted the movement, as its facts name them; the answer is told with all rights.

    To one who sees some merchants alone, no more than these. [rulings 5]
    """
    by = found.row.actor
    whole = system(claimed.account_id)
    merchants = by.get("merchants")
    return msgspec.structs.replace(
        whole,
        kind=by["kind"],
        id=by["id"],
        name=by["name"],
        merchants=None if merchants is None else frozenset(merchants),
        credential=found.row.credential or whole.credential,
    )


async def _send_and_book(works: Works, claimed: Claimed, found: Open, call: Call) -> None:
    answer = await send(works, claimed.account_id, found.payment.gateway, call)
    tries = sum(1 for one in found.log if one.purpose == found.row.type) + 1
    if answer.outcome == Outcome.NOT_EXECUTED:
        await _send_again(works, claimed, found.row.type, answer, tries=tries)
        return
    ran = await _book(works, claimed, _asker(claimed, found), answer)
    if ran.change is not None and ran.change.nothing and answer.outcome == Outcome.UNKNOWN:
        await _put_off(works, claimed, found.row.type, answer, back_off(ASK_AGAIN_S, tries))


async def _book(
    works: Works, claimed: Claimed, asker: Actor, answer: Answer, *, asking: bool = False
) -> Ran:
    """Book an outcome, and in the same statement the answer of the request it came from.

    Raises LeaseLost.
    """
    command = Command(
        order_id=claimed.order_id,
        actor=system(claimed.account_id),
        answer_to=lambda change: answers.answer_to_settled(change.after, change.result, asker),
    )
    failpoint("settle.before_book")
    ran = await works.book.run(
        command,
        settle,
        asked=Asked(actor=asker, source="system"),
        transaction_id=claimed.id,
        answer=answer,
        lease=claimed.lease,
        asking=asking,
    )
    failpoint("settle.booked")
    return ran


def _may_send_again(works: Works, found: Open, answer: Answer) -> bool:
    """Whether the provider has said twice, long enough apart, that it knows nothing. [P-5, P-7]"""
    since = found.missing_since
    if answer.outcome != Outcome.NOT_EXECUTED or since is None:
        return False
    apart = timedelta(seconds=works.pace.propagation_s)
    return found.at - since >= apart and found.age_s < works.pace.key_lifetime_s


def _cannot_tell(works: Works, found: Open, answer: Answer) -> bool:
    """Whether repeating the request under its key is how to find out, and still safe. [P-7]"""
    told = answer.outcome == Outcome.UNKNOWN and answer.error_code == CANNOT_TELL
    return told and found.age_s < works.pace.key_lifetime_s


def _past_its_key(works: Works, found: Open, answer: Answer) -> bool:
    """Whether nobody can find out any more: asking does not tell, repeating is not safe."""
    return answer.error_code == CANNOT_TELL and found.age_s >= works.pace.key_lifetime_s


def _is_given_up(works: Works, found: Open, answer: Answer) -> bool:
    return found.age_s >= works.pace.give_up_s or _past_its_key(works, found, answer)


async def _wait_for_shopper(works: Works, claimed: Claimed, found: Open, answer: Answer) -> None:
    """Keep the page that the shopper confirms at, and ask again ever more rarely. [rulings 22]

    Nothing is written down for an answer that says the same again.
    """
    if answer.redirect_url not in (None, found.payment.redirect_url):
        await _book(works, claimed, _asker(claimed, found), answer, asking=True)
        return
    after_s = next(
        apart_s for until_s, apart_s in ASK_SHOPPER_S if until_s is None or found.age_s < until_s
    )
    async with works.pool.connection(claimed.account_id) as connection:
        if not await postpone(connection, claimed, jittered(after_s)):
            raise LeaseLost
    failpoint("settle.shopper_waited_for")


async def _go_on(works: Works, claimed: Claimed, found: Open, answer: Answer) -> None:
    """Write down that it is being sent again, and make the lease last. Raises LeaseLost."""
    async with works.pool.connection(claimed.account_id) as connection, connection.transaction():
        if not await renew(connection, claimed, works.pace.lease_s):
            raise LeaseLost
        await note(connection, claimed, ASK, answer.outcome, answer.raw)
        await note(connection, claimed, found.row.type, SENDING, {})
    failpoint("settle.sending_again")


async def _ask_again(works: Works, claimed: Claimed, found: Open, answer: Answer) -> None:
    after_s = back_off(ASK_AGAIN_S, found.asks + 1)
    if answer.outcome == Outcome.NOT_EXECUTED and found.age_s < works.pace.key_lifetime_s:
        since = found.missing_since or found.at
        heard_s = (found.at - since).total_seconds()
        after_s = min(after_s, max(1, jittered(works.pace.propagation_s) - heard_s))
    await _put_off(works, claimed, ASK, answer, after_s)


async def _send_again(
    works: Works, claimed: Claimed, purpose: str, answer: Answer, *, tries: int
) -> None:
    after_s = back_off(SEND_AGAIN_S, tries)
    if answer.retry_after_s is not None:
        after_s = answer.retry_after_s + jittered(1)
    await _put_off(works, claimed, purpose, answer, after_s)


async def _put_off(
    works: Works, claimed: Claimed, purpose: str, answer: Answer, after_s: float
) -> None:
    """Write the exchange down and be due again later. Raises LeaseLost."""
    async with works.pool.connection(claimed.account_id) as connection, connection.transaction():
        if not await reschedule(connection, claimed, after_s):
            raise LeaseLost
        await note(connection, claimed, purpose, answer.outcome, answer.raw)
    failpoint("settle.put_off")


def _differs(answer: Answer) -> bool:
    """Whether the provider knows it and says something that we did not ask for. [faults P-8]"""
    return answer.gateway_transaction_id is not None and answer.error_code != PENDING


async def _call_person(
    works: Works, claimed: Claimed, found: Open, *, reason: str, theirs: int | None = None
) -> None:
    """Leave it to a person, and go on asking now and then; the payment is closed until then.

    What cannot even be marked is put aside for good. [faults K-4, P-7; rulings 26]
    """
    log.error("attention", reason=reason, transaction_id=claimed.id, order_id=claimed.order_id)
    whole = system(claimed.account_id)
    command = Command(order_id=claimed.order_id, actor=whole, answer_to=lambda _: None)
    marked = False
    try:
        ran = await works.book.run(
            command,
            attend,
            asked=Asked(actor=whole, source="system"),
            payment_id=found.row.payment_id,
            reason=reason,
            lease=Lease("transactions", claimed.id, claimed.lease),
            theirs=theirs,
        )
        marked = ran.change is not None and not ran.change.nothing
    except LeaseLost:
        raise
    except Exception as failure:  # noqa: BLE001 - whatever it is, it must not be tried for ever
        log.error("parked", transaction_id=claimed.id, error=repr(failure))
    if not marked:
        async with works.pool.connection(claimed.account_id) as connection:
            await park(connection, claimed)
