"""PostgreSQL stops as in a power cut while a server and a worker are busy. [D-1, G9]"""

import asyncio

import pytest

from tests.db import VERSION
from tests.sandbox.server import start_sandbox
from tests.soak.restarts import BACK_S_MAX, House

pytestmark = pytest.mark.database


async def test_nobody_ends_and_nothing_is_lost(tmp_path):
    sandbox = start_sandbox(tmp_path)
    try:
        async with House(sandbox) as house:
            await asyncio.sleep(2)
            before = len(house.seen.done)
            assert before > 20
            back_s = await house.restart()
            await asyncio.sleep(2)
            await house.assert_well()
            print(f"PostgreSQL {VERSION}: back after {back_s:.2f} s, {len(house.seen.done)}"
                  f" requests answered, refused meanwhile: {dict(house.seen.refused)}")
            assert back_s < BACK_S_MAX
            assert len(house.seen.done) > before + 20
    finally:
        sandbox.stop()
        sandbox.client.close()
