"""Who changed what of a store, as its settings tell it. [design guide 3.23]"""

import msgspec
import pytest

from counterfoil.order.actor import system
from counterfoil.setup.accounts import create_account
from counterfoil.setup.store_changes import edits_of_store, newest
from counterfoil.setup.stores import NewStore, StoreChange, change_store, create_store

pytestmark = pytest.mark.database


async def test_each_field_has_who_changed_it_last(pool):
    account = await create_account(pool, "Nordlys")
    anna = msgspec.structs.replace(system(account.id), kind="user", name="Anna")
    kari = msgspec.structs.replace(anna, name="Kari")
    async with pool.connection(account.id) as connection:
        await create_store(connection, anna, NewStore(code="oslo", name="Oslo", currency="NOK"))
        await create_store(connection, anna, NewStore(code="else", name="Else", currency="NOK"))
        for actor, change in (
            (kari, StoreChange(name="Oslo sentrum", return_fee=0)),
            (anna, StoreChange(name="Oslo sentrum")),
            (anna, StoreChange(scopes=["partial_capture"])),
        ):
            await change_store(connection, actor, "oslo", change)
        await change_store(connection, kari, "else", StoreChange(return_fee=500))
        edits = await edits_of_store(connection, "oslo")
        nobody = await edits_of_store(connection, "nowhere")
    assert nobody == []
    watched = {"name", "return_fee", "scopes"}
    told = [(one.actor["name"], sorted(one.fields & watched)) for one in edits]
    assert told[:2] == [("Anna", ["scopes"]), ("Kari", ["name"])]
    assert len(edits) == 3, "what was saved without a change is nobody's"
    assert newest(edits, frozenset({"name", "return_fee"})).actor["name"] == "Kari"
    assert newest(edits, frozenset({"return_fee"})).actor["name"] == "Anna"
    assert newest(edits, frozenset({"colour"})) is None
