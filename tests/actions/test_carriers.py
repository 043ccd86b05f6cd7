"""Carriers that are known by name, and where their numbers are tracked."""

import re
from string import Formatter
from urllib.parse import urlsplit

import pytest

from counterfoil.order.carriers import CARRIERS, find_carrier, tracking_address


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("UPS", "ups"),
        ("ups", "ups"),
        ("  UPS  ", "ups"),
        ("United Parcel Service", "ups"),
        ("DHL Express", "dhl"),
        ("dhl-express", "dhl"),
        ("FedEx Ground®", "fedex"),
        ("FEDERAL EXPRESS", "fedex"),
        ("Royal  Mail Tracked 24", "royal_mail"),
        ("royal_mail", "royal_mail"),
        ("Posten Norge", "posten"),
        ("PostNord Sverige", "postnord"),
        ("Bring", "bring"),
        ("U.S. Postal Service", None),
        ("US Postal Service", "usps"),
        ("Bringmeister", None),
        ("Royal", None),
        ("My DHL", None),
        ("", None),
        (None, None),
        ("株式会社", None),
    ],
)
def test_a_carrier_is_recognised_by_how_its_name_begins(name, code):
    found = find_carrier(name)
    assert (found.code if found else None) == code


@pytest.mark.parametrize("carrier", CARRIERS, ids=lambda one: one.code)
def test_each_has_one_place_for_the_number_at_its_own_address(carrier):
    fields = [name for _, name, _, _ in Formatter().parse(carrier.tracking_url) if name]
    assert fields == ["tracking_number"]
    where = urlsplit(carrier.tracking_url)
    assert where.scheme == "https"
    assert where.hostname
    assert re.fullmatch(r"[a-z_]+", carrier.code)
    for name in (carrier.code, carrier.name, *carrier.names):
        assert find_carrier(name) is carrier, "no two carriers share a name"


def test_codes_are_their_own():
    codes = [carrier.code for carrier in CARRIERS]
    assert codes == sorted(set(codes))


@pytest.mark.parametrize("number", ["1Z 9", "a/b", "x?y=z&q", "#1", "Ø", "{tracking_number}"])
def test_a_number_cannot_leave_its_place_in_an_address(number):
    told = tracking_address(None, "Posten", number)
    assert told is not None
    where = urlsplit(told)
    assert (where.hostname, where.query, where.fragment) == ("sporing.posten.no", "", "")
    assert where.path.count("/") == 2


def test_a_pattern_comes_first_and_without_either_there_is_no_address():
    pattern = "https://track.example/{tracking_number}"
    assert tracking_address(pattern, "UPS", "1") == "https://track.example/1"
    assert tracking_address(None, "ups", "1") == "https://www.ups.com/track?tracknum=1"
    assert tracking_address(None, "My cousin", "1") is None
    assert tracking_address(pattern, "UPS", None) is None
