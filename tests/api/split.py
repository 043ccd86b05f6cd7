"""An order of three merchants in which all that is one's own is marked, so that leaks are seen.

Every word, code and number of the others carries the mark, every amount of theirs is a number that
turns up nowhere else. What is about the order as a whole is marked as well.
"""

import re
from typing import Any

from tests.api.server import Shop, wanted

MARK = "quagga"
OWN, OTHERS = "acme", (f"{MARK}-zeta", f"{MARK}-yotta")
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
#: Minor units that only the others, or the whole order, have.
PRICES = {OTHERS[0]: (91331, 7717, 3313), OTHERS[1]: (83219, 6131, 2377)}
OWN_TOTAL = 2 * 1250 + 500
GIVEN_BACK = 31337
LEFT_OPEN = 23689
EDITED = 8719


def split_order(**changes: Any) -> dict[str, Any]:
    """Return the body of an order of which one merchant's bag is not marked."""
    bags = [
        {
            "merchant": OWN,
            "shipping_total": 500,
            "items": [{"sku": "MUG-1", "name": "Mug", "quantity": 2, "unit_price": 1250}],
        },
    ]
    for code, (price, shipping, tax) in PRICES.items():
        bags.append(
            {
                "merchant": code,
                "shipping_total": shipping,
                "tax_total": tax,
                "external_id": f"{code}-bag",
                "items": [
                    {
                        "sku": f"{code}-tee",
                        "name": f"{code} shirt",
                        "quantity": 2,
                        "unit_price": price,
                        "product_id": f"{code}-product",
                    }
                ],
            }
        )
    payment = {"gateway": "manual", "flow": "auth", "reference": f"{MARK}-auth"}
    address = {"line1": f"{MARK} street", "city": "Oslo", "postal_code": "0155", "country": "NO"}
    customer = {"email": "kari@example.com", "first_name": "Kari", "last_name": "Strauß"}
    more = {"customer": customer, "payment": payment, "billing_address": address, **changes}
    return wanted(bags=bags, **more)


class Split:
    """The order with a life behind it; who may see all of it makes it."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.ids: dict[str, dict[str, str]] = {"own": {}, "other": {}, "order": {}}
        answer = shop.post("/v1/orders", split_order())
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["id"]
        self.at = f"/v1/orders/{self.id}"
        self._live()
        self.order = shop.get(self.at).json()

    def _make(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.shop.post(path, body)
        assert answer.status_code in (200, 201), f"{path}: {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    def _live(self) -> None:
        """Take the money, send parcels and give some back; write notes and holds about it."""
        whole = sum(bag["total"] for bag in self.shop.get(self.at).json()["bags"])
        self._make(f"{self.at}/capture", {"amount": whole - LEFT_OPEN})
        self._make(f"{self.at}/notes", {"body": f"{MARK} they called"})
        self._make(
            f"{self.at}/holds",
            {"handle": "stock", "blocks": ["capture"], "note": f"{MARK} is out of stock"},
        )
        bags = self.shop.get(self.at).json()["bags"]
        self._make(
            f"{self.at}/edits",
            {
                "shipping": {bags[1]["id"]: EDITED},
                "note": f"{MARK} moved",
                "hold_until_paid": False,
            },
        )
        self.bags = {bag["merchant"]["code"]: bag for bag in bags}
        self.ids["order"] = {"order_id": self.id, "handle": "stock"}
        for code, bag in self.bags.items():
            of = "own" if code == OWN else "other"
            self.ids[of] = self._one(code, bag)
        self._make(
            f"{self.at}/refund",
            {"reference": f"{MARK}-whole", "amount": GIVEN_BACK, "reason": f"{MARK} are sorry"},
        )

    def _one(self, code: str, bag: dict[str, Any]) -> dict[str, str]:
        at, item = f"{self.at}/bags/{bag['id']}", bag["items"][0]["id"]
        parcel = self._make(
            f"{at}/shipments",
            {
                "items": [{"item_id": item, "quantity": 1}],
                "carrier": f"{code} post",
                "tracking_number": f"{code}-track",
                "external_id": f"{code}-parcel",
            },
        )
        self._make(f"/v1/shipments/{parcel['id']}/ship", {})
        refund = self._make(
            f"{at}/refunds",
            {
                "amount": 111 if code == OWN else bag["total"] // 3,
                "reason": f"{code} was late",
                "reference": f"{code}-refund",
            },
        )
        back = self._make(
            f"{at}/returns",
            {
                "lines": [{"item_id": item, "quantity": 1}],
                "resolution": "NONE",
                "note": f"{code} came back worn",
            },
        )
        if code != OWN:
            self._make(
                f"{self.at}/cancel",
                {"lines": [{"item_id": item, "quantity": 1}], "reason": f"{code} sold out"},
            )
        return {
            "return_id": back["id"],
            "bag_id": bag["id"],
            "item_id": item,
            "shipment_id": parcel["id"],
            "refund_id": refund["id"],
            "transaction_id": refund["transactions"][0]["id"],
            "code": code,
        }

    @property
    def amounts(self) -> set[int]:
        """Every amount that is the others', or the whole order's."""
        order = self.order
        parts = [bag for bag in order["bags"] if bag["merchant"]["code"] != OWN]
        parts += order["payments"]
        found = {self.order["total"], self.order["sub_total"], GIVEN_BACK}
        found |= set(order["amounts"].values())
        for part in parts:
            found |= {
                part.get(name, 0)
                for name in ("total", "sub_total", "tax_total", "amount", "shipping_total")
            }
            found |= set(part["amounts"].values())
            found |= {
                item[name]
                for item in part.get("items", [])
                for name in ("unit_price", "line_total")
            }
        own = next(bag for bag in order["bags"] if bag["merchant"]["code"] == OWN)
        mine = {own["total"], own["sub_total"], *own["amounts"].values(), 1250}
        return {amount for amount in found if amount > 999} - mine

    def leaks(self, text: str, asked: str = "") -> list[str]:
        """List what is in an answer and is not for one merchant; what was asked is no news."""
        seen = text
        for part in (asked, *(part for part in asked.split("/") if MARK in part)):
            seen = seen.replace(part, "") if part else seen
        found = around(MARK, seen)
        told = re.sub(UUID, "", seen)  # four digits may well stand in an id
        shown = "|".join(
            form
            for amount in self.amounts
            for units, cents in (divmod(amount, 100),)
            for form in (str(amount), rf"{units:,}[.,]{cents:02d}", rf"{units}[.,]{cents:02d}")
        )
        found += around(rf"(?<![\w.])(?:{shown})(?!\w)", told)
        for name, one in self.ids["other"].items():
            found += [f"{name} {one}"] * (one in seen and name not in ("code", "transaction_id"))
        return found


def around(pattern: str, text: str) -> list[str]:
    """List where a text has what is sought, with some of what stands around it."""
    return [
        text[max(0, found.start() - 60) : found.end() + 30]
        for found in re.finditer(pattern, text, re.IGNORECASE)
    ]
