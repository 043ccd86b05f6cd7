"""The item: a line of a bag, and how far each of its units has come."""

import msgspec

BEFORE_SHIPPED = ("PENDING", "PROCESSING", "READY", "BACKORDERED")
CONFIRMED = ("READY", "SHIPPED", "IN_TRANSIT", "DELIVERED", "COULD_NOT_DELIVER")


#: Every delivery state, in the order of a good course, by the name that we have for it. A store may
#: have a name of its own for each. [U-15, domain.md §3]
DELIVERY_STATES = {
    "PENDING": "Pending",
    "PROCESSING": "Processing",
    "BACKORDERED": "Back-ordered",
    "READY": "Ready",
    "SHIPPED": "Shipped",
    "IN_TRANSIT": "In transit",
    "DELIVERED": "Delivered",
    "COULD_NOT_DELIVER": "Could not deliver",
    "RETURNED": "Returned",
    "CANCELED": "Cancelled",
}


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A line as stored. Unit quantities follow from shipments; only type `sku` is delivered.

    `added_in` names the edit that added it: its price stands alone, with no share of the bag's
    discount or tax. `canceled_refunded` counts the units that were cancelled after they had been
    given back as lines of refunds: they are in both counts.
    [domain.md §3, rulings 32]
    """

    id: str
    order_id: str
    bag_id: str
    position: int
    sku: str | None = None
    product_id: str | None = None
    name: str
    type: str = "sku"
    digital: bool = False
    quantity: int
    unit_price: int
    line_total: int
    delivery_state: str = "PENDING"
    quantity_shipped: int = 0
    quantity_delivered: int = 0
    quantity_failed: int = 0
    quantity_returned: int = 0
    quantity_refunded: int = 0
    quantity_canceled: int = 0
    canceled_refunded: int = 0
    shipping_method: str | None = None
    shipment_id: str | None = None
    added_in: str | None = None

    @property
    def deliverable(self) -> bool:
        """Whether this line is goods; shipping, tax and discounts are not."""
        return self.type == "sku"

    @property
    def live(self) -> int:
        """Units that are not cancelled."""
        return self.quantity - self.quantity_canceled

    @property
    def unrefunded(self) -> int:
        """Live units that were not given back as lines of refunds."""
        return max(0, self.live - self.quantity_refunded + self.canceled_refunded)

    @property
    def waiting(self) -> int:
        """Live units that have not left."""
        return self.live - self.quantity_shipped
