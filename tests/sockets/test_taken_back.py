"""What somebody has deleted or edited is told by nothing stored, and what they may not see by no replay."""

import json

import pytest

from models.base import database
from tests.support.database import postgresql_only
from tests.support.team import sign_up
from tests.support.waiting import eventually

SECRET = "the-secret-words"
"""What was said and then taken back."""


@pytest.fixture
def people(client, io_loop):
    return io_loop.run_sync(lambda: sign_up(client, "ceo", "ann", "bob"), timeout=30)


@pytest.fixture(params=["memory", "log"])
def forget(app, request):
    """Asks that replays be told from this process's memory, or from the log."""

    def make_it_so():
        if request.param == "log":
            app.realtime.tail.floor = app.realtime.hub.position

    return make_it_so


async def now(member):
    """The newest `seq` as the long poll tells it."""
    return (await member.get("/api/v1/realtime/events/")).expect(200).json["seq"]


async def polled(member, after):
    """What the long poll replays."""
    return (await member.get(f"/api/v1/realtime/events/?after={after}")).expect(200).json["events"]


async def replayed(connect, path, member, since):
    """What a socket replays."""
    socket = await connect(f"{path}?since={since}", token=member.access)
    said = await socket.settle()
    socket.close()
    return said


async def everywhere(connect, member, room, since):
    """What each way of replaying tells the member of the chat: by way."""
    heard = {
        "poll": await polled(member, since),
        "all rooms": await replayed(connect, "/ws/chat/", member, since),
        "one room": await replayed(connect, f"/ws/chat/{room}/", member, since),
    }
    newest = await now(member)
    path = f"/api/v1/realtime/stream/?after={since}"
    async with member.client.stream(path, token=member.access) as stream:
        heard["stream"], seq = [], since
        while seq < newest:
            event = await stream.event()
            seq = int(event.get("id", seq))
            heard["stream"] += [json.loads(event["data"])] if "data" in event else []
    return heard


def chats(said):
    return [(one["type"], one["data"]["content"]) for one in said if one["type"] in CHAT_TYPES]


CHAT_TYPES = ("chat_message", "message_updated", "message_deleted")


async def stored(app, words):
    """How often the words stand in the log or in a notification."""

    def count():
        rows = database.execute_sql("SELECT payload FROM event").fetchall()
        rows += database.execute_sql("SELECT content FROM notification").fetchall()
        rows += database.execute_sql("SELECT COALESCE(new_value, '') FROM task_history").fetchall()
        rows += database.execute_sql("SELECT COALESCE(old_value, '') FROM task_history").fetchall()
        return sum(words in row[0] for row in rows)

    return await app.store.read(count)


# Messages


@pytest.mark.gen_test
async def test_a_deleted_message_is_replayed_to_nobody(app, connect, people, forget):
    _, ann, bob = people
    room = await ann.group(bob)
    since = await now(ann)
    said = await ann.say(room, SECRET)
    (await ann.delete(f"/api/chat/messages/{said['id']}/")).expect(204)
    forget()
    for way, heard in (await everywhere(connect, bob, room, since)).items():
        assert SECRET not in str(heard), way
    assert chats(await polled(bob, since)) == [("chat_message", ""), ("message_deleted", "")]
    assert await stored(app, SECRET) == 0


@pytest.mark.gen_test
async def test_of_an_edited_message_only_the_newest_words_are_replayed(app, connect, people, forget):
    _, ann, bob = people
    room = await ann.group(bob)
    since = await now(ann)
    said = await ann.say(room, SECRET)
    for text in (f"{SECRET} again", "harmless"):
        (await ann.patch(f"/api/chat/messages/{said['id']}/", json={"content": text})).expect(200)
    forget()
    for way, heard in (await everywhere(connect, bob, room, since)).items():
        assert SECRET not in str(heard), way
    assert chats(await polled(bob, since)) == [("chat_message", "harmless"), ("message_updated", "harmless")]
    assert await stored(app, SECRET) == 0


