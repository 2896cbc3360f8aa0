"""Two workers under load while PostgreSQL, Redis, the network and the workers themselves fail, one by one.

What every client noted is compared with the database: nothing that was acknowledged is lost, nothing is
there twice, nobody hears what is not theirs, and all hear the same order. `make faults` goes on for as long
as FAULT_SECONDS says, in the order that FAULT_SEED draws.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.support.chaos import ChaosProxy, chaos
from tests.support.checker import Crowd, Listener, Talker
from tests.support.database import postgresql_only
from tests.support.postgres import PostgresServer, database_name
from tests.support.redis import RedisServer
from tests.support.server_process import ServerProcess
from tests.support.team import sign_up
from tests.support.workers import worker_pids

pytestmark = [postgresql_only, pytest.mark.real_patience]

SEED = int(os.environ.get("FAULT_SEED") or 1)
LONG_S = float(os.environ.get("FAULT_SECONDS") or 0)
# How long each fault lasts: about as long as what notices it needs, now and then.
LASTS_S = (0.2, 1.0)
LONG_LASTS_S = (0.1, 8.0)


@dataclass
class Place:
    """What there is to break."""

    process: ServerProcess
    postgres_server: PostgresServer
    redis_server: RedisServer
    postgres: ChaosProxy
    redis: ChaosProxy
    clients: ChaosProxy
    database_url: str

    def heal(self) -> None:
        for proxy in (self.postgres, self.redis, self.clients):
            proxy.heal()
        self.postgres_server.heal()
        self.redis_server.heal()

    def signal_worker(self, number: int) -> int:
        """Sends it to one of the workers; which one."""
        pid = random.choice(worker_pids(self.process))
        os.kill(pid, number)
        return pid


# -- what breaks; each returns when it has, and `heal` undoes what lasts ---------------------------------


def postgres_slow(place: Place) -> None:
    place.postgres.latency_s = 0.05


def postgres_drips(place: Place) -> None:
    place.postgres.drips = True


def postgres_black_hole(place: Place) -> None:
    place.postgres.is_black_hole = True


def postgres_loses_answers(place: Place) -> None:
    place.postgres.loses_answers = True


def postgres_cut_between_request_and_answer(place: Place) -> None:
    place.postgres.cut_at_answer(3)


def postgres_resets(place: Place) -> None:
    place.postgres.reset()


def postgres_half_open(place: Place) -> None:
    place.postgres.half_open()


def postgres_refuses(place: Place) -> None:
    place.postgres.refuses = True
    place.postgres.reset()


def postgres_frozen(place: Place) -> None:
    place.postgres_server.freeze()


def postgres_killed(place: Place) -> None:
    place.postgres_server.kill()


def postgres_ends_sessions(place: Place) -> None:
    name = database_name(place.database_url)
    sql = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'"
    place.postgres_server.execute(place.postgres_server.url("postgres"), sql)


def redis_slow(place: Place) -> None:
    place.redis.latency_s = 0.2


def redis_black_hole(place: Place) -> None:
    place.redis.is_black_hole = True


def redis_resets(place: Place) -> None:
    place.redis.reset()


def redis_half_open(place: Place) -> None:
    place.redis.half_open()


def redis_cut_between_request_and_answer(place: Place) -> None:
    place.redis.cut_at_answer(5)


def redis_refuses(place: Place) -> None:
    place.redis.refuses = True
    place.redis.reset()


def redis_frozen(place: Place) -> None:
    place.redis_server.freeze()


def redis_killed(place: Place) -> None:
    place.redis_server.kill()


def redis_drops_listeners(place: Place) -> None:
    place.redis_server.drop_clients()


def redis_has_no_room_for_listeners(place: Place) -> None:
    """What waits for a listener that reads slowly may be so little that Redis ends it at once."""
    place.redis_server.limit_output(4096)
    place.redis.is_black_hole = True


def network_resets(place: Place) -> None:
    place.clients.reset()


def network_half_open(place: Place) -> None:
    place.clients.half_open()


def network_drips(place: Place) -> None:
    place.clients.drips = True


def network_black_hole(place: Place) -> None:
    place.clients.is_black_hole = True


def network_cuts_answers(place: Place) -> None:
    place.clients.cut_at_answer(4)


def worker_killed(place: Place) -> None:
    place.signal_worker(signal.SIGKILL)


def worker_stands_still(place: Place) -> None:
    pid = place.signal_worker(signal.SIGSTOP)
    time.sleep(random.uniform(*LASTS_S))
    os.kill(pid, signal.SIGCONT)


def workers_replaced(place: Place) -> None:
    os.kill(place.process.pid, signal.SIGHUP)


def server_stopped(place: Place) -> None:
    place.process.stop()
    place.process.start()


FAULTS: tuple[Callable[[Place], None], ...] = (
    postgres_slow, postgres_drips, postgres_black_hole, postgres_loses_answers,
    postgres_cut_between_request_and_answer, postgres_resets, postgres_half_open, postgres_refuses,
    postgres_frozen, postgres_killed, postgres_ends_sessions, redis_slow, redis_black_hole, redis_resets,
    redis_half_open, redis_cut_between_request_and_answer, redis_refuses, redis_frozen, redis_killed,
    redis_drops_listeners, redis_has_no_room_for_listeners, network_resets, network_half_open, network_drips,
    network_black_hole, network_cuts_answers, worker_killed, worker_stands_still, workers_replaced,
    server_stopped,
)  # fmt: skip


@pytest.fixture
def place(start_process, postgres_server, redis_server, database_url, redis_url):
    """Two workers who reach their databases through proxies, as their clients reach them."""
    process = start_process(ready=False, workers=2, socket_rate=0)
    with chaos(postgres_server.port, redis_server.port, process.port) as (postgres, redis, clients):
        process.settings["database_url"] = database_url.replace(
            f":{postgres_server.port}/", f":{postgres.port}/"
        )
        process.settings["redis_url"] = f"redis://127.0.0.1:{redis.port}/0"
        process.start()
        yield Place(process, postgres_server, redis_server, postgres, redis, clients, database_url)
        process.stop()


async def gather_crowd(place: Place, new_client) -> Crowd:
    """Three who talk in two rooms, each of them hears theirs; one of them is in both."""
    url = f"http://127.0.0.1:{place.clients.port}"
    ann, bob, cyd = await sign_up(new_client(place.process), "ann", "bob", "cyd")
    ours, theirs = await ann.group(bob), await ann.group(cyd)
    talkers = [
        Talker(url, ann, ours, "ann in ours"), Talker(url, ann, theirs, "ann in theirs"),
        Talker(url, bob, ours, "bob"), Talker(url, cyd, theirs, "cyd"),
    ]  # fmt: skip
    listeners = [
        Listener(url, ann, "ann", (ours, theirs)), Listener(url, bob, "bob", (ours,)),
        Listener(url, bob, "bob again", (ours,)), Listener(url, cyd, "cyd", (theirs,)),
    ]  # fmt: skip
    return Crowd(talkers, listeners)


@pytest.mark.gen_test(timeout=LONG_S + 300)
async def test_whatever_breaks_nothing_is_lost_doubled_or_out_of_order(place, new_client):
    crowd = await gather_crowd(place, new_client)
    try:
        await crowd.goes_on()
        await storm(place, crowd)
        await crowd.end(place.database_url)
    finally:
        await crowd.leave()
    # They were answered, refused or cut off, and never told of an error that nobody foresaw.
    told = {status for one in crowd.talkers for status in one.log.statuses}
    assert told <= {200, 201, 503}, told


async def storm(place: Place, crowd: Crowd) -> None:
    """One fault after the other, each once, or for as long as it is to go on."""
    rng, until = random.Random(SEED), time.monotonic() + LONG_S
    faults = rng.sample(FAULTS, len(FAULTS))
    while faults:
        fault = faults.pop()
        await asyncio.to_thread(fault, place)
        await asyncio.sleep(rng.uniform(*(LONG_LASTS_S if LONG_S else LASTS_S)))
        await asyncio.to_thread(place.heal)
        try:
            await crowd.goes_on()
        except AssertionError as error:
            raise AssertionError(f"after {fault.__name__}, at seed {SEED}, not everybody goes on") from error
        if not faults and time.monotonic() < until:
            faults = rng.sample(FAULTS, len(FAULTS))
