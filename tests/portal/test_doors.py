"""Every address is closed to strangers, to foreign forms and to who lacks the right."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from counterfoil.access.users import NewUser, create_user
from counterfoil.portal.router import create_portal
from tests.portal.site import EMAIL, PASSWORD, Site

pytestmark = pytest.mark.browser
OPEN_TO_ALL = {"/", "/portal", "/portal/login", "/static/{name:str}"}
ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def addresses() -> list[tuple[str, str]]:
    """Every method and path that the router has."""
    found: set[tuple[str, str]] = set()
    routes: Any = create_portal().routes
    for route in routes:
        for handler in route.route_handlers:
            found |= {(method, route.path) for method in handler.http_methods}
    return sorted(one for one in found if one[0] in ("GET", "POST"))


def filled(path: str) -> str:
    return re.sub(r"{[a-z_]+(:[a-z]+)?}", "0199c000-0000-7000-8000-000000000009", path)


@contextmanager
def signed_in(site: Site, email: str = EMAIL) -> Iterator[httpx2.Client]:
    """A client with a session. It sends the Secure cookie itself: this is plain http."""
    with httpx2.Client(base_url=site.url, trust_env=False, headers=ORIGIN) as client:
        answer = client.post("/portal/login", data={"email": email, "password": PASSWORD})
        assert answer.status_code == 303
        client.headers["Cookie"] = answer.headers["set-cookie"].partition(";")[0]
        yield client


def token(client: httpx2.Client) -> str:
    found = re.search(r'id="csrf" name="csrf" content="([^"]+)"', client.get("/portal/keys").text)
    assert found
    return found[1]


def test_strangers_are_sent_to_the_door(site: Site) -> None:
    with httpx2.Client(base_url=site.url, trust_env=False, headers=ORIGIN) as client:
        for method, path in addresses():
            if path in OPEN_TO_ALL:
                continue
            answer = client.request(method, filled(path))
            assert answer.status_code == 303, (method, path)
            assert answer.headers["location"].startswith("/portal/login"), (method, path)
            part = {"HX-Request": "true", "HX-Request-Type": "partial"}
            answer = client.request(method, filled(path), headers=part)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["hx-retarget"] == "#relogin"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": ""},
    ],
)
def test_forms_of_other_sites_are_refused(site: Site, headers: dict[str, str]) -> None:
    with signed_in(site) as client:
        real = token(client)
        for method, path in addresses():
            if method == "POST":
                answer = client.post(filled(path), data={"_csrf_token": real}, headers=headers)
                assert answer.status_code == 403, path


def test_a_form_without_the_token_is_refused(site: Site) -> None:
    with signed_in(site) as client:
        for method, path in addresses():
            if method == "POST" and path not in OPEN_TO_ALL:
                for wrong in ({}, {"_csrf_token": ""}, {"_csrf_token": "x" * 43}):
                    answer = client.post(filled(path), data=wrong)
                    assert answer.status_code == 403, path


async def test_who_lacks_a_right_is_told_which(site: Site) -> None:
    email = "packer@example.com"
    async with site.pool.connection(site.actor.account_id) as connection:
        new = NewUser(email=email, name="Pia Pack", role="warehouse", password=PASSWORD)
        await create_user(connection, site.actor, new)
    order_id = await site.shop.order(5000)
    with signed_in(site, email) as client:
        given: dict[str, Any] = {"_csrf_token": token(client)}
        for right, path in (
            ("payments.capture", f"/portal/orders/{order_id}/capture"),
            ("payments.refund", f"/portal/orders/{order_id}/refund"),
            ("orders.cancel", f"/portal/orders/{order_id}/cancel"),
            ("orders.invoice", f"/portal/orders/{order_id}/invoice"),
            ("gateways.manage", "/portal/gateways/card/test"),
        ):
            answer = client.post(path, data=given)
            assert answer.status_code == 403, path
            assert right in answer.text
        page = client.get(f"/portal/orders/{order_id}").text
    for door in ("/capture", "/refund", "/cancel", "/invoice"):
        assert f'{order_id}{door}"' not in page
    assert f'{order_id}/cancel-request"' in page, "who may not cancel may ask to"


def test_pages_carry_the_policy_and_files_are_kept(site: Site) -> None:
    with signed_in(site) as client:
        page = client.get("/portal/orders/open")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "private, no-cache"
        assert "HX-Request-Type" in page.headers["vary"]
        style = re.search(r'href="(/static/portal\.[0-9a-f]+\.css)"', page.text)
        assert style
        kept = client.get(style[1])
        assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert kept.headers["content-encoding"] == "gzip"
        assert client.get("/static/manifest.json").status_code == 404
        gone = client.get("/portal/nowhere")
        assert gone.status_code == 404
        assert "<h1" in gone.text


def test_the_cookie_is_for_this_host_and_no_script(site: Site) -> None:
    with httpx2.Client(base_url=site.url, trust_env=False, headers=ORIGIN) as client:
        answer = client.post("/portal/login", data={"email": EMAIL, "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("__host-cf_session=")
    for part in ("secure", "httponly", "samesite=lax", "path=/"):
        assert part in cookie
    assert "domain" not in cookie


def test_signing_out_ends_it(site: Site) -> None:
    with signed_in(site) as client:
        answer = client.post("/portal/logout", data={"_csrf_token": token(client)})
        assert answer.headers["clear-site-data"] == '"cache"'
        assert client.get("/portal/orders/open").status_code == 303
