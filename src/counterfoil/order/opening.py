"""What an action needs to see: it says so itself, and the book opens just that."""

from collections.abc import Callable
from typing import Any, TypeVar

from counterfoil.order.folder import CONFIGURATION, SECTIONS

_Action = TypeVar("_Action", bound=Callable[..., Any])


def opens(*sections: str) -> Callable[[_Action], _Action]:
    """Declare the sections of the folder that an action looks into."""
    unknown = set(sections) - set(SECTIONS) - set(CONFIGURATION)
    assert not unknown, unknown

    def declare(action: _Action) -> _Action:
        action.needs = frozenset(sections)  # type: ignore[attr-defined]
        return action

    return declare


def needs_of(action: Callable[..., Any]) -> frozenset[str]:
    """Tell the sections that an action declared."""
    found: frozenset[str] = getattr(action, "needs")  # noqa: B009 - declared by @opens
    return found
