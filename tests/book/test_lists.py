"""Lists against the plain truth: every order read by the owner, filtered and sorted in Python."""

import msgspec
import pytest
import pytest_asyncio

from counterfoil.book.lists import Filters, list_orders, view_counts
from counterfoil.kernel.db import counter
from counterfoil.kernel.page import to_cursor
from counterfoil.kernel.problem import ValidationFailed
from counterfoil.order.allowed import MONEY_STATES, attention_reasons, stands
from counterfoil.order.order import OPEN_STATES, Order
from counterfoil.order.problems import SortNotAvailable
from counterfoil.order.terms import folded
from tests.filled import fill, middle

pytestmark = pytest.mark.database
ORDERS = 1200
EQUAL = ("state", "system_state", "financial_status", "fulfillment_status", "fraud_status",
         "store", "channel", "number", "external_id")

FILTERS = {
    "none": {},
    "open": {"open": True},
    "closed": {"open": False},
    "state": {"state": ("picking",)},
    "states": {"state": ("picking", "new"), "open": True},
    "system state": {"system_state": ("PROCESSING", "FRAUD")},
    "state and system state": {"status": ("picking", "NEW")},
    "contradiction": {"system_state": ("COMPLETED",), "open": True},
    "paid": {"financial_status": ("PAID",)},
    "two payments": {"financial_status": ("REFUNDED", "VOIDED", "UNPAID")},
    "shipped": {"fulfillment_status": ("SHIPPED", "DELIVERED")},
    "reviewed": {"fraud_status": ("PENDING", "PASSED")},
    "three axes": {"open": True, "system_state": ("NEW",), "financial_status": ("PAID",)},
    "on hold": {"hold": True},
    "not on hold": {"hold": False, "open": True},
    "on no hold that stands": {"hold": False},
    "on hold, ended": {"hold": True, "open": False},
    "store": {"store": ("nordic",)},
    "stores, open": {"store": ("nordic", "tokyo"), "open": True},
    "store, paid": {"store": ("tokyo",), "financial_status": ("PAID",)},
    "channel": {"channel": ("csv",)},
    "channel, refunded": {"channel": ("csv",), "financial_status": ("REFUNDED",)},
    "merchant": {"merchant": ("acme",)},
    "merchants, open": {"merchant": ("acme", "zeta"), "open": True},
    "merchant, tag": {"merchant": ("acme", "pine"), "tag": ("VIP",)},
    "tag": {"tag": ("vip",)},
    "test orders": {"is_test": True},
    "no test orders": {"is_test": False, "open": True},
    "test orders, paid": {"is_test": True, "financial_status": ("PAID",)},
    "number": {"number": ("100777",)},
    "numbers, closed": {"number": ("100777", "100778", "999"), "open": False},
    "external id": {"external_id": ("web-12", "web-13")},
    "number and external id": {"number": ("100012",), "external_id": ("web-12", "web-13")},
    "attention": {"attention": True},
    "attention, open": {"attention": True, "open": True},
    "money unknown": {"money_unknown": True},
    "to capture": {"to_capture": True},
    "to ship": {"to_ship": True, "open": True},
    "to ship, paid": {"to_ship": True, "financial_status": ("PAID",)},
}
#: Holds of orders that have ended; and money that is open but not owed any more.
STRAYS = (
    """update orders set hold_shipment = true where account_id = $1 and (number::bigint % 7 = 0
  and system_state in ('CANCELED', 'COMPLETED') or system_state = 'COMPLETED'
  and financial_status = 'AUTHORIZED')""",
    """update orders set canceled_total = total - captured where account_id = $1
  and system_state in ('NEW', 'PROCESSING') and number::bigint % 3 = 0
  and financial_status in ('AUTHORIZED', 'PARTIALLY_PAID')""",
)


@pytest_asyncio.fixture(scope="module")
async def truth(module_database, module_account):
    return await fill(module_database, module_account.id, ORDERS, strays=STRAYS)


