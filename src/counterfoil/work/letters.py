"""Send letters that are due: claim, write, send, mark. [M-1, M-2, rulings 38]

A crash between the mail server's yes and the mark sends the letter once more, under the same
Message-ID; no crash loses it.
"""

from datetime import datetime, timedelta

import msgspec

from counterfoil.actions.letter import letter_failed, letter_sent
from counterfoil.book.opening import open_folder
from counterfoil.book.run import Action, Command
from counterfoil.kernel.db import Connection
from counterfoil.kernel.due import Claimed, back_off, finish, jittered, postpone, reschedule
from counterfoil.kernel.failpoint import failpoint
from counterfoil.kernel.log import log
from counterfoil.kernel.secrets import CannotOpen
from counterfoil.kernel.shape import to_json
from counterfoil.mail.compose import Envelope, NoSuchAddress, Written, compose, write
from counterfoil.mail.language import CannotRender
from counterfoil.mail.send import Never, NotNow, Post
from counterfoil.mail.texts import Text
from counterfoil.order.actor import system
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.letter import Letter
from counterfoil.setup.suppressed import Suppressed, find_suppressed, suppress
from counterfoil.work.desk import Works
from counterfoil.work.mailing import post_of, text_of

#: Seconds until a letter that was not taken is tried again, by tries; for a day.
TRY_AGAIN_S = (60, 300, 900, 1800, 3600)
GIVE_UP_AFTER = timedelta(hours=24)
#: More tries than a day has: a letter that kills its sender ends here.
TRIES_MAX = 40
#: A letter of an account without a mail server is looked at again after a tenth of its age.
_WAIT_S_MIN, _WAIT_S_MAX = 60, 3600
_NEEDS = frozenset({"letters", "items"})


class Packed(msgspec.Struct, frozen=True):
    """A letter with everything that sending it needs."""

    letter: Letter
    folder: Folder
    post: Post
    text: Text | None
    suppressed: Suppressed | None


async def send_due(works: Works, claimed: Claimed) -> None:
    """Send one letter and mark it. Raises LeaseLost, Unavailable, Gone."""
    failpoint("letter.claimed")
    packed = await _pack(works, claimed)
    if packed is None:
        return
    letter = packed.letter
    if claimed.attempts > TRIES_MAX:
        await _give_up(works, claimed, letter, letter.error or "Sending it never ended.")
        return
    try:
        written = await _send(works, packed)
    except (NoSuchAddress, Never) as refused:
        bounced = isinstance(refused, Never) and refused.bounced
        await _give_up(works, claimed, letter, str(refused), bounced=bounced)
    except NotNow as failure:
        since = letter.tries[0].at if letter.tries else packed.folder.at
        if packed.folder.at - since >= GIVE_UP_AFTER:
            await _give_up(works, claimed, letter, f"Given up after a day. {failure}")
        else:
            await _put_off(works, claimed, letter, str(failure), packed.folder.at)
    else:
        await _mark(works, claimed, letter_sent, subject=written.subject, text=written.text)


async def _pack(works: Works, claimed: Claimed) -> Packed | None:
    """Read what sending needs. None: there is nothing to send, or not yet; that is seen to."""
    async with works.pool.connection(claimed.account_id) as connection:
        folder = (await open_folder(connection, claimed.order_id, _NEEDS)).folder
        letters = () if folder is None else folder.letters
        letter = next((one for one in letters if one.id == claimed.id), None)
        if folder is None or letter is None or letter.status != "QUEUED":
            await finish(connection, claimed)
            return None
        post = await _find_post(works, connection, claimed, letter, folder.at)
        if post is None:
            return None
        text = await text_of(connection, folder.store.code, letter.kind, letter.language)
        stopped = await find_suppressed(connection, letter.recipient)
    return Packed(letter, folder, post, text, stopped)


async def _find_post(
    works: Works, connection: Connection, claimed: Claimed, letter: Letter, at: datetime
) -> Post | None:
    """Find the mail server; without one the letter waits, longer the older it is."""
    try:
        post = await post_of(works, connection)
    except CannotOpen as problem:
        log.error("mail_password_closed", account_id=claimed.account_id, error=str(problem))
        post = None
    if post is None:
        age_s = (at - letter.created_at).total_seconds()
        wait_s = min(_WAIT_S_MAX, max(_WAIT_S_MIN, age_s / 10))
        await postpone(connection, claimed, jittered(wait_s))
    return post


async def _send(works: Works, packed: Packed) -> Written:
    letter = packed.letter
    if packed.suppressed is not None:
        raise Never(
            f"{letter.recipient} refused a letter for good on {packed.suppressed.at:%Y-%m-%d}:"
            f" {packed.suppressed.reason}"
        )
    written = _write(packed)
    envelope = Envelope(
        message_id=letter.message_id,
        recipient=letter.recipient,
        sender=packed.post.sender,
        reply_to=packed.post.reply_to,
    )
    message = compose(envelope, written, at=packed.folder.at)
    failpoint("letter.before_send")
    await packed.post.send(message, deadline_s=works.pace.mail_deadline_s)
    failpoint("letter.after_send")
    return written


def _write(packed: Packed) -> Written:
    """Write the letter; one that its store's own text does not fit leaves with the built-in one."""
    if packed.text is not None:
        try:
            return write(packed.letter, packed.folder, packed.text)
        except CannotRender as wrong:
            log.error("letter_text_unusable", letter_id=packed.letter.id, error=str(wrong))
    try:
        return write(packed.letter, packed.folder)
    except CannotRender as wrong:
        raise Never(f"It cannot be written: {wrong}") from wrong


async def _put_off(
    works: Works, claimed: Claimed, letter: Letter, error: str, at: datetime
) -> None:
    async with works.pool.connection(claimed.account_id) as connection, connection.transaction():
        await connection.rows(
            "update letters set error = $4, tries = $5::text::jsonb"
            " where account_id = $1 and id = $2 and lease_token = $3",
            claimed.account_id,
            claimed.id,
            claimed.lease,
            error,
            to_json(letter.tried(at, "later", error)),
        )
        await reschedule(connection, claimed, back_off(TRY_AGAIN_S, claimed.attempts))
    log.info("letter_put_off", letter_id=claimed.id, order_id=claimed.order_id, error=error)


async def _give_up(
    works: Works, claimed: Claimed, letter: Letter, error: str, *, bounced: bool = False
) -> None:
    log.warning("letter_failed", letter_id=claimed.id, order_id=claimed.order_id, error=error)
    if bounced:
        async with works.pool.connection(claimed.account_id) as connection:
            await suppress(connection, letter.recipient, reason=error, letter_id=letter.id)
    await _mark(works, claimed, letter_failed, error=error, bounced=bounced)


async def _mark(works: Works, claimed: Claimed, action: Action, **told: object) -> None:
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
