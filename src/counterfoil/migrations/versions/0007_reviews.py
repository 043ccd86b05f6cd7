"""Holds that end by themselves, fraud reviews and the rules that open them."""

from counterfoil.migrations.run import run_file

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the file."""
    run_file("0007_reviews.sql")
