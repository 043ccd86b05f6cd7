"""${message}."""

from counterfoil.migrations.run import run_file

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """Run the file."""
    run_file("${up_revision}.sql")
