"""A believable account out of a seed: set-up and about 2,000 orders in every state there is.

The same seed, count and moment give the same orders, byte for byte; nothing else is asked, neither
clock nor network. Orders are api.md's with a `history`, oldest first, each of one of `STORIES`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from msgspec import Struct

from .demo_goods import STORES, DemoMerchant, DemoStore
from .demo_people import person
from .demo_stories import CUSTOM_STATES, STORIES, Story, Telling, text

SEED: Final = 20_261_120
EVERYWHERE: Final = frozenset(store.code for store in STORES)
_HOURS: Final = (2, 1, 1, 0, 0, 1, 2, 4, 7, 9, 10, 10, 11, 10, 8, 8, 9, 10, 11, 13, 14, 12, 8, 4)
"""How many order in each hour of a store's day."""
_LONG_HOURS: Final = 24 * 28
"""Stories that may be older than this are told more often of younger orders: trade grows."""
_TAGS: Final = ("vip", "gift", "newsletter", "wholesale", "pre-order", "first-order")
_STATES: Final = (
    ("picking", "Picking", "PROCESSING", "teal", "Somebody walks the shelves with the list."),
    ("packed", "Packed", "PROCESSING", "purple", "In its box, waiting for the carrier."),
    ("awaiting-pickup", "Awaiting pick-up", "PROCESSING", "blue", "On the shelf by the door."),
    ("awaiting-stock", "Awaiting stock", "NEW", "amber", "A line is on its way to us."),
)
_USERS: Final = (
    ("admin@example.com", "Ada Admin", "admin", None),
    ("service@example.com", "Séverine Service", "service", None),
    ("warehouse@example.com", "Wim van den Berg", "warehouse", None),
    ("accounting@example.com", "会計 かおり", "accounting", None),
    ("radwerk@example.com", "Rüdiger Radwerk", "merchant", ["radwerk"]),
)


class _Plan(Struct, frozen=True):
    """When an order came in, where, and what becomes of it."""

    placed_at: datetime
    store: DemoStore
    story: Story


def demo_setup() -> dict[str, Any]:
    """Tell what the demo's orders need, each list in the shape that the API takes.

    {stores, merchants, gateways, order_states, shipment_methods, users}. The store `main`, its
    merchant `main` and the gateway `manual` are those that every account begins with; the sandbox's
    address and key, and the users' passwords, are whoever loads it to say.
    """
    return {
        "stores": [
            {
                "code": store.code,
                "name": store.name,
                "currency": store.currency,
                "number_prefix": store.number_prefix,
                "scopes": list(store.scopes),
                "default_merchant": store.merchants[0].code,
            }
            for store in STORES
        ],
        "merchants": [
            {"code": merchant.code, "name": merchant.name}
            for store in STORES
            for merchant in store.merchants
        ],
        "gateways": [{"code": "manual", "kind": "manual"}, {"code": "sandbox", "kind": "sandbox"}],
        "order_states": [
            {
                "store": store.code,
                "code": code,
                "name": name,
                "system_state": system_state,
                "colour": colour,
                "description": description,
            }
            for store in STORES
            for code, name, system_state, colour, description in _STATES
        ],
        "shipment_methods": [
            {
                "store": store.code,
                "code": code,
                "name": name,
                "carrier": store.carrier,
                "tracking_url": f"https://track.example.com/{store.code}/{{tracking_number}}",
            }
            for store in STORES
            for code, name in (("standard", "Standard"), ("express", "Express"))
        ],
        "users": [
            {"email": email, "name": name, "role": role, "merchants": merchants}
            for email, name, role, merchants in _USERS
        ],
    }