@pytest.mark.gen_test
async def test_what_answers_repeat_of_a_message_goes_with_it(app, connect, people, forget):
    _, ann, bob = people
    room = await ann.group(bob)
    since = await now(ann)
    said = await ann.say(room, SECRET)
    answer = await bob.say(room, "what?", reply_to=said["id"])
    (await bob.patch(f"/api/chat/messages/{answer['id']}/", json={"content": "why?"})).expect(200)
    body = {"emoji": "👍"}
    (await bob.post(f"/api/chat/messages/{said['id']}/reactions/", json=body)).expect(201)
    (await bob.post(f"/api/chat/messages/{said['id']}/pin/")).expect(201)
    (await ann.patch(f"/api/chat/messages/{said['id']}/", json={"content": "harmless"})).expect(200)
    quotes = [one["data"]["quote"] for one in await polled(bob, since) if one["type"] in CHAT_TYPES]
    assert [quote["content"] for quote in quotes if quote] == ["harmless", "harmless"]
    marks = [one["type"] for one in await polled(bob, since) if one["type"] not in CHAT_TYPES]
    assert {"reaction", "message_pinned"} <= set(marks)
    (await ann.delete(f"/api/chat/messages/{said['id']}/")).expect(204)
    forget()
    for way, heard in (await everywhere(connect, bob, room, since)).items():
        assert SECRET not in str(heard), way
        assert "harmless" not in str(heard), way
        assert not [one for one in heard if one["type"] in ("reaction", "message_pinned")], way
    assert await stored(app, SECRET) == await stored(app, "harmless") == 0


@pytest.mark.gen_test
async def test_an_edit_costs_the_same_however_long_the_log_and_however_often(app, people):
    """An earlier edit has left the log when the next one comes, so that none finds more than two."""
    _, ann, bob = people
    room = await ann.group(bob)
    said = await ann.say(room, "0")
    for number in range(1, 6):
        body = {"content": str(number)}
        (await ann.patch(f"/api/chat/messages/{said['id']}/", json=body)).expect(200)
    rows = await app.store.read(
        lambda: database.execute_sql(
            f"SELECT COUNT(*) FROM event_group WHERE group_name = 'about_message_{said['id']}'"
        ).fetchone()
    )
    assert rows[0] == 2


@pytest.mark.gen_test
async def test_a_frame_that_was_kept_for_others_is_not_sent_after_the_edit(connect, people, forget):
    """Frames of a replay are kept for a moment, for the next who comes back."""
    _, ann, bob = people
    room = await ann.group(bob)
    since = await now(ann)
    said = await ann.say(room, SECRET)
    forget()
    assert SECRET in str(await replayed(connect, f"/ws/chat/{room}/", bob, since))
    (await ann.patch(f"/api/chat/messages/{said['id']}/", json={"content": "harmless"})).expect(200)
    assert SECRET not in str(await replayed(connect, f"/ws/chat/{room}/", bob, since))


@pytest.mark.gen_test
async def test_live_ears_hear_of_it_as_ever(connect, people):
    _, ann, bob = people
    room = await ann.group(bob)
    ears = await connect(f"/ws/chat/{room}/", token=bob.access)
    await ears.expect("room_joined")
    said = await ann.say(room, SECRET)
    path = f"/api/chat/messages/{said['id']}/"
    (await ann.patch(path, json={"content": "better"})).expect(200)
    (await ann.delete(path)).expect(204)
    assert chats(await ears.settle()) == [
        ("chat_message", SECRET),
        ("message_updated", "better"),
        ("message_deleted", ""),
    ]


@postgresql_only
@pytest.mark.gen_test
async def test_the_memory_of_other_processes_forgets_too(
    start_process, database_url, redis_url, new_client, connect_to
):
    shared = {"database_url": database_url, "redis_url": redis_url, "secret_key": "x" * 40}
    two = [start_process(**shared) for _ in range(2)]
    here, there = [new_client(process) for process in two]
    ann, bob = await sign_up(here, "ann", "bob")
    room = await ann.group(bob)
    since = await now(ann)
    said = await ann.say(room, SECRET)

    async def known_there():
        answer = await there.get(f"/api/v1/realtime/events/?after={since}", token=bob.access)
        return chats(answer.json["events"])

    async def known(count):
        return len(await known_there()) == count

    await eventually(lambda: known(1))
    (await ann.delete(f"/api/chat/messages/{said['id']}/")).expect(204)
    await eventually(lambda: known(2))
    assert await known_there() == [("chat_message", ""), ("message_deleted", "")]


# What quotes them


