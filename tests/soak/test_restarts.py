"""PostgreSQL stops as in a power cut while a server and a worker are busy. [D-1, G9]"""

import pytest

from tests.db import VERSION
from tests.sandbox.server import start_sandbox
from tests.soak.restarts import BACK_S_MAX, House

pytestmark = pytest.mark.database
REQUESTS = 60


async def test_nobody_ends_and_nothing_is_lost(tmp_path):
    sandbox = start_sandbox(tmp_path)
    try:
        async with House(sandbox) as house:
            await house.work(REQUESTS)
            back_s = await house.restart()
            await house.work(REQUESTS)
            await house.assert_well()
            print(f"PostgreSQL {VERSION}: back after {back_s:.2f} s, {len(house.seen.done)}"
                  f" requests answered, refused meanwhile: {dict(house.seen.refused)}")
            assert back_s < BACK_S_MAX
    finally:
        sandbox.stop()
        sandbox.client.close()
