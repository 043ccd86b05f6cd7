"""Tables made from the life cycles: every edge, and every step that is no edge."""

import itertools

import pytest

from counterfoil.kernel.machine import TransitionNotAllowed
from counterfoil.order.life import MACHINES

STEPS = [
    (machine, source, target)
    for machine in MACHINES
    for source, target in itertools.product(machine.statuses, repeat=2)
    if source != target
]


@pytest.mark.parametrize(
    ("machine", "source", "target"), STEPS, ids=[f"{m.name}-{s}-{t}" for m, s, t in STEPS]
)
def test_a_step_is_allowed_exactly_where_an_edge_says_so(machine, source, target):
    declared = any(source in edge.sources and edge.target == target for edge in machine.edges)
    if declared:
        assert machine.check(source, target) == target
        assert target in machine.targets(source)
    else:
        with pytest.raises(TransitionNotAllowed) as refused:
            machine.check(source, target)
        assert refused.value.facts["allowed"] == machine.targets(source)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_every_status_can_be_reached_and_every_edge_has_a_reason(machine):
    reached = set(machine.born)
    for _ in machine.edges:
        reached |= {e.target for e in machine.edges if reached & set(e.sources)}
    assert reached == set(machine.statuses)
    assert all(edge.why.endswith(".") and edge.verb for edge in machine.edges)
    assert not any(edge.target in edge.sources for edge in machine.edges)