async def told(member):
    """What the notifications of the member say."""
    query = {"mark_read": "false"}
    return [one["content"] for one in (await member.get("/api/notifications/", query=query)).json["results"]]


@pytest.mark.gen_test
async def test_a_notification_says_what_the_message_says_now(app, connect, people, forget):
    _, ann, bob = people
    room = await ann.group(bob)
    since = await now(bob)
    said = await ann.say(room, f"@bob {SECRET}")
    assert await told(bob) == [f"@bob {SECRET}"]
    path = f"/api/chat/messages/{said['id']}/"
    (await ann.patch(path, json={"content": "@bob harmless"})).expect(200)
    forget()
    heard = await replayed(connect, "/ws/notifications", bob, since)
    assert [one["content"] for one in heard if one["type"] == "notification"] == ["@bob harmless"]
    assert await told(bob) == ["@bob harmless"] and SECRET not in str(heard)
    (await ann.delete(path)).expect(204)
    assert await told(bob) == ["This message was deleted."]
    heard = await polled(bob, since)
    assert "harmless" not in str(heard) and "quotes" not in str(heard)
    assert await stored(app, SECRET) + await stored(app, "harmless") == 0


@pytest.mark.gen_test
async def test_a_notification_whose_place_another_took_is_blanked_too(app, people):
    """One unread notification stands for all that was written in a direct room; the log has each."""
    _, ann, bob = people
    room = await ann.direct(bob)
    said = await ann.say(room, SECRET)
    await ann.say(room, "later")
    assert await told(bob) == ["later"]
    (await ann.delete(f"/api/chat/messages/{said['id']}/")).expect(204)
    assert await stored(app, SECRET) == 0 and await told(bob) == ["later"]


@pytest.mark.gen_test
async def test_what_was_held_for_somebody_is_released_as_it_is_now(app, connect, people):
    _, ann, bob = people
    room = await ann.group(bob)
    since = await now(bob)
    focus = (await bob.post("/api/v1/focus-sessions/", json={"title": "Deep"})).json["id"]
    (await bob.post(f"/api/v1/focus-sessions/{focus}/start/")).expect(200)
    said = await ann.say(room, f"@bob {SECRET}")
    (await bob.post(f"/api/v1/focus-sessions/{focus}/end/")).expect(200)
    (await ann.delete(f"/api/chat/messages/{said['id']}/")).expect(204)
    heard = await replayed(connect, "/ws/notifications", bob, since)
    (digest,) = [one["data"] for one in heard if one["type"] == "notification_digest"]
    assert [one["content"] for one in digest["notifications"]] == ["This message was deleted."]
    assert "quotes" not in str(heard) and await stored(app, SECRET) == 0


@pytest.mark.gen_test
async def test_nobody_gets_the_words_of_a_message_by_claiming_to_quote_it(people):
    """What an event post gives along names nothing that is followed."""
    ceo, ann, bob = people
    room = await ann.group(bob)
    said = await ann.say(room, "before")
    since = await now(ceo)
    data = {"quotes": f"message_{said['id']}", "message_id": said["id"]}
    body = {"title": "T", "content": "C", "data": data}
    (await ceo.post("/api/v1/realtime/events/system/", json=body)).expect(200)
    (await ann.patch(f"/api/chat/messages/{said['id']}/", json={"content": SECRET})).expect(200)
    assert SECRET not in str(await polled(ceo, since)) and await told(ceo) == ["C"]


# Rooms


@pytest.mark.gen_test
async def test_whoever_is_added_to_a_room_hears_what_comes_after(connect, people, forget):
    ceo, ann, bob = people
    room = await ann.group(ceo)
    since = await now(bob)
    await ann.say(room, "before")
    (await ann.post(f"/api/chat/rooms/{room}/participants/", json={"user_ids": [bob.id]})).expect(200)
    await ann.say(room, "after")
    forget()
    for way, heard in (await everywhere(connect, bob, room, since)).items():
        assert "before" not in str(heard), way
        assert chats(heard) == [("chat_message", "after")], way
    assert chats(await polled(ceo, since)) == [("chat_message", "before"), ("chat_message", "after")]


