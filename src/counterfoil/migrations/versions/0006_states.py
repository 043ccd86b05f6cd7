"""Let a store's own order states go, and keep the built-in ones as they are."""

from counterfoil.migrations.run import run_file

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the file."""
    run_file("0006_states.sql")
