"""What many ask for at once is read in one go, and nobody gets an answer from before they asked."""

import asyncio

import pytest

from models.database.gathering import MAX_GATHERED, GatheredReads
from models.errors import Unavailable


class Shelf:
    """Reads when it is let, what stood there when it began."""

    def __init__(self):
        self.content = {"a": 1, "b": 2}
        self.asked = []
        self.may_answer = asyncio.Event()
        self.reads = GatheredReads(self._read)

    async def _read(self, keys):
        self.asked.append(list(keys))
        found = {key: self.content[key] for key in keys if key in self.content}
        await self.may_answer.wait()
        return found


@pytest.mark.gen_test
async def test_what_is_asked_for_in_one_turn_is_one_read():
    shelf = Shelf()
    shelf.may_answer.set()
    assert await asyncio.gather(*map(shelf.reads.get, "abac")) == [1, 2, 1, None]
    assert shelf.asked == [["a", "b", "c"]]


@pytest.mark.gen_test
async def test_who_asks_while_it_is_read_gets_what_stands_there_now():
    shelf = Shelf()
    first = shelf.reads.get("a")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert shelf.asked == [["a"]]
    shelf.content["a"] = 3
    second = shelf.reads.get("a")
    shelf.may_answer.set()
    assert [await first, await second] == [1, 3]


@pytest.mark.gen_test
async def test_who_gives_up_takes_nothing_from_the_others():
    shelf = Shelf()
    first, second = shelf.reads.get("a"), shelf.reads.get("a")
    first.cancel()
    shelf.may_answer.set()
    assert await second == 1


@pytest.mark.gen_test
async def test_a_read_that_fails_fails_for_all_who_wait_for_it():
    async def fails(keys):
        raise Unavailable()

    reads = GatheredReads(fails)
    found = await asyncio.gather(*map(reads.get, "ab"), return_exceptions=True)
    assert [type(one) for one in found] == [Unavailable, Unavailable]


@pytest.mark.gen_test
async def test_a_crowd_is_read_in_parts():
    shelf = Shelf()
    shelf.may_answer.set()
    await asyncio.gather(*map(shelf.reads.get, range(MAX_GATHERED + 1)))
    assert list(map(len, shelf.asked)) == [MAX_GATHERED, 1]