def demo_orders(
    today: datetime,
    *,
    seed: int = SEED,
    count: int = 2000,
    custom_states: Collection[str] = EVERYWHERE,
) -> Iterator[dict[str, Any]]:
    """Tell the demo's orders, oldest first, the newest just before `today`, an aware time.

    Every story is told at least once where `count` allows. In a store that is not one of
    `custom_states` an order in a state of `demo_setup` is in the built-in one that it counts as.
    """
    rng = Random(seed)  # noqa: S311 - a demo, the same each time
    shoppers = {
        store.code: [
            person(rng, country)
            for country in rng.choices(
                list(store.countries), list(store.countries.values()), k=max(4, count // 9)
            )
        ]
        for store in STORES
    }
    taken: dict[str, int] = {}
    for plan in sorted(_plans(rng, today, count), key=lambda plan: plan.placed_at):
        number = taken[plan.store.code] = taken.get(plan.store.code, 10_000) + 1
        told = _order(rng, plan, rng.choice(shoppers[plan.store.code]), number)
        state = told.get("history", {}).get("state")
        if state in CUSTOM_STATES and plan.store.code not in custom_states:
            told["history"]["state"] = CUSTOM_STATES[state]
        yield told


def _plans(rng: Random, today: datetime, count: int) -> list[_Plan]:
    shares = [story.share for story in STORIES]
    stories = [*STORIES, *rng.choices(STORIES, shares, k=count)][:count]
    plans = []
    for story in stories:
        stores = [store for store in STORES if store.scopes or not story.partial]
        store = rng.choices(stores, [store.weight for store in stores])[0]
        plans.append(_Plan(_moment(rng, today, story, store), store, story))
    return plans


def _moment(rng: Random, today: datetime, story: Story, store: DemoStore) -> datetime:
    """Choose a time of the story's age, at an hour when people of the store's country shop."""
    least = timedelta(hours=story.hours[0], minutes=1)
    east = timedelta(hours=store.hours_east)
    hours = [rng.randrange(*story.hours) for _ in range(2 if story.hours[1] > _LONG_HOURS else 1)]
    age = timedelta(hours=min(hours))
    day = (today + east - age).replace(hour=0, minute=0, second=0, microsecond=0)
    hour = rng.choices(range(24), _HOURS)[0]
    at = day + timedelta(hours=hour, seconds=rng.randrange(3600)) - east
    while at > today - least:
        at -= timedelta(days=1)
    return at


def _order(rng: Random, plan: _Plan, shopper: dict[str, Any], number: int) -> dict[str, Any]:
    store = plan.store
    express = rng.randrange(6) == 0
    bags = _bags(rng, store, plan.story.units)
    country = shopper["address"]["country"]
    _add_sums(rng, bags, store, express=express, taxed=country == "US")
    order: dict[str, Any] = {
        "store": store.code,
        "external_id": f"{store.code}-{number}",
        "currency": "USD" if country == "US" else store.currency,
        "placed_at": text(plan.placed_at),
        "total": sum(_bag_total(bag) for bag in bags),
        "customer": shopper["customer"],
        "billing_address": shopper["address"],
        "shipping_address": shopper["address"],
        "shipping_method": "express" if express else "standard",
        "bags": bags,
        "tags": sorted(rng.sample(_TAGS, rng.choices((0, 1, 2), (60, 30, 10))[0])),
    }
    telling = Telling(rng, order, store)
    plan.story.tell(telling)
    moved = telling.history.get("captured") or order.get("payment", {}).get("flow") == "payment"
    if moved and rng.randrange(10) < 7:
        telling.history["invoice_number"] = f"{store.number_prefix}F{plan.placed_at:%y}-{number}"
    if telling.history:
        order["history"] = telling.history
    return order


def _bags(rng: Random, store: DemoStore, units: int) -> list[dict[str, Any]]:
    """Fill bags of one to three merchants; an order of one line gets `units` of it at least."""
    merchants = rng.sample(store.merchants, rng.choices((1, 2, 3), (68, 26, 6))[0])
    bags: list[dict[str, Any]] = [
        {"merchant": merchant.code, "items": _items(rng, merchant)} for merchant in merchants
    ]
    if len(bags) == 1 and len(bags[0]["items"]) == 1:
        (item,) = bags[0]["items"]
        item["quantity"] = max(units, item["quantity"])
    return bags


def _items(rng: Random, merchant: DemoMerchant) -> list[dict[str, Any]]:
    lines = min(len(merchant.goods), rng.choices((1, 2, 3, 4), (52, 30, 13, 5))[0])
    return [
        {
            "sku": sku,
            "name": name,
            "quantity": rng.choices((1, 2, 3, 6), (74, 17, 6, 3))[0],
            "unit_price": price,
        }
        for sku, name, price in rng.sample(merchant.goods, lines)
    ]


def _add_sums(
    rng: Random, bags: list[dict[str, Any]], store: DemoStore, *, express: bool, taxed: bool
) -> None:
    """Add discount, shipping and, where prices are without it, sales tax to each bag."""
    percent = rng.choices((0, 10, 15, 25), (84, 9, 5, 2))[0]
    for bag in bags:
        goods = sum(item["quantity"] * item["unit_price"] for item in bag["items"])
        discount = goods * percent // 100
        shipping = 0 if goods >= store.free_from else store.shipping
        bag["shipping_total"] = shipping + (store.shipping if express else 0)
        bag["tax_total"] = (goods - discount) * 8 // 100 if taxed else 0
        bag["discount_total"] = discount


def _bag_total(bag: dict[str, Any]) -> int:
    goods = sum(item["quantity"] * item["unit_price"] for item in bag["items"])
    total = goods + bag["shipping_total"] + bag["tax_total"] - bag["discount_total"]
    return int(total)
