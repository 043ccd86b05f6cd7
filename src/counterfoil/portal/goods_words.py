"""The words of goods: what may be done with a parcel, why a method changes, how far units are."""

from counterfoil.order.item import DELIVERY_STATES

#: What may be done with a parcel, with the words of its button.
STEPS = {
    "ship": "Mark as sent",
    "deliver": "Mark as delivered",
    "fail": "Could not deliver",
    "in_transit": "In transit",
}
SEND_AGAIN = "Send again"
#: Why a shipment method is changed, as the note says it afterwards. [U-20]
REASONS = {
    "unavailable": "Items are not available",
    "vendor": "Another delivery company",
    "other": "Another reason",
}
NOT_YET = "A tracking number can be added when the item is Ready or later."


def state_name(code: str, labels: dict[str, str]) -> str:
    """Name a delivery state as the store does."""
    return labels.get(code, DELIVERY_STATES.get(code, code))


def listed(names: list[str]) -> str:
    """Write names as one would say them: SKU-1, SKU-2 and SKU-3."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def counted(quantity: int, of: int, name: str) -> str:
    """Name a line with its units, where it has several."""
    return f"{quantity} × {name}" if of > 1 else name
