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


class RoleCodeTaken(Problem):
    """Users have a role by its code; one code is one role."""

    code, status = "role_code_taken", 409
    title = "There is a role with this code already."


class RoleBuiltIn(Problem):
    """What a built-in role allows is the same in every account; only its limits may change."""

    code, status = "role_built_in", 409
    title = "A built-in role keeps its name and permissions. Make a role of your own."
