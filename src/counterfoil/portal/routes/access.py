"""Signing in and out, the theme, and the list of keys. [faults H-15, H-16; rulings 48]"""

from typing import get_args

from litestar import Response, get, post

from counterfoil.access.sign_in import sign_in
from counterfoil.access.users import Theme, set_theme
from counterfoil.kernel.problem import Problem
from counterfoil.portal import pages, respond
from counterfoil.portal.forms import Form, typed
from counterfoil.portal.respond import SESSION_COOKIE, Asking
from counterfoil.portal.visit import Visit, check_origin, frame_of, portal_of

LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


@get("/login")
async def login_form(request: Asking) -> Response[bytes]:
    """Ask who is there."""
    wanted = respond.own_path(request.query_params.get("next", ""))
    return _login(request, Form(), wanted)


@post("/login", status_code=200)
async def login_now(request: Asking) -> Response[bytes]:
    """Begin a session and end the one that the browser had; above a page, only the form is new."""
    check_origin(request)
    portal = portal_of(request)
    form = await request.form()
    email = typed(form, "email", 254)
    wanted = respond.own_path(typed(form, "next", 2000))
    try:
        begun = await sign_in(
            portal.pool,
            email=email,
            password=str(form.get("password") or "")[:1000],
            address=request.client.host if request.client else "",
            max_s=portal.settings.session_max_s,
        )
    except Problem as problem:
        if problem.status not in (401, 429):
            raise
        refused = Form(values={"email": email}, notices=[problem.detail])
        return _login(request, refused, wanted, problem)
    await portal.sessions.sign_out(request.cookies.get(SESSION_COOKIE))
    if respond.wants_part(request):
        session = await portal.sessions.authenticate(begun.cookie)
        text = pages.render("access/welcome.html", frame_of(request, session))
        answer = respond.html(request, text, part=True)
    else:
        answer = respond.go(wanted)
    answer.set_cookie(respond.session_cookie(begun.cookie))
    return answer


def _login(
    request: Asking, form: Form, wanted: str, problem: Problem | None = None
) -> Response[bytes]:
    frame = frame_of(request, None)
    status = problem.status if problem else 200
    headers = dict(problem.headers) if problem else {}
    if frame.partial:
        text = pages.render("access/relogin.html", frame, form=form, next=wanted)
        return respond.html(request, text, part=True, status=status, headers=headers)
    text = pages.render(
        "access/login.html", frame, form=form, next=wanted, insecure=_insecure(request)
    )
    return respond.html(request, text, part=False, status=status, headers=headers)


def _insecure(request: Asking) -> bool:
    """Whether the browser will not keep the cookie: plain http from another machine."""
    host = (request.headers.get("host") or "").rsplit(":", 1)[0]
    behind = portal_of(request).settings.behind_https
    return request.url.scheme == "http" and not behind and host not in LOOPBACK


@post("/logout", status_code=303)
async def logout(request: Asking) -> Response[bytes]:
    """End the session; what the browser kept of pages goes with it."""
    visit = await Visit.begin(request)
    await visit.works.sessions.sign_out(request.cookies.get(SESSION_COOKIE))
    answer = respond.go("/portal/login", {"Clear-Site-Data": '"cache"'})
    answer.set_cookie(respond.session_cookie("", ended=True))
    return answer


@post("/me/theme", status_code=303)
async def theme(request: Asking) -> Response[bytes]:
    """Remember how the person likes the portal."""
    visit = await Visit.begin(request)
    wanted = visit.typed("theme")
    if wanted in get_args(Theme):
        async with visit.works.pool.connection(visit.actor.account_id) as connection:
            await set_theme(connection, visit.session.user.id, wanted)  # type: ignore[arg-type]
        visit.works.sessions.forget(visit.session.user.id)
    return respond.go(respond.own_path(visit.typed("back", 2000)))


@get("/keys")
async def keys(request: Asking) -> Response[bytes]:
    """List the keyboard's shortcuts."""
    visit = await Visit.begin(request)
    return visit.page("access/keys.html", back="/portal/orders/open")


ROUTES = [login_form, login_now, logout, theme, keys]
