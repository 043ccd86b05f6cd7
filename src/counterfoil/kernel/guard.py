"""No provider is called while a database transaction is open. [faults §3.11, rulings]"""

from contextvars import ContextVar

in_transaction: ContextVar[bool] = ContextVar("in_transaction", default=False)


def assert_no_transaction() -> None:
    """Refuse a call to the outside world inside a transaction: a bug of ours, so an assertion."""
    assert not in_transaction.get(), "a call to the outside world inside a transaction"
