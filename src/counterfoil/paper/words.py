"""The words on a packing slip, in the languages that stores have."""

from babel import Locale

from counterfoil.order.letter import LANGUAGES

_EN = {
    "slip": "Packing slip",
    "order": "Order",
    "to": "Ship to",
    "ordered": "Ordered",
    "method": "Shipping method",
    "carrier": "Carrier",
    "tracking": "Tracking number",
    "packed_by": "Packed by",
    "bag": "Bag {n} of {of}",
    "parcel": "Parcel {n} of {of}",
    "parcels": "Parcels {n}–{to} of {of}",
    "quantity": "Quantity",
    "article": "Article",
    "sku": "SKU",
    "price": "Price",
    "amount": "Amount",
    "units": "{n} units",
    "one_unit": "1 unit",
    "follows": "Follows later",
    "sent": "Sent before",
    "electronic": "Delivered electronically",
    "nothing": "There is nothing to pack.",
    "notes": "Notes",
    "page": "Page {n} of {of}",
    "test": "TEST ORDER – DO NOT SHIP",
    "gift": "GIFT",
}
_NB = {
    "slip": "Pakkseddel",
    "order": "Ordre",
    "to": "Leveres til",
    "ordered": "Bestilt",
    "method": "Leveringsmåte",
    "carrier": "Transportør",
    "tracking": "Sporingsnummer",
    "packed_by": "Pakkes av",
    "bag": "Del {n} av {of}",
    "parcel": "Pakke {n} av {of}",
    "parcels": "Pakke {n}–{to} av {of}",
    "quantity": "Antall",
    "article": "Vare",
    "sku": "Varenummer",
    "price": "Pris",
    "amount": "Beløp",
    "units": "{n} enheter",
    "one_unit": "1 enhet",
    "follows": "Kommer senere",
    "sent": "Sendt tidligere",
    "electronic": "Leveres elektronisk",
    "nothing": "Det er ingenting å pakke.",
    "notes": "Merknader",
    "page": "Side {n} av {of}",
    "test": "TESTORDRE – SKAL IKKE SENDES",
    "gift": "GAVE",
}
_WORDS = {"en": _EN, "nb": _NB}
_LOCALES = {"en": "en_GB", "nb": "nb"}
assert set(_WORDS) == set(LANGUAGES)


def words_of(language: str) -> dict[str, str]:
    """List the words of a language, one of `order.letter.LANGUAGES`."""
    return _WORDS[language]


def locale_of(language: str) -> Locale:
    """Find the locale that dates and countries are written in."""
    return Locale.parse(_LOCALES[language])
