"""Marks every test that uses the database, so that it can be run on each version of the server."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for the session's server, directly or through another fixture."""
    for item in items:
        if "server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.database)
