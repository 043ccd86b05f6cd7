"""What the money forms and panels are told when they are looked at."""

from typing import Any

from counterfoil.portal.forms import Ask, Form, Say
from tests.portal import sample_order


def money_form(action: str, **given: Any) -> dict[str, Any]:
    order = sample_order.order()
    base: dict[str, Any] = {
        "order": order,
        "payment": order.payments[0],
        "back": f"/portal/orders/{order.id}",
        "preview": False,
        "form": Form(
            version=17,
            values={
                "amount": "100.00",
                "scope": "all",
                "reference": "R-10412-2",
                "reason_code": "CUSTOMER",
                "restock_items": "1",
            },
        ),
    }
    email = {"email": "ola@example.no", "email_question": "Send an e-mail to ola@example.no?"}
    told = {
        "capture": (
            Ask(
                open_minor=10000,
                sums=(("Authorised", 100000), ("Captured", 60000), ("Open", 10000)),
                hint="Up to 100.00 NOK. 300.00 NOK is not known yet.",
            ),
            Say(
                label="Capture 100.00 NOK",
                shown_minor=10000,
                lines=(
                    "100.00 NOK is taken through Sandbox Card. Nothing stays reserved.",
                    "It can be given back with a refund.",
                ),
            ),
        ),
        "void": (
            Ask(
                open_minor=10000,
                sums=(("Authorised", 100000), ("Captured", 60000), ("Open", 10000)),
                all_means="Nothing stays reserved.",
                **email,
            ),
            Say(
                label="Void 100.00 NOK",
                shown_minor=10000,
                grave=True,
                final="This cannot be undone.",
                lines=("100.00 NOK goes back to the shopper’s limit through Sandbox Card.",),
            ),
        ),
    }[action]
    return base | {"ask": told[0], "say": told[1]} | given


def result(**given: Any) -> dict[str, Any]:
    order = sample_order.order()
    return {
        "order": order,
        "back": f"/portal/orders/{order.id}",
        "view": None,
        "row": None,
        **given,
    }
