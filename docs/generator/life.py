"""Life cycles: a diagram and a table for each machine of `order.life`."""

from counterfoil.kernel.machine import Machine
from counterfoil.order.life import MACHINES
from docs.generator.markdown import code, codes, page, table

#: What each thing is, and what moves it. Every machine has its sentence.
_ABOUT = {
    "order": (
        "The system state behind an order's workflow state. A store may have many states of its"
        " own; each is mapped to one of these, and what may happen to the order is judged on the"
        " mapped one. `POST …/state`, captures, shipments and cancellations move it."
    ),
    "item": (
        "How far a line has come. A line with several units shows the state of its least advanced"
        " unit that is still to reach the customer; shipments move the units."
    ),
    "bag": "The part of an order that one merchant fulfils.",
    "payment": (
        "One authorisation at a gateway. It follows from the transactions that succeeded on it."
    ),
    "transaction": (
        "One movement of money: a wish at first, then what the provider made of it. `PENDING` and"
        " `UNKNOWN` reserve their amount, so that it can be used for nothing else meanwhile."
    ),
    "refund": "A promise to give money back, under a reference; its transactions carry it out.",
    "shipment": "A parcel with items of one bag.",
    "cancellation": (
        "A plan that voids what is open and refunds what was taken. It is finished when every one"
        " of its movements is."
    ),
    "letter": "An e-mail to a customer, from the moment it is wanted.",
    "task": "What a person has to see to, because the program cannot or must not.",
    "drift_line": (
        "A line of the drift report: something on which a provider's account and our book differ."
    ),
    "fraud_review": (
        "A review that an order waits for, from its opening to the decision. The hold"
        " `fraud-review` stands beside it and is released when it passes."
    ),
    "return": (
        "Goods that come back, at once or in several parts. What becomes of the money is the"
        " refund's own course, and of a replacement the linked order's."
    ),
}


def life_page() -> str:
    """Write the page of all life cycles."""
    return page(
        "Life cycles",
        """
        A status that somebody decides changes only along these arrows. They are declared once, as
        data; the program, triggers in the database, the tests and this page are made from the same
        declaration. Whatever takes another way is refused with
        [`transition_not_allowed`](problems.md#transition_not_allowed), and the answer names the
        ways that are open.

        Statuses that are *computed* (`financial_status`, `fulfillment_status`, `display_status`)
        have no life cycle: they follow from amounts and units, as
        [Four axes](../explanation/four-axes.md) explains.
        """,
        table(
            ["life cycle", "statuses"],
            ([f"[{m.name}](#{m.name})", codes(m.statuses)] for m in MACHINES),
        ),
        *(_section(machine) for machine in MACHINES),
    )


def _section(machine: Machine) -> str:
    parts = [
        f"## {machine.name}",
        _ABOUT[machine.name],
        f"Begins as {codes(machine.born)}. {_ends(machine)}",
        f"```mermaid\n{_diagram(machine)}\n```",
        table(
            ["from", "step", "to", "why"],
            ([codes(e.sources), e.verb, code(e.target), e.why] for e in machine.edges),
        ),
    ]
    if machine.jumps:
        parts.append(
            "Some commands take several steps at once. The database sees only where they begin and"
            " end, and accepts these pairs too: "
            + ", ".join(f"{code(source)} → {code(target)}" for source, target in machine.jumps)
            + "."
        )
    return "\n\n".join(parts)


def _ends(machine: Machine) -> str:
    final = [status for status in machine.statuses if not machine.targets(status)]
    if not final:
        return "No status is final."
    return f"{codes(final)} {'is' if len(final) == 1 else 'are'} final."


def _diagram(machine: Machine) -> str:
    lines = ["stateDiagram-v2"]
    lines += [f"    [*] --> {status}" for status in machine.born]
    lines += [
        f"    {source} --> {edge.target}: {edge.verb}"
        for edge in machine.edges
        for source in edge.sources
    ]
    lines += [f"    {s} --> [*]" for s in machine.statuses if not machine.targets(s)]
    return "\n".join(lines)
