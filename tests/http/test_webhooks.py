"""Webhooks over HTTP: making them, what receivers get of a running server, and what programs post."""

import asyncio
import re

import pytest

from tests.support.database import sqlite_only
from tests.support.hooks import RECEIVER
from tests.support.receiver import Receiver, verify
from tests.support.team import sign_up
from tests.support.waiting import eventually

EVENTS = ["message.created"]


@pytest.fixture
def receiver(io_loop):
    one = Receiver()
    io_loop.run_sync(one.start)
    yield one
    io_loop.run_sync(one.stop)


async def team(client):
    return await sign_up(client, "ann", "ben", "cyd")


async def incoming(member, room, name="CI"):
    """The path at which programs post."""
    made = await member.post("/api/hooks/incoming/", json={"room": room, "name": name})
    return re.sub(r"^http://[^/]+", "", made.expect(201).json["url"]), made.json["id"]


# -- out ---------------------------------------------------------------------------------------------


@pytest.mark.gen_test
async def test_a_running_server_tells_and_both_ends_see_it(start_app, new_client, receiver):
    client = new_client(await start_app(webhooks_to_this_machine=True))
    ann, ben, _ = await team(client)
    (await ann.post("/api/hooks/addresses/", json={"origin": receiver.origin})).expect(201)
    (await ann.post("/api/hooks/addresses/", json={"origin": receiver.origin + "/"})).expect(200)
    room = await ann.group(ben)
    new = {"room": room, "name": "CI", "url": receiver.url, "events": EVENTS}
    made = (await ann.post("/api/hooks/outgoing/", json=new)).expect(201).json
    (await ann.post(f"/api/hooks/outgoing/{made['id']}/test/")).expect(202)
    await ben.say(room, "hello")
    await eventually(lambda: len(receiver.received) == 2)
    assert all(verify(made["secret"], *one) for one in receiver.received)
    head, _ = receiver.received[1]
    assert head["host"] == f"127.0.0.1:{receiver.port}" and head["content-type"] == "application/json"
    assert receiver.told[1]["data"]["message"]["content"] == "hello"
    path = f"/api/hooks/outgoing/{made['id']}/"

    async def all_delivered():
        page = (await ann.get(path + "deliveries/")).expect(200).json
        return [one["status"] for one in page["results"]] == [200, 200] and page

    page = await eventually(all_delivered)
    assert page["results"][0]["message_id"] == receiver.ids[1]
    shown = (await ann.get(path)).expect(200).json
    assert "secret" not in shown and shown["waiting"] == 0 and shown["place"] == "Kitchen"


REFUSED_URLS = (
    "http://127.0.0.1:8000/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://2130706433/",
    "http://0177.0.0.1/", "https://a:b@allowed.example.org/", "file:///etc/passwd", "http://169.254.169.254/",
    "http://0.0.0.0/", "https://elsewhere.example.org/", "https://allowed.example.org:444/", "", "x",
    "https://allowed.example.org.evil.example/", "https://allowed.example.org\\@127.0.0.1/",
)  # fmt: skip


@sqlite_only
@pytest.mark.gen_test
async def test_addresses_that_are_refused(client):
    ann, ben, _ = await team(client)
    (await ann.post("/api/hooks/addresses/", json={"origin": "https://allowed.example.org"})).expect(201)
    room = await ann.group(ben)
    for url in REFUSED_URLS:
        new = {"room": room, "name": "CI", "url": url, "events": EVENTS}
        answer = await ann.post("/api/hooks/outgoing/", json=new)
        assert answer.status == 400 and answer.json["url"], url
    for origin in ("http://127.0.0.1", "http://[::1]:9", "http://169.254.169.254", "file:///", "https://x/y"):
        assert (await ann.post("/api/hooks/addresses/", json={"origin": origin})).status == 400, origin


