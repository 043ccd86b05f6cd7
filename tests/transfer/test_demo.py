"""The demo: the same each time, in every state, and nothing in it that could not have happened."""

from __future__ import annotations

import unicodedata
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec
import pytest

from counterfoil.book.invariants import check
from counterfoil.kernel.secrets import KeyRing
from counterfoil.kernel.shape import Code
from counterfoil.order.config import BUILT_IN_STATES, COLOURS, MAPPABLE_STATES
from counterfoil.order.history import Brought, faults_of
from counterfoil.order.rights import BUILT_IN_ROLES
from counterfoil.transfer.demo import demo_orders, demo_setup
from counterfoil.transfer.demo_acts import ACTS, act_today
from counterfoil.transfer.demo_loading import OWN_STATES, Demo, _set_up
from counterfoil.transfer.demo_people import FOLK
from counterfoil.transfer.demo_stories import CUSTOM_STATES, STORIES
from counterfoil.transfer.importing import Into
from counterfoil.transfer.line import Line
from counterfoil.transfer.runs import run_import

TODAY = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
ORDERS = list(demo_orders(TODAY))
SETUP = demo_setup()


@cache
def typed() -> tuple[Brought, ...]:
    return tuple(msgspec.convert(order, Brought) for order in ORDERS)


def states() -> Counter[str]:
    return Counter(o.history.state or "new" if o.history else "new" for o in typed())


def test_the_same_seed_gives_the_same_orders() -> None:
    again = list(demo_orders(TODAY))
    assert msgspec.json.encode(again) == msgspec.json.encode(ORDERS)
    assert next(demo_orders(TODAY, seed=1)) != ORDERS[0]


def test_there_are_as_many_as_asked_each_with_its_own_id() -> None:
    assert len(ORDERS) == len({order["external_id"] for order in ORDERS}) == 2000
    assert len(list(demo_orders(TODAY, count=5))) == 5


def test_every_past_can_have_been_and_every_sum_agrees() -> None:
    for order in typed():
        assert faults_of(order) == [], order.external_id
        bags = order.bags or ()
        goods = sum(item.quantity * item.unit_price for bag in bags for item in bag.items)
        added = sum(bag.shipping_total + bag.tax_total - bag.discount_total for bag in bags)
        assert order.total == goods + added


def moments(value: Any) -> list[datetime]:
    if isinstance(value, datetime):
        return [value]
    if isinstance(value, msgspec.Struct):
        return moments([getattr(value, name) for name in value.__struct_fields__])
    return [at for part in value for at in moments(part)] if isinstance(value, list) else []


def test_everything_happened_after_the_order_came_in_and_before_today() -> None:
    last = None
    for order in typed():
        assert order.placed_at is not None
        assert last is None or last <= order.placed_at
        last = order.placed_at
        times = moments(order.history) if order.history else []
        assert all(order.placed_at <= at <= TODAY for at in times), order.external_id
    assert last is not None
    assert TODAY - last < timedelta(hours=6)


@pytest.mark.parametrize("hour", range(0, 24, 5))
def test_nothing_lies_in_the_future_at_any_hour(hour: int) -> None:
    now = TODAY.replace(hour=hour)
    for order in demo_orders(now, count=150):
        told = msgspec.convert(order, Brought)
        assert told.placed_at is not None
        assert told.placed_at <= now
        assert all(at <= now for at in moments(told.history or []))


def test_every_state_of_every_axis_is_there() -> None:
    assert set(states()) == {*(state.code for state in BUILT_IN_STATES), *CUSTOM_STATES}
    statuses = Counter(
        (
            bool(o.payment),
            0 if not o.history else (o.history.captured > 0) + (o.history.captured == o.total),
            bool(o.history and o.history.voided),
            bool(o.history and o.history.refunds),
        )
        for o in typed()
    )
    assert len(statuses) >= 8
    parcels = [parcel for o in typed() if o.history for parcel in o.history.shipments]
    assert len({bool(parcel.delivered_at) for parcel in parcels}) == 2
    assert any(o.fraud_review for o in typed())
    assert any(o.history and o.history.holds for o in typed())
    assert any(o.total == 0 for o in typed())


def test_a_third_pays_by_card_and_what_is_open_there_can_be_captured() -> None:
    by_card = [o for o in typed() if o.payment and o.payment.gateway == "sandbox"]
    assert 0.28 < len(by_card) / len(ORDERS) < 0.38
    for order in by_card:
        assert order.payment is not None
        history = order.history
        back = sum(refund.amount for refund in history.refunds) if history else 0
        moved = (history.captured, history.voided) if history else (0, 0)
        if order.payment.reference is None:
            assert moved[0] + moved[1] == order.total
            assert back == moved[0]
        else:
            assert order.payment.reference == f"demo-{order.external_id}"
            assert moved == (0, 0)


def test_only_shops_that_may_capture_in_part() -> None:
    scopes = {store["code"]: store["scopes"] for store in SETUP["stores"]}
    for order in typed():
        if order.history and 0 < order.history.captured < (order.total or 0):
            assert "partial_capture" in scopes[str(order.store)]


