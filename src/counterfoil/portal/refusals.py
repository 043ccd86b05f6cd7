"""Refusals on a page: the core's problem in words that say what happened and what can be done.

A problem inside a dialog opens as a dialog, a lost session as a sign-in above the page. Nobody is
blamed and no stack is shown. [design guide 3.24]
"""

from typing import Any
from urllib.parse import quote

from litestar import Request, Response

from counterfoil.kernel.log import request_id
from counterfoil.kernel.problem import Problem
from counterfoil.order.rights import RIGHTS
from counterfoil.portal import pages, respond
from counterfoil.portal.forms import Form
from counterfoil.portal.respond import Asking
from counterfoil.portal.visit import frame_of

DOOR = ("Open orders", "/portal/orders/open")


def tell_page(scope: Any, problem: Problem) -> Any:
    """Make the answer of a problem at an address of the portal, as an ASGI application."""
    request: Asking = Request(scope)
    return _ready(on_problem(request, problem))


def on_problem(request: Asking, problem: Problem) -> Response[bytes]:
    """Answer a refusal."""
    if problem.status == 401:
        return _signed_out(request)
    frame = getattr(request.state, "frame", None) or frame_of(request, None)
    sentence, facts = told(problem)
    headers = dict(problem.headers)
    if frame.partial:
        headers |= {"HX-Retarget": "#dialog", "HX-Reswap": "innerHTML"}
    text = pages.render(
        "problems/problem.html",
        frame,
        status=problem.status,
        heading=problem.title.rstrip("."),
        sentence=sentence,
        facts=facts,
        doors=[DOOR] if frame.person else [("Sign in", "/portal/login")],
        trace=request_id.get() if problem.status >= 500 else "",
        back=DOOR[1],
    )
    return respond.html(request, text, part=frame.partial, status=problem.status, headers=headers)


def told(problem: Problem) -> tuple[str, list[tuple[str, str]]]:
    """Put a problem into a sentence, and what it names into pairs."""
    facts: list[tuple[str, str]] = []
    if right := problem.facts.get("permission"):
        why = next((one.why for one in RIGHTS if one.name == right), "")
        return (
            f"You need the permission “{right}”. Somebody who manages access can give it.",
            [("It allows", why)] if why else [],
        )
    if wait := problem.headers.get("Retry-After"):
        facts.append(("Try again in", f"{wait} s"))
    if problem.code == "idempotency_key_reused":
        return "This form was sent before, with other values. See what became of it first.", facts
    same = problem.detail == problem.title
    return ("Go back and try it from there." if same else problem.detail), facts


def _signed_out(request: Asking) -> Response[bytes]:
    frame = frame_of(request, None)
    if not frame.partial:
        wanted = frame.path if request.method == "GET" else ""
        return respond.go("/portal/login" + (f"?next={quote(wanted, safe='/')}" if wanted else ""))
    text = pages.render("access/relogin.html", frame, form=Form(), next="")
    headers = {"HX-Retarget": "#relogin", "HX-Reswap": "innerHTML"}
    return respond.html(request, text, part=True, status=401, headers=headers)


def _ready(response: Response[bytes]) -> Any:
    """Make an answer that is sent as it is."""
    body = response.content
    headers = [(name.lower().encode(), text.encode()) for name, text in response.headers.items()]
    headers.append((b"content-length", str(len(body)).encode()))
    headers.append((b"content-type", respond.HTML.encode()))

    async def send_it(scope: Any, receive: Any, send: Any) -> None:
        status = response.status_code or 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return send_it
