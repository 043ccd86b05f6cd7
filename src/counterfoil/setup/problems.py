"""What set-up refuses beyond shapes."""

from counterfoil.kernel.problem import Problem


class CodeTaken(Problem):
    """Codes name things in addresses and files; one belongs to one thing."""

    code, status = "code_taken", 409
    title = "That code is used already."
