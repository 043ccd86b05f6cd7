"""Send letters that are due: claim, write, send, mark. [M-1, M-2, rulings 38]

A crash between the mail server's yes and the mark sends the letter once more, under the same
Message-ID; no crash loses it.
"""

from datetime import timedelta

from counterfoil.actions.letter import letter_failed, letter_sent
from counterfoil.book.opening import open_folder
from counterfoil.book.run import Action, Command
from counterfoil.kernel.due import Claimed, back_off, finish, reschedule
from counterfoil.kernel.failpoint import failpoint
from counterfoil.kernel.log import log
from counterfoil.mail.compose import NoSuchAddress, compose, write
from counterfoil.mail.send import Never, NotNow
from counterfoil.order.actor import system
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.letter import Letter
from counterfoil.work.desk import Works

#: Seconds until a letter that was not taken is tried again, by tries; for a day.
TRY_AGAIN_S = (60, 300, 900, 1800, 3600)
GIVE_UP_AFTER = timedelta(hours=24)
#: More tries than a day has: a letter that kills its sender ends here.
TRIES_MAX = 40
_NEEDS = frozenset({"letters", "items"})


async def send_due(works: Works, claimed: Claimed) -> None:
    """Send one letter and mark it. Raises LeaseLost, Unavailable, Gone."""
    assert works.post is not None, "without a mail server letters wait and are not claimed"
    failpoint("letter.claimed")
    async with works.pool.connection(claimed.account_id) as connection:
        folder = (await open_folder(connection, claimed.order_id, _NEEDS)).folder
        letter = next((one for one in folder.letters if one.id == claimed.id), None) if (
            folder is not None) else None
        if folder is None or letter is None or letter.status == "SENT":
            await finish(connection, claimed)
            return
    if claimed.attempts > TRIES_MAX:
        await _give_up(works, claimed, letter, letter.error or "Sending it never ended.")
        return
    try:
        subject = await _send(works, letter, folder)
    except (NoSuchAddress, Never) as refused:
        await _give_up(works, claimed, letter, str(refused))
        return
    except NotNow as failure:
        if folder.at - letter.created_at >= GIVE_UP_AFTER:
            await _give_up(works, claimed, letter, f"Given up after a day. {failure}")
        else:
            await _put_off(works, claimed, str(failure))
        return
    await _mark(works, claimed, letter_sent, subject=subject)


async def _send(works: Works, letter: Letter, folder: Folder) -> str:
    assert works.post is not None
    written = write(letter, folder)
    message = compose(letter, written, sender=works.post.sender, at=folder.at)
    failpoint("letter.before_send")
    await works.post.send(message, deadline_s=works.pace.mail_deadline_s)
    failpoint("letter.after_send")
    return written.subject


async def _put_off(works: Works, claimed: Claimed, error: str) -> None:
    async with works.pool.connection(claimed.account_id) as connection, connection.transaction():
        await connection.rows(
            "update letters set error = $4"
            " where account_id = $1 and id = $2 and lease_token = $3",
            claimed.account_id,
            claimed.id,
            claimed.lease,
            error,
        )
        await reschedule(connection, claimed, back_off(TRY_AGAIN_S, claimed.attempts))
    log.info("letter_put_off", letter_id=claimed.id, order_id=claimed.order_id, error=error)


async def _give_up(works: Works, claimed: Claimed, letter: Letter, error: str) -> None:
    log.warning("letter_failed", letter_id=claimed.id, order_id=claimed.order_id, error=error)
    if letter.status == "FAILED":  # sent anew by hand, and refused again
        async with works.pool.connection(claimed.account_id) as connection:
            await finish(connection, claimed)
        return
    await _mark(works, claimed, letter_failed, error=error)


async def _mark(works: Works, claimed: Claimed, action: Action, **told: str) -> None:
    whole = system(claimed.account_id)
    failpoint("letter.before_mark")
    await works.book.run(
        Command(order_id=claimed.order_id, actor=whole, answer_to=lambda _: None),
        action,
        asked=Asked(actor=whole, source="system"),
        letter_id=claimed.id,
        lease=claimed.lease,
        **told,
    )
    failpoint("letter.marked")
