"""The one table that sorts what Stripe says into the four outcomes.

What is not in it is UNKNOWN: every 5xx (Stripe repeats them under the same key, so only asking
helps), every kind of error and code that is not named here, every status of an object that nobody
has documented. [faults §1, P-1 to P-9, A-1, V-2, docs.stripe.com/error-codes]
"""

from msgspec.structs import replace

from counterfoil.gateways.amounts import NotRepresentable, to_minor
from counterfoil.gateways.stripe_shapes import Halted, Intent, Refund, Refusal
from counterfoil.order.gateway import PENDING, Answer, Call, Capabilities, Kind, Outcome

REFERENCE = "our_reference"
CAPTURED_BY = "capture_reference"
NOT_FOUND = "not_found"

#: Status and kind of error; None stands for a code that was not given. What has a code is sorted
#: by the code where `CODES` has it.
ERRORS: dict[tuple[int, str], Outcome] = {
    (400, "idempotency_error"): Outcome.UNKNOWN,  # The key did something else before.
    (401, "invalid_request_error"): Outcome.NOT_EXECUTED,
    (401, "authentication_error"): Outcome.NOT_EXECUTED,
    (402, "card_error"): Outcome.DECLINED,
    (403, "invalid_request_error"): Outcome.NOT_EXECUTED,
    (429, "invalid_request_error"): Outcome.NOT_EXECUTED,
    (429, "rate_limit_error"): Outcome.NOT_EXECUTED,
    (429, "api_error"): Outcome.NOT_EXECUTED,
}
#: What an `invalid_request_error` with status 400, 404 or 409 means, by its code.
CODES: dict[str | None, Outcome] = {
    # A request that fails validation is not begun. [docs.stripe.com/idempotency]
    None: Outcome.DECLINED,
    **dict.fromkeys(
        (
            "amount_too_large", "amount_too_small", "balance_insufficient",
            "capture_charge_authorization_expired", "capture_unauthorized_payment",
            "charge_already_captured", "charge_already_refunded", "charge_disputed",
            "charge_exceeds_source_limit", "charge_exceeds_transaction_limit",
            "charge_expired_for_capture", "charge_invalid_parameter", "charge_not_refundable",
            "country_unsupported", "insufficient_funds", "intent_invalid_state",
            "invalid_charge_amount", "parameter_invalid_empty", "parameter_invalid_integer",
            "parameter_invalid_string_blank", "parameter_invalid_string_empty",
            "parameter_missing", "parameter_unknown", "parameters_exclusive",
            "payment_intent_incompatible_payment_method", "payment_intent_invalid_parameter",
            "payment_intent_unexpected_state", "payment_method_currency_mismatch",
            "payment_method_invalid_parameter", "payment_method_not_available",
            "payment_method_unactivated", "payment_method_unexpected_state",
            "payment_method_unsupported_type", "refund_disputed_payment", "resource_missing",
            "status_transition_invalid",
        ),
        Outcome.DECLINED,
    ),
    # Turned away at the door, or our set-up is wrong: the same request may come again.
    **dict.fromkeys(
        (
            "account_invalid", "api_key_expired", "idempotency_key_in_use", "livemode_mismatch",
            "lock_timeout", "payment_intent_rate_limit_exceeded", "platform_api_key_expired",
            "rate_limit", "secret_key_required", "testmode_charges_only",
            "tls_version_unsupported",
        ),
        Outcome.NOT_EXECUTED,
    ),
}  # fmt: skip
_CODED = (400, 404, 409)
_SAID: dict[str | None, str] = {
    "card_declined": "declined",
    "generic_decline": "declined",
    "idempotency_key_in_use": "in_use",
    "rate_limit": "rate_limited",
}
_BY_STATUS = {401: "unauthorized", 403: "forbidden", 429: "rate_limited"}
_FAILURES = {500: "internal", 503: "unavailable"}
#: Statuses of a PaymentIntent in which money may yet move without our doing.
_WAITING = frozenset({"requires_confirmation", "requires_action", "processing"})
#: Stripe ends a hold that nobody captured with one of these words.
EXPIRED = frozenset({"expired", "automatic"})


def doubt(answer: Answer, code: str, message: str) -> Answer:
    """Keep what was found, but call it UNKNOWN: a person has to look. [faults P-8]"""
    return replace(answer, outcome=Outcome.UNKNOWN, error_code=code, error_message=message)


def unclear(code: str, message: str) -> Answer:
    """Say that nothing is known."""
    return Answer(outcome=Outcome.UNKNOWN, error_code=code, error_message=message)


def missing(message: str = "Stripe knows nothing of it.") -> Answer:
    """Say that it has not been done (yet)."""
    return Answer(outcome=Outcome.NOT_EXECUTED, error_code=NOT_FOUND, error_message=message)


