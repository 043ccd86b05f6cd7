"""Search terms: what an order can be found by, lower-cased and NFKC. [rulings 15]

A term is a prefix that says its kind, then the text: `w:kari` a word, `s:main` a store,
`c:api` a channel, `m:acme` a merchant, `t:vip` a tag, `x:` a test order.
"""

import re
import unicodedata
from typing import Any

from counterfoil.order.folder import Folder

WORD, STORE, CHANNEL, MERCHANT, TAG, TEST = "w:", "s:", "c:", "m:", "t:", "x:"
_TERM_LENGTH_MAX = 80
_WORDS_MAX = 64
_SPLIT = re.compile(r"[^\w@.+\-]+")


def folded(text: str) -> str:
    """Fold a text the way terms are kept."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def words(text: str) -> list[str]:
    """Split a text into the words it can be found by."""
    return _words(folded(text))


def _words(text: str) -> list[str]:
    return [word[:_TERM_LENGTH_MAX] for word in _SPLIT.split(text) if word.strip("-.+_")]


def email_term(email: str | None) -> str:
    """Tell the term that every order of an e-mail address has; of none, what no order has."""
    return WORD + folded(email or "")[:_TERM_LENGTH_MAX]


def _texts(folder: Folder) -> list[str]:
    order = folder.order
    people: list[dict[str, Any]] = [order.customer, order.shipping_address or {}]
    texts = [order.number, order.external_id, order.invoice_number, order.merchant_reference]
    for person in people:
        texts += [person.get(name) for name in ("email", "first_name", "last_name", "name")]
    texts += [number for shipment in folder.shipments for number in shipment.numbers]
    texts += [item.sku for item in folder.items]
    return [text for text in texts if text]


def terms_of_order(folder: Folder) -> list[str]:
    """List every term of an order, each once, in a stable order; at most 64 of them are words.

    Where that is not enough the goods of a long order are left out, never what filters it.
    """
    order = folder.order
    found: dict[str, None] = {STORE + order.store: None, CHANNEL + order.channel: None}
    for bag in folder.bags:
        found[MERCHANT + bag.merchant] = None
    for tag in order.tags:
        found[TAG + folded(tag)] = None
    if order.is_test:
        found[TEST] = None
    filters = len(found)
    for text in _texts(folder):
        told = folded(text)
        whole = told[:_TERM_LENGTH_MAX]
        if whole and len(whole.split(None, 1)) == 1:
            found[WORD + whole] = None
        for word in _words(told):
            found[WORD + word] = None
    return list(found)[: filters + _WORDS_MAX]
