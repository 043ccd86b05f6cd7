"""Marks that follow from what a test is, so that nobody has to remember them."""

import pytest

# They kill programs, race them or fill tables: minutes together, which `make check` does not have.
SLOW = (
    *("tests/crash/", "tests/race/", "tests/soak/"),
    *("tests/house/test_postgres", "tests/book/test_plans"),
)
# They try by the hundred what one version of the database shows as well as two.
LONG = ("tests/crash/", "tests/soak/", "tests/work/test_hooks_in_any_order")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for the session's server, directly or through another fixture, and the slow.

    So the database's tests can be run on each version of the server.
    """
    for item in items:
        if "server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.database)
        if item.nodeid.startswith(SLOW):
            item.add_marker(pytest.mark.slow)
        if item.nodeid.startswith(LONG):
            item.add_marker(pytest.mark.long)
