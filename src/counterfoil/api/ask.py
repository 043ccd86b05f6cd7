"""One request, read: who asks, under which key, on which version, with which body."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, NoReturn, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec

from counterfoil.api.office import Office
from counterfoil.book.opening import Key
from counterfoil.book.run import Action, Command, Ran
from counterfoil.kernel.body import (
    BODY_BYTES_MAX,
    BodyTimeout,
    check_media_type,
    check_text,
    validation_failed,
)
from counterfoil.kernel.ids import new_id
from counterfoil.kernel.problem import (
    Malformed,
    NotAcceptable,
    NotFound,
    TooLarge,
    ValidationFailed,
)
from counterfoil.order.actor import Actor
from counterfoil.order.change import Answered
from counterfoil.order.intent import Asked
from counterfoil.work.settle import settle_now

T = TypeVar("T", bound=msgspec.Struct)
BODY_SECONDS = 30
DRAIN_SECONDS, DRAIN_BYTES_MAX = 2, 8 * BODY_BYTES_MAX
_JSON, _PROBLEM = "application/json", "application/problem+json"
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z")
_KEY = re.compile(rb"[\x21-\x7e]{1,255}\Z")
_ETAG = re.compile(rb'"([1-9][0-9]{0,8})"\Z')


class Ask:
    """A request on its way through a handler. `raw` is its body, read when the handler wants one.

    Everything that can refuse it is a method, so that rights are judged before a body is read.
    """

    __slots__ = ("_key", "actor", "headers", "method", "office", "path", "raw", "receive", "scope")

    def __init__(self, office: Office, scope: Any, receive: Any) -> None:
        self.office = office
        self.scope = scope
        self.receive = receive
        self.method: str = scope["method"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.path: dict[str, str] = scope["path_params"]
        self.actor: Actor
        self.raw = b""
        self._key: Key | None = None

    async def authenticate(self) -> Actor:
        """Find out who asks. Raises Unauthenticated."""
        sent = self.headers.get(b"authorization")
        self.actor = await self.office.keys.authenticate(sent.decode("latin-1") if sent else None)
        return self.actor

    def check_accept(self, media: str) -> None:
        """Refuse a client that takes nothing we can send. Raises NotAcceptable."""
        accept = self.headers.get(b"accept")
        if accept is None or accept == b"*/*":
            return
        text = accept.decode("latin-1").lower()
        major = media.partition("/")[0]
        for part in text.split(","):
            kind, _, rest = part.strip().partition(";")
            kind = kind.strip()
            fits = kind in ("*/*", f"{major}/*", media)
            fits = fits or (major == "application" and kind in (_JSON, _PROBLEM))
            if fits and not re.search(r"\bq=0(?:\.0*)?\s*(?:;|$)", rest):
                return
        raise NotAcceptable(f"We answer with {media}.", accepted=[media])

    def check_ids(self) -> None:
        """Read the ids of the address; what is no id is nobody's. Raises NotFound."""
        for name, text in self.path.items():
            if name.endswith("_id"):
                lowered = text.lower()
                if not _UUID.match(lowered):
                    raise NotFound(f"There is no {name.removesuffix('_id')} {text[:80]!r}.")
                self.path[name] = lowered
            else:
                check_text(text, "address")

    def as_id(self, text: str, name: str) -> str:
        """Read an id of the query; what is no id is nobody's. Raises NotFound."""
        lowered = text.lower()
        if not _UUID.match(lowered):
            raise NotFound(f"There is no {name} {text[:80]!r}.")
        return lowered

    async def read_body(self) -> bytes:
        """Read the whole body. Raises TooLarge, BodyTimeout, UnsupportedMediaType."""
        chunks = [chunk async for chunk in self.chunks(BODY_BYTES_MAX)]
        self.raw = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        if self.raw:
            check_media_type(self.headers)
        return self.raw

    async def chunks(self, bytes_max: int | None = None) -> AsyncIterator[bytes]:
        """Yield the body as it arrives. Raises TooLarge and BodyTimeout; counts without length."""
        length = self.headers.get(b"content-length")
        if length == b"0":
            return
        if bytes_max is not None and length is not None and int(length) > bytes_max:
            await self._refuse_length(bytes_max)
        count, more = 0, True
        while more:
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    message = await self.receive()
            except TimeoutError as late:
                raise BodyTimeout(f"Nothing came for {BODY_SECONDS} seconds.") from late
            if message["type"] == "http.disconnect":
                raise Malformed("The connection was closed in the middle of the body.")
            chunk = message.get("body", b"")
            count += len(chunk)
            if bytes_max is not None and count > bytes_max:
                await self._refuse_length(bytes_max)
            more = message.get("more_body", False)
            if chunk:
                yield chunk

    async def _refuse_length(self, bytes_max: int) -> NoReturn:
        """Read on for a moment, so that a client who is still sending gets to hear the refusal."""
        count = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while count < DRAIN_BYTES_MAX:
                    message = await self.receive()
                    count += len(message.get("body", b""))
                    if not message.get("more_body", False):
                        break
        raise TooLarge(f"A body may have {bytes_max} bytes.", limit=bytes_max)

    def query(self, kind: type[T]) -> T:
        """Read the query. Raises Malformed and ValidationFailed, also for a name nobody knows."""
        found: dict[str, Any] = {}
        fields = _fields(kind)
        for name, text in self.pairs():
            many = fields.get(name, False)
            if many:
                found.setdefault(name, []).append(text)
            elif name in found:
                raise _wrong_query(name, f"{name} is there twice.")
            else:
                found[name] = text
        try:
            return msgspec.convert(found, kind, strict=False)
        except msgspec.ValidationError as wrong:
            raise validation_failed(str(wrong)) from wrong

    def pairs(self) -> list[tuple[str, str]]:
        """List the query's names and values as they came. Raises Malformed."""
        raw: bytes = self.scope["query_string"]
        pairs = []
        for part in raw.split(b"&"):
            if part:
                name, _, value = part.partition(b"=")
                pairs.append((_unquote(name), _unquote(value)))
        return pairs

    def text_headers(self) -> dict[str, str]:
        """Read the headers as text, by lower-case names; every byte has its character."""
        return {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in self.headers.items()
        }

    @property
    def key(self) -> Key:
        """The key of a write: the client's, else one of our own. Raises ValidationFailed."""
        if self._key is None:
            sent = self.headers.get(b"idempotency-key")
            if sent is not None and not _KEY.match(sent):
                raise ValidationFailed(
                    "An Idempotency-Key has 1 to 255 visible characters.",
                    errors=[{"pointer": "/headers/Idempotency-Key",
                             "detail": "1 to 255 visible ASCII characters."}],
                )
            text = f"{self.method}\n{self.scope['path']}\n".encode()
            self._key = Key(
                credential=self.actor.credential,
                key=sent.decode() if sent else f"own-{new_id()}",
                fingerprint=hashlib.sha256(text + self.raw).hexdigest(),
            )
        return self._key

    @property
    def seen(self) -> int | None:
        """The version of If-Match, None where any will do. Raises Malformed."""
        sent = self.headers.get(b"if-match")
        if sent is None or sent.strip() == b"*":
            return None
        match = _ETAG.match(sent.strip())
        if match is None:
            raise Malformed('If-Match takes one ETag of the order, as "7", or *.')
        return int(match[1])

    def asked(self) -> Asked:
        """Say how the command is asked for; its intent would be ours to settle."""
        return self.office.asked(self.actor, key=self.key.key)

    def command(self, order_id: str, **more: Any) -> Command:
        """Say how the command is run: under which key, on which version."""
        return Command(
            order_id=order_id, actor=self.actor, key=self.key, seen=self.seen, **more
        )

    async def run(self, action: Action, **arguments: Any) -> Answered:
        """Run an action on the order of the address, and settle its intent where it has one."""
        return await self.carry_out(self.command(self.path["order_id"]), action, **arguments)

    async def carry_out(self, command: Command, action: Action, **arguments: Any) -> Answered:
        """Run a command, and settle its intent where it has one."""
        asked = self.asked()
        ran = await self.office.book.run(command, action, asked=asked, **arguments)
        return await self.settled(ran, asked)

    async def settled(self, ran: Ran, asked: Asked) -> Answered:
        """Give the answer of a command; a provider is asked first where one has to be."""
        if ran.waiting:
            return await settle_now(self.office, asked, ran)
        assert ran.answered is not None
        return ran.answered


def _fields(kind: type[msgspec.Struct]) -> dict[str, bool]:
    """Map the names of a query to whether they may be there several times."""
    return {
        field.name: isinstance(field.default_factory, type) and field.default_factory is list
        for field in msgspec.structs.fields(kind)
    }


def _unquote(raw: bytes) -> str:
    text = unquote_to_bytes(raw.replace(b"+", b" "))
    try:
        return check_text(text.decode(), "query")
    except UnicodeDecodeError as wrong:
        raise Malformed("The query is not UTF-8.") from wrong


def _wrong_query(name: str, detail: str) -> ValidationFailed:
    return ValidationFailed(detail, errors=[{"pointer": f"/{name}", "detail": detail}])
