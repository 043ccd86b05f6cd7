"""A new account can take orders at once."""

from counterfoil.setup.accounts import list_accounts
from counterfoil.setup.stores import list_stores


async def test_a_new_account_has_a_store(pool, account):
    async with pool.connection(account.id) as connection:
        page = await list_stores(connection)
    assert [store.code for store in page.data] == ["main"]
    assert (await list_accounts(pool)) == [account]
