"""Life cycles as data: which status may follow which, and why, in a sentence."""

from collections.abc import Iterator

import msgspec

from counterfoil.kernel.problem import Problem


class TransitionNotAllowed(Problem):
    """A decided status cannot go there from here; the ways that are open are named."""

    code, status = "transition_not_allowed", 409
    title = "That change of state is not allowed."


class Edge(msgspec.Struct, frozen=True):
    """One allowed step: its verb, where it starts, where it ends, and why it exists."""

    verb: str
    sources: tuple[str, ...]
    target: str
    why: str


class Machine(msgspec.Struct, frozen=True):
    """A life cycle: the statuses a thing may be born in, and the edges between them.

    `jumps` are net changes that one command makes in one statement, skipping statuses that
    exist only inside it; the database trigger sees the net change. `brought` are statuses in
    which it may come along with an order that has a history. [rulings 14, 44]
    """

    name: str
    born: tuple[str, ...]
    edges: tuple[Edge, ...]
    jumps: tuple[tuple[str, str], ...] = ()
    brought: tuple[str, ...] = ()

    @property
    def statuses(self) -> tuple[str, ...]:
        """Every status, in the order of first mention."""
        seen: dict[str, None] = dict.fromkeys(self.born)
        for edge in self.edges:
            seen.update(dict.fromkeys((*edge.sources, edge.target)))
        return tuple(seen)

    def edge(self, source: str, target: str) -> Edge | None:
        """Find the edge between two statuses."""
        for edge in self.edges:
            if edge.target == target and source in edge.sources:
                return edge
        return None

    def targets(self, source: str) -> list[str]:
        """List where one may go from here."""
        return [edge.target for edge in self.edges if source in edge.sources]

    def check(self, source: str, target: str) -> str:
        """Return the target when the step is declared. Raises TransitionNotAllowed."""
        if self.edge(source, target) is None:
            allowed = self.targets(source)
            told = ", ".join(allowed) if allowed else "nowhere: it is final"
            raise TransitionNotAllowed(
                f"The {self.name} is {source}; from there it may go to {told}.",
                allowed=allowed,
            )
        return target

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every (from, to) the database accepts; a birth is from the empty text."""
        for status in (*self.born, *self.brought):
            yield "", status
        for edge in self.edges:
            for source in edge.sources:
                yield source, edge.target
        yield from self.jumps
