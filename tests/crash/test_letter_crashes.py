"""A worker that dies while it sends a letter: sent once, at most twice, and never not. [M-1]"""

import asyncio

import pytest

from tests.crash.flow import PACE, instants
from tests.crash.scene import Scene
from tests.work.post_office import PostOffice
from tests.work.shop import CANCEL

pytestmark = pytest.mark.database


async def test_a_letter_is_sent_once_or_at_most_twice_and_never_not(scene: Scene, tmp_path):
    office = await PostOffice(tmp_path / "letters").open()

    async def wanted() -> str:
        order_id = await scene.shop.order(5000, gateway="manual")
        await scene.shop.run(CANCEL, order_id, notify_customer=True)
        return order_id

    async def work(point: str | None = None) -> tuple[int, list[str]]:
        """This process's mail server goes on serving meanwhile."""
        return await asyncio.to_thread(
            scene.run, "work", arm=point, steps=[0], smtp=office.url)

    await wanted()
    code, points = await work()
    assert code == 0
    assert {point.partition(":")[0] for point in points} >= {
        "letter.claimed", "letter.before_send", "letter.after_send", "letter.before_mark",
        "letter.marked"}
    sent_at, marked_at = points.index("letter.after_send:0"), points.index("book.committed:0")
    for point in instants(points):
        order_id = await wanted()
        code, _ = await work(point)
        assert code == 137, point
        await scene.clock.advance(PACE.lease_s + 1)
        code, _ = await work()
        assert code == 0
        letter = (await scene.shop.folder(order_id)).letters[0]
        assert letter.status == "SENT", point
        sent = [one for one in office.read() if one["Message-ID"] == letter.message_id]
        twice = sent_at <= points.index(point) < marked_at
        assert len(sent) == (2 if twice else 1), point
    await office.close()
    await scene.assert_books()
