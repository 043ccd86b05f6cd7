"""The kinds of gateway: what can be set up is what has an adapter and capabilities."""

from typing import get_args

from counterfoil.gateways import KINDS
from counterfoil.order.capability import CAPABILITIES
from counterfoil.setup.gateways import Kind


def test_every_kind_that_can_be_set_up_has_an_adapter_and_capabilities():
    assert set(get_args(Kind)) == set(KINDS) == set(CAPABILITIES)
