"""Several workers on one port are one Taskroom, and their parent sees to it that they stay."""

import asyncio
import contextlib
import itertools
import json
import os
import signal

import psutil
import pytest

from tests.support.command_line import run_program
from tests.support.raw_http import raw_connection, request_head
from tests.support.team import sign_up
from tests.support.waiting import eventually, wait_until
from tests.support.workers import open_at, worker_pids

STARTED = "connected to Redis"


@pytest.fixture(scope="module")
def shared_server(start_for_module, shared_databases):
    return start_for_module(ready=False, **shared_databases, workers=2)


@pytest.fixture
def served(shared_server):
    """A ready ServerProcess with two workers, whatever the last test did to it."""
    if not shared_server.running:
        shared_server.start()
    wait_until(lambda: len(worker_pids(shared_server)) == 2)
    return shared_server


@pytest.fixture
def open_socket(io_loop):
    """await open_socket(process, pid, path, **options) -> a Socket that this worker serves."""
    sockets = []

    async def open_there(process, pid, path, **options):
        sockets.append(await open_at(process, pid, path, sockets, **options))
        return sockets[-1]

    async def close_all():
        await asyncio.gather(*(one.leave() for one in sockets))

    yield open_there
    io_loop.run_sync(close_all, timeout=20)


@pytest.mark.gen_test
async def test_what_happens_at_one_worker_holds_at_the_other(served, new_client, open_socket):
    """Messages, what is true for a moment, presence, membership and revocation."""
    first, second = worker_pids(served)
    ann, bob = await sign_up(new_client(served), "ann", "bob")
    room = await ann.group(bob)
    near = await open_socket(served, first, f"/ws/chat/{room}/", token=ann.access)
    await near.expect("room_joined")
    far = await open_socket(served, second, f"/ws/chat/{room}/", token=bob.access)
    await far.expect("room_joined")
    assert (await asyncio.wait_for(near.presences.get(), 20))["user_id"] == bob.id
    said = await ann.say(room, "across")
    assert (await far.expect("chat_message"))["data"]["id"] == said["id"]
    await near.send({"type": "typing", "room_id": room, "is_typing": True})
    assert (await far.expect("typing"))["data"]["user"]["username"] == "ann"
    elsewhere = await open_socket(served, first, "/ws/chat/", token=bob.access)
    (await bob.post(f"/api/chat/rooms/{room}/leave/")).expect(200)
    assert await far.closed() == 4403
    (await bob.post("/api/auth/logout/")).expect(200)
    assert await elsewhere.closed() == 4401


@pytest.mark.gen_test
async def test_workers_count_together_and_say_who_they_are(start_process, shared_databases, new_client):
    settings = {"throttle_anon": "6/hour", "proxy": "127.0.0.1", "log_format": "json", "workers": 2}
    process = start_process(**shared_databases, **settings, metrics_from="127.0.0.1")
    client, seen, addresses = new_client(process), set(), itertools.count(1)

    async def both_answer():
        seen.add((await client.get("/api/v1/core/health/")).expect(200).json["worker"])
        return seen == {1, 2}

    async def one_address_is_counted_once():
        # Again with another one: on a busy machine Redis may take too long, and each worker counts alone.
        headers = {"X-Forwarded-For": f"10.0.0.{next(addresses)}"}
        statuses = [(await client.get("/api/users/", headers=headers)).status for _ in range(12)]
        return statuses == [401] * 6 + [429] * 6

    async def whoever_is_asked_tells_of_both():
        text = (await client.get("/metrics")).expect(200).text
        return all(f'taskroom_memory_bytes{{worker="{number}"}}' in text for number in (1, 2))

    await eventually(both_answer)
    await eventually(whoever_is_asked_tells_of_both)
    await eventually(one_address_is_counted_once)
    lines = [json.loads(line) for line in process.log_text().splitlines()]
    assert {1, 2, None} == {line.get("worker") for line in lines}


@pytest.mark.gen_test
async def test_a_worker_that_is_killed_is_replaced_and_no_connection_that_waits_is_lost(
    served, new_client, open_socket
):
    killed, stays = worker_pids(served)
    [ann] = await sign_up(new_client(served), "cyd")
    kept = await open_socket(served, stays, "/ws/chat/", token=ann.access)
    # It stands still: what comes to its place waits to be accepted.
    os.kill(killed, signal.SIGSTOP)
    waiting = [asyncio.ensure_future(ann.get("/api/users/profile/")) for _ in range(30)]
    await eventually(lambda: sum(one.done() for one in waiting) >= 5)
    await kept.settle()
    started = served.log_text().count(STARTED)
    os.kill(killed, signal.SIGKILL)
    assert {(await one).status for one in waiting} == {200}
    await eventually(lambda: len(worker_pids(served)) == 2)
    await eventually(lambda: served.log_text().count(STARTED) > started)
    assert killed not in worker_pids(served)
    assert "was ended by SIGKILL; another one starts" in served.log_text()
    await kept.settle()
    children = psutil.Process(served.pid).children()
    assert psutil.STATUS_ZOMBIE not in {child.status() for child in children}


def test_workers_do_not_outlive_a_parent_that_is_killed_nor_keep_its_port(served):
    """The kernel lets whoever asks share a port that is to be shared."""
    pids = worker_pids(served)
    names = ("database_url", "redis_url")
    shared = {name: served.settings[name] for name in names}
    rival = run_program(served.folder, workers="2", port=str(served.port), **shared)
    assert (rival.status, f"cannot listen on port {served.port}" in rival.complaint) == (1, True)
    os.kill(served.pid, signal.SIGKILL)
    wait_until(lambda: not served.running)
    served.start()
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in pids))
    assert served.log_text().count("the parent has gone") == 2


@pytest.mark.gen_test
async def test_signals_go_to_every_worker_and_all_end_in_order(served, new_client, open_socket):
    pids = worker_pids(served)
    [ann] = await sign_up(new_client(served), "dan")
    sockets = [await open_socket(served, pid, "/ws/chat/", token=ann.access) for pid in pids]
    # As a terminal does it: to the whole group at once.
    for pid in (*pids, served.pid):
        os.kill(pid, signal.SIGINT)
    for one in sockets:
        assert 0 < (await one.expect("closing"))["reconnect_in_ms"] <= 5000
        assert await one.closed() == 1001
    assert await asyncio.to_thread(served.terminate) == 0
    assert not any(psutil.pid_exists(pid) for pid in pids)


@pytest.mark.gen_test
async def test_a_second_signal_ends_all_workers_at_once(served):
    async with raw_connection(served.url) as raw:
        # Holds up the end for ten seconds.
        await raw.send(request_head("POST", "/login/", {"Content-Length": 50}) + b'{"e')
        os.kill(served.pid, signal.SIGTERM)
        await asyncio.to_thread(served.wait_for_log, "stopping the workers")

        async def has_ended():
            with contextlib.suppress(ProcessLookupError):  # it may end between the look and the signal
                if served.running:
                    os.kill(served.pid, signal.SIGTERM)
            return not served.running

        async with asyncio.timeout(8):
            await eventually(has_ended)
    assert "asked again" in served.log_text()
    assert await asyncio.to_thread(served.terminate) == 0
