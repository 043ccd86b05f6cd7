"""A store whose every word is marked, beside one that is not: what leaks from it is seen."""

import re
from typing import Any

from tests.api.server import Shop, wanted
from tests.api.split import UUID, around

MARK = "quagga"
STORE, PAY, STATE, METHOD = MARK, f"{MARK}-pay", f"{MARK}-state", f"{MARK}-post"
#: Minor units that nothing else on the pages has.
PRICE, CAPTURED, BACK = 91331, 83219, 31337


class Elsewhere:
    """The marked store with an order that was paid, sent, returned and refunded in part."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self._set_up()
        self.order = self._make("POST", "/v1/orders", self._wanted())
        self.at = f"/v1/orders/{self.order['id']}"
        self.held = self._make("POST", "/v1/orders", self._wanted() | {"fraud_review": True})
        self.ids = {"store": STORE, "code": PAY, "kind": "canceled", "language": "en",
                    "card": "general", "handle": "stock", "step": "ship"}
        self._live()
        self.ids |= {"letter_id": self._get(f"{self.at}/letters")[0]["id"]}

    def _wanted(self) -> dict[str, Any]:
        item = {"sku": f"{MARK}-tee", "name": f"{MARK} shirt", "quantity": 2, "unit_price": PRICE}
        bags = [{"merchant": f"{MARK}-smith", "items": [item]}]
        payment = {"gateway": PAY, "flow": "auth", "reference": f"{MARK}-auth"}
        address = {"line1": f"{MARK} street", "city": "Oslo", "postal_code": "0155",
                   "country": "NO"}
        customer = {"email": f"{MARK}@example.com", "first_name": MARK, "last_name": MARK}
        return wanted(
            store=STORE, bags=bags, payment=payment, billing_address=address,
            shipping_address=address, customer=customer, merchant_reference=f"{MARK}-ref",
            shipping_method=METHOD, tags=[f"{MARK}-tag"],
        )

    def _make(self, method: str, path: str, body: Any) -> dict[str, Any]:
        answer = self.shop.call(method, path, body)
        assert answer.status_code in (200, 201), f"{path}: {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    def _get(self, path: str) -> Any:
        answer = self.shop.get(path)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        return answer.json()

    def _set_up(self) -> None:
        self._make("POST", "/v1/stores", {
            "code": STORE, "name": f"{MARK} shop", "currency": "EUR", "number_prefix": f"{MARK}-",
            "scopes": ["partial_capture"], "create_merchants": True, "auth_hold_seconds": 7200,
            "letters": ["order_received"],
        })
        self._make("POST", "/v1/gateways", {"code": PAY, "kind": "manual", "store": STORE})
        self._make("POST", "/v1/order-states", {
            "code": STATE, "name": f"{MARK} state", "system_state": "PROCESSING", "store": STORE})
        self._make("POST", "/v1/shipment-methods", {
            "code": METHOD, "name": f"{MARK} post", "store": STORE})
        self._make("PATCH", "/v1/delivery-states/SHIPPED", {
            "label": f"{MARK} gone", "store": STORE})
        self._make("PUT", f"/v1/letter-templates/canceled?store={STORE}", {
            "subject": f"{MARK} subject", "body": f"{MARK} body"})
        self._make("PUT", f"/v1/stores/{STORE}/review-rules", {
            "blocked": {"emails": [f"{MARK}@example.org"]}})

    def _live(self) -> None:
        """Take and give back money, send, take back; write a note and a hold."""
        bag = self.order["bags"][0]
        item, at = bag["items"][0]["id"], f"{self.at}/bags/{bag['id']}"
        self._make("POST", f"{self.at}/capture", {"amount": CAPTURED})
        self._make("POST", f"{self.at}/notes", {"body": f"{MARK} they called"})
        parcel = self._make("POST", f"{at}/shipments", {
            "items": [{"item_id": item, "quantity": 1}], "carrier": f"{MARK} post",
            "tracking_number": f"{MARK}-track"})
        self._make("POST", f"/v1/shipments/{parcel['id']}/ship", {})
        packed = self._make("POST", f"{at}/shipments", {
            "items": [{"item_id": item, "quantity": 1}], "carrier": f"{MARK} post"})
        back = self._make("POST", f"{at}/returns", {
            "lines": [{"item_id": item, "quantity": 1}], "resolution": "NONE",
            "note": f"{MARK} came back worn"})
        refund = self._make("POST", f"{self.at}/refund", {
            "amount": BACK, "reference": f"{MARK}-refund", "reason": f"{MARK} were late"})
        self._make("POST", f"{self.at}/holds", {
            "handle": "stock", "blocks": ["capture"], "note": f"{MARK} is out of stock"})
        self.ids |= {
            "order_id": self.order["id"], "bag_id": bag["id"], "item_id": item,
            "shipment_id": packed["id"], "return_id": back["id"], "refund_id": refund["id"],
            "transaction_id": refund["transactions"][0]["id"],
            "payment_id": self._get(f"{self.at}/payments")[0]["id"],
        }

    def standing(self) -> list[Any]:
        """Read all that somebody of another store may not change."""
        paths = (
            self.at, f"/v1/orders/{self.held['id']}", f"{self.at}/letters", "/v1/stores",
            "/v1/gateways", f"/v1/order-states?store={STORE}",
            f"/v1/shipment-methods?store={STORE}", f"/v1/delivery-states?store={STORE}",
            f"/v1/letter-templates?store={STORE}", f"/v1/stores/{STORE}/review-rules",
            "/v1/reconciliations",
        )
        return [self._get(path) for path in paths]

    @property
    def secret_ids(self) -> set[str]:
        """The ids of what was made there."""
        return {self.held["id"], *(one for one in self.ids.values() if re.fullmatch(UUID, one))}

    def leaks(self, text: str, asked: str = "") -> list[str]:
        """List what is of the marked store in an answer; what was asked for is no news."""
        seen = text
        for part in sorted({asked, *re.split(r"[/?=&]", asked)}, key=len, reverse=True):
            if MARK in part or re.fullmatch(UUID, part):
                seen = seen.replace(part, "")
        forms = (rf"{n}|{n // 100:,}[.,]{n % 100:02d}|{n // 100}[.,]{n % 100:02d}"
                 for n in (PRICE, 2 * PRICE, CAPTURED, BACK))
        found = around(MARK, seen) + around(
            rf"(?<![\w.])(?:{'|'.join(forms)})(?!\w)", re.sub(UUID, "", seen))
        return found + [one for one in self.secret_ids if one in seen]