def matches(order: Order, merchants: set[str], filters: Filters) -> bool:
    """Say in plain Python whether an order is meant."""
    checks = [
        getattr(order, name) in getattr(filters, name)
        for name in EQUAL
        if getattr(filters, name)
    ]
    if filters.status:
        checks.append(order.state in filters.status or order.system_state in filters.status)
    if filters.open is not None:
        checks.append((order.system_state in OPEN_STATES) == filters.open)
    if filters.hold is not None:
        held = order.hold_capture or order.hold_shipment
        checks.append((held and stands(order)) == filters.hold)
    if filters.is_test is not None:
        checks.append(order.is_test == filters.is_test)
    if filters.merchant:
        checks.append(bool(merchants & set(filters.merchant)))
    if filters.tag:
        checks.append(bool({folded(t) for t in order.tags} & {folded(t) for t in filters.tag}))
    if filters.placed_from:
        checks.append(order.placed_at >= filters.placed_from)
    if filters.placed_to:
        checks.append(order.placed_at < filters.placed_to)
    if filters.attention:
        checks.append(bool(attention_reasons(order)))
    if filters.money_unknown:
        checks.append(order.unknown_pending > 0)
    if filters.to_capture:
        checks.append(
            order.financial_status in ("AUTHORIZED", "PARTIALLY_PAID") and order.capturable > 0
            and not order.hold_capture and order.system_state in MONEY_STATES
        )
    if filters.to_ship:
        checks.append(
            order.system_state in ("NEW", "PROCESSING") and not order.hold_shipment
            and order.fraud_status in ("NOT_REQUIRED", "PASSED")
            and order.fulfillment_status in ("PROCESSING", "PARTIALLY_SHIPPED")
        )
    return all(checks)


def expected(truth, filters, *, stores=None, merchants=None):
    """List the orders that are meant and may be seen, newest first."""
    if merchants is not None and filters.merchant:
        own = tuple(code for code in filters.merchant if code in merchants)
        filters = msgspec.structs.replace(filters, merchant=own)
    return [
        order
        for order, had in truth
        if (stores is None or order.store in stores)
        and (merchants is None or had & merchants)
        and matches(order, had, filters)
    ]


async def read_through(connection, actor, filters, **how):
    """Read a list page by page to its end, and back to its start."""
    found, cursor, pages = [], None, []
    while True:
        page = await list_orders(connection, actor, filters, after=cursor, **how)
        pages.append([order.id for order in page.data])
        found += pages[-1]
        cursor = page.next_cursor
        if cursor is None:
            break
    back = page.previous_cursor
    for earlier in reversed(pages[:-1]):
        page = await list_orders(connection, actor, filters, after=back, **how)
        assert [order.id for order in page.data] == earlier
        back = page.previous_cursor
    assert back is None
    return found