@sqlite_only
@pytest.mark.gen_test
async def test_a_name_that_means_this_machine_is_refused_when_it_is_asked(client, receiver):
    """The name may be allowed: what it means shows only then."""
    ann, ben, _ = await team(client)
    origin = f"http://localhost:{receiver.port}"
    (await ann.post("/api/hooks/addresses/", json={"origin": origin})).expect(201)
    room = await ann.group(ben)
    new = {"room": room, "name": "CI", "url": origin + "/", "events": EVENTS}
    made = (await ann.post("/api/hooks/outgoing/", json=new)).expect(201).json
    (await ann.post(f"/api/hooks/outgoing/{made['id']}/test/")).expect(202)

    async def refused():
        page = (await ann.get(f"/api/hooks/outgoing/{made['id']}/deliveries/")).json
        return "this machine itself" in page["results"][0]["error"]

    await eventually(refused)
    assert not receiver.received


@sqlite_only
@pytest.mark.gen_test
async def test_what_makes_no_webhook(client):
    ann, ben, cyd = await team(client)
    (await ann.post("/api/hooks/addresses/", json={"origin": "http://localhost:9"})).expect(201)
    room, direct = await ann.group(ben), await ann.direct(ben)
    place = (await ben.post("/api/v1/workspaces/", json={"name": "Garden"})).expect(201).json["id"]
    good = {"room": room, "name": "CI", "url": RECEIVER, "events": EVENTS}
    for change, status, field in (
        ({"events": []}, 400, "events"),
        ({"events": ["message.read"]}, 400, "events"),
        ({"events": ["task.done"]}, 400, "events"),
        ({"name": " "}, 400, "name"),
        ({"room": None}, 400, "room"),
        ({"workspace": place}, 400, "workspace"),
        ({"room": direct}, 409, "code"),
        ({"room": 2**53}, 404, "code"),
        ({"room": 2**53 + 1}, 400, "room"),
    ):
        answer = await ann.post("/api/hooks/outgoing/", json=good | change)
        assert answer.status == status and field in answer.json, (change, answer.body)
    of_place = good | {"room": None, "workspace": place, "events": ["task.done"]}
    (await cyd.post("/api/hooks/outgoing/", json=of_place)).expect(404)
    (await ben.post("/api/hooks/outgoing/", json=of_place)).expect(201)
    made = (await ann.post("/api/hooks/outgoing/", json=of_place)).expect(201).json
    assert (made["place"], made["workspace"], made["room"]) == ("Garden", place, None)
    listed = await ann.get("/api/hooks/outgoing/", query={"workspace": place})
    assert listed.expect(200).json["count"] == 2
    path = f"/api/hooks/outgoing/{made['id']}/"
    (await ben.patch(path, json={"events": ["message.created"]})).expect(400)
    assert (await ben.patch(path, json={"is_active": False})).expect(200).json["off_reason"] == "switched_off"
    assert (await ben.patch(path, json={"is_active": True})).expect(200).json["maker"]["username"] == "ben"


# -- in ----------------------------------------------------------------------------------------------


@pytest.mark.gen_test
async def test_a_program_posts_into_a_room_and_the_room_hears_it_at_once(client, connect):
    ann, ben, _ = await team(client)
    room = await ann.group(ben)
    path, _ = await incoming(ann, room)
    socket = await connect("/ws/chat/", token=ben.access)
    await socket.send({"type": "join_room", "room_id": room})
    assert (await socket.recv())["type"] == "room_joined"
    posted = (await client.post(path, json={"text": "@ann build 7 has *passed*"})).expect(201).json
    heard = await socket.recv()
    said = heard["data"] if "data" in heard else heard["message"]
    assert said["id"] == posted["id"] and said["hook"] == {"name": "CI"}
    assert said["sender"] == ann.reference and said["is_system"] is False
    assert (await ben.history(room))[-1]["hook"] == {"name": "CI"}
    rooms = (await ann.get("/api/chat/rooms/")).json["results"]
    assert next(one for one in rooms if one["id"] == room)["unread_count"] == 1
    told = (await ann.get("/api/notifications/")).json["results"]
    assert told[0]["title"] == "CI mentioned you"
    listed = (await ann.get("/api/hooks/incoming/", query={"room": room})).json["results"]
    assert listed[0]["last_used_at"] and "url" not in listed[0]


