"""Many packing slips at once: rows ticked in the list of shipments. [design guide 5.10]"""

import re

import httpx2
import pytest
from playwright.async_api import expect

from counterfoil.access.users import NewUser, create_user
from tests.paper.reading import text_of
from tests.portal.goods import place
from tests.portal.site import PASSWORD, Site, Tab
from tests.portal.test_doors import signed_in
from tests.work.shipping import pack, send

pytestmark = pytest.mark.browser
PRINT = "/portal/shipments/print/packing-slips"
FJELL = (("FJELL-1", "Book", 1, 30600),)
MERCHANT = "fjell@example.com"


@pytest.fixture(scope="module")
async def parcels(site: Site) -> dict[str, str]:
    """Four parcels: two of two merchants in one order, one alone, one that left; and numbers."""
    both, alone, gone = await place(site, second=FJELL), await place(site), await place(site)
    made = {
        "wool": await pack(site.shop, both),
        "fjell": await pack(site.shop, both, 1, tracking_number="FJ-print-1"),
        "alone": await pack(site.shop, alone),
        "gone": await pack(site.shop, gone),
    }
    await send(site.shop, gone, made["gone"])
    orders = {"both": both, "alone": alone, "gone": gone}
    async with site.pool.connection(site.actor.account_id) as connection:
        await create_user(connection, site.actor, NewUser(
            email=MERCHANT, name="Fia Fjell", role="admin", password=PASSWORD,
            merchants=["fjell"]))
    return made | {f"order {name}": await site.number(id_) for name, id_ in orders.items()}


async def test_ticked_parcels_are_printed_one_after_the_other(
    site: Site, tab: Tab, parcels: dict[str, str]
) -> None:
    page = tab.page
    await tab.goto("/portal/orders/open")
    await page.get_by_role("link", name="Shipments", exact=True).click()
    await expect(page.locator(f"#shipment-{parcels['gone']}")).to_have_count(0)
    await page.get_by_role("button", name="Print ticked slips").click()
    await expect(page.get_by_role("alert")).to_contain_text("Tick the parcels")
    for name in ("alone", "fjell"):
        box = page.locator(f"#shipment-{parcels[name]} input")
        await box.focus()
        await page.keyboard.press("Space")
        await expect(box).to_be_checked()
    await page.get_by_role("button", name="Print ticked slips").click()
    slips = page.locator("article.slip")
    await expect(slips).to_have_count(2)
    await expect(slips.first).to_contain_text(parcels["order both"])
    await expect(slips.first).to_contain_text("Bag 2 of 2")
    await expect(slips.nth(1)).to_contain_text(parcels["order alone"])
    paper = await page.pdf(format="A4")
    assert len(text_of(paper)) == 2, "each on a sheet of its own"
    await page.get_by_role("link", name="Back to the shipments").click()
    await expect(page.locator("h1")).to_have_text("Shipments")
    await page.get_by_role("link", name="On their way").click()
    gone = page.locator(f"#shipment-{parcels['gone']}")
    await expect(gone).to_contain_text(parcels["order gone"])


async def test_all_of_a_page_are_printed_without_script(
    site: Site, parcels: dict[str, str]
) -> None:
    bare = await site.open_tab(java_script_enabled=False)
    await bare.goto("/portal/shipments")
    rows = await bare.page.locator("#shipments tbody tr").count()
    await bare.page.get_by_role("link", name=re.compile("^Print all")).click()
    await expect(bare.page.locator("article.slip")).to_have_count(rows)
    await expect(bare.page.locator("main")).to_contain_text(parcels["order alone"])
    await bare.close()


async def test_one_pdf_has_the_slips_that_are_there(site: Site, parcels: dict[str, str]) -> None:
    nobody = "0199c000-0000-7000-8000-000000000009"
    chosen = [("id", parcels["wool"]), ("id", nobody), ("id", "x"), ("id", parcels["gone"])]
    with signed_in(site) as client:
        pages = text_of(_pdf(client, chosen))
        assert [re.search(r"Page \d of \d", page) is not None for page in pages] == [True, True]
        assert parcels["order both"] in pages[0] and parcels["order gone"] in pages[1]
        told = client.get(PRINT, params=chosen).text
        assert "2 parcels are not here: cancelled meanwhile, or not yours to see." in told
        assert client.get(PRINT, params=[("id", nobody)]).status_code == 404
        many = [("id", f"0199c000-0000-7000-8000-{n:012}") for n in range(101)]
        for path in (PRINT, f"{PRINT}.pdf"):
            refused = client.get(path, params=many)
            assert refused.status_code == 422
            assert "At most 100 slips are printed at once" in refused.text
            assert "101 parcels are ticked" in refused.text
        assert client.get(PRINT).headers["location"].endswith("said=none")


async def test_a_merchant_prints_its_own_parcels(site: Site, parcels: dict[str, str]) -> None:
    everything = [("id", parcels[name]) for name in ("wool", "fjell", "alone", "gone")]
    with signed_in(site, MERCHANT) as client:
        listed = client.get("/portal/shipments").text
        assert parcels["fjell"] in listed
        assert parcels["wool"] not in listed and parcels["alone"] not in listed
        assert client.get("/portal/shipments?status=sent").text.count("<tbody>") == 0
        (text,) = text_of(_pdf(client, everything))
        assert "Book" in text and "FJ-print-1" in text and "sweater" not in text
        assert client.get(PRINT, params=everything[2:]).status_code == 404


def _pdf(client: httpx2.Client, chosen: list[tuple[str, str]]) -> bytes:
    answer = client.get(f"{PRINT}.pdf", params=chosen)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'inline; filename="packing-slips.pdf"' or (
        len(text_of(answer.content)) == 1)
    return bytes(answer.content)
