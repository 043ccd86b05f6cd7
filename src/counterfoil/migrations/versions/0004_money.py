"""The ledger, tasks, hooks and reconciliation, and what payments and refunds have more."""

from counterfoil.migrations.run import run_file

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the file."""
    run_file("0004_money.sql")
