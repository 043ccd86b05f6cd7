"""Our minor units and a provider's units, exactly or not at all. [faults H-6]

We count by ISO 4217. A provider may count a currency otherwise (`Capabilities.exponents`) and take
only multiples of its unit (`Capabilities.multiples`). What cannot be said exactly is refused
before anybody is called: no rounding here, ever.
"""

from collections.abc import Container

from counterfoil.kernel.money import UnknownCurrency, exponent
from counterfoil.order.gateway import Answer, Call, Capabilities, Outcome

NOT_REPRESENTABLE = "amount_not_representable"


class NotRepresentable(ValueError):
    """An amount that the provider, or our own book, cannot say exactly."""


def to_units(
    amount: int, currency: str, able: Capabilities, known: Container[str] | None = None
) -> int:
    """Turn our minor units into the provider's: 5 ISK, two decimals there, is 500.

    `known` are the currencies that the provider has at all; None: every one. Raises
    NotRepresentable: the provider has no such currency, would need a fraction of its unit, or
    takes only multiples of something else.
    """
    if known is not None and currency not in known:
        raise NotRepresentable(f"The provider does not know {currency}.")
    units = _shift(amount, currency, _theirs(currency, able) - _ours(currency))
    multiple = able.multiples.get(currency, 1)
    if units % multiple:
        raise NotRepresentable(
            f"The provider takes {currency} only in steps of {multiple} of its smallest unit;"
            f" {units} is none."
        )
    return units


def to_minor(units: int, currency: str, able: Capabilities) -> int:
    """Turn the provider's units into ours: 500 of a two-decimal ISK is 5.

    Raises NotRepresentable: it is a fraction of our smallest unit. That is a doubt, not a refusal:
    the provider has spoken already.
    """
    return _shift(units, currency, _ours(currency) - _theirs(currency, able))


def refused(call: Call, why: NotRepresentable) -> Answer:
    """Answer a call whose amount cannot be said; nobody was asked."""
    return Answer(
        outcome=Outcome.DECLINED,
        payment_reference=call.payment_reference,
        error_code=NOT_REPRESENTABLE,
        error_message=str(why),
        raw={"note": "Refused here; no provider was asked."},
    )


def _ours(currency: str) -> int:
    try:
        return exponent(currency)
    except UnknownCurrency as unknown:
        raise NotRepresentable(str(unknown)) from unknown


def _theirs(currency: str, able: Capabilities) -> int:
    stated = able.exponents.get(currency)
    return _ours(currency) if stated is None else stated


def _shift(amount: int, currency: str, digits: int) -> int:
    power: int = 10 ** abs(digits)
    if digits >= 0:
        return amount * power
    whole, rest = divmod(amount, power)
    if rest:
        raise NotRepresentable(f"{amount} {currency} is no whole number of the other unit.")
    return whole
