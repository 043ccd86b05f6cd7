"""Accounts and set-up, orders with everything that hangs on them, facts, idempotency."""

from counterfoil.migrations.run import run_file

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the file."""
    run_file("0001_spine.sql")
