"""The list of rights, and what scopes, groups and roles make of it. [rulings 40]"""

import pytest

from counterfoil.kernel.problem import MerchantLimited
from counterfoil.order.actor import system
from counterfoil.order.rights import ALL_RIGHTS, BUILT_IN_ROLES, RIGHTS, SCOPES, rights_of


def test_a_scope_is_the_same_word_as_its_right():
    for right in RIGHTS:
        assert rights_of([right.scope]) == rights_of([right.name]) == {right.name}
        assert right.why.endswith(".")
        assert right.group in {"Look", "Change", "Money", "Set-up"}


def test_groups_hold_what_they_say_and_no_more():
    assert rights_of(["*"]) == ALL_RIGHTS
    assert rights_of(["users:manage"]) == {"access.manage"}
    verbs = ("create", "edit", "state", "cancel", "invoice", "notes", "holds")
    assert rights_of(["orders:write"]) == {f"orders.{verb}" for verb in verbs}


@pytest.mark.parametrize("word", ["", "orders", "orders:*", "ORDERS:READ", "orders.fly", "**"])
def test_what_is_not_known_grants_nothing(word):
    assert rights_of([word]) == frozenset()


def test_the_words_that_clients_rely_on_are_there():
    words = """orders:read orders:write payments:capture payments:capture_partial payments:void
    payments:refund payments:sync shipments:write returns:write reviews:decide states:manage
    channels:manage gateways:manage webhooks:manage events:read exports:run users:manage *"""
    assert set(words.split()) <= set(SCOPES)


def test_built_in_roles_hold_real_rights_and_keep_duties_apart():
    roles = {role.code: rights_of(role.permissions) for role in BUILT_IN_ROLES}
    assert set(roles) == {"admin", "manager", "service", "warehouse", "accounting", "merchant"}
    for role in BUILT_IN_ROLES:
        assert set(role.permissions) <= ALL_RIGHTS | {"*"}
    assert roles["admin"] == ALL_RIGHTS
    assert "access.manage" not in roles["manager"]
    assert "payments.approve" not in roles["service"]
    assert not any(right.startswith("payments.") for right in roles["warehouse"])
    assert roles["merchant"] == {"orders.read", "shipments.write", "returns.write"}


def test_an_actor_who_sees_some_merchants_is_kept_from_the_whole_order():
    import msgspec

    everyone = system("0199c000-0000-7000-8000-00000000000a")
    everyone.require_whole_order()
    assert everyone.can("orders.read")
    assert everyone.told() == {"kind": "system", "id": "system", "name": "Counterfoil"}
    some = msgspec.structs.replace(everyone, merchants=frozenset({"acme"}))
    with pytest.raises(MerchantLimited):
        some.require_whole_order()
