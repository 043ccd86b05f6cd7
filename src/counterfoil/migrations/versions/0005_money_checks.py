"""Validate the constraints that 0004 added to tables with rows."""

from counterfoil.migrations.run import run_file

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the file."""
    run_file("0005_money_checks.sql")
