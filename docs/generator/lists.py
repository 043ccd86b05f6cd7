"""Lists: problems, facts, rights and roles, currencies."""

import importlib
import pkgutil
from collections.abc import Iterator
from itertools import groupby

import counterfoil
from counterfoil.kernel.currencies import EXPONENTS
from counterfoil.kernel.problem import Problem, every_problem
from counterfoil.order.fact import FACT_TYPES
from counterfoil.order.rights import BUILT_IN_ROLES, RIGHTS, SCOPE_GROUPS
from docs.generator.markdown import code, codes, page, plain, table

#: What to do about a problem, where its own sentences do not say it.
_ADVICE = {
    "gateway_declined": "Ask for another payment, or try again under a new `Idempotency-Key`.",
    "gateway_unknown": "Nothing has to be done: the answer is the pending transaction, `Location`"
    " says where to look, and a fact in the feed tells how it ended.",
    "version_conflict": "Read the order again, decide again, and send the new `ETag`.",
    "balance_changed": "Look at the new balance and decide again.",
    "idempotency_key_reused": "A key stands for one request: method, address and body. Make a new"
    " one for another request.",
    "request_in_progress": "Wait a moment and send it again with the same key.",
    "duplicate_external_id": "The same order sent again, word for word, is answered"
    " with that order.",
    "rate_limited": "`Retry-After` says when to come back.",
    "unavailable": "Use the same `Idempotency-Key`, so that it cannot happen twice.",
    "internal": "The same request with the same `Idempotency-Key` is safe to repeat.",
    "address_suppressed": "Name another `recipient`, or send `confirm` where it works by now.",
    "attention_required": "The portal lists it under Operations; until somebody has decided, no"
    " money moves on this payment.",
    "approval_required": "Ask for a refund, which waits for somebody with a higher limit, or let"
    " somebody who has one cancel.",
    "totals_mismatch": "Leave the totals out, or send those that the lines add up to.",
    "invalid_state": "`allowed_actions` of the order says what can be done now, and how much.",
    "amount_invalid": "`allowed_actions` says the largest amount.",
    "transition_not_allowed": "`allowed` in the answer names the ways that are open; they are drawn"
    " in [Life cycles](life-cycles.md).",
    "permission_denied": "[Rights](rights.md) has the list.",
    "partial_capture_not_enabled": "Capture all that is open, or give the store the scope"
    " `partial_capture`.",
    "authorization_expired": "The customer has to authorise the payment again.",
    "refund_reference_conflict": "Choose another reference; the same one with the same request is"
    " answered with the refund that is there.",
}


def load_everything() -> None:
    """Import every module of ours that may declare something; the sandbox stands apart."""
    for module in pkgutil.walk_packages(counterfoil.__path__, "counterfoil."):
        if not any(part in module.name for part in ("__main__", ".migrations.", ".sandbox.")):
            importlib.import_module(module.name)


def problems_page() -> str:
    """Write the page of all problems."""
    load_everything()
    assert set(_ADVICE) <= {problem.code for problem in every_problem()}, "advice for no problem"
    problems = sorted(every_problem(), key=lambda problem: (problem.status, problem.code))
    return page(
        "Problems",
        """
        Whatever is refused is answered as `application/problem+json` (RFC 9457): `type`, `title`,
        `status`, `detail`, and the `code` to program against. Codes never change; sentences may.
        `errors` names fields by JSON pointer, `trace_id` is the request's id in the log, and some
        problems add facts of their own, such as the amounts that were compared.

        After 402 send a *new* `Idempotency-Key`: the old one has its answer. After any other 4xx
        either will do. After 5xx, or no answer at all, send the same request with the same key.
        """,
        table(
            ["status", "codes"],
            (
                [str(status), ", ".join(f"[`{p.code}`](#{p.code})" for p in some)]
                for status, some in groupby(problems, key=lambda problem: problem.status)
            ),
        ),
        *(_problem(problem) for problem in problems),
    )


def _problem(problem: type[Problem]) -> str:
    return "\n\n".join([
        f"## {problem.code}",
        f"**{problem.status}** · {problem.title}",
        " ".join([plain(problem.__doc__), _ADVICE.get(problem.code, "")]).strip(),
    ])


