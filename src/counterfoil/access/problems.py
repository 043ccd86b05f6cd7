"""What access refuses beyond shapes and rights."""

from counterfoil.kernel.problem import Problem


class EmailTaken(Problem):
    """An e-mail address signs in one user of the whole installation. [rulings 4]"""

    code, status = "email_taken", 409
    title = "Another user has this e-mail address."


class LastAdministrator(Problem):
    """Somebody has to be left who can let others in."""

    code, status = "last_administrator", 409
    title = "Nobody would be left who can manage access."
