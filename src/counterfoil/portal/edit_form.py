"""The form that edits an order: what was typed, and what it would come to.

The rehearsal is the action itself on the order as it was read, as in a dry run of the API; nothing
is written. Fields are text as typed: `units-<item>`, `shipping-<bag>`, `add-<n>-<field>`, and the
addresses as `ship-<field>` and `bill-<field>`.
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from counterfoil.actions.edit_lines import edit_lines
from counterfoil.kernel.problem import PermissionDenied, Problem
from counterfoil.order.actor import Actor
from counterfoil.order.bag import Bag
from counterfoil.order.change import Change
from counterfoil.order.editing import WantedAddition, WantedEdit, WantedUnits
from counterfoil.order.folder import Folder
from counterfoil.order.intent import Asked
from counterfoil.order.item import Item
from counterfoil.portal.figures import Unreadable, money, plain, read_money
from counterfoil.portal.reading import SENTENCES

UNITS, SHIPPING, ADD = "units-", "shipping-", "add-"
SHIP, BILL = "ship-", "bill-"
ADDED = ("name", "sku", "quantity", "price", "bag")
#: The fields of an address that people write, with their labels and how long each may be.
ADDRESS = (
    ("name", "Name", 200),
    ("company", "Company", 200),
    ("line1", "Street and number", 200),
    ("line2", "Second line", 200),
    ("postal_code", "Postal code", 40),
    ("city", "City", 200),
    ("region", "Region", 200),
    ("country", "Country, two letters", 2),
    ("phone", "Telephone", 60),
)
ROWS_MAX = 20
UNITS_MAX = 10**6
UNCHANGED = "Nothing is changed yet."


class Rehearsed(msgspec.Struct, kw_only=True):
    """What an edit would be: the change, or why it cannot be. `errors` are by field, "" has none.

    `empty`: nothing is changed yet, which is no fault of anybody.
    """

    wanted: WantedEdit
    change: Change | None = None
    empty: bool = False
    errors: dict[str, str] = {}

    @property
    def refused(self) -> str:
        """Why it cannot be, in one sentence."""
        return next(iter(self.errors.values()), "")

    @property
    def shown(self) -> str:
        """What of the money was read back: an edit is done only while it still comes to that."""
        return "" if self.change is None else came_to(self.change)


def came_to(change: Change) -> str:
    """Tell in one word what the money makes of an edit."""
    order = change.after.order
    rows: list[Any] = change.inserts.get("transactions", [])
    refunds: list[Any] = change.inserts.get("refunds", [])
    figures = (
        change.result.after.total,
        order.capturable,
        order.due,
        sum(row.amount for row in rows if row.type == "VOID"),
        sum(one.amount for one in refunds),
        sum(1 for one in refunds if one.waits_for_approval),
    )
    return ".".join(str(figure) for figure in figures)


def goods_of(folder: Folder) -> list[Item]:
    """List the lines of goods that are in the order."""
    live = {bag.id for bag in bags_of(folder)}
    return [i for i in folder.items if i.deliverable and i.live and i.bag_id in live]


def bags_of(folder: Folder) -> list[Bag]:
    """List the bags that are neither cancelled nor rejected."""
    return [bag for bag in folder.bags if bag.live]


def proposed(folder: Folder) -> dict[str, str]:
    """Fill the form with the order as it is."""
    order = folder.order
    values = {UNITS + item.id: str(item.live) for item in goods_of(folder)}
    values |= {SHIPPING + b.id: plain(b.shipping_total, order.currency) for b in bags_of(folder)}
    for prefix, place in ((SHIP, order.shipping_address), (BILL, order.billing_address)):
        values |= {prefix + name: str((place or {}).get(name) or "") for name, *_ in ADDRESS}
    return values | {"rows": "1", "hold_until_paid": "1", "refund_difference": "1"}


def names_of(folder: Folder, rows: int) -> dict[str, int]:
    """List the fields of the form, each with how long its text may be."""
    found = {UNITS + item.id: 12 for item in goods_of(folder)}
    found |= {SHIPPING + bag.id: 40 for bag in bags_of(folder)}
    found |= {f"{ADD}{row}-{name}": 1000 for row in range(rows) for name in ADDED}
    found |= {p + name: most for p in (SHIP, BILL) for name, _, most in ADDRESS}
    return found | {"rows": 3, "note": 2000, "hold_until_paid": 1, "refund_difference": 1}


def rows_of(text: str) -> int:
    """Tell how many lines to add are asked for."""
    return max(1, min(int(text), ROWS_MAX)) if text.isascii() and text.isdecimal() else 1


def rehearse(folder: Folder, actor: Actor, values: dict[str, str]) -> Rehearsed:
    """Find out what a form would do now. Raises what is no matter of the form."""
    errors: dict[str, str] = {}
    wanted = _wanted(folder, values, errors)
    told = Rehearsed(wanted=wanted, errors=errors)
    if errors:
        return told
    if not wanted.of_goods and not wanted.addresses:
        told.empty, told.errors = True, {"": UNCHANGED}
        return told
    try:
        asked = Asked(actor=actor, source="portal")
        told.change = edit_lines(folder, asked=asked, wanted=wanted)
    except Problem as problem:
        field, sentence = in_words(problem, folder.order.currency)
        told.errors = {field: sentence}
    return told


def in_words(problem: Problem, currency: str) -> tuple[str, str]:
    """Put a refusal to its field, in words with amounts as people read them."""
    facts = problem.facts
    if problem.code == "invalid_state" and "give_back" in facts:
        back = money(int(facts["give_back"]), currency)
        return "refund_difference", (
            f"{back} more was taken than the order would be worth. Let it go back."
        )
    if isinstance(problem, PermissionDenied):
        return "", (
            "More was taken than the order would be worth, and you may not give money back. Ask"
            " somebody who may."
        )
    if "item_id" in facts:
        return UNITS + str(facts["item_id"]), problem.detail
    if problem.code == "invalid_state" and "capture_pending" in facts:
        coming = money(int(facts["capture_pending"]), currency)
        return "", f"A capture of {coming} is on its way. Wait until it is known."
    if problem.status not in (409, 422):
        raise problem
    return "", SENTENCES.get(problem.code, problem.detail or problem.title)


def _wanted(folder: Folder, values: dict[str, str], errors: dict[str, str]) -> WantedEdit:
    return WantedEdit(
        lines=_lines(folder, values, errors),
        add=_additions(folder, values, errors),
        shipping=_shipping(folder, values, errors),
        note=values.get("note") or None,
        refund_difference=bool(values.get("refund_difference")),
        hold_until_paid=bool(values.get("hold_until_paid")),
        shipping_address=_address(folder.order.shipping_address, values, SHIP, errors),
        billing_address=_address(folder.order.billing_address, values, BILL, errors),
    )


def _lines(folder: Folder, values: dict[str, str], errors: dict[str, str]) -> list[WantedUnits]:
    """Read how many units of each line there are to be; those that stay are left out."""
    lines = []
    for item in goods_of(folder):
        text = values.get(UNITS + item.id, str(item.live))
        units = _whole(text)
        if units is None or units > item.live:
            errors[UNITS + item.id] = (
                f"{item.sku or item.name}: write a whole number from {item.quantity_shipped} to"
                f" {item.live}. For more of it, add a line."
            )
        elif units != item.live:
            lines.append(WantedUnits(item_id=item.id, quantity=units))
    return lines


def _additions(
    folder: Folder, values: dict[str, str], errors: dict[str, str]
) -> list[WantedAddition]:
    """Read the lines to add; a row with nothing written in it is none."""
    bags = bags_of(folder)
    found = []
    for row in range(rows_of(values.get("rows", ""))):
        name, sku, quantity, price, bag = (
            values.get(f"{ADD}{row}-{field}", "").strip() for field in ADDED
        )
        if not (name or sku or quantity or price):
            continue
        units = _whole(quantity)
        if not name:
            errors[f"{ADD}{row}-name"] = "Say what it is."
        if not units or units > UNITS_MAX:
            errors[f"{ADD}{row}-quantity"] = "Write how many units: a whole number above zero."
        each = _money(price, folder.order.currency, f"{ADD}{row}-price", errors)
        chosen = next((one.id for one in bags if one.id == bag), None)
        if chosen is None and len(bags) > 1:
            errors[f"{ADD}{row}-bag"] = "Choose in which bag."
        found.append(
            WantedAddition(
                bag_id=chosen, sku=sku[:200] or None, name=name, quantity=units or 0,
                unit_price=each,
            )
        )
    return found


def _shipping(folder: Folder, values: dict[str, str], errors: dict[str, str]) -> dict[str, int]:
    """Read what shipping of each bag is to cost; what stays is left out."""
    currency, new = folder.order.currency, {}
    for bag in bags_of(folder):
        field = SHIPPING + bag.id
        text = values.get(field, plain(bag.shipping_total, currency))
        amount = _money(text or "0", currency, field, errors)
        if amount != bag.shipping_total and field not in errors:
            new[bag.id] = amount
    return new


def _address(
    old: dict[str, Any] | None, values: dict[str, str], prefix: str, errors: dict[str, str]
) -> dict[str, Any] | UnsetType | None:
    """Read an address; what the form does not show of it stays. UNSET where nothing changed."""
    before = {name: str((old or {}).get(name) or "") for name, *_ in ADDRESS}
    typed = {name: values.get(prefix + name, before[name]).strip() for name, *_ in ADDRESS}
    typed["country"] = typed["country"].upper()
    if typed == before:
        return UNSET
    country = typed["country"]
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        errors[f"{prefix}country"] = "A country has two letters, as NO or DE."
    rest = {name: value for name, value in (old or {}).items() if name not in typed}
    new = rest | {name: value for name, value in typed.items() if value}
    return new or None


def _whole(text: str) -> int | None:
    return int(text[:12]) if text.isascii() and text.isdecimal() else None


def _money(text: str, currency: str, field: str, errors: dict[str, str]) -> int:
    try:
        return read_money(text, currency)
    except Unreadable as wrong:
        errors[field] = str(wrong)
        return 0