@pytest.mark.parametrize("name", FILTERS)
async def test_a_list_shows_what_was_asked_for(name, truth, module_pool, module_admin):
    filters = Filters(**FILTERS[name])
    wanted = [order.id for order in expected(truth, filters)]
    async with module_pool.connection(module_admin.account_id) as connection:
        counter.statements = 0
        page = await list_orders(connection, module_admin, filters, limit=100)
        assert counter.statements <= 2
        assert [order.id for order in page.data] == wanted[:100]
        assert (page.count.value, page.count.at_least) == (len(wanted), False)
        size = max(1, min(100, len(wanted) // 3))
        assert await read_through(connection, module_admin, filters, limit=size) == wanted
        oldest = await list_orders(connection, module_admin, filters, limit=40, sort="placed_at")
        assert [order.id for order in oldest.data] == wanted[::-1][:40]
    assert len(wanted) > 0 or name == "contradiction", "the filling has none of these"


@pytest.mark.parametrize("name", [n for n in FILTERS if n not in ("store", "merchant")])
async def test_a_limited_actor_sees_only_their_own(name, truth, module_pool, module_admin):
    filters = Filters(**FILTERS[name])
    for own in ({"stores": frozenset({"nordic"})}, {"merchants": frozenset({"acme", "oak"})}):
        actor = msgspec.structs.replace(module_admin, **own)
        wanted = [order.id for order in expected(truth, filters, **own)]
        async with module_pool.connection(actor.account_id) as connection:
            page = await list_orders(connection, actor, filters, limit=100)
            assert [order.id for order in page.data] == wanted[:100]
            assert page.count.value == len(wanted)


async def test_days_bound_a_list(truth, module_pool, module_admin):
    start, end = truth[900][0].placed_at, truth[300][0].placed_at
    for more in ({}, {"open": True}, {"financial_status": ("PAID",)}, {"merchant": ("acme",)}):
        filters = Filters(placed_from=start, placed_to=end, **more)
        wanted = [order.id for order in expected(truth, filters)]
        async with module_pool.connection(module_admin.account_id) as connection:
            assert await read_through(connection, module_admin, filters, limit=90) == wanted
    assert truth[900][0].id in [order.id for order in expected(truth, Filters(placed_from=start))]
    assert truth[300][0].id not in [order.id for order in expected(truth, Filters(placed_to=end))]


@pytest.mark.parametrize(
    "given", [{}, {"open": True}, {"store": ("tokyo", "main"), "open": False}, {"store": ("main",)}]
)
@pytest.mark.parametrize(
    ("sort", "key"),
    [("-total", lambda o: (o.total, o.id)), ("-updated_at", lambda o: (o.updated_at, o.id))],
)
async def test_other_orders_of_a_list(given, sort, key, truth, module_pool, module_admin):
    for range_ in ({}, {"placed_from": middle(truth)}):
        filters = Filters(**given, **range_)
        wanted = [order.id for order in sorted(expected(truth, filters), key=key, reverse=True)]
        async with module_pool.connection(module_admin.account_id) as connection:
            counter.statements = 0
            page = await list_orders(connection, module_admin, filters, limit=50, sort=sort)
            assert counter.statements <= 2
            assert page.count.value == len(wanted)
            found = await read_through(connection, module_admin, filters, limit=100, sort=sort)
            assert found == wanted


async def test_few_orders_are_sorted_and_many_followed(truth, module_pool, module_admin):
    """Both ways of ordering by total give the same list; which is taken depends on the number."""
    from counterfoil.book import ranked

    filters = Filters(placed_from=middle(truth), open=True)
    async with module_pool.connection(module_admin.account_id) as connection:
        for sort in ("-total", "-updated_at"):
            few = await read_through(connection, module_admin, filters, limit=70, sort=sort)
            usual, ranked.FEW = ranked.FEW, 1
            try:
                many = await read_through(connection, module_admin, filters, limit=70, sort=sort)
            finally:
                ranked.FEW = usual
            assert few == many


async def test_a_frequent_term_is_left_for_the_statuses(truth, module_pool, module_admin):
    """Whichever source is read, the list is the same."""
    from counterfoil.book import choosing

    for name in ("merchants, open", "channel, refunded", "store, paid", "test orders, paid"):
        filters = Filters(**FILTERS[name], q="o")
        wanted = [order.id for order in expected(truth, Filters(**FILTERS[name]))
                  if {folded(text)[0] for text in _words(order)} & {"o"}]
        async with module_pool.connection(module_admin.account_id) as connection:
            rare = await read_through(connection, module_admin, filters, limit=30)
            usual, choosing.FEW = choosing.FEW, 0
            try:
                often = await read_through(connection, module_admin, filters, limit=30)
            finally:
                choosing.FEW = usual
            assert rare == often == wanted


def _words(order):
    return [order.number, *(order.customer[name] for name in ("email", "first_name", "last_name"))]


async def test_sorts_that_cannot_be_combined_are_refused(truth, module_pool, module_admin):
    limited = msgspec.structs.replace(module_admin, merchants=frozenset({"acme"}))
    async with module_pool.connection(module_admin.account_id) as connection:
        for sort in ("-total", "-updated_at"):
            with pytest.raises(SortNotAvailable) as refused:
                await list_orders(connection, module_admin, Filters(hold=False), sort=sort)
            assert refused.value.facts["filters"] == ["hold"]
        with pytest.raises(SortNotAvailable):
            await list_orders(connection, limited, Filters(), sort="-total")


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"financial_status": ("PAYED",)}, "/financial_status"),
        ({"system_state": ("new",)}, "/system_state"),
        ({"store": ("a\x00b",)}, "/store"),
        ({"q": "\ud800"}, "/q"),
        ({"tag": ("x" * 201,)}, "/tag"),
        ({"state": tuple("abcdefghij" * 6)}, "/state"),
    ],
)
async def test_values_that_cannot_be_are_named(wrong, pointer, module_pool, module_admin):
    async with module_pool.connection(module_admin.account_id) as connection:
        with pytest.raises(ValidationFailed) as refused:
            await list_orders(connection, module_admin, Filters(**wrong))
        assert refused.value.errors[0]["pointer"] == pointer


