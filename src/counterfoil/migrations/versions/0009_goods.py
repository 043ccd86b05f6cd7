"""Returns, edits, scoped cancellations, several parcels a shipment, and captures on shipping."""

from counterfoil.migrations.run import run_file

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the file."""
    run_file("0009_goods.sql")
