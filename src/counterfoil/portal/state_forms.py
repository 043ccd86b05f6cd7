"""The forms of order states: what was typed, as set-up takes it, and what is wrong with it."""

import re
import unicodedata
from collections.abc import Sequence

from counterfoil.kernel.problem import NotFound
from counterfoil.portal.forms import Form
from counterfoil.portal.shelf import Shelf
from counterfoil.portal.state_words import COUNTS_AS, HUES
from counterfoil.portal.visit import Visit
from counterfoil.setup.states import NewState, ShownState, StateChange, list_states

FIELDS = {
    "name": "Name",
    "code": "Code",
    "system_state": "Counts as",
    "colour": "Colour",
    "description": "Description",
    "next": "What may come next",
    "lines": "States",
}
LINES_MAX = 30
_KINDS = {label.casefold(): one for one, label in COUNTS_AS} | {
    one.casefold(): one for one, _ in COUNTS_AS
}


class StateShelf(Shelf, frozen=True):
    """A store with its states."""

    states: Sequence[ShownState]

    def state(self, code: str) -> ShownState:
        """Find a state. Raises NotFound."""
        found = next((one for one in self.states if one.code == code), None)
        if found is None:
            raise NotFound(f"The store {self.store.name} has no state {code!r}.")
        return found


async def read_states(visit: Visit, shelf: Shelf) -> StateShelf:
    """Read a store's states."""
    async with visit.works.pool.connection(visit.actor.account_id) as connection:
        states = (await list_states(connection, store=shelf.store.code, limit=100)).data
    return StateShelf(shelf.store, shelf.stores, states)


def blank() -> Form:
    """Make the form of a new state."""
    return Form(values={"system_state": "PROCESSING", "colour": "blue"})


def shown(state: ShownState) -> Form:
    """Put a state into its form."""
    values = {
        "name": state.name,
        "code": state.code,
        "system_state": state.system_state,
        "colour": state.colour,
        "description": state.description,
        "narrow": "" if state.next is None else "1",
    }
    return Form(values=values | dict.fromkeys((f"next_{code}" for code in state.next or ()), "1"))


def typed_form(visit: Visit, states: Sequence[ShownState]) -> Form:
    """Keep what was typed, so that it stays where something is refused."""
    names = ("name", "code", "system_state", "colour", "description", "narrow")
    limits = {"name": 200, "code": 64, "description": 200}
    values = {name: visit.typed(name, limits.get(name, 20)) for name in names}
    ticked = {str(one) for one in visit.form.getall("next", [])}
    values |= {f"next_{one.code}": "1" for one in states if one.code in ticked}
    form = Form(values=values)
    if not values["name"]:
        form.errors["name"] = "Name: fill this in."
    return form


def wanted_new(form: Form, store: str) -> NewState | None:
    """Make the new state of a form, its code from its name where none was typed."""
    values = form.values
    code = values["code"] or code_of(values["name"])
    if not code and not form.errors:
        form.errors["code"] = "Code: write one of letters a-z and digits."
    if values["colour"] not in HUES:
        form.errors["colour"] = "Colour: choose one of the eight."
    if form.refused:
        return None
    return NewState(
        code=code,
        name=values["name"],
        system_state=values["system_state"],
        store=store,
        colour=values["colour"],  # type: ignore[arg-type]  # set-up checks it
        description=values["description"],
        next=_next(form),
    )


def wanted_change(form: Form, *, whole: bool) -> StateChange:
    """Make the change of a form: `whole`, or of the description, all that may still change.

    Which of them was shown decides, not how things are by now: set-up judges that.
    """
    values = form.values
    if not whole:
        return StateChange(description=values["description"])
    return StateChange(
        name=values["name"],
        system_state=values["system_state"],
        colour=values["colour"],  # type: ignore[arg-type]  # set-up checks it
        description=values["description"],
        next=_next(form),
    )


def wanted_many(form: Form, store: str) -> list[NewState]:
    """Read a state a line, as `Name, counts as, code`; the last two may be left out.

    What cannot be read is said by its line.
    """
    found, faults = [], []
    lines = [line.strip() for line in form.values["lines"].splitlines() if line.strip()]
    for number, line in enumerate(lines, start=1):
        name, kind, code = ([part.strip() for part in line.split(",")] + ["", ""])[:3]
        system_state = _KINDS.get(kind.casefold()) if kind else form.values["system_state"]
        code = code or code_of(name)
        if system_state is None:
            names = ", ".join(label for _, label in COUNTS_AS)
            faults.append(f"Line {number}: {kind} is none of {names}.")
        elif not code:
            faults.append(f"Line {number}: write a code as well: {line}, , the-code")
        else:
            new = NewState(code=code, name=name, system_state=system_state, store=store)
            found.append(new)
    if not lines:
        faults.append("States: write one a line.")
    elif len(lines) > LINES_MAX:
        faults.append(f"States: {LINES_MAX} at a time, these are {len(lines)}.")
    if faults:
        form.errors["lines"] = " ".join(faults[:5])
    return found


def code_of(name: str) -> str:
    """Make a code of a name: "Ready to pack" is ready-to-pack; empty where no letter is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64]


def _next(form: Form) -> list[str] | None:
    if not form.values["narrow"]:
        return None
    return [name.removeprefix("next_") for name in form.values if name.startswith("next_")]
