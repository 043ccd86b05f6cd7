"""What the database itself refuses, and the few functions that look across accounts."""

from counterfoil.migrations.run import run_file

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the file."""
    run_file("0002_guards.sql")
