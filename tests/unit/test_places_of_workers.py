"""What the parent of several workers decides: when the next one starts, and who gets the connections."""

import socket
import subprocess
import sys

import pytest

import settings as settings_module
import workers
from settings import SettingsError
from tests.support.server_process import ROOT


def test_a_worker_that_keeps_ending_is_started_less_and_less_often():
    pauses = [workers.pause_s(lives) for lives in range(1, 12)]
    assert pauses[0] < 0.1
    assert pauses == sorted(pauses)
    assert pauses[-1] == workers.LONGEST_PAUSE_S


def test_a_place_without_a_worker_for_long_gets_no_connections():
    first = workers._Place(1, "127.0.0.1", 0)
    second = workers._Place(2, "127.0.0.1", first.port)
    first.stop_listening()
    [listening] = second._sockets
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", first.port)):
            listening.accept()[0].close()
    second.stop_listening()


@pytest.mark.parametrize(
    "flags, why",
    [
        ({}, "SQLite takes one"),
        ({"redis_url": "redis://127.0.0.1"}, "SQLite takes one"),
        ({"database_url": "postgresql://127.0.0.1/x"}, "several need redis_url"),
    ],
)
def test_several_workers_are_refused_where_only_one_process_can_serve(flags, why):
    with pytest.raises(SettingsError, match=f"^setting workers: .*{why}"):
        settings_module.load(flags | {"workers": "2"})


_SERVE_ALONE = """
import asyncio, sys, urllib.request
from application import Taskroom
from settings import Settings

async def serve():
    taskroom = Taskroom(Settings(port=0, data_dir=sys.argv[1]))
    await taskroom.start()
    url = f"http://127.0.0.1:{taskroom.port}/api/v1/core/health/"
    print((await asyncio.to_thread(urllib.request.urlopen, url)).status)
    await taskroom.stop()

asyncio.run(serve())
print(sorted(name for name in sys.modules if name.partition(".")[0] == "redis"))
"""


def test_a_single_process_loads_nothing_of_redis(tmp_path):
    """It costs 20 MiB; the rates and the health check are where it could slip in."""
    command = [sys.executable, "-c", _SERVE_ALONE, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["200", "[]"], done.stderr