@pytest.mark.gen_test
async def test_a_socket_that_is_brought_into_a_room_replays_nothing_older(connect, people):
    ceo, ann, bob = people
    room = await ann.group(ceo)
    since = await now(bob)
    socket = await connect(f"/ws/chat/?since={since}", token=bob.access)
    await socket.settle()
    await ann.say(room, "before")
    (await ann.post(f"/api/chat/rooms/{room}/participants/", json={"user_ids": [bob.id]})).expect(200)
    await ann.say(room, "after")
    await socket.send({"type": "resume", "since": since})
    assert ("chat_message", "before") not in chats(await socket.settle())


@pytest.mark.gen_test
async def test_the_people_a_room_began_with_hear_it_from_its_beginning(connect, people):
    _, ann, bob = people
    since = await now(bob)
    room = await ann.group(bob)
    await ann.say(room, "first")
    assert chats(await polled(bob, since)) == [("chat_message", "first")]


# Comments


@pytest.mark.gen_test
async def test_a_comment_taken_back_is_in_no_history_and_no_replay(app, connect, people, forget):
    _, ann, bob = people
    space = (await ann.post("/api/v1/workspaces/", json={"name": "Club"})).json["id"]
    (await ann.post(f"/api/v1/workspaces/{space}/members/", json={"user_id": bob.id})).expect(201)
    body = {"title": "Fence", "workspace": space, "assignees": [bob.id]}
    task = (await ann.post("/api/tasks/", json=body)).expect(201).json["id"]
    since = await now(bob)
    comments = []
    for text in (SECRET, f"{SECRET} too"):
        made = await ann.post("/api/task-comments/", json={"task": task, "content": text})
        comments.append(made.expect(201).json["id"])
    (await ann.patch(f"/api/task-comments/{comments[0]}/", json={"content": "harmless"})).expect(200)
    (await ann.delete(f"/api/task-comments/{comments[1]}/")).expect(204)
    forget()
    heard = [one for one in await polled(bob, since) if one["type"] == "comment"]
    assert [(one["action"], one["data"]["content"]) for one in heard] == [
        ("created", "harmless"),
        ("created", ""),
        ("updated", "harmless"),
        ("deleted", ""),
    ]
    assert SECRET not in str(await replayed(connect, "/ws/tasks/", bob, since))
    history = (await bob.get(f"/api/tasks/{task}/history/")).expect(200).json["results"]
    said = [(one["action"], one["old_value"], one["new_value"]) for one in history[::-1][1:]]
    assert said == [
        ("commented", None, None),
        ("commented", None, None),
        ("comment_edited", None, "harmless"),
        ("comment_deleted", None, None),
    ]
    assert await stored(app, SECRET) == 0
    assert (await told(bob))[:2] == ["This comment was deleted.", "harmless"]


# Tasks that one sees no longer


@pytest.mark.gen_test
async def test_a_task_that_one_has_lost_is_replayed_as_gone_and_no_more(connect, people, forget):
    ceo, ann, _ = people
    since = await now(ann)
    body = {"title": SECRET, "description": SECRET, "assignees": [ann.id]}
    task = (await ceo.post("/api/tasks/", json=body)).expect(201).json
    (await ceo.patch(f"/api/tasks/{task['id']}/", json={"title": f"{SECRET} 2"})).expect(200)
    (await ceo.post("/api/task-comments/", json={"task": task["id"], "content": SECRET})).expect(201)
    assert SECRET in str([one for one in await polled(ann, since) if one["type"] == "task"])
    (await ceo.post(f"/api/tasks/{task['id']}/unassign/", json={"assignees": [ann.id]})).expect(200)
    forget()
    for heard in (await polled(ann, since), await replayed(connect, "/ws/tasks/", ann, since)):
        heard = [one for one in heard if one["type"] in ("task", "comment")]
        assert SECRET not in str(heard)
        assert [(one["action"], one["data"]["id"]) for one in heard] == [("deleted", task["uuid"])]
    (await ceo.post(f"/api/tasks/{task['id']}/assign/", json={"assignees": [ann.id]})).expect(200)
    assert SECRET in str(await replayed(connect, "/ws/tasks/", ann, since))


