"""Carriers that are known by name, and where each shows how a shipment fares.

Addresses are those the carriers give to the public; nothing is asked of them here. [U-25]
"""

from urllib.parse import quote

import msgspec

_NUMBER = "{tracking_number}"


class Carrier(msgspec.Struct, frozen=True, kw_only=True):
    """A carrier: the names it is recognised by, and its tracking address as a pattern."""

    code: str
    name: str
    names: tuple[str, ...] = ()
    tracking_url: str


CARRIERS = (
    Carrier(
        code="auspost",
        name="Australia Post",
        names=("AusPost",),
        tracking_url="https://auspost.com.au/mypost/track/#/details/{tracking_number}",
    ),
    Carrier(
        code="bring",
        name="Bring",
        tracking_url="https://tracking.bring.com/tracking/{tracking_number}",
    ),
    Carrier(
        code="canada_post",
        name="Canada Post",
        names=("Postes Canada",),
        tracking_url="https://www.canadapost-postescanada.ca/track-reperage/en"
        "#/search?searchFor={tracking_number}",
    ),
    Carrier(
        code="colissimo",
        name="Colissimo",
        names=("La Poste",),
        tracking_url="https://www.laposte.fr/outils/suivre-vos-envois?code={tracking_number}",
    ),
    Carrier(
        code="dhl",
        name="DHL",
        names=("Deutsche Post",),
        tracking_url="https://www.dhl.com/global-en/home/tracking.html"
        "?tracking-id={tracking_number}",
    ),
    Carrier(
        code="dpd",
        name="DPD",
        tracking_url="https://tracking.dpd.de/status/en_US/parcel/{tracking_number}",
    ),
    Carrier(
        code="evri",
        name="Evri",
        names=("Hermes UK",),
        tracking_url="https://www.evri.com/track/parcel/{tracking_number}/details",
    ),
    Carrier(
        code="fedex",
        name="FedEx",
        names=("Federal Express",),
        tracking_url="https://www.fedex.com/fedextrack/?trknbr={tracking_number}",
    ),
    Carrier(
        code="gls",
        name="GLS",
        names=("General Logistics Systems",),
        tracking_url="https://gls-group.com/EU/en/parcel-tracking?match={tracking_number}",
    ),
    Carrier(
        code="ontrac",
        name="OnTrac",
        names=("LaserShip",),
        tracking_url="https://www.ontrac.com/tracking/?number={tracking_number}",
    ),
    Carrier(
        code="posten",
        name="Posten",
        names=("Posten Norge",),
        tracking_url="https://sporing.posten.no/sporing/{tracking_number}",
    ),
    Carrier(
        code="posti",
        name="Posti",
        tracking_url="https://www.posti.fi/en/tracking#/lahetys/{tracking_number}",
    ),
    Carrier(
        code="postnord",
        name="PostNord",
        names=("Post Nord",),
        tracking_url="https://tracking.postnord.com/en/?id={tracking_number}",
    ),
    Carrier(
        code="purolator",
        name="Purolator",
        tracking_url="https://www.purolator.com/en/shipping/tracker?pins={tracking_number}",
    ),
    Carrier(
        code="royal_mail",
        name="Royal Mail",
        tracking_url="https://www.royalmail.com/track-your-item"
        "#/tracking-results/{tracking_number}",
    ),
    Carrier(
        code="sendle",
        name="Sendle",
        tracking_url="https://track.sendle.com/tracking?ref={tracking_number}",
    ),
    Carrier(
        code="ups",
        name="UPS",
        names=("United Parcel Service",),
        tracking_url="https://www.ups.com/track?tracknum={tracking_number}",
    ),
    Carrier(
        code="usps",
        name="USPS",
        names=("US Postal Service", "United States Postal Service"),
        tracking_url="https://tools.usps.com/go/TrackConfirmAction?tLabels={tracking_number}",
    ),
)


def _folded(name: str) -> str:
    words = "".join(sign if sign.isalnum() else " " for sign in name.casefold())
    return " ".join(words.split())


_BY_NAME = {
    _folded(name): carrier
    for carrier in CARRIERS
    for name in (carrier.code, carrier.name, *carrier.names)
}


def find_carrier(name: str | None) -> Carrier | None:
    """Recognise a carrier by how its name begins, regardless of case, dots and dashes.

    "DHL Express" is DHL, "Posten Norge" is Posten; a name that is part of a word is none.
    """
    words = _folded(name or "").split()
    for length in range(len(words), 0, -1):
        found = _BY_NAME.get(" ".join(words[:length]))
        if found is not None:
            return found
    return None


def tracking_address(pattern: str | None, carrier: str | None, number: str | None) -> str | None:
    """Tell where a number is tracked: by a method's own pattern, else by a carrier we know."""
    if number is None:
        return None
    known = find_carrier(carrier)
    chosen = pattern or (known.tracking_url if known is not None else None)
    return None if chosen is None else chosen.replace(_NUMBER, quote(number, safe=""))