def declined(code: str, message: str, payment: str | None = None) -> Answer:
    """Say no for good."""
    return Answer(
        outcome=Outcome.DECLINED, payment_reference=payment, error_code=code, error_message=message
    )


def failed(status: int) -> Answer:
    """Judge an answer that has no error object: from whoever stands in front, or cut."""
    code = _FAILURES.get(status, f"http_{status}")
    return unclear(code, f"Stripe, or what stands before it, answered {status}.")


def judge_refusal(call: Call, status: int, told: Refusal) -> Answer:
    """Sort an error object."""
    if call.kind == Kind.VOID and is_void(told.payment_intent):
        return _voided_before(call, told.payment_intent)
    outcome = _outcome(status, told)
    code = _code(status, told)
    message = told.message or f"Stripe says {code}."
    answer = Answer(outcome=outcome, error_code=code, error_message=message)
    if outcome is Outcome.DECLINED and told.payment_intent is not None:
        answer = replace(answer, payment_reference=told.payment_intent.id)
        if call.kind == Kind.AUTHORIZE:
            answer = replace(answer, gateway_transaction_id=told.payment_intent.id)
            if told.payment_intent.status in ("requires_capture", "succeeded"):
                return doubt(answer, "contradiction", "Stripe says no, its payment says yes.")
    return answer


def _outcome(status: int, told: Refusal) -> Outcome:
    if told.type == "invalid_request_error" and status in _CODED:
        if told.code is None and status != 400:
            return Outcome.UNKNOWN
        return CODES.get(told.code, Outcome.UNKNOWN)
    return ERRORS.get((status, told.type), Outcome.UNKNOWN)


def _code(status: int, told: Refusal) -> str:
    if status == 402 and told.code == "card_declined" and told.decline_code:
        return _SAID.get(told.decline_code, told.decline_code)
    if told.code is not None:
        return _SAID.get(told.code, told.code)
    if told.type == "card_error":
        return "declined"
    if status == 400:
        return told.type if told.type != "invalid_request_error" else "invalid_request"
    return _BY_STATUS.get(status) or _FAILURES.get(status) or f"http_{status}"


def is_void(halted: Halted | None) -> bool:
    """Tell whether what a void wants is so already: nothing is held any more. [faults V-2]"""
    return halted is not None and halted.status == "canceled"


def _voided_before(call: Call, halted: Halted | None) -> Answer:
    assert halted is not None
    return Answer(
        outcome=Outcome.SUCCEEDED,
        gateway_transaction_id=void_id(halted.id),
        payment_reference=halted.id,
        error_code="already_voided",
        amount=call.amount,
    )


def void_id(intent_id: str) -> str:
    """Name the void of a payment; Stripe has none for it, and there is one at most."""
    return f"{intent_id}_canceled"


# --------------------------------------------------------------------------------------- payments


def judge_authorization(
    call: Call, found: Intent, able: Capabilities, *, confirmed: bool
) -> Answer:
    """Judge the payment that an AUTHORIZE made, or that the checkout says it made.

    `confirmed`: we named the card, so that a failed attempt is the end of it; otherwise the
    shopper may try another one, and what waits for them is still ours to lose.
    [rulings 22, faults A-1]
    """
    answer = _said(call, found, found.id)
    ours = found.marked(REFERENCE) == call.our_reference
    claimed = call.payment_reference is not None and not ours
    if not claimed and not ours:
        answer = doubt(answer, "reference_mismatch", "It is not the payment that was asked for.")
    match found.status:
        case "requires_capture" | "succeeded":
            answer = _authorized(call, found, answer)
        case "canceled":
            code = "expired" if found.cancellation_reason in EXPIRED else "voided"
            return declined(code, f"It is {code}.", found.id)
        case "requires_payment_method" if found.last_payment_error and (confirmed or claimed):
            return _attempt_failed(found)
        case "requires_payment_method" | "requires_action" | "requires_confirmation" | "processing":
            answer = _pending(found, answer)
        case _:
            answer = doubt(answer, "unknown_status", f"Stripe says {found.status[:40]!r}.")
    return _compared(call, answer, found.currency, found.amount, able)


def _authorized(call: Call, found: Intent, answer: Answer) -> Answer:
    wanted = "succeeded" if call.flow == "payment" else "requires_capture"
    if found.status != wanted:
        return doubt(answer, "state_mismatch", f"It is {found.status}, not {wanted}.")
    if call.flow == "payment" and found.amount_received not in (None, found.amount):
        return doubt(answer, "amount_mismatch", f"Stripe took {found.amount_received}.")
    return answer


