"""A visit: who is asking, what they may, the form they sent, and the door to the core.

Every handler begins with `Visit.begin(request, right)`: it knows the session, holds the right and,
where something is written, wants proof that the form came from our own page. [faults H-13 to H-17]
"""

import hashlib
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from litestar import Response
from litestar.datastructures import FormMultiDict

from counterfoil.access.sessions import Session, SessionCheck
from counterfoil.book.approvals import count_awaiting
from counterfoil.book.opening import Key
from counterfoil.kernel.problem import PermissionDenied
from counterfoil.kernel.secrets import KeyRing
from counterfoil.order.actor import Actor
from counterfoil.portal import pages, respond, tokens
from counterfoil.portal.counts import OPEN_ORDERS, RETURNS, REVIEWS, WORK
from counterfoil.portal.forms import typed
from counterfoil.portal.respond import Asking
from counterfoil.settings import Settings
from counterfoil.work.desk import Works

SAFE = ("GET", "HEAD")
UNSIGNED = ("_csrf_token", "idempotency_key")


class Portal(Works):
    """What every page works with; `app` puts such a thing into its state, made once a process."""

    settings: Settings
    sessions: SessionCheck
    ring: KeyRing


class ForeignForm(PermissionDenied):
    """The form did not come from a page of ours, or its token is not the session's."""

    title = "This form did not come from a page of ours."


class Visit(msgspec.Struct):
    """One request of somebody who is signed in."""

    request: Asking
    works: Portal
    session: Session
    frame: pages.Frame
    form: FormMultiDict

    @classmethod
    async def begin(
        cls, request: Asking, right: str = "", here: str = "", *, whole: bool = False
    ) -> "Visit":
        """Begin a visit; `whole`: it is about whole orders, whoever fulfils them.

        Raises Unauthenticated, ForeignForm, PermissionDenied, MerchantLimited.
        """
        works = portal_of(request)
        session = await works.sessions.authenticate(request.cookies.get(respond.SESSION_COOKIE))
        form = FormMultiDict()
        if request.method not in SAFE:
            check_origin(request)
            form = await request.form()
            check_token(request, session, form)
        visit = cls(request, works, session, frame_of(request, session, here), form)
        request.state.frame = visit.frame
        trace: Any = request.scope.get("counterfoil")
        if trace is not None:
            trace.actor = session.actor
        if right:
            session.actor.require(right)
        if whole:
            session.actor.require_whole_order()
        if request.method == "GET" and not visit.part:
            await visit._count()
        return visit

    async def _count(self) -> None:
        """Put the menu's counts into the frame."""
        async with self.works.pool.connection(self.actor.account_id) as connection:
            counts = await OPEN_ORDERS.known(connection, self.actor)
            work = await WORK.known(connection, self.actor)
            reviews = await REVIEWS.known(connection, self.actor)
            returning = await RETURNS.known(connection, self.actor)
            waiting = None
            if self.actor.can("payments.approve"):
                waiting = await count_awaiting(connection, self.actor)
        self.frame = msgspec.structs.replace(
            self.frame,
            open_orders=counts.get(""),
            to_settle=counts.get("unknown", (0, False))[0],
            expiring=work.expiring,
            tasks=work.tasks,
            to_approve=waiting,
            to_review=reviews,
            returning=returning,
        )
        self.request.state.frame = self.frame

    @property
    def actor(self) -> Actor:
        """Who acts."""
        return self.session.actor

    @property
    def part(self) -> bool:
        """Whether only a fragment was asked for."""
        return self.frame.partial

    def typed(self, name: str, limit: int = 255) -> str:
        """Take a field of the form as text."""
        return typed(self.form, name, limit)

    @property
    def version(self) -> int | None:
        """The version of the order that the form was rendered with."""
        text = self.typed("version", 12)
        return int(text) if text.isascii() and text.isdecimal() else None

    def minor(self, name: str) -> int:
        """Take a hidden amount of the form; one that is no number is none that was shown."""
        text = self.typed(name, 20)
        return int(text) if text.isascii() and text.isdecimal() else -1

    @property
    def key(self) -> Key:
        """The form's own key: the same form sent twice has one effect."""
        fields = [
            (name, value)
            for name, value in self.form.multi_items()
            if name not in UNSIGNED and isinstance(value, str)
        ]
        said = msgspec.json.encode([self.request.method, self.request.url.path, sorted(fields)])
        return Key(
            credential=self.actor.credential,
            key=self.typed("idempotency_key") or hashlib.sha256(said).hexdigest(),
            fingerprint=hashlib.sha256(said).hexdigest(),
        )

    def came_from(self, prefix: str) -> bool:
        """Tell whether the page that asked, below a dialog, is the one that begins so."""
        return urlsplit(self.request.headers.get("hx-current-url", "")).path.startswith(prefix)

    def page(
        self,
        template: str,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **context: Any,
    ) -> Response[bytes]:
        """Render a page, or its fragment where only that was asked for."""
        text = pages.render(template, self.frame, **context)
        return respond.html(self.request, text, part=self.part, status=status, headers=headers)

    def region(
        self,
        template: str,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **context: Any,
    ) -> Response[bytes]:
        """Render a part of a page, whichever way it was asked for."""
        frame = msgspec.structs.replace(self.frame, partial=True)
        text = pages.render(template, frame, **context)
        return respond.html(self.request, text, part=True, status=status, headers=headers)


def portal_of(request: Asking) -> Portal:
    """Find what the portal works with."""
    portal: Portal = request.app.state.works
    return portal


def frame_of(request: Asking, session: Session | None, here: str = "") -> pages.Frame:
    """Make the frame: who looks, in which zone, what they may."""
    plain = pages.Frame(
        zone=zone_of(request),
        partial=respond.wants_part(request),
        path=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        here=here,
        now=datetime.fromtimestamp(time.time(), UTC),
    )
    if session is None:
        return plain
    user = session.user
    return msgspec.structs.replace(
        plain,
        person=user.name,
        email=user.email,
        account=user.email,
        theme=user.theme,
        csrf=tokens.masked(session.csrf),
        rights=session.actor.rights,
        limited=session.actor.merchants is not None,
        some_stores=session.actor.stores is not None,
    )


def zone_of(request: Asking) -> str:
    """Take the time zone that the browser named, if there is one of that name."""
    name = unquote(request.cookies.get(respond.ZONE_COOKIE, ""))[:64]
    try:
        return ZoneInfo(name).key if name else "UTC"
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"


def check_origin(request: Asking) -> None:
    """Refuse what another site sends. Raises ForeignForm.

    Browsers say where a request comes from in Sec-Fetch-Site; where one does not, its Origin has to
    be ours. A request that says neither is no browser's.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site != "same-origin":
            raise ForeignForm(f"It came from a page that is {site}.")
        return
    origin = urlsplit(request.headers.get("origin", ""))
    if not origin.netloc or origin.netloc != request.headers.get("host"):
        raise ForeignForm("The browser did not say where it came from.")


def check_token(request: Asking, session: Session, form: FormMultiDict) -> None:
    """Want the session's token, in the header or in the form. Raises ForeignForm."""
    given = (request.headers.get("x-csrftoken"), typed(form, "_csrf_token"))
    if not any(tokens.matches(one, session.csrf) for one in given if one):
        raise ForeignForm("Load the page again and send the form once more.")
