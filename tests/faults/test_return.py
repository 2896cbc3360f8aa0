"""Clients that come and go: each event once, in order, whatever happens meanwhile."""

import asyncio
import random
import shutil

import pytest

from models.operations import notifications
from models.operations.notifications import Notice
from realtime.sharing import SharedReads
from realtime.tail import Tail
from tests.support.database import count_queries, sqlite_only
from tests.support.team import sign_up
from tests.support.websocket import SocketClosed

EVENTS = "/api/v1/realtime/events"


class Restless:
    """A client that is cut every now and then and comes back with what it has."""

    def __init__(self, connect, member, since, rng):
        self.seqs, self.titles, self.cuts = [], [], 0
        self._connect, self._member, self._since, self._rng = connect, member, since, rng

    async def run(self, last):
        while not self.titles or self.titles[-1] != last:
            socket = await self._connect(f"/ws/notifications?since={self._since}", token=self._member.access)
            cut = asyncio.get_running_loop().call_later(self._rng.uniform(0.05, 0.3), socket.abort)
            try:
                await self._listen(socket, last)
            except (SocketClosed, TimeoutError):
                self.cuts += 1
            finally:
                cut.cancel()
                socket.abort()

    async def _listen(self, socket, last):
        while not self.titles or self.titles[-1] != last:
            message = await socket.recv()
            if message["type"] == "notification":
                self._since = message["seq"]
                self.seqs.append(message["seq"])
                self.titles.append(message["title"])


@pytest.mark.gen_test
async def test_restless_clients_see_each_event_once_in_order(app, client, connect):
    members = await sign_up(client, *(f"p{number}" for number in range(5)))
    since = (await members[0].get(f"{EVENTS}/")).json["seq"]
    rng = random.Random(1)
    clients = [Restless(connect, members[number % 5], since, rng) for number in range(25)]
    count = 100
    running = [asyncio.ensure_future(one.run(f"n{count - 1}")) for one in clients]
    ids = [member.id for member in members]
    for number in range(count):
        # Five people: five events each time.
        await app.store.write(notifications.notify, Notice("system", f"n{number}", "…"), ids)
        await asyncio.wait(running, timeout=0.01)
    await asyncio.gather(*running)
    for one in clients:
        assert one.titles == [f"n{number}" for number in range(count)]
        assert one.seqs == sorted(set(one.seqs))
    assert sum(one.cuts for one in clients) > 20


@pytest.mark.gen_test
async def test_who_comes_back_is_told_from_memory(app, client, connect):
    (ann,) = await sign_up(client, "ann")
    since = (await ann.get(f"{EVENTS}/")).json["seq"]
    for number in range(5):
        await app.store.write(notifications.notify, Notice("system", f"n{number}", "…"), [ann.id])
    with count_queries() as queries:
        for _ in range(10):
            socket = await connect(f"/ws/notifications?since={since}", token=ann.access)
            for number in range(5):
                assert (await socket.expect("notification"))["title"] == f"n{number}"
    # But for how far retention has come, which is asked once for all who come in 250 ms.
    of_events = [one for one in queries if "event" in one.sql and "event_counter" not in one.sql]
    # Outgoing webhooks look at the log by their own clock.
    assert not [one for one in of_events if "webhook" not in one.sql]


@sqlite_only
@pytest.mark.gen_test
async def test_after_a_restart_memory_is_filled_from_the_log(start_app, new_client, connect_to):
    first = await start_app()
    client = new_client(first)
    (ann,) = await sign_up(client, "ann")
    since = (await ann.get(f"{EVENTS}/")).json["seq"]
    for number in range(3):
        await first.store.write(notifications.notify, Notice("system", f"n{number}", "…"), [ann.id])
    await first.stop()
    second = await start_app()
    await second.realtime.fill_tail()
    socket = await connect_to(second, f"/ws/notifications?since={since}", token=ann.access)
    told = [(await socket.expect("notification"))["title"] for _ in range(3)]
    assert told == ["n0", "n1", "n2"] and len(second.realtime.tail) == 3


