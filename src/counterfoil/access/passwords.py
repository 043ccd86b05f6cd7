"""Passwords: argon2id in its small profile, two at a time. [faults H-16]

19 MiB and two passes cost some 40 ms; a flood of sign-ins then takes two threads and 40 MiB, not
the machine. A longer default profile took 1.3 GiB for twenty at once.
"""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import TextIO

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from counterfoil.kernel.problem import ValidationFailed

LENGTH_MIN = 12
LENGTH_MAX = 256
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
# Nobody's password; verified where no user has the e-mail, so that both take the same time.
_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1$AGPEbrBtlE0AiICeDHPs6A"
    "$ojJvFjqdsHvrQ67TLNcFDILXwlyR2AS2yjQ6V58izwg"
)


def check_password(password: str, email: str) -> None:
    """Refuse passwords that are too short, too long or the e-mail. Raises ValidationFailed."""
    text = _normal(password)
    problem = None
    if not LENGTH_MIN <= len(text) <= LENGTH_MAX:
        problem = f"A password has {LENGTH_MIN} to {LENGTH_MAX} characters."
    elif text.casefold() in {email.casefold(), email.partition("@")[0].casefold()}:
        problem = "A password must not be the e-mail address."
    elif len(set(text)) < 4:
        problem = "A password has more than three different characters."
    if problem:
        raise ValidationFailed(problem, errors=[{"pointer": "/password", "detail": problem}])


async def hash_password(password: str) -> str:
    """Return the hash to keep."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_THREADS, _HASHER.hash, _normal(password))


async def verify_password(kept: str | None, password: str) -> bool:
    """Tell whether a password is the one; None takes as long and is always wrong."""
    loop = asyncio.get_running_loop()
    right = await loop.run_in_executor(_THREADS, _verify, kept or _NOBODY, _normal(password))
    return right and kept is not None


def needs_new_hash(kept: str) -> bool:
    """Tell whether a hash is of an older profile."""
    return _HASHER.check_needs_rehash(kept)


def read_password(stream: TextIO) -> str:
    """Read a password from a stream such as standard input; the line's end is no part of it."""
    return stream.readline(4 * LENGTH_MAX).rstrip("\r\n")


def _verify(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


def _normal(password: str) -> str:
    """Keyboards write the same letters in more than one way."""
    return unicodedata.normalize("NFKC", password)[: 4 * LENGTH_MAX]
