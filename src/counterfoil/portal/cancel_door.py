"""The button at the top right of an order: what it cancels. [U-31]"""

from counterfoil.order.shapes import OrderShape


def door_of(order: OrderShape) -> str:
    """Name the button that cancels: the order, or what of it can still be; empty for neither."""
    if any(one.action == "cancel" for one in order.allowed_actions):
        return "Cancel order"
    waits = any(
        item.quantity - item.quantity_canceled - item.quantity_shipped > 0
        for bag in order.bags
        if bag.status in ("SUBMITTED", "ACCEPTED", "BACKORDERED")
        for item in bag.items
        if item.type == "sku"
    )
    able = order.state.system_state in ("NEW", "PROCESSING", "FRAUD", "SUSPENDED")
    return "Cancel items" if able and waits else ""
