"""Restarted and replaced under load, a server drops nothing."""

import asyncio
import contextlib
import os
import signal

import pytest

from tests.support.load import Listener, Writer
from tests.support.team import sign_up
from tests.support.waiting import eventually
from tests.support.workers import worker_pids

MORE = 10


class Load:
    """Writers and listeners at work."""

    def __init__(self, url, members, room):
        self.writers = [
            Writer(url, member, room, f"{kind} {member.name}", keeps_alive=kind == "steady")
            for member in members for kind in ("steady", "fresh")
        ]  # fmt: skip
        self.listeners = [Listener(url, member) for member in members]
        self._enough = asyncio.Event()
        self._writing = [asyncio.ensure_future(one.write(self._enough)) for one in self.writers]
        self._listening = [asyncio.ensure_future(one.listen()) for one in self.listeners]

    @property
    def acknowledged(self):
        return sorted(number for one in self.writers for number in one.acknowledged)

    @property
    def dropped(self):
        return [what for one in self.writers for what in one.dropped]

    async def goes_on(self):
        """Waits until everybody has written some more."""
        goals = [len(one.acknowledged) + MORE for one in self.writers]
        await eventually(
            lambda: all(len(one.acknowledged) >= goal for one, goal in zip(self.writers, goals, strict=True))
        )

    async def end(self):
        """Stops writing; everything that was acknowledged has been heard by everybody, once, in one order."""
        self._enough.set()
        await asyncio.gather(*self._writing)
        try:
            await eventually(self._have_all_heard)
        finally:
            for task in self._listening:
                task.cancel()
            ended = await asyncio.gather(*self._listening, return_exceptions=True)
        assert [type(one) for one in ended] == [asyncio.CancelledError] * len(ended)

    def _have_all_heard(self):
        for one in self.listeners:
            missing = set(self.acknowledged) - set(one.heard)
            assert not missing, f"not heard: {sorted(missing)[:20]}, after closes with {one.codes}"
            assert one.heard == sorted(set(one.heard))
        return True


@pytest.fixture(scope="module")
def served(start_for_module, shared_databases):
    return start_for_module(**shared_databases, workers=2)


@contextlib.asynccontextmanager
async def under_load(served, new_client, *names):
    members = await sign_up(new_client(served), *names)
    load = Load(served.url, members, await members[0].group(*members[1:]))
    await load.goes_on()
    yield load
    await load.goes_on()
    await load.end()


@pytest.mark.gen_test
async def test_replacing_the_workers_drops_no_request_and_no_message(served, new_client):
    before = worker_pids(served)
    async with under_load(served, new_client, "ann", "bob", "cyd") as load:
        os.kill(served.pid, signal.SIGHUP)
        await asyncio.to_thread(served.wait_for_log, "all workers are new", 60)
        assert not set(before) & set(worker_pids(served))
    assert load.dropped == []
    assert {code for one in load.listeners for code in one.codes} == {1001}


@pytest.mark.gen_test
async def test_a_restart_cuts_no_request_that_was_taken_and_loses_no_message(served, new_client):
    async with under_load(served, new_client, "dan", "eve", "fay") as load:
        assert await asyncio.to_thread(served.stop) == 0
        await asyncio.to_thread(served.start)
    assert load.dropped == []


@pytest.mark.gen_test
async def test_a_version_that_does_not_start_leaves_the_old_one_serving(served, new_client, postgres_server):
    before = worker_pids(served)
    await asyncio.to_thread(postgres_server.kill)
    os.kill(served.pid, signal.SIGHUP)
    await asyncio.to_thread(served.wait_for_log, "worker 1 does not come up", 60)
    await asyncio.to_thread(postgres_server.start)
    assert worker_pids(served) == before
    await sign_up(new_client(served), "gus")