def _attempt_failed(found: Intent) -> Answer:
    why = found.last_payment_error
    assert why is not None
    code = why.decline_code if why.code == "card_declined" and why.decline_code else why.code
    said = _SAID.get(code, code) or "declined"
    answer = declined(said, why.message or "The attempt to pay failed.", found.id)
    return replace(answer, gateway_transaction_id=found.id)


def _pending(found: Intent, answer: Answer) -> Answer:
    action = found.next_action
    url = action.redirect_to_url.url if action and action.redirect_to_url else None
    answer = replace(answer, redirect_url=url)
    if answer.outcome is Outcome.SUCCEEDED:
        return doubt(answer, PENDING, f"Stripe waits: {found.status}.")
    return answer


def judge_capture(call: Call, found: Intent, able: Capabilities, *, asked: bool) -> Answer:
    """Judge a payment by whether our capture took place; there is one at most."""
    answer = _said(call, found, found.charge_id)
    mine = found.marked(CAPTURED_BY) == call.our_reference
    match found.status:
        case "succeeded" if asked and not mine:
            return declined("already_captured", "Something else captured it.", found.id)
        case "canceled" if asked:
            return declined("voided", "Nothing is held any more.", found.id)
        case "requires_capture" if asked:
            return missing()
        case "succeeded":
            taken = found.amount_received
            if taken is None and found.charge is not None:
                taken = found.charge.amount_captured
            if taken is None:
                return doubt(answer, "invalid_answer", "Stripe does not say how much it took.")
            if not mine:
                answer = doubt(answer, "reference_mismatch", "It is not our capture.")
            return _compared(call, answer, found.currency, taken, able)
        case status if status in _WAITING:
            return doubt(answer, PENDING, f"Stripe waits: {status}.")
        case status:
            return _strange(answer, status)


def judge_void(call: Call, found: Intent, able: Capabilities, *, asked: bool) -> Answer:
    """Judge a payment by whether it is given up: all of it or nothing. [faults V-1, V-2]"""
    answer = _said(call, found, void_id(found.id))
    match found.status:
        case "canceled":
            return _compared(call, answer, found.currency, found.amount, able)
        case "succeeded" if asked:
            return declined("already_captured", "It is captured.", found.id)
        case "requires_capture" | "requires_payment_method" if asked:
            return missing()
        case status if status in _WAITING:
            return missing() if asked else doubt(answer, PENDING, f"Stripe waits: {status}.")
        case status:
            return _strange(answer, status)


def judge_refund(call: Call, found: Refund, able: Capabilities) -> Answer:
    """Judge one refund; what was accepted may still fail. [faults R-3]"""
    answer = Answer(
        outcome=Outcome.SUCCEEDED,
        gateway_transaction_id=found.id,
        payment_reference=found.payment_intent,
        amount=found.amount,
    )
    match found.status:
        case "succeeded":
            pass
        case "pending" | "requires_action":
            answer = doubt(answer, PENDING, "The refund is on its way.")
        case "failed" | "canceled":
            code = found.failure_reason or found.status
            said = f"The refund {'was canceled' if found.status == 'canceled' else 'failed'}."
            answer = replace(answer, outcome=Outcome.DECLINED, error_code=code, error_message=said)
        case _:
            answer = doubt(answer, "unknown_status", f"Stripe says {str(found.status)[:40]!r}.")
    if found.marked(REFERENCE) != call.our_reference:
        answer = doubt(answer, "reference_mismatch", "It is not the refund that was asked for.")
    return _compared(call, answer, found.currency, found.amount, able)


def _said(call: Call, found: Intent, id_: str) -> Answer:
    return Answer(
        outcome=Outcome.SUCCEEDED,
        gateway_transaction_id=id_,
        payment_reference=found.id,
        amount=found.amount,
    )


def _strange(answer: Answer, status: str) -> Answer:
    return doubt(answer, "unknown_status", f"Stripe says {status[:40]!r}.")


def _compared(call: Call, answer: Answer, currency: str, units: int, able: Capabilities) -> Answer:
    """Put the provider's figure in, and doubt it where it is not what was asked for. [P-8]"""
    if currency.upper() != call.currency:
        answer = replace(answer, amount=None)
        return doubt(answer, "currency_mismatch", f"It is in {currency[:12].upper()}.")
    try:
        answer = replace(answer, amount=to_minor(units, call.currency, able))
    except NotRepresentable as why:
        return doubt(replace(answer, amount=None), "amount_mismatch", str(why))
    if answer.amount != call.amount:
        return doubt(answer, "amount_mismatch", f"It is over {answer.amount}.")
    if call.payment_reference not in (None, answer.payment_reference):
        return doubt(answer, "payment_mismatch", "It is of another payment.")
    return answer