async def test_other_words_for_shipped_are_taken(truth, module_pool, module_admin):
    async with module_pool.connection(module_admin.account_id) as connection:
        ours = await list_orders(
            connection, module_admin, Filters(fulfillment_status=("SHIPPED",)), limit=10
        )
        theirs = await list_orders(
            connection, module_admin, Filters(fulfillment_status=("FULFILLED",)), limit=10
        )
    assert ours == theirs


@pytest.mark.parametrize(
    "cursor",
    [
        "x", "====", "bnVsbA", "WzFd",
        to_cursor("-placed_at", False, "2026-01-01T00:00:00", "not an id"),
        to_cursor("-placed_at", False, "2026-01-01T00:00:00",
                  "0199c000-0000-7000-8000-000000000001"),
        to_cursor("placed_at", False, "2026-01-01T00:00:00Z",
                  "0199c000-0000-7000-8000-000000000001"),
        to_cursor("-placed_at", 1, "2026-01-01T00:00:00Z", "0199c000-0000-7000-8000-000000000001"),
    ],
)
async def test_a_cursor_that_we_did_not_give_out_is_refused(cursor, module_pool, module_admin):
    async with module_pool.connection(module_admin.account_id) as connection:
        with pytest.raises(ValidationFailed) as refused:
            await list_orders(connection, module_admin, Filters(), after=cursor)
        assert refused.value.errors[0]["pointer"] == "/cursor"


async def test_a_limited_actor_sees_only_the_money_of_their_bags(truth, module_pool, module_admin):
    actor = msgspec.structs.replace(module_admin, merchants=frozenset({"acme"}))
    async with module_pool.connection(actor.account_id) as connection:
        page = await list_orders(connection, actor, Filters(), limit=100)
        for told in page.data:
            bags = await connection.rows(
                "select sum(b.total)::bigint as total, sum(b.authorized)::bigint as authorized,"
                " sum(b.captured)::bigint as captured from bags b where b.account_id = $1"
                " and b.order_id = $2 and b.merchant = 'acme'",
                connection.account, told.id,
            )
            own = bags[0]
            assert (told.total, told.amounts.authorized, told.amounts.captured) == tuple(own)
    whole = {order.id: order for order, _ in truth}
    assert any(told.total < whole[told.id].total for told in page.data)
    assert any(told.units["live"] < whole[told.id].unit_count for told in page.data)


def test_some_holds_are_moot_and_some_money_is_not_owed(truth):
    orders = [order for order, _ in truth]
    held = {stands(order) for order in orders if order.hold_shipment and not order.is_open}
    assert held == {True, False}
    assert any(order.is_open and order.open > order.owed == 0 for order in orders)


async def test_the_views_count_what_they_list(truth, module_pool, module_admin):
    views = {
        "": {}, "attention": {"attention": True}, "capture": {"to_capture": True},
        "ship": {"to_ship": True}, "hold": {"hold": True}, "unknown": {"money_unknown": True},
    }
    everyone: tuple[dict[str, frozenset[str]], ...] = (
        {}, {"stores": frozenset({"nordic"})}, {"merchants": frozenset({"acme", "oak"})}
    )
    for own in everyone:
        actor = msgspec.structs.replace(module_admin, **own)
        async with module_pool.connection(actor.account_id) as connection:
            for only_open in (True, None):
                counter.statements = 0
                counts = await view_counts(connection, actor, only_open=bool(only_open))
                assert counter.statements == 1
                told = {
                    view: len(expected(truth, Filters(open=only_open, **given), **own))
                    for view, given in views.items()
                }
                assert {view: count for view, (count, _) in counts.items()} == told
                assert not any(at_least for _, at_least in counts.values())


async def test_an_account_without_orders_has_empty_lists(pool, admin):
    async with pool.connection(admin.account_id) as connection:
        for filters in (Filters(), Filters(open=True), Filters(q="kari"), Filters(hold=True)):
            page = await list_orders(connection, admin, filters)
            assert (page.data, page.next_cursor, page.previous_cursor) == ([], None, None)
            assert page.count.value == 0
        assert set((await view_counts(connection, admin)).values()) == {(0, False)}