def facts_page() -> str:
    """Write the page of all types of facts."""
    return page(
        "Facts",
        """
        A fact says that something happened to an order, in the past tense, and is never changed.
        Fact number *n* of an order made its version *n*. The timeline of an order, the event feed
        and the audit trail are all lists of facts.

        `data` holds what the fact is about in the shape that the [API](api.md) has for it, and the
        order's id, number, version, statuses and amounts. It holds no names, addresses, e-mails or
        texts of notes: those are kept where they can be erased. To a credential that is limited to
        merchants, a fact about another merchant's goods has the type `hidden` and no data; its
        number stays, so that nothing seems to be missing.
        """,
        *(
            f"## {subject.capitalize()}\n\n"
            + table(["type", "what happened"], ([code(name), plain(says)] for name, says in some))
            for subject, some in _by_subject()
        ),
    )


def _by_subject() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for subject, some in groupby(FACT_TYPES.items(), key=lambda pair: pair[0].split(".")[0]):
        yield subject, list(some)


def rights_page() -> str:
    """Write the page of rights, scopes and roles."""
    groups = dict.fromkeys(right.group for right in RIGHTS)
    return page(
        "Rights, scopes and roles",
        """
        Every address of the API and every button of the portal names the right it takes. A key
        carries rights as *scopes*, with a colon; a user has them through a *role*. What is not
        in this list grants nothing. A key or a user may also be limited to merchants: it then sees
        those merchants' bags alone, and what concerns a whole order (its money, its state, its
        notes) is closed to it.
        """,
        "## Rights\n\n"
        + table(
            ["right", "scope", "", "what it allows"],
            (
                [code(right.name), code(right.scope), right.group, right.why]
                for group in groups
                for right in RIGHTS
                if right.group == group
            ),
        ),
        "## Scopes that stand for several\n\n"
        + table(
            ["scope", "stands for"],
            (
                [code(scope), "everything" if scope == "*" else codes(sorted(rights))]
                for scope, rights in SCOPE_GROUPS.items()
            ),
        ),
        "## Roles\n\nEvery account has these from its first day.\n\n"
        + table(
            ["role", "", "may"],
            (
                [code(role.code), role.name, _may(role.permissions)]
                for role in BUILT_IN_ROLES
            ),
        ),
    )


def _may(permissions: tuple[str, ...]) -> str:
    if permissions == ("*",):
        return "everything"
    without = [right.name for right in RIGHTS if right.name not in permissions]
    if len(without) < len(permissions):
        return f"everything but {codes(without)}"
    return codes(permissions)


def money_page() -> str:
    """Write the page about amounts and currencies."""
    digits = sorted(set(EXPONENTS.values()))
    return page(
        "Money and currencies",
        """
        An amount is a whole number of the currency's *minor unit*, beside the ISO 4217 code of that
        currency: `1250` and `"EUR"` are 12.50 euros, `1250` and `"JPY"` are 1,250 yen, `1250` and
        `"KWD"` are 1.250 dinars. There are no fractions and no decimals anywhere in the API; the
        portal and files write decimals, exactly or not at all.

        No amount is larger than 999,999,999,999 minor units. An order has one currency, which may
        be another one than its store's.

        An amount that concerns a whole order is shared out among its bags in proportion to what
        each of them has left: every share is rounded down, and the units that are left over go
        to the largest remainders. The shares always add up to the amount. Whoever wants another
        sharing sends `allocations`.
        """,
        "## Digits of the minor unit\n\n"
        + table(
            ["digits", "100 minor units are", "currencies"],
            (
                [
                    str(count),
                    _hundred(count),
                    codes(sorted(c for c, digits in EXPONENTS.items() if digits == count)),
                ]
                for count in digits
            ),
        )
        + "\n\nCurrencies that were withdrawn since 2011 are among them, because an imported order"
        " keeps the currency it was paid in. Metals, bond units and test codes are not.",
    )


def _hundred(digits: int) -> str:
    return {0: "100", 2: "1.00", 3: "0.100", 4: "0.0100"}[digits]
