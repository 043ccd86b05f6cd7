"""What a user of one store is shown of another, on every page, and what their forms do there.

The addresses are those of the router; what they answer is searched for what is marked as another
store's. A key of the API is not limited to stores, so its addresses of the books and the gateways
are asked with such an actor alone. [design guide 1, Scope; faults H-13]
"""

import inspect
import re
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from msgspec import structs

from counterfoil.access.keys import NewKey, create_key
from counterfoil.access.users import NewUser, create_user
from counterfoil.api.every import every_endpoint
from counterfoil.kernel.problem import PermissionDenied
from counterfoil.order.actor import system
from counterfoil.setup.accounts import create_account
from tests.api.server import Shop
from tests.portal.elsewhere import MARK, STORE, Elsewhere
from tests.portal.site import PASSWORD, Site
from tests.portal.test_doors import addresses, signed_in, token

pytestmark = pytest.mark.browser
SOME_ID = "0199c000-0000-7000-8000-000000000009"
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}
EMAILS = {"mia": "mia-of-main@example.com", "ole": "ole-of-all@example.com"}
GETS = [path for method, path in addresses() if method == "GET"]
POSTS = [path for method, path in addresses() if method == "POST"]
WHOLE = re.compile(r"/(ledger|reconciliation|inbound|gateways|gateway-kinds|mail)\b")
BOOKS = re.compile(r"/v1/(ledger|reconciliations|drift|inbound-events|gateways)\b")
#: What a word of an address stands for on some pages: part of the address, word, code.
OTHER_WORDS = (
    ("config/states", "code", f"{MARK}-state"), ("config/methods", "code", f"{MARK}-post"),
    ("gateway-kinds", "kind", "manual"), ("/returns/", "step", "approve"),
)
OF_ALL = [endpoint for endpoint in every_endpoint() if BOOKS.match(endpoint.path)]


@pytest.fixture(scope="module")
async def elsewhere(site: Site) -> AsyncIterator[Elsewhere]:
    """An account of its own, with a user of the store `main` and one of all."""
    account = await create_account(site.pool, "Two stores")
    actor = system(account.id)
    async with site.pool.connection(account.id) as connection:
        key = await create_key(connection, actor, NewKey(name="two", scopes=["*"]))
        for name, stores in (("mia", ["main"]), ("ole", None)):
            await create_user(connection, actor, NewUser(
                email=EMAILS[name], name=name, role="admin", password=PASSWORD, stores=stores))
    client = httpx2.Client(base_url=site.url, trust_env=False, timeout=30)
    server = SimpleNamespace(client=client)
    shop = Shop(server, site.pool, account.id, key.key)  # type: ignore[arg-type]
    shop.order()
    yield Elsewhere(shop)
    client.close()


@pytest.fixture(scope="module")
def mia(site: Site, elsewhere: Elsewhere) -> Iterator[httpx2.Client]:
    with signed_in(site, EMAILS["mia"]) as client:
        yield client


@pytest.fixture(scope="module")
def ole(site: Site, elsewhere: Elsewhere) -> Iterator[httpx2.Client]:
    with signed_in(site, EMAILS["ole"]) as client:
        yield client


def filled(path: str, elsewhere: Elsewhere) -> str:
    """Fill an address with the ids and codes of the other store."""
    known = elsewhere.ids | {name: code for part, name, code in OTHER_WORDS if part in path}
    return re.sub(r"{(\w+)(?::\w+)?}", lambda found: known.get(found[1], SOME_ID), path)


@pytest.mark.parametrize("path", GETS)
def test_no_page_shows_anything_of_another_store(
    elsewhere: Elsewhere, mia: httpx2.Client, path: str
) -> None:
    at = filled(path, elsewhere)
    for query, headers in (("", {}), (f"?store={STORE}", PART)):
        answer = mia.get(at + query, headers=headers)
        assert answer.status_code < 500, at
        assert elsewhere.leaks(answer.text, at + query) == [], f"{at}{query}: {answer.status_code}"
    if elsewhere.ids["order_id"] in at or "{letter_id" in path:
        assert answer.status_code == 404
    elif WHOLE.search(path):
        assert answer.status_code == 403
        assert "about all stores" in answer.text


