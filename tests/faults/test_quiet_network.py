"""No connection leaves the machine that no setting names: the whole process is watched while people work.

Whatever a Python program sends or looks up raises an audit event, also in libraries; the watch is in the
process before anything else is.
"""

import ast

import pytest

from lan.addresses import colleagues_addresses
from tests.support.http import PASSWORD
from tests.support.team import sign_up
from tests.support.uploads import PNG
from tests.support.waiting import eventually

WATCH = """
import os, sys

WATCHED = {
    "socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname",
    "socket.gethostbyaddr", "socket.getnameinfo",
}
out = os.open(os.environ["WATCH_INTO"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

def watch(event, args):
    if event in WATCHED:
        where = args[1] if event.startswith(("socket.connect", "socket.send")) else args[0]
        os.write(out, (repr((event, where)) + "\\n").encode())

sys.addaudithook(watch)
"""
MULTICAST = {"224.0.0.251", "ff02::fb"}


@pytest.fixture
def watched(monkeypatch, tmp_path, start_process):
    """watched(**settings) -> a process, and what it has asked of the network: (event, where)."""
    folder, path = tmp_path / "watch", tmp_path / "seen"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WATCH)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setenv("WATCH_INTO", str(path))

    def start(**settings):
        process = start_process(from_scratch=True, **settings)
        return process, lambda: [ast.literal_eval(line) for line in path.read_text().splitlines()]

    return start


async def work(client, connect):
    """What a team does in a day."""
    for path in ("/", "/api/docs/", "/api/schema/", "/websocket_test.html", "/api/v1/core/health/"):
        (await client.get(path, headers={"Accept": "text/html"})).expect(200)
    boss, ann = await sign_up(client, "boss", "ann")
    picture = [("avatar", "face.png", PNG, "image/png")]
    (await ann.post("/api/users/profile/avatar/", files=picture)).expect(200)
    task = {"title": "Look at https://elsewhere.example/page", "assignees": [ann.id]}
    (await boss.post("/api/tasks/", json=task)).expect(201)
    room = await boss.group(ann)
    words = {"room": room, "content": "@ann see http://elsewhere.example/picture.png"}
    socket = await connect("/ws/chat/", token=ann.access)
    (await boss.post("/api/chat/messages/", json=words)).expect(201)
    await socket.leave()
    (await client.post("/api/password-reset/", json={"email": "ann@example.org"})).expect(200)
    body = {"username": "ann", "password": PASSWORD}
    (await client.post("/login/", json=body, headers={"X-Forwarded-For": "203.0.113.9"})).expect(200)


def is_of_this_machine(event, where):
    """Whoever listens asks the system what its own address is; no name is looked up."""
    host = where[0] if isinstance(where, tuple) else where
    return event == "socket.getaddrinfo" and host in ("127.0.0.1", "0.0.0.0")


@pytest.mark.parametrize(
    "settings",
    [{}, {"host": "0.0.0.0", "mdns": False}, {"host": "0.0.0.0"}],
    ids=["this machine", "LAN", "LAN with a name"],
)
@pytest.mark.gen_test
async def test_a_day_of_work_reaches_nobody_outside(watched, new_client, connect_to, settings):
    process, seen = watched(**settings)
    announces = settings.get("host") == "0.0.0.0" and settings.get("mdns", True)
    announces = announces and bool(colleagues_addresses("0.0.0.0"))
    if announces:
        process.wait_for_log(r"also called http://taskroom|is not announced")
    await work(new_client(process), lambda path, **options: connect_to(process, path, **options))
    process.stop()
    asked = seen()
    assert asked, "the watch sees how it begins to listen"
    strange = [one for one in asked if not is_of_this_machine(*one)]
    if announces:
        assert all(event == "socket.sendto" and where[1] == 5353 for event, where in strange), strange
        assert {where[0] for _, where in strange} <= MULTICAST | set(colleagues_addresses("0.0.0.0"))
    else:
        assert strange == []


@pytest.mark.gen_test
async def test_the_watch_sees_a_connection_that_a_setting_names(watched, new_client, connect_to):
    process, seen = watched(smtp_url="smtp://127.0.0.1:9")
    await work(new_client(process), lambda path, **options: connect_to(process, path, **options))
    await eventually(lambda: {where for event, where in seen() if event == "socket.connect"})
    process.stop()
    strange = {where[:2] for event, where in seen() if event == "socket.connect"}
    assert strange == {("127.0.0.1", 9)}
