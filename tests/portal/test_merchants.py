"""What a user of one merchant is shown of an order that others fulfil too, on every page.

The addresses are those of the router; what they answer is searched for what is marked as
another's. [rulings 5]
"""

import re
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace

import httpx2
import pytest

from counterfoil.access.keys import NewKey, create_key
from counterfoil.access.users import NewUser, create_user
from tests.api.server import Shop
from tests.api.split import MARK, OTHERS, OWN, Split
from tests.portal.site import PASSWORD, Site
from tests.portal.test_doors import addresses, signed_in, token

pytestmark = pytest.mark.browser
EMAIL = "mia@example.com"
SOME_ID = "0199c000-0000-7000-8000-000000000009"
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}
GETS = [path for method, path in addresses() if method == "GET"]
POSTS = [path for method, path in addresses() if method == "POST"]


@pytest.fixture(scope="module")
async def split(site: Site) -> AsyncIterator[Split]:
    account = site.actor.account_id
    async with site.pool.connection(account) as connection:
        key = await create_key(connection, site.actor, NewKey(name="split", scopes=["*"]))
    client = httpx2.Client(base_url=site.url, trust_env=False, timeout=30)
    server = SimpleNamespace(client=client)
    made = Split(Shop(server, site.pool, account, key.key))  # type: ignore[arg-type]
    async with site.pool.connection(account) as connection:
        await create_user(connection, site.actor, NewUser(
            email=EMAIL, name="Mia Mug", role="admin", password=PASSWORD, merchants=[OWN]))
    yield made
    client.close()


@pytest.fixture(scope="module")
def mia(site: Site, split: Split) -> Iterator[httpx2.Client]:
    with signed_in(site, EMAIL) as client:
        yield client


def filled(path: str, split: Split, whose: str) -> str:
    """Fill an address with the ids of the order and of whoever's is meant."""
    ids = {**split.ids["order"], **split.ids[whose]}
    return re.sub(r"{(\w+)(?::\w+)?}", lambda found: ids.get(found[1], SOME_ID), path)


@pytest.mark.parametrize("path", GETS)
def test_no_page_shows_anything_of_others(split: Split, mia: httpx2.Client, path: str) -> None:
    for whose in ("own", "other", "order"):
        at = filled(path, split, whose)
        for headers in ({}, PART):
            answer = mia.get(at, headers=headers)
            assert answer.status_code < 500, at
            assert split.leaks(answer.text, at) == [], f"{at}: {answer.status_code}"


@pytest.mark.parametrize("path", POSTS)
def test_no_form_shows_or_changes_anything_of_others(
    split: Split, mia: httpx2.Client, path: str
) -> None:
    if path in ("/portal/login", "/portal/logout"):
        return
    before = others(split)
    given = {"_csrf_token": token(mia), "body": "x", "note": "x", "state": "suspended",
             "tracking_number": "T-1", "amount": "1.00", "reference": "mia", "handle": "mia",
             "reason_code": "OTHER", "notify": "no"}
    for whose in ("other", "order"):
        at = filled(path, split, whose)
        answer = mia.post(at, data=given, headers=PART)
        assert answer.status_code < 500, at
        assert split.leaks(answer.text, at) == [], f"{at}: {answer.status_code}"
    assert others(split) == before


def others(split: Split) -> list[object]:
    order = split.shop.get(split.at).json()
    bags = [bag for bag in order["bags"] if bag["merchant"]["code"] != OWN]
    return [bags, order["state"], order["notes"], order["holds"], order["payments"]]


def test_the_order_page_says_whose_sums_they_are(split: Split, mia: httpx2.Client) -> None:
    page = mia.get(f"/portal/orders/{split.id}").text
    assert re.search(r"30\.00\s*EUR</strong> in your bags", page)
    for door in ("/capture", "/void", "/edit", "/notes", "/holds/new", "/invoice"):
        assert f'"/portal/orders/{split.id}{door}"' not in page


def test_the_order_page_does_not_call_nothing_what_it_keeps_back(
    split: Split, mia: httpx2.Client
) -> None:
    page = mia.get(f"/portal/orders/{split.id}").text
    assert "No payment has reached us" not in page
    assert "No notes." not in page
    assert re.search(r"EUR captured, .* in your bags", page)
    assert "Money captured" in page
    assert "Captured <" not in page


def test_the_menu_has_no_door_to_what_is_about_whole_orders(
    split: Split, mia: httpx2.Client
) -> None:
    page = mia.get("/portal/orders/open").text
    for door in ("reviews", "expiring", "tasks", "settle", "letters"):
        assert f'href="/portal/{door}"' not in page
    assert 'href="/portal/returns"' in page
    assert mia.get("/portal/letters").status_code == 403


@pytest.mark.parametrize("word", [
    f"{OTHERS[0]}-track", f"{OTHERS[1]}-tee", f"{MARK}-auth", f"{OTHERS[0]}-refund",
])
def test_the_search_does_not_go_to_an_order_by_what_is_anothers(
    split: Split, mia: httpx2.Client, word: str
) -> None:
    """A text that one order has leads to that order; not by another merchant's goods."""
    for path in ("/portal/orders/all", "/portal/orders/open"):
        answer = mia.get(path, params={"q": word})
        assert split.id not in answer.text
        assert split.id not in answer.headers.get("location", "")
        found = mia.get(path, params={"q": f"{OWN}-track"})
        assert split.id in found.text + found.headers.get("location", "")
