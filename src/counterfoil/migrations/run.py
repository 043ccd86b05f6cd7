"""A revision is a .sql file; its Alembic file does no more than run it. [rulings 14]"""

from pathlib import Path
from typing import Any

from alembic import op

SQL = Path(__file__).parent / "sql"


def run_file(name: str) -> None:
    """Send a file whole to the server, inside the migration's transaction.

    Without parameters the driver uses the simple protocol, which takes many statements at once,
    function bodies included.
    """
    text = (SQL / name).read_text("utf-8")
    bind = op.get_bind()
    bind.exec_driver_sql("select 1")  # the driver begins its transaction with the first statement
    adapted: Any = bind.connection.dbapi_connection
    adapted.run_async(lambda raw: raw.execute(text))
