"""Doing what a form of set-up asks for, once however often the form is sent."""

from collections.abc import Awaitable, Callable

from counterfoil.book.once import once
from counterfoil.kernel.db import Connection
from counterfoil.kernel.problem import Problem
from counterfoil.order.change import Answered
from counterfoil.portal.forms import Form
from counterfoil.portal.visit import Visit


async def do_once(visit: Visit, effect: Callable[[Connection], Awaitable[object]]) -> None:
    """Do it under the form's key, in a transaction of its own."""
    async with visit.works.pool.connection(visit.actor.account_id) as connection:

        async def answer() -> Answered:
            await effect(connection)
            return Answered(status=200, body="{}")

        await once(connection, visit.key, answer)


def tell_refused(problem: Problem, form: Form, fields: dict[str, str]) -> None:
    """Put a refusal to its field, or above the form. Raises what is no refusal of a form.

    `fields` are the form's own: name, and what people call it.
    """
    if problem.code == "code_taken" and "code" in fields:
        form.errors["code"] = f"{fields['code']}: {problem.detail}"
        return
    if problem.status not in (409, 422):
        raise problem
    for error in problem.errors or [{"detail": problem.detail}]:
        name = error.get("pointer", "").strip("/").partition("/")[0]
        if name in fields:
            form.errors[name] = f"{fields[name]}: {error['detail']}"
        else:
            form.notices.append(error["detail"])