def test_names_are_written_in_many_scripts() -> None:
    letters = {letter for order in ORDERS for letter in order["customer"]["first_name"]}
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in letters}
    wanted = {"LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "HIRAGANA", "HANGUL", "DEVANAGARI"}
    assert scripts >= wanted | {"CJK", "THAI", "TAMIL", "BENGALI"}
    assert all(order["customer"]["email"].isascii() for order in ORDERS)
    assert {order["billing_address"]["country"] for order in ORDERS} == set(FOLK)


def test_money_comes_with_zero_two_and_three_decimals() -> None:
    found = {(order["store"], order["currency"]) for order in ORDERS}
    assert found == {
        *(("main", "EUR"), ("main", "USD"), ("oslo", "NOK")),
        *(("berlin", "EUR"), ("tokyo", "JPY"), ("kuwait", "KWD")),
    }


def test_orders_have_one_to_three_bags_and_shoppers_come_back() -> None:
    assert set(Counter(len(order["bags"]) for order in ORDERS)) == {1, 2, 3}
    shoppers = Counter(order["customer"]["email"] for order in ORDERS)
    assert max(shoppers.values()) > 2


def test_orders_name_only_what_the_setup_has() -> None:
    stores = {store["code"] for store in SETUP["stores"]}
    merchants = {merchant["code"] for merchant in SETUP["merchants"]}
    methods = {(method["store"], method["code"]) for method in SETUP["shipment_methods"]}
    for order in ORDERS:
        assert order["store"] in stores
        assert {bag["merchant"] for bag in order["bags"]} <= merchants
        assert (order["store"], order["shipping_method"]) in methods
    assert {store["default_merchant"] for store in SETUP["stores"]} <= merchants
    assert len(merchants) == len(SETUP["merchants"])


def test_the_setup_is_one_that_the_api_takes() -> None:
    for part in ("stores", "merchants", "gateways", "order_states", "shipment_methods"):
        for entry in SETUP[part]:
            msgspec.convert(entry["code"], Code)
    for state in SETUP["order_states"]:
        assert state["system_state"] in MAPPABLE_STATES
        assert state["colour"] in COLOURS
    built_in = {state.code: state.system_state for state in BUILT_IN_STATES}
    for state in SETUP["order_states"]:
        assert built_in[CUSTOM_STATES[state["code"]]] == state["system_state"]
    assert {user["role"] for user in SETUP["users"]} <= {role.code for role in BUILT_IN_ROLES}


def test_without_custom_states_orders_are_in_what_those_count_as() -> None:
    plain = [order.get("history", {}) for order in demo_orders(TODAY, custom_states=())]
    found = {history.get("state", "new") for history in plain}
    assert found == {state.code for state in BUILT_IN_STATES}


def test_one_store_alone_has_states_of_its_own_and_uses_them() -> None:
    orders = list(demo_orders(TODAY, custom_states=OWN_STATES))
    (own,) = OWN_STATES
    states = Counter(
        (order["store"] == own, order.get("history", {}).get("state") in CUSTOM_STATES)
        for order in orders
    )
    assert states[False, True] == 0
    assert 0.05 < states[True, True] / (states[True, True] + states[True, False]) < 0.3


def test_few_orders_still_have_every_story() -> None:
    few = [msgspec.convert(order, Brought) for order in demo_orders(TODAY, count=len(STORIES))]
    assert {o.history.state for o in few if o.history} >= {"fraud", "suspended", "cancel_requested"}


async def test_what_happens_today_is_in_every_state_of_goods_that_come_back(pool, account) -> None:
    """Returns, exchanges, parts cancelled, edits: as people do it, and every promise is kept."""
    demo = Demo(account_id=account.id, keys=KeyRing([b"k" * 32]), sandbox_url="http://127.0.0.1:9",
                count=1000)
    async with pool.connection(account.id) as connection:
        await _set_up(connection, demo, SETUP)
        now = await connection.value("select cf_now()")
    told = [order for order in demo_orders(now, count=demo.count, custom_states=OWN_STATES)
            if order.get("fraud_review") or not order.get("payment", {}).get("reference")]
    for order in told:  # no card gateway is asked here
        order.get("payment", {}).update(gateway="manual")
    lines = [Line(number=n, order=order, raw=msgspec.json.encode(order))
             for n, order in enumerate(told, 1)]

    async def heard(tally: Any, faults: list[Any]) -> None:
        assert faults == []

    into = Into(actor=demo.actor, channel="demo", held={})
    await run_import(pool, lines, into, source="demo", digest="d", tell=heard)
    done = await act_today(pool, demo.actor, count=demo.count)
    assert set(done) == {act.name for act in ACTS}
    async with pool.connection(account.id) as connection:
        async def found(text: str) -> Counter[str]:
            return Counter(str(row["one"]) for row in await connection.rows(text, account.id))

        returns = await found("select status as one from returns where account_id = $1")
        assert set(returns) == {"REQUESTED", "APPROVED", "REJECTED", "RECEIVED", "CLOSED"}
        parcels = await found("select status as one from shipments where account_id = $1")
        assert set(parcels) >= {"OPEN", "SHIPPED", "IN_TRANSIT", "COULD_NOT_DELIVER", "DELIVERED"}
        assert await found("select channel as one from orders where account_id = $1"
                           " and exchange_for is not null") == Counter(exchange=done["exchange"])
        asked = await found("select state as one from orders where account_id = $1")
        assert asked["cancel_requested"] >= done["cancel asked for"]
        edits = await found("select position as one from edits where account_id = $1")
        assert edits["1"] == done["edited down"] + done["edited up"] + done["another address"]
    assert await check(pool, account.id) == []
