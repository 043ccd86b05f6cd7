"""What set-up refuses beyond shapes."""

from counterfoil.kernel.problem import Problem


class CodeTaken(Problem):
    """Codes name things in addresses and files; one belongs to one thing."""

    code, status = "code_taken", 409
    title = "That code is used already."


class StateInUse(Problem):
    """A state that is built in, or that orders are in, keeps its name, colour and meaning."""

    code, status = "state_in_use", 409
    title = "The state is in use."


class StateNotMappable(Problem):
    """A store's own states count as NEW, PROCESSING, FRAUD or SUSPENDED; the rest are steps."""

    code, status = "state_not_mappable", 422
    title = "A state of one's own cannot count as that."