@pytest.mark.gen_test
async def test_a_restored_backup_leads_to_resync_on_every_way(start_process, new_client, connect_to):
    process = start_process()
    (ann,) = await sign_up(new_client(process), "ann")
    await asyncio.to_thread(process.stop)
    backup = process.folder / "backup"
    shutil.copytree(process.data_dir, backup)
    await asyncio.to_thread(process.start)
    body = {"title": "lost", "content": "…"}
    (await ann.post(f"{EVENTS}/system", json=body)).expect(200)
    seen = (await ann.get("/api/notifications/")).json["count"]
    later = (await ann.get(f"{EVENTS}/")).json["seq"]
    assert seen == 1
    await asyncio.to_thread(process.kill)
    shutil.rmtree(process.data_dir)
    shutil.copytree(backup, process.data_dir)
    await asyncio.to_thread(process.start)
    socket = await connect_to(process, f"/ws/notifications?since={later}", token=ann.access)
    resync = await socket.expect("resync")
    polled = (await ann.get(f"{EVENTS}/?after={later}")).expect(200).json
    assert [event["type"] for event in polled["events"]] == ["resync"]
    assert resync["seq"] > later
    headers = {"Last-Event-ID": str(later)}
    async with ann.client.stream("/api/v1/realtime/stream", token=ann.access, headers=headers) as stream:
        event = await stream.event()
        while "data" not in event:
            event = await stream.event()
        assert '"resync"' in event["data"]


@pytest.mark.gen_test
async def test_what_many_want_is_read_once():
    reads, reading = [], SharedReads(keep_s=0.01)
    gate = asyncio.Event()

    async def read():
        reads.append(1)
        await gate.wait()
        return "page"

    asking = [asyncio.ensure_future(reading.get("key", read)) for _ in range(20)]
    await asyncio.sleep(0)
    asking[0].cancel()
    gate.set()
    assert await asyncio.gather(*asking[1:]) == ["page"] * 19 and len(reads) == 1


class Kept:
    def __init__(self, seq, *groups, size=10):
        self.seq, self.groups, self.size = seq, groups, size

    def __repr__(self):
        return str(self.seq)


def test_the_tail_has_what_is_after_its_floor():
    tail = Tail(100)
    for seq in range(101, 111):
        tail.add(Kept(seq, "a" if seq % 2 else "b"))
    assert [one.seq for one in tail.page({"a": 110}, 100, 10)] == [101, 103, 105, 107, 109]
    assert [one.seq for one in tail.page({"a": 104, "b": 110}, 102, 3)] == [103, 104, 106]
    assert tail.page({"a": 110}, 99, 10) is None
    assert tail.is_known(100) and tail.is_known(105) and not tail.is_known(99) and not tail.is_known(111)
    tail.fill([Kept(90, "a"), Kept(95, "c")], 80)
    assert [one.seq for one in tail.page({"a": 101}, 80, 10)] == [90, 101]


def test_the_tail_is_bounded():
    tail = Tail(0, max_events=80)
    for seq in range(1, 1001):
        tail.add(Kept(seq, "a", f"g{seq}"))
    assert len(tail) <= 80 and tail.floor >= 900
    assert len(tail.page({"a": 1000}, tail.floor, 1000)) == len(tail)
    assert tail.page({"g1": 1000}, 0, 10) is None
    narrow = Tail(0, max_bytes=3000)
    for seq in range(1, 101):
        narrow.add(Kept(seq, "a", size=100))
    assert len(narrow) <= 10
    full = Tail(10, max_events=5)
    full.fill([Kept(seq, "a") for seq in range(1, 10)], 0)
    assert len(full) == 5 and full.floor == 4


def test_the_tail_changes_and_takes_out_what_is_about_something():
    tail = Tail(0, max_events=8, about=lambda event: [f"about_{event.seq % 2}"])
    for seq in range(1, 7):
        tail.add(Kept(seq, "a"))
    changed = tail.revise("about_1", 5, lambda event: {"new": event.seq} if event.seq == 1 else None)
    assert changed == [1, 3]
    found = tail.page({"a": 10}, 0, 10)
    assert [one.seq for one in found] == [1, 2, 4, 5, 6] and found[0].payload == {"new": 1}
    # What was taken out keeps its place in the count, and nothing looks for it when its turn comes.
    for seq in range(7, 30):
        tail.add(Kept(seq, "a"))
    assert [one.seq for one in tail.page({"a": 30}, tail.floor, 100)] == list(range(tail.floor + 1, 30))
