"""Until when goods and money go back: so many days after delivery, where the store says so."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from counterfoil.order.actor import Actor
from counterfoil.order.folder import Folder
from counterfoil.order.problems import RefundWindowClosed
from counterfoil.order.refund import WantedRefund

_RIGHT = "payments.approve"


def window_end(folder: Folder, bag_ids: Sequence[str]) -> datetime | None:
    """Tell until when these bags may come back: the store's days after the latest delivery.

    Where nothing has arrived the days count from when the last parcel left; None where nothing has
    left, or the store takes back for ever. Needs the shipments opened. [rulings 42]
    """
    days = folder.store.refund_window_days
    if days is None:
        return None
    parcels = [parcel for parcel in folder.shipments if parcel.bag_id in bag_ids]
    moments = [parcel.delivered_at for parcel in parcels if parcel.delivered_at is not None]
    moments = moments or [parcel.shipped_at for parcel in parcels if parcel.shipped_at is not None]
    return max(moments) + timedelta(days=days) if moments else None


def check_window(
    folder: Folder, bag_ids: Sequence[str], actor: Actor, *, override: bool
) -> bool:
    """Tell whether it is late, which takes a right. Raises RefundWindowClosed."""
    end = window_end(folder, bag_ids)
    if end is None or folder.at <= end:
        return False
    if override and actor.can(_RIGHT):
        return True
    raise RefundWindowClosed(
        f"The store takes back until {end:%Y-%m-%d %H:%M} UTC. Whoever has the right {_RIGHT} may"
        " do it later with override_window.",
        until=end,
    )


def bags_of_refund(folder: Folder, wanted: WantedRefund) -> list[str]:
    """List the bags that a refund is about: the one, those of its lines, or all."""
    if wanted.bag_id is not None:
        return [wanted.bag_id]
    named = {line.item_id for line in wanted.lines}
    found = {item.bag_id for item in folder.items if item.id in named}
    return sorted(found) or [bag.id for bag in folder.bags]
