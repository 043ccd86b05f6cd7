"""Every currency there is, through every kind of gateway: exact both ways, or refused. [H-6]"""

from itertools import product

import pytest

from counterfoil.gateways import KINDS
from counterfoil.gateways.amounts import NotRepresentable, to_minor, to_units
from counterfoil.gateways.stripe_currencies import PRESENTMENT
from counterfoil.kernel.currencies import EXPONENTS
from counterfoil.kernel.money import MINOR_MAX
from counterfoil.order.capability import CAPABILITIES
from counterfoil.order.gateway import Capabilities, Kind, Outcome
from tests.gateways.contract import call_for
from tests.gateways.raw import Caller, RawServer

AMOUNTS = (1, 9, 10, 99, 100, 101, 700, 12_345, 999_999_990, MINOR_MAX)
#: Which currencies a kind has at all; the others have every one.
KNOWN = {"stripe": PRESENTMENT}

#: What Stripe is sent for 1,200 of our minor units; None: refused. Written off its documentation by
#: hand: some as everywhere, all that it counts otherwise, and some that it does not have.
GOLDEN = {
    "EUR": 1_200,
    "JPY": 1_200,
    "KRW": 1_200,
    "CLP": 1_200,
    "VND": 1_200,
    "XPF": 1_200,
    "HUF": 1_200,
    "TWD": 1_200,
    "ISK": 120_000,
    "UGX": 120_000,
    "MGA": 12,
    "BHD": 1_200,
    "JOD": 1_200,
    "KWD": 1_200,
    "OMR": 1_200,
    "TND": 1_200,
    "IQD": None,
    "LYD": None,
    "CLF": None,
    "UYW": None,
    "IRR": None,
    "KPW": None,
    "CUP": None,
    "SYP": None,
    "USN": None,
    "VES": None,
    "EEK": None,
}
#: Amounts that Stripe's own rules forbid.
FORBIDDEN = [("KWD", 5_124), ("BHD", 1), ("TND", 999_999), ("MGA", 1), ("MGA", 1_250)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_amount_comes_back_as_it_went_or_does_not_go(kind):
    able = CAPABILITIES[kind]
    for currency, amount in product(EXPONENTS, AMOUNTS):
        try:
            units = to_units(amount, currency, able, KNOWN.get(kind))
        except NotRepresentable:
            continue
        assert isinstance(units, int)
        assert to_minor(units, currency, able) == amount, currency
        assert units % able.multiples.get(currency, 1) == 0, currency


@pytest.mark.parametrize("kind", KINDS)
def test_no_currency_that_a_kind_has_is_refused_altogether(kind):
    able = CAPABILITIES[kind]
    for currency in KNOWN.get(kind, EXPONENTS):
        assert to_units(120_000, currency, able, KNOWN.get(kind)) > 0, currency


@pytest.mark.parametrize(("currency", "units"), GOLDEN.items())
def test_stripe_counts_as_its_documentation_says(currency, units):
    able = CAPABILITIES["stripe"]
    if units is None:
        with pytest.raises(NotRepresentable):
            to_units(1_200, currency, able, PRESENTMENT)
    else:
        assert to_units(1_200, currency, able, PRESENTMENT) == units
        assert to_minor(units, currency, able) == 1_200


@pytest.mark.parametrize(("currency", "amount"), FORBIDDEN)
def test_what_stripe_does_not_take_is_refused(currency, amount):
    with pytest.raises(NotRepresentable):
        to_units(amount, currency, CAPABILITIES["stripe"], PRESENTMENT)


def test_where_stripe_differs_from_the_standard_is_all_written_down():
    able = CAPABILITIES["stripe"]
    zero = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
    three = "BHD JOD KWD OMR TND"
    for currency in PRESENTMENT:
        theirs = able.exponents.get(currency, EXPONENTS[currency])
        assert theirs == (0 if currency in zero else 3 if currency in three else 2), currency
    assert set(able.exponents) | set(able.multiples) <= PRESENTMENT


def test_a_fraction_of_our_unit_is_not_rounded():
    with pytest.raises(NotRepresentable):
        to_minor(550, "ISK", Capabilities(exponents={"ISK": 2}))
    assert to_minor(500, "ISK", Capabilities(exponents={"ISK": 2})) == 5
    for currency in ("", "eur", "XAU", "XXX"):
        with pytest.raises(NotRepresentable):
            to_units(1, currency, Capabilities())


@pytest.mark.parametrize("kind", [Kind.AUTHORIZE, Kind.CAPTURE, Kind.VOID, Kind.REFUND])
@pytest.mark.parametrize(("currency", "amount"), [("CLF", 10_000), ("KWD", 5_124), ("MGA", 1)])
async def test_what_cannot_be_said_is_declined_before_any_call(http, kind, currency, amount):
    async def never(caller: Caller) -> None:
        await caller.answer(200, b"{}")

    async with RawServer(never) as server:
        settings = {"base_url": server.url}
        gateway = KINDS["stripe"](settings, {"api_key": "sk_test_x"}, http)
        payment = None if kind is Kind.AUTHORIZE else "pi_1"
        answer = await gateway.send(call_for(kind, payment, amount, currency=currency))
        assert server.requests == []
    assert (answer.outcome, answer.error_code) == (Outcome.DECLINED, "amount_not_representable")