def test_no_form_shows_or_changes_anything_of_another_store(
    elsewhere: Elsewhere, mia: httpx2.Client
) -> None:
    given = {
        "_csrf_token": token(mia), "store": STORE, "body": "x", "note": "x", "name": "Mia",
        "code": "mia", "subject": "x", "amount": "1.00", "reference": "mia", "handle": "mia",
        "reason_code": "OTHER", "notify": "no", "state": "suspended", "to": "processing",
        "tracking_number": "T-1", "recipient": "mia@example.com", "confirm": "1", "way": "up",
        "system_state": "PROCESSING", "lines": "Mia", "version": "1", "host": "mail.example.com",
        "port": "25", "security": "none", "sender": "mia@example.com", "number": "1",
    }
    before = elsewhere.standing()
    for path in POSTS:
        if path in ("/portal/login", "/portal/logout", "/portal/me/theme"):
            continue
        at = filled(path, elsewhere)
        answer = mia.post(at, data=given, headers=PART)
        assert answer.status_code == (403 if WHOLE.search(path) else 404), f"{at}: {answer.text}"
        assert elsewhere.leaks(answer.text, at) == [], at
    assert elsewhere.standing() == before


@pytest.mark.parametrize("word", ["track", "tee", "auth", "refund", "smith", "ref", "tag"])
def test_no_order_is_found_by_what_is_of_another_store(
    elsewhere: Elsewhere, mia: httpx2.Client, ole: httpx2.Client, word: str
) -> None:
    for path in ("/portal/orders/all", "/portal/orders/open"):
        answer = mia.get(path, params={"q": f"{MARK}-{word}"})
        assert elsewhere.leaks(answer.text, f"{MARK}-{word}") == []
        assert answer.status_code == 200, answer.headers
    found = ole.get("/portal/orders/all", params={"q": f"{MARK}-track"})
    assert elsewhere.order["id"] in found.text + found.headers.get("location", "")


def test_who_sees_all_stores_is_shown_what_the_other_is_not(
    elsewhere: Elsewhere, ole: httpx2.Client
) -> None:
    """Else nothing could leak, and the search above would prove nothing."""
    for path in (
        "/portal/orders/all", "/portal/shipments", "/portal/returns", "/portal/reviews",
        "/portal/letters", "/portal/ledger", "/portal/ledger/entries",
        "/portal/gateways", "/portal/reconciliation", f"/portal/settings?store={STORE}",
        f"/portal/config/methods?store={STORE}", f"/portal/config/states?store={STORE}",
        f"/portal/letter-texts/{STORE}", f"/portal/config/review-rules?store={STORE}",
        f"/portal/config/deliveries?store={STORE}", f"/portal/orders/{elsewhere.order['id']}",
    ):
        answer = ole.get(path)
        assert answer.status_code == 200, path
        assert elsewhere.leaks(answer.text) != [], path


def test_the_menu_has_the_pages_about_all_stores_for_who_sees_them_all(
    mia: httpx2.Client, ole: httpx2.Client
) -> None:
    theirs, all_of_it = mia.get("/portal/orders/open").text, ole.get("/portal/orders/open").text
    for door in ("ledger", "reconciliation", "inbound", "gateways"):
        assert f'href="/portal/{door}"' in all_of_it
        assert f'href="/portal/{door}"' not in theirs
    assert 'href="/portal/settings"' in theirs
    assert 'href="/portal/mail"' in ole.get("/portal/letters").text
    assert 'href="/portal/mail"' not in mia.get("/portal/letters").text


@pytest.mark.parametrize("endpoint", OF_ALL, ids=lambda one: f"{one.method} {one.path}")
async def test_the_api_too_keeps_the_books_to_who_sees_all_stores(endpoint: Any) -> None:
    """No key is limited to stores today; the first that is finds these closed."""
    account = "0199c000-0000-7000-8000-000000000001"
    actor = structs.replace(system(account), stores=frozenset({"main"}))
    ask: Any = SimpleNamespace(actor=actor, path={})
    rest = {name: None for name in inspect.signature(endpoint.handler).parameters if name != "ask"}
    with pytest.raises(PermissionDenied, match="about all stores"):
        await endpoint.handler(ask, **rest)
