"""An edit in the words of the timeline, from its fact: no addresses, no notes."""

from typing import Any

from counterfoil.portal.figures import money, plural


def edit_words(edit: dict[str, Any], currency: str) -> str:
    """Say what an edit changed, and what the order came to."""
    if not edit:
        return ""
    old, new = (_lines(edit.get(side) or {}) for side in ("before", "after"))
    counts = (
        (sum(1 for key in old if key not in new), "removed"),
        (sum(1 for key in old if key in new and old[key] != new[key]), "changed"),
        (sum(1 for key in new if key not in old), "added"),
    )
    said = [f"{plural(count, 'line', 'lines')} {word}" for count, word in counts if count]
    before, after = edit.get("before") or {}, edit.get("after") or {}
    if _shipping(before) != _shipping(after) and not (said and old.keys() - new.keys()):
        said.append("shipping changed")
    if edit.get("address_changed"):
        said.append("address changed")
    totals = int(before.get("total", 0)), int(after.get("total", 0))
    if totals[0] != totals[1] and currency:
        said.append(f"{money(totals[1], currency)} instead of {money(totals[0], currency)}")
    return ", ".join(said)


def _lines(picture: dict[str, Any]) -> dict[str, int]:
    return {str(line["item_id"]): int(line["quantity"]) for line in picture.get("lines") or ()}


def _shipping(picture: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = picture.get("shipping") or {}
    return found
