"""The pages about real providers, typed against the sandbox in the shape of each.

What the commands ask for passes through our API, the adapter and the provider's own addresses:
the sandbox's ledger has it under the provider's words.
"""

import json
from pathlib import Path

import httpx2
import pytest

from tests.docs.installation import Installation
from tests.docs.pages import DOCS
from tests.docs.test_commands import known_to, terminal

HOW_TO = DOCS / "how-to"


def typed(page: str, installation: Installation, folder: Path) -> str:
    """Type a page; tell the order that it made."""
    reader = terminal(HOW_TO / page, installation, folder, **known_to(installation))
    try:
        reader.read()
        return reader.get("ORDER")
    finally:
        reader.close()


def at_the_sandbox(installation: Installation, order: str) -> list[tuple[str, int]]:
    """Read from the sandbox's ledger what moved of an order's payment."""
    key = {"authorization": f"Bearer {installation.login.api_key}"}
    with httpx2.Client(trust_env=False) as client:
        at = f"{installation.api}/v1/orders/{order}"
        (payment,) = json.loads(client.get(at, headers=key).content)["payments"]
        name = payment["provider_reference"].replace("pi_", "pay_")
        told = client.get(
            f"{installation.sandbox}/v1/ledger?payment={name}",
            headers={"authorization": "Bearer sandbox"},
        )
    return [(one["kind"], one["amount"]) for one in json.loads(told.content)["entries"]]


@pytest.mark.proves("Z-1", "Z-10", "Z-11", "Z-13", "Z-15", "Z-18", "Z-20", "Z-21", "Z-23", "Z-24")
def test_zip_is_connected_as_its_page_says(installation, tmp_path):
    order = typed("connect-zip.md", installation, tmp_path)
    assert at_the_sandbox(installation, order) == [
        ("authorize", 12000), ("acknowledge", 0), ("void", 2000), ("capture", 10000),
        ("refund", 2500),
    ]  # fmt: skip


def test_stripe_is_connected_as_its_page_says(installation, tmp_path):
    order = typed("connect-stripe.md", installation, tmp_path)
    moved = at_the_sandbox(installation, order)
    assert [one for one in moved if one[0] != "void"] == [
        ("authorize", 5000), ("capture", 3000), ("refund", 700), ("refund", 300),
    ]  # fmt: skip