@pytest.mark.gen_test
async def test_what_one_was_told_of_a_task_that_one_has_lost_is_replayed_without_its_words(
    connect, people, forget
):
    """The task was gone from the replay, and its title and comments stood in the notifications beside it."""
    ceo, ann, bob = people
    since = await now(ann)
    body = {"title": SECRET, "assignees": [ann.id, bob.id]}
    task = (await ceo.post("/api/tasks/", json=body)).expect(201).json["id"]
    (await ceo.post("/api/task-comments/", json={"task": task, "content": SECRET})).expect(201)
    (await ceo.patch(f"/api/tasks/{task}/", json={"title": f"{SECRET} 2"})).expect(200)
    room = (await ceo.post("/api/chat/rooms/", json={"room_type": "task", "task_id": task})).json["id"]
    said = {"room": room, "content": f"@ann {SECRET}"}
    (await ceo.post("/api/chat/messages/", json=said)).expect(201)
    other = (await ceo.post("/api/tasks/", json={"title": "Other", "assignees": [ann.id]})).expect(201).json
    before = await polled(ann, since)
    assert str(before).count(SECRET) > 6
    (await ceo.post(f"/api/tasks/{task}/unassign/", json={"assignees": [ann.id]})).expect(200)
    forget()
    after = await polled(ann, since)
    everything = [after]
    for path in ("/ws/notifications/", "/ws/chat/", "/ws/tasks/"):
        everything.append(await replayed(connect, path, ann, since))
    assert SECRET not in str(everything)
    told = [one for one in after if one["type"] == "notification"]
    titles = {one["title"] for one in told if one["related_entity_id"] != other["id"]}
    assert titles == {f"Task {task}", "The room of a task"}
    assert "Other" in {one["title"] for one in told}
    assert SECRET in str(await polled(bob, since)), "who still has it is told as before"


@pytest.mark.gen_test
async def test_a_digest_says_nothing_of_a_task_that_one_has_lost(connect, people, forget):
    ceo, ann, _ = people
    since = await now(ann)
    mine = (await ann.post("/api/v1/focus-sessions/", json={"title": "Quiet"})).expect(201).json["id"]
    (await ann.post(f"/api/v1/focus-sessions/{mine}/start/")).expect(200)
    tasks = [
        (await ceo.post("/api/tasks/", json={"title": title, "assignees": [ann.id]})).expect(201).json["id"]
        for title in (SECRET, "Other")
    ]
    (await ann.post(f"/api/v1/focus-sessions/{mine}/end/")).expect(200)

    async def digests():
        heard = await replayed(connect, "/ws/notifications/", ann, since)
        return [one["data"]["notifications"] for one in heard if one["type"] == "notification_digest"]

    [items] = await eventually(digests)
    assert [one["title"] for one in items] == [SECRET, "Other"]
    (await ceo.post(f"/api/tasks/{tasks[0]}/unassign/", json={"assignees": [ann.id]})).expect(200)
    forget()
    [items] = await digests()
    assert [one["title"] for one in items] == [f"Task {tasks[0]}", "Other"]
    assert SECRET not in str(items)


@pytest.mark.gen_test
async def test_a_deleted_task_is_replayed_as_gone_and_no_more(connect, people, forget):
    ceo, *_ = people
    space = (await ceo.post("/api/v1/workspaces/", json={"name": "Club"})).json["id"]
    since = await now(ceo)
    task = (await ceo.post("/api/tasks/", json={"title": SECRET, "workspace": space})).expect(201).json
    (await ceo.delete(f"/api/tasks/{task['id']}/")).expect(204)
    forget()
    mine = [one for one in await polled(ceo, since) if one["type"] == "task"]
    assert [(one["action"], one["data"]["id"]) for one in mine] == [("deleted", task["uuid"])]
    watched = await replayed(connect, f"/ws/tasks/{space}/", ceo, since)
    assert [one["content"] for one in watched] == [f"Task deleted: Task {task['id']}"]
    assert SECRET not in str(mine) + str(watched)


@pytest.mark.gen_test
async def test_a_proposal_that_was_withdrawn_does_not_go_on_telling_of_the_task(connect, people, forget):
    ceo, ann, _ = people
    since = await now(ann)
    task = (await ceo.post("/api/tasks/", json={"title": SECRET})).expect(201).json["id"]
    made = await ceo.post(f"/api/tasks/{task}/propose_assignment/", json={"user_ids": [ann.id]})
    assert SECRET in str(await replayed(connect, "/ws/tasks/", ann, since))
    (await ceo.delete(f"/api/tasks/{task}/")).expect(204)
    forget()
    assert made.status == 201
    assert SECRET not in str(await replayed(connect, "/ws/tasks/", ann, since))
