"""The life cycles that the guards read: which status may follow which."""

from counterfoil.migrations.run import run_file

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the file."""
    run_file("0003_life_cycles.sql")
