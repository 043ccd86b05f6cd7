"""Search: beginnings of words, all of them, and the one order that a text names."""

import msgspec
import pytest
import pytest_asyncio

from counterfoil.book.lists import Filters, list_orders
from counterfoil.book.search import find_one, words_of
from counterfoil.kernel import page
from counterfoil.order.terms import folded, words
from tests.filled import fill

pytestmark = pytest.mark.database
ORDERS = 800


@pytest_asyncio.fixture(scope="module")
async def truth(module_database, module_account):
    return await fill(module_database, module_account.id, ORDERS)


def texts(order):
    """What an order of the filling can be found by, SKUs and tracking numbers left out."""
    person, address = order.customer, order.shipping_address
    found = [order.number, order.external_id, person["email"], person["first_name"]]
    return [*found, person["last_name"], address["name"]]


def expected(truth, q):
    """List the orders that have every word of a question at the beginning of one of theirs."""
    return [
        order.id
        for order, _ in truth
        if all(
            any(own.startswith(word) for text in texts(order) for own in words(text))
            for word in words(q)
        )
    ]


@pytest.mark.parametrize(
    "q",
    [
        "Kari", "kari nord", "nord KARI", "KARI,  Nordmann!", "zoë", "émi", "ÉMILE dup", "花子",
        "花 田", "Иванов", "ИВАН иванов", "customer12", "customer4031@example.com", "100777",
        "web-77", "web-777 kari", "1007 ola", "ｋａｒｉ", "nobody", "kari nobody", "o",
    ],
)
async def test_words_find_what_begins_with_them(q, truth, module_pool, module_admin):
    wanted = expected(truth, q)
    async with module_pool.connection(module_admin.account_id) as connection:
        found, cursor = [], None
        while True:
            listed = await list_orders(
                connection, module_admin, Filters(q=q), limit=40, after=cursor
            )
            found += [order.id for order in listed.data]
            assert (listed.count.value, listed.count.at_least) == (len(wanted), False)
            cursor = listed.next_cursor
            if cursor is None:
                break
    assert found == wanted


async def test_parcels_and_skus_are_found(truth, module_pool, module_admin):
    async with module_pool.connection(module_admin.account_id) as connection:
        parcel = await connection.row(
            "select tracking_number, order_id::text from shipments where account_id = $1 limit 1",
            connection.account,
        )
        for text in (parcel["tracking_number"], parcel["tracking_number"].lower()):
            listed = await list_orders(connection, module_admin, Filters(q=text))
            assert [order.id for order in listed.data] == [parcel["order_id"]]
        sku = await connection.value(
            "select sku from items where account_id = $1 limit 1", connection.account
        )
        rows = await connection.rows(
            "select distinct order_id::text as id from items where account_id = $1 and sku like $2",
            connection.account, sku + "%",
        )
        listed = await list_orders(connection, module_admin, Filters(q=sku), limit=100)
        assert {order.id for order in listed.data} == {row["id"] for row in rows}


async def test_words_and_filters_narrow_each_other(truth, module_pool, module_admin):
    paid = {order.id for order, _ in truth if order.financial_status == "PAID"}
    wanted = [found for found in expected(truth, "kari nordmann") if found in paid]
    async with module_pool.connection(module_admin.account_id) as connection:
        listed = await list_orders(
            connection, module_admin,
            Filters(q="kari nordmann", financial_status=("PAID",)), limit=100,
        )
    assert [order.id for order in listed.data] == wanted
    assert 0 < len(wanted) < len(expected(truth, "kari nordmann"))


@pytest.mark.parametrize("q", ["", "   ", None])
async def test_no_words_are_no_filter(q, truth, module_pool, module_admin):
    async with module_pool.connection(module_admin.account_id) as connection:
        listed = await list_orders(connection, module_admin, Filters(q=q))
    assert listed.count.value == ORDERS


@pytest.mark.parametrize("q", ["%", "_", "*", "'; drop table orders; --", "\\", "---"])
async def test_signs_are_only_signs(q, truth, module_pool, module_admin):
    async with module_pool.connection(module_admin.account_id) as connection:
        listed = await list_orders(connection, module_admin, Filters(q=q))
    assert listed.count.value == 0


def test_words_are_few_and_folded():
    assert words_of("Kari KARI ｋａｒｉ") == ("w:kari",)
    assert len(words_of(" ".join(f"word{n}" for n in range(50)))) == 8
    assert words_of("#!") == ("w:" + folded("#!"),)


async def test_a_frequent_beginning_is_looked_through_so_far(
    truth, module_pool, module_admin, monkeypatch
):
    """Whole words come newest first all the same; the count says that it is at least that."""
    from counterfoil.book import choosing

    monkeypatch.setattr(choosing, "COUNT_MAX", 50)
    monkeypatch.setattr("counterfoil.book.lists.COUNT_MAX", 50)
    async with module_pool.connection(module_admin.account_id) as connection:
        listed = await list_orders(connection, module_admin, Filters(q="kari"), limit=20)
    whole = [order.id for order, _ in truth if order.customer["first_name"] == "Kari"]
    assert [order.id for order in listed.data] == whole[:20]
    assert (listed.count.value, listed.count.at_least) == (50, True)
    assert page.COUNT_MAX == 10_000


async def test_the_one_order_that_is_named_is_found(truth, module_pool, module_admin):
    order, merchants = truth[7]
    async with module_pool.connection(module_admin.account_id) as connection:

        async def find(text, actor=module_admin):
            return await find_one(connection, actor, text)

        for text in (order.id, order.number, f" {order.number} ", order.external_id,
                     order.external_id.upper()):
            assert await find(text) == order.id
        for text in ("", "  ", "nobody", "kari", "100", "\x00", "x" * 500, "\ud800"):
            assert await find(text) is None
        others = {"acme", "zeta", "nord", "kiln", "loom", "mint", "oak", "pine"} - merchants
        blind = msgspec.structs.replace(module_admin, merchants=frozenset(others))
        seeing = msgspec.structs.replace(module_admin, merchants=frozenset(merchants))
        abroad = msgspec.structs.replace(module_admin, stores=frozenset({"nowhere"}))
        assert await find(order.number, blind) is None
        assert await find(order.number, seeing) == order.id
        assert await find(order.external_id, blind) is None
        assert await find(order.id, abroad) is None