@pytest.mark.gen_test
async def test_what_is_posted_twice_is_said_once(client):
    ann, ben, _ = await team(client)
    room = await ann.group(ben)
    path, _ = await incoming(ann, room)
    other, _ = await incoming(ann, room, "Other")
    await ann.say(room, "mine", client_id="7")
    first = (await client.post(path, json={"text": "a", "client_id": "7"})).expect(201).json
    assert (await client.post(path, json={"text": "a", "client_id": "7"})).expect(200).json == first
    keyed = {"Idempotency-Key": "7"}
    assert (await client.post(path, json={"text": "b"}, headers=keyed)).expect(200).json == first
    (await client.post(other, json={"text": "c"}, headers=keyed)).expect(201)
    assert [one["content"] for one in await ann.history(room)] == ["mine", "a", "c"]


@sqlite_only
@pytest.mark.gen_test
async def test_what_no_hook_takes(client):
    ann, ben, _ = await team(client)
    room = await ann.group(ben)
    path, _ = await incoming(ann, room)
    for body in ({}, {"text": ""}, {"text": "x" * 20_001}, {"text": 7}, {"text": "a\x00"},
                 {"text": "a", "client_id": "x" * 61}, {"text": None}, [], "x"):  # fmt: skip
        assert (await client.post(path, json=body)).status == 400, body
    (await client.post(path, json={"text": "a"}, headers={"Idempotency-Key": "k" * 61})).expect(400)
    (await client.get(path)).expect(405)
    for unknown in ("/api/hooks/in/x/", path + "x", "/api/hooks/in/" + "y" * 5000, "/api/hooks/in/%00/"):
        answer = await client.post(unknown, json={"text": "a"})
        assert answer.status == 404 and "y" * 50 not in answer.body.decode(), unknown
    assert await ann.history(room) == []


@pytest.mark.gen_test
async def test_a_hook_ends_with_the_rights_of_its_maker(client):
    ann, ben, _ = await team(client)
    room = await ann.group(ben)
    (await ann.client.request(
        "PUT", f"/api/chat/rooms/{room}/members/{ben.id}/", token=ann.access, json={"role": "admin"}
    )).expect(200)  # fmt: skip
    path, _ = await incoming(ben, room)
    mine, number = await incoming(ann, room)
    (await client.post(path, json={"text": "a"})).expect(201)
    (await ann.delete(f"/api/chat/rooms/{room}/members/{ben.id}/")).expect(204)
    assert (await client.post(path, json={"text": "b"})).expect(410).json["code"] == "hook_gone"
    (await ann.delete(f"/api/hooks/incoming/{number}/")).expect(204)
    (await client.post(mine, json={"text": "c"})).expect(404)
    assert [one["content"] for one in await ann.history(room)] == ["a"]


@sqlite_only
@pytest.mark.gen_test
async def test_hooks_are_throttled_each_by_itself_and_guesses_by_their_address(start_app, new_client):
    client = new_client(await start_app(throttle_hook="2/minute", throttle_anon="3/hour"))
    ann, ben, _ = await team(client)
    room = await ann.group(ben)
    path, _ = await incoming(ann, room)
    other, _ = await incoming(ann, room)
    statuses = [(await client.post(path, json={"text": "a"})).status for _ in range(3)]
    assert statuses == [201, 201, 429]
    (await client.post(other, json={"text": "a"})).expect(201)
    guesses = [(await client.post(f"/api/hooks/in/{n}/", json={"text": "a"})).status for n in range(4)]
    assert guesses[-1] == 429


@sqlite_only
@pytest.mark.gen_test
async def test_no_log_has_an_address_that_posts(start_app, new_client, caplog):
    caplog.set_level("DEBUG")
    client = new_client(await start_app())
    ann, ben, _ = await team(client)
    room = await ann.group(ben)
    path, number = await incoming(ann, room)
    secret = path.rstrip("/").rpartition("/")[2]
    for target in (
        path,
        path.upper(),
        path + "x",
        path.replace("/in/", "/in//"),
        path.replace("/in/", "/in%2F"),
    ):
        await client.post(target, json={"text": "a"})
        await client.get(target)
    await ann.delete(f"/api/hooks/incoming/{number}/")
    await client.post(path, json={"text": "a"})
    await asyncio.sleep(0)
    assert "/api/hooks/in/(hidden)" in caplog.text
    assert secret.lower() not in caplog.text.lower()
