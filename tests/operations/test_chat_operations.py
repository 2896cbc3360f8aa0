"""Rooms and messages: who may do what, what is stored, what is said about it, and what it costs."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from models import chat as tables
from models import event_log, events, groups
from models.base import iso
from models.chat import FIRST_ROOM_ID, Attachment, Message, Participant
from models.errors import Conflict, Forbidden, Invalid, NotFound
from models.operations import chat
from models.operations.chat import Draft, StoredFile
from tests.support.database import count_queries, postgresql_only
from tests.support.people import deactivate, join_team
from tests.support.rival import rival_of


def refs(*actors):
    return [{"id": actor.id, "username": actor.username, "avatar": None} for actor in actors]


def persons(*actors):
    return sorted(groups.person(actor.id) for actor in actors)


def a_file(name):
    return StoredFile(f"chat_attachments/{name}", name, 7, "text/plain")


class Talk:
    """Ann, Ben and Cyd, with a group of Ann and Ben."""

    def __init__(self, run: Any, store: Any) -> None:
        self.run = run
        self.store = store

    async def begin(self) -> "Talk":
        self.ann, self.ben, self.cyd = await join_team(self.run, "ann", "ben", "cyd")
        self.room = await self.group(self.ann, self.ben)
        self.run.take()
        return self

    async def group(self, actor, *others, name="Kitchen"):
        answer = await self.run(chat.open_group, actor, name, [other.id for other in others])
        return answer.body["id"]

    async def direct(self, actor, other):
        return (await self.run(chat.open_direct, actor, other.id)).body["id"]

    async def say(self, actor, content="hello", room=None, **fields):
        answer = await self.run(chat.post_message, actor, Draft(room or self.room, content, **fields))
        return answer.body

    async def unread(self, actor, room=None):
        return (await self.store.read(chat.room, actor, room or self.room))["unread_count"]

    async def page(self, actor, most=100, room=None, page=1, before=None, after=None):
        asked = (room or self.room, most, page, before, after)
        return await self.store.snapshot(chat.list_messages, actor, *asked)

    def said(self):
        """What was emitted since the last look: kind, groups, payload."""
        return [(event.type, sorted(event.groups), event.payload) for event in self.run.take()]


@pytest.fixture
def talk(run, store, io_loop):
    return io_loop.run_sync(Talk(run, store).begin)


# Direct rooms


@pytest.mark.gen_test
async def test_a_direct_room_is_made_once_and_given_back_to_both(talk):
    made = await talk.run(chat.open_direct, talk.ann, talk.ben.id)
    assert made.is_new
    assert made.body["id"] >= FIRST_ROOM_ID
    assert made.body == {
        "id": made.body["id"],
        "room_type": "direct",
        "name": "",
        "participants": refs(talk.ann, talk.ben),
        "task": None,
        "created_by": talk.ann.id,
        "created_at": made.body["created_at"],
        "version": 1,
        "unread_count": 0,
        "last_message": None,
        "is_muted": False,
    }
    personal = ("unread_count", "last_message", "is_muted")
    shared = {key: value for key, value in made.body.items() if key not in personal}
    assert talk.said() == [(events.RoomCreated, persons(talk.ann, talk.ben), shared)]

    for actor, other in ((talk.ann, talk.ben), (talk.ben, talk.ann)):
        given_back = await talk.run(chat.open_direct, actor, other.id)
        assert (given_back.is_new, given_back.body) == (False, made.body)
    assert talk.said() == []


@pytest.mark.gen_test
async def test_a_direct_room_needs_another_active_person(talk):
    await deactivate(talk.run, talk.cyd)
    for other_id in (talk.ann.id, talk.cyd.id, 999, FIRST_ROOM_ID):
        with pytest.raises(Invalid) as refused:
            await talk.run(chat.open_direct, talk.ann, other_id)
        assert list(refused.value.errors) == ["other_user_id"]
    assert talk.said() == []


@pytest.mark.gen_test
async def test_a_direct_room_outlives_the_other_s_account(talk):
    room = await talk.direct(talk.ann, talk.cyd)
    await deactivate(talk.run, talk.cyd)
    given_back = await talk.run(chat.open_direct, talk.ann, talk.cyd.id)
    assert (given_back.is_new, given_back.body["id"]) == (False, room)


@pytest.mark.gen_test
async def test_two_who_open_the_same_direct_room_at_once_get_one(talk):
    first, second = await asyncio.gather(
        talk.run(chat.open_direct, talk.ann, talk.ben.id), talk.run(chat.open_direct, talk.ben, talk.ann.id)
    )
    assert (first.is_new, second.is_new) == (True, False)
    assert first.body == second.body


# Groups


@pytest.mark.gen_test
async def test_a_group_has_its_maker_and_everybody_named_once(talk):
    asked_for = [talk.cyd.id, talk.ben.id, talk.cyd.id, talk.ann.id]
    made = await talk.run(chat.open_group, talk.ben, "Küche 🙂", asked_for)
    assert made.is_new
    shown = {name: made.body[name] for name in ("room_type", "name", "created_by")}
    assert shown == {"room_type": "group", "name": "Küche 🙂", "created_by": talk.ben.id}
    assert sorted(person["id"] for person in made.body["participants"]) == sorted({*asked_for})
    ((kind, addressed, payload),) = talk.said()
    assert (kind, addressed) == (events.RoomCreated, persons(talk.ann, talk.ben, talk.cyd))
    assert payload["id"] == made.body["id"]


@pytest.mark.gen_test
async def test_a_group_may_have_its_maker_alone(talk):
    made = await talk.run(chat.open_group, talk.ann, "Notes", [])
    assert made.body["participants"] == refs(talk.ann)


@pytest.mark.gen_test
async def test_unknown_and_inactive_people_are_all_named_and_nothing_is_made(talk):
    await deactivate(talk.run, talk.cyd)
    rooms_before = await talk.store.read(chat.list_rooms, talk.ann, 100, 0)
    with pytest.raises(Invalid) as refused:
        await talk.run(chat.open_group, talk.ann, "Kitchen", [talk.ben.id, 998, talk.cyd.id, 999])
    (message,) = refused.value.errors["participant_ids"]
    assert f"998, {talk.cyd.id}, 999" in message
    with pytest.raises(Invalid) as refused:
        await talk.run(chat.add_participants, talk.ann, talk.room, [talk.cyd.id, 998])
    assert list(refused.value.errors) == ["user_ids"]
    assert await talk.store.read(chat.list_rooms, talk.ann, 100, 0) == rooms_before
    assert talk.said() == []


@pytest.mark.gen_test
async def test_a_group_has_an_end(talk, monkeypatch):
    monkeypatch.setattr("models.operations.chat.rooms.MAX_PARTICIPANTS", 2)
    with pytest.raises(Invalid):
        await talk.run(chat.open_group, talk.ann, "Too many", [talk.ben.id, talk.cyd.id])
    with pytest.raises(Invalid):
        await talk.run(chat.add_participants, talk.ann, talk.room, [talk.cyd.id])
    assert (await talk.run(chat.open_group, talk.ann, "Fits", [talk.ann.id, talk.ben.id])).is_new


@pytest.mark.gen_test
async def test_whoever_is_added_finds_the_history_but_nothing_unread(talk):
    for n in range(3):
        await talk.say(talk.ann, str(n))
    talk.run.take()
    room = await talk.run(chat.add_participants, talk.ben, talk.room, [talk.cyd.id, talk.ann.id, talk.cyd.id])
    assert room["participants"] == refs(talk.ann, talk.ben, talk.cyd)
    assert room["version"] == 2
    assert room["unread_count"] == 3  # Ben's own
    ((kind, addressed, payload),) = talk.said()
    assert (kind, addressed) == (events.RoomUpdated, persons(talk.ann, talk.ben, talk.cyd))
    assert payload["participants"] == room["participants"]
    assert await talk.unread(talk.cyd) == 0
    assert [message["content"] for message in (await talk.page(talk.cyd)).results] == ["2", "1", "0"]
    await talk.say(talk.ann)
    assert await talk.unread(talk.cyd) == 1


@pytest.mark.gen_test
async def test_adding_who_is_there_already_changes_and_says_nothing(talk):
    room = await talk.run(chat.add_participants, talk.ann, talk.room, [talk.ben.id])
    assert room["version"] == 1
    assert talk.said() == []


@pytest.mark.gen_test
async def test_only_a_group_takes_more_people_has_a_name_or_can_be_left(talk):
    room = await talk.direct(talk.ann, talk.ben)
    talk.run.take()
    for operation, *args in (
        (chat.add_participants, [talk.cyd.id]),
        (chat.leave,),
        (chat.update_room, "Name", None),
    ):
        with pytest.raises(Conflict) as refused:
            await talk.run(operation, talk.ann, room, *args)
        assert refused.value.code == "not_a_group"
    assert talk.said() == []


@pytest.mark.gen_test
async def test_whoever_leaves_is_out_at_once_and_everybody_is_told(talk):
    await talk.say(talk.ann)
    talk.run.take()
    assert await talk.run(chat.leave, talk.ben, talk.room) == {"status": "left", "room_id": talk.room}
    removed, updated = talk.said()
    assert removed == (
        events.ParticipantRemoved,
        persons(talk.ben),
        {"room_id": talk.room, "user_id": talk.ben.id, "room_type": "group"},
    )
    assert updated[:2] == (events.RoomUpdated, persons(talk.ann))
    assert updated[2]["participants"] == refs(talk.ann)
    with pytest.raises(NotFound):
        await talk.say(talk.ben)
    with pytest.raises(NotFound):
        await talk.run(chat.leave, talk.ben, talk.room)
    assert await talk.store.read(chat.list_rooms, talk.ben, 10, 0) == (0, [])


@pytest.mark.gen_test
async def test_the_last_one_out_leaves_an_empty_room(talk):
    for actor in (talk.ben, talk.ann):
        await talk.run(chat.leave, actor, talk.room)
    with pytest.raises(NotFound):
        await talk.store.read(chat.room, talk.ann, talk.room)


@pytest.mark.gen_test
async def test_a_new_name_is_everybody_s_and_muting_is_one_s_own(talk):
    room = await talk.run(chat.update_room, talk.ben, talk.room, "Garden", True)
    assert (room["name"], room["is_muted"], room["version"]) == ("Garden", True, 2)
    kind, addressed, payload = talk.said()[0]
    assert (kind, addressed, payload["name"]) == (events.RoomUpdated, persons(talk.ann, talk.ben), "Garden")
    assert "is_muted" not in payload
    others = await talk.store.read(chat.room, talk.ann, talk.room)
    assert (others["name"], others["is_muted"]) == ("Garden", False)
    room = await talk.run(chat.update_room, talk.ben, talk.room, None, False)
    assert (room["name"], room["is_muted"], room["version"]) == ("Garden", False, 2)


@pytest.mark.gen_test
async def test_an_edit_of_an_old_version_of_a_room_is_refused_with_the_room_as_it_is(talk):
    await talk.run(chat.update_room, talk.ben, talk.room, "Garden", None, 1)
    talk.run.take()
    with pytest.raises(Conflict) as refused:
        await talk.run(chat.update_room, talk.ann, talk.room, "Cellar", None, 1)
    assert refused.value.code == "version_conflict"
    assert refused.value.current == await talk.store.read(chat.room, talk.ann, talk.room)
    assert refused.value.current["name"] == "Garden"
    assert talk.said() == []


# Who is not in a room cannot tell that there is one

OUTSIDE = {
    "add people": lambda talk, room: talk.run(chat.add_participants, talk.cyd, room, [talk.cyd.id]),
    "leave": lambda talk, room: talk.run(chat.leave, talk.cyd, room),
    "rename": lambda talk, room: talk.run(chat.update_room, talk.cyd, room, "Mine", None, 99),
    "say": lambda talk, room: talk.say(talk.cyd, room=room),
    "read": lambda talk, room: talk.run(chat.mark_read, talk.cyd, room, 1),
    "look": lambda talk, room: talk.store.read(chat.room, talk.cyd, room),
    "page": lambda talk, room: talk.page(talk.cyd, room=room),
    "join": lambda talk, room: talk.store.read(chat.join, talk.cyd, room),
    "catch up": lambda talk, room: talk.store.snapshot(chat.missed, talk.cyd, room, 0, 10),
}


@pytest.mark.gen_test
async def test_a_stranger_s_room_and_no_room_are_the_same_to_an_outsider(talk):
    for name, attempt in OUTSIDE.items():
        # To say something to a person by their number is to write to them: the only one that finds a room.
        person = () if name == "say" else (talk.ann.id,)
        for room in (talk.room, talk.room + 999, *person):
            with pytest.raises(NotFound, match="There is no such room"):
                await attempt(talk, room)
                pytest.fail(f"{name} in {room}")
    for room in (talk.room, talk.room + 999):
        with pytest.raises(NotFound, match="There is no such room"):
            await talk.say(talk.cyd, room=room, room_type="direct")
    assert talk.said() == []


@pytest.mark.gen_test
async def test_a_stranger_s_message_and_no_message_are_the_same_to_an_outsider(talk):
    message = await talk.say(talk.ann)
    for message_id in (message["id"], message["id"] + 999):
        for operation, *args in ((chat.edit_message, "mine"), (chat.delete_message,)):
            with pytest.raises(NotFound):
                await talk.run(operation, talk.cyd, message_id, *args)
        with pytest.raises(NotFound):
            await talk.store.read(chat.message, talk.cyd, message_id)


# Messages


@pytest.mark.gen_test
async def test_a_message_is_stored_as_it_is_told_and_shown(talk):
    draft = Draft(talk.room, "ü 🙂\n<b>", client_id="c1", files=[a_file("a"), a_file("b")])
    answer = await talk.run(chat.post_message, talk.ann, draft)
    assert answer.is_new
    message = answer.body
    assert [item["file_name"] for item in message["attachments"]] == ["a", "b"]
    assert message["attachments"][0] == {
        "id": message["attachments"][0]["id"],
        "task": None,
        "message": message["id"],
        "uploaded_by": talk.ann.id,
        "file": "/media/chat_attachments/a",
        "file_url": "/media/chat_attachments/a",
        "file_name": "a",
        "file_size": 7,
        "content_type": "text/plain",
        "uploaded_at": message["timestamp"],
    }
    plain = {key: value for key, value in message.items() if key not in ("attachments", "id", "timestamp")}
    assert plain == {
        "room": talk.room,
        "room_id": talk.room,
        "room_type": "group",
        "content": "ü 🙂\n<b>",
        "sender": refs(talk.ann)[0],
        "is_system": False,
        "edited_at": None,
        "deleted_at": None,
        "client_id": "c1",
        "version": 1,
    }
    assert talk.said() == [(events.MessageCreated, [groups.room("group", talk.room)], message)]
    assert await talk.store.read(chat.message, talk.ben, message["id"]) == message
    assert (await talk.page(talk.ben)).results == [message]
    assert (await talk.store.read(chat.room, talk.ben, talk.room))["last_message"] == message


@pytest.mark.gen_test
async def test_one_client_id_is_one_message_however_often_it_is_sent(talk):
    drafts = [Draft(talk.room, f"try {n}", client_id="c1") for n in range(3)]
    answers = await asyncio.gather(*(talk.run(chat.post_message, talk.ann, draft) for draft in drafts))
    assert [answer.is_new for answer in answers] == [True, False, False]
    assert [answer.body for answer in answers] == [answers[0].body] * 3
    assert len(talk.said()) == 1


@pytest.mark.gen_test
async def test_a_client_id_belongs_to_one_room(talk):
    """In another room it was answered with the first one's message, and the new text was lost."""
    elsewhere = [await talk.direct(talk.ann, talk.ben), await talk.group(talk.ann, talk.cyd)]
    await talk.say(talk.ann, client_id="c1")
    talk.run.take()
    for room in elsewhere:
        with pytest.raises(Conflict) as refused:
            await talk.say(talk.ann, "lost?", room=room, client_id="c1")
        assert refused.value.code == "client_id_reused"
        assert (await talk.page(talk.ann, room=room)).results == []
    assert talk.said() == []


@pytest.mark.gen_test
async def test_a_client_id_is_its_sender_s_own_and_none_is_no_id(talk):
    for actor in (talk.ann, talk.ben):
        await talk.say(actor, client_id="c1")
        await talk.say(actor)
        await talk.say(actor)
    page = await talk.page(talk.ann)
    assert [message["client_id"] for message in page.results] == [None, None, "c1"] * 2


@pytest.mark.gen_test
async def test_a_message_sent_again_after_it_was_deleted_stays_deleted(talk):
    message = await talk.say(talk.ann, client_id="c1")
    await talk.run(chat.delete_message, talk.ann, message["id"])
    again = await talk.run(chat.post_message, talk.ann, Draft(talk.room, "hello", client_id="c1"))
    assert not again.is_new
    assert (again.body["id"], again.body["content"]) == (message["id"], "")
    assert again.body["deleted_at"]


@postgresql_only
@pytest.mark.gen_test
async def test_one_client_id_is_one_message_also_when_two_processes_get_it_at_once(talk, database_url):
    """A client that reconnects to another process sends again what it has no answer to."""
    with rival_of(database_url) as rival:
        rival.execute("SELECT id FROM room WHERE id = ? FOR UPDATE", talk.room)
        again = asyncio.ensure_future(
            talk.run(chat.post_message, talk.ann, Draft(talk.room, "hello", client_id="c1"))
        )
        await rival.blocks_somebody()
        ((message_id,),) = rival.execute(
            "INSERT INTO message (room_id, sender_id, content, client_id, created_at)"
            " VALUES (?, ?, 'hello', 'c1', 1) RETURNING id", talk.room, talk.ann.id,
        )  # fmt: skip
        rival.commit()
        answer = await again
    assert (answer.is_new, answer.body["id"]) == (False, message_id)
    assert talk.said() == []


@pytest.mark.gen_test
async def test_with_direct_a_small_number_is_the_other_person(talk):
    first = await talk.say(talk.ann, "hi", room=talk.cyd.id, room_type="direct")
    created, said, told = talk.said()
    assert created[:2] == (events.RoomCreated, persons(talk.ann, talk.cyd))
    assert said == (events.MessageCreated, [groups.room("direct", first["room"])], first)
    assert told[:2] == (events.NotificationCreated, persons(talk.cyd))
    assert first["room"] >= FIRST_ROOM_ID
    back = await talk.say(talk.cyd, "hi yourself", room=talk.ann.id, room_type="direct")
    assert back["room"] == first["room"]
    by_its_own_id = await talk.say(talk.ann, room=first["room"], room_type="direct")
    assert by_its_own_id["room"] == first["room"]
    assert await talk.store.read(chat.known_room_id, talk.ann, "direct", talk.cyd.id) == first["room"]


@pytest.mark.gen_test
async def test_nobody_can_be_written_to_who_is_not_there(talk):
    await deactivate(talk.run, talk.cyd)
    for other_id in (talk.ann.id, talk.cyd.id, 999):
        with pytest.raises(NotFound):
            await talk.say(talk.ann, room=other_id, room_type="direct")
    with pytest.raises(NotFound):
        await talk.store.read(chat.known_room_id, talk.ann, "direct", talk.ben.id)
    assert talk.said() == []


@pytest.mark.gen_test
async def test_whoever_is_deactivated_says_nothing_more(talk):
    await deactivate(talk.run, talk.ben)
    with pytest.raises(NotFound):
        await talk.say(talk.ben)


@pytest.mark.gen_test
async def test_an_edit_changes_the_text_and_nothing_else(talk):
    message = await talk.say(talk.ann, "helo", client_id="c1", files=[a_file("a")])
    await talk.say(talk.ben)
    talk.run.take()
    edited = await talk.run(chat.edit_message, talk.ann, message["id"], "hello", 1)
    assert edited["edited_at"] > message["timestamp"]
    assert edited == message | {"content": "hello", "edited_at": edited["edited_at"], "version": 2}
    assert talk.said() == [(events.MessageUpdated, [groups.room("group", talk.room)], edited)]
    assert await talk.store.read(chat.message, talk.ben, message["id"]) == edited
    assert await talk.unread(talk.ben) == 0


@pytest.mark.gen_test
async def test_a_deleted_message_stays_as_an_empty_place(talk):
    first = await talk.say(talk.ann, "first", files=[a_file("a"), a_file("b")])
    await talk.say(talk.ann, "second")
    talk.run.take()
    paths = await talk.run(chat.delete_message, talk.ann, first["id"], 1)
    assert sorted(paths) == ["chat_attachments/a", "chat_attachments/b"]
    page = await talk.page(talk.ben)
    deleted = page.results[1]
    assert deleted["deleted_at"] > first["timestamp"]
    emptied = {"content": "", "attachments": [], "version": 2}
    assert deleted == first | emptied | {"deleted_at": deleted["deleted_at"]}
    assert page.count == 2
    assert talk.said() == [(events.MessageDeleted, [groups.room("group", talk.room)], deleted)]
    assert await talk.store.read(lambda: Attachment.select().count()) == 0


@pytest.mark.gen_test
async def test_only_its_sender_changes_a_message_and_only_in_the_room(talk):
    message = await talk.say(talk.ann)
    for operation, *args in ((chat.edit_message, "mine"), (chat.delete_message,)):
        with pytest.raises(Forbidden):
            await talk.run(operation, talk.ben, message["id"], *args)
    await talk.run(chat.leave, talk.ann, talk.room)
    talk.run.take()
    for operation, *args in ((chat.edit_message, "mine"), (chat.delete_message,)):
        with pytest.raises(NotFound):
            await talk.run(operation, talk.ann, message["id"], *args)
    assert talk.said() == []


@pytest.mark.gen_test
async def test_a_stale_edit_is_refused_with_the_message_as_it_is_and_so_is_one_of_a_deleted_one(talk):
    message = await talk.say(talk.ann)
    edited = await talk.run(chat.edit_message, talk.ann, message["id"], "first edit")
    for operation, *args in ((chat.edit_message, "second edit"), (chat.delete_message,)):
        with pytest.raises(Conflict) as refused:
            await talk.run(operation, talk.ann, message["id"], *args, 1)
        assert (refused.value.code, refused.value.current) == ("version_conflict", edited)
    await talk.run(chat.delete_message, talk.ann, message["id"], 2)
    talk.run.take()
    for operation, *args in ((chat.edit_message, "third edit"), (chat.delete_message,)):
        with pytest.raises(Conflict) as refused:
            await talk.run(operation, talk.ann, message["id"], *args)
        assert refused.value.code == "deleted"
        assert refused.value.current["deleted_at"]
    assert talk.said() == []


@postgresql_only
@pytest.mark.gen_test
async def test_a_message_that_another_process_deletes_meanwhile_does_not_come_back_by_an_edit(
    talk, database_url
):
    message = await talk.say(talk.ann)
    with rival_of(database_url) as rival:
        deletion = "UPDATE message SET content = '', deleted_at = 1, version = version + 1 WHERE id = ?"
        rival.execute(deletion, message["id"])
        edit = asyncio.ensure_future(talk.run(chat.edit_message, talk.ann, message["id"], "edited", 1))
        await rival.blocks_somebody()
        rival.commit()
        with pytest.raises(Conflict):
            await edit
    stored = await talk.store.read(chat.message, talk.ann, message["id"])
    assert (stored["content"], stored["deleted_at"]) == ("", iso(1))


# Reading


@pytest.mark.gen_test
async def test_what_others_say_is_unread_and_what_one_says_oneself_reads_what_was_before(talk):
    for n in range(3):
        await talk.say(talk.ann, str(n))
    assert (await talk.unread(talk.ann), await talk.unread(talk.ben)) == (0, 3)
    await talk.say(talk.ben, "answer")
    assert (await talk.unread(talk.ann), await talk.unread(talk.ben)) == (1, 0)


@pytest.mark.gen_test
async def test_deleting_and_editing_keep_the_unread_count_right(talk):
    messages = [await talk.say(talk.ann, str(n)) for n in range(4)]
    await talk.run(chat.mark_read, talk.ben, talk.room, messages[0]["id"])
    assert await talk.unread(talk.ben) == 3
    await talk.run(chat.edit_message, talk.ann, messages[1]["id"], "edited")
    assert await talk.unread(talk.ben) == 3
    await talk.run(chat.delete_message, talk.ann, messages[0]["id"])
    assert await talk.unread(talk.ben) == 3
    await talk.run(chat.delete_message, talk.ann, messages[2]["id"])
    assert await talk.unread(talk.ben) == 2
    state = await talk.run(chat.read_state, talk.ben, talk.room, messages[1]["id"])
    assert state["unread_count"] == 1
    _, (listed,) = await talk.store.read(chat.list_rooms, talk.ben, 10, 0)
    assert listed["unread_count"] == 1


@pytest.mark.gen_test
async def test_read_goes_forward_only_and_is_told_to_the_room_and_to_one_s_other_devices(talk):
    messages = [await talk.say(talk.ann, str(n)) for n in range(3)]
    talk.run.take()

    def state(number):
        return {"room_id": talk.room, "user_id": talk.ben.id, "last_message_id": messages[number]["id"]}

    addressed = sorted([groups.room("group", talk.room), groups.person(talk.ben.id)])
    assert await talk.run(chat.mark_read, talk.ben, talk.room, messages[1]["id"]) == (state(1), True)
    assert talk.said() == [(events.RoomRead, addressed, state(1))]
    for _ in range(2):
        assert await talk.run(chat.mark_read, talk.ben, talk.room, messages[0]["id"]) == (state(1), False)
        assert await talk.run(chat.mark_read, talk.ben, talk.room, messages[1]["id"]) == (state(1), False)
    assert talk.said() == []
    assert await talk.run(chat.mark_read, talk.ben, talk.room) == (state(2), True)
    assert await talk.run(chat.mark_read, talk.ben, talk.room) == (state(2), False)
    assert len(talk.said()) == 1


@pytest.mark.gen_test
async def test_nobody_reads_what_is_not_there_yet(talk):
    assert await talk.run(chat.mark_read, talk.ben, talk.room) == (
        {"room_id": talk.room, "user_id": talk.ben.id, "last_message_id": 0},
        False,
    )
    message = await talk.say(talk.ann)
    elsewhere = await talk.say(talk.ann, room=await talk.group(talk.ann, talk.ben, name="Other"))
    for message_id in (message["id"] + 999, elsewhere["id"]):
        with pytest.raises(Invalid) as refused:
            await talk.run(chat.mark_read, talk.ben, talk.room, message_id)
        assert list(refused.value.errors) == ["last_message_id"]
    assert await talk.unread(talk.ben) == 1


# Pages of messages


@pytest.fixture
def history(talk, io_loop):
    """Ids of twelve messages in the room, oldest first, with others in between that are not its own."""

    async def fill():
        other = await talk.group(talk.ann, talk.ben, name="Other")
        ids = []
        for n in range(12):
            ids.append((await talk.say(talk.ann, str(n)))["id"])
            await talk.say(talk.ann, "elsewhere", room=other)
        return ids

    return io_loop.run_sync(fill)


def look(talk, most, page=1, before=None, after=None):
    return talk.store.snapshot(chat.list_messages, talk.ben, talk.room, most, page, before, after)


PAGES = [
    ({"most": 5}, [11, 10, 9, 8, 7], True),
    ({"most": 5, "page": 2}, [6, 5, 4, 3, 2], True),
    ({"most": 5, "page": 3}, [1, 0], False),
    ({"most": 5, "page": 4}, [], False),
    ({"most": 12}, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0], False),
    ({"most": 6, "page": 2}, [5, 4, 3, 2, 1, 0], False),
    ({"most": 3, "before": 4}, [3, 2, 1], True),
    ({"most": 3, "before": 3}, [2, 1, 0], False),
    ({"most": 3, "before": 0}, [], False),
    ({"most": 3, "after": 5}, [8, 7, 6], True),
    ({"most": 3, "after": 8}, [11, 10, 9], False),
    ({"most": 3, "after": 11}, [], False),
]
"""Which messages are asked for, which come, whether there are more; by their places in the history."""


@pytest.mark.gen_test
async def test_a_page_is_newest_first_and_says_whether_there_are_more(talk, history):
    for query, expected, has_more in PAGES:
        ids = {name: history[query[name]] for name in ("before", "after") if name in query}
        page = await look(talk, **(query | ids))
        found = [history.index(message["id"]) for message in page.results]
        assert (query, found, page.has_more, page.count) == (query, expected, has_more, 12)


@pytest.mark.gen_test
async def test_looking_at_the_newest_is_reading_and_looking_back_is_not(talk, history):
    newest = history[-1]
    assert (await look(talk, 5)).unread_up_to == newest
    assert (await look(talk, 5, after=history[5])).unread_up_to == history[10]
    assert (await look(talk, 5, after=history[-1])).unread_up_to == 0
    assert (await look(talk, 5, page=2)).unread_up_to == 0
    assert (await look(talk, 5, before=history[5])).unread_up_to == 0
    await talk.run(chat.mark_read, talk.ben, talk.room, newest)
    assert (await look(talk, 5)).unread_up_to == 0


@pytest.mark.gen_test
async def test_a_socket_that_joins_gets_the_missed_messages_and_the_log_s_position(talk, history):
    position, missed = await talk.store.snapshot(chat.missed, talk.ben, talk.room, history[8], 2)
    assert [message["id"] for message in missed] == history[9:11]
    assert position == await talk.store.read(event_log.newest)


# The list of rooms


@pytest.mark.gen_test
async def test_the_room_that_was_active_last_comes_first(talk):
    rooms = [await talk.group(talk.ann, talk.ben, name=f"Room {n}") for n in range(4)]
    await talk.say(talk.ben, "news", room=rooms[1])
    expected = [rooms[1], rooms[3], rooms[2], rooms[0], talk.room]
    count, listed = await talk.store.snapshot(chat.list_rooms, talk.ann, 10, 0)
    assert (count, [room["id"] for room in listed]) == (5, expected)
    assert listed[0]["last_message"]["content"] == "news"
    assert [room["unread_count"] for room in listed] == [1, 0, 0, 0, 0]
    count, listed = await talk.store.snapshot(chat.list_rooms, talk.ann, 2, 3)
    assert (count, [room["id"] for room in listed]) == (5, expected[3:])
    assert await talk.store.snapshot(chat.list_rooms, talk.cyd, 10, 0) == (0, [])


@pytest.mark.gen_test
async def test_a_room_in_the_list_is_the_room_itself(talk):
    await talk.say(talk.ann, files=[a_file("a")])
    await talk.run(chat.update_room, talk.ben, talk.room, None, True)
    for actor in (talk.ann, talk.ben):
        _, (listed,) = await talk.store.snapshot(chat.list_rooms, actor, 10, 0)
        assert listed == await talk.store.snapshot(chat.room, actor, talk.room)


@pytest.mark.gen_test
async def test_a_socket_that_resumes_finds_all_of_one_s_rooms(talk):
    direct = await talk.direct(talk.ann, talk.cyd)
    found = await talk.store.read(chat.joined_rooms, talk.ann)
    assert {room.room_id: room.group for room in found} == {
        talk.room: groups.room("group", talk.room),
        direct: groups.room("direct", direct),
    }


@pytest.mark.gen_test
async def test_many_who_come_back_find_their_rooms_in_one_statement(talk):
    await talk.direct(talk.ann, talk.cyd)
    actors = [talk.ann, talk.ben, talk.cyd]
    each = {actor: await talk.store.read(chat.joined_rooms, actor) for actor in actors}
    with count_queries() as queries:
        found = await talk.store.read(chat.joined_rooms_of, actors)
    assert {actor: set(rooms) for actor, rooms in found.items()} == {a: set(each[a]) for a in actors}
    assert sorted(map(len, found.values())) == [1, 1, 2] and len(queries) == 1


# What it costs


async def queries_of(awaitable):
    with count_queries() as queries:
        await awaitable
    return len(queries)


@pytest.mark.gen_test
async def test_a_list_of_rooms_costs_the_same_however_many_there_are(talk):
    async def cost():
        return await queries_of(talk.store.snapshot(chat.list_rooms, talk.ann, 20, 0))

    await talk.say(talk.ben, files=[a_file("first")])
    one = await cost()
    for n in range(19):
        room = await talk.group(talk.ann, talk.ben, talk.cyd, name=str(n))
        await talk.say(talk.ben, room=room, files=[a_file(f"{n}")])
    assert await cost() == one
    assert one <= 7 + 2  # seven statements in a transaction


@pytest.mark.gen_test
async def test_a_page_of_messages_costs_the_same_however_many_it_holds(talk):
    async def costs():
        pages = [{}, {"before": 2**53}, {"after": 0}]
        return [await queries_of(talk.page(talk.ben, 20, **page)) for page in pages]

    await talk.say(talk.ann, files=[a_file("first")])
    one = await costs()
    for n in range(19):
        await talk.say(talk.ann, files=[a_file(f"{n}"), a_file(f"second {n}")])
    assert await costs() == one


@pytest.mark.gen_test
async def test_sending_costs_the_same_in_a_room_of_any_size_and_history(talk):
    async def cost():
        return await queries_of(talk.say(talk.ann, client_id=str(len(talk.run.events))))

    await talk.say(talk.ann)  # who may write here is looked up once
    first = await cost()
    await talk.run(chat.add_participants, talk.ann, talk.room, [talk.cyd.id])
    for _ in range(20):
        await talk.say(talk.ben)
    assert await cost() == first


# What a client knew, and what it was told since, is what it would find now


@dataclass
class Knowledge:
    """What a client of one person has loaded: rooms, their messages, how far each is read."""

    person: int
    rooms: dict[int, dict[str, Any]]
    messages: dict[int, dict[int, dict[str, Any]]]
    read: dict[int, int]
    order: list[int] = field(default_factory=list)

    @classmethod
    async def load(cls, talk, actor) -> "Knowledge":
        def everything():
            rooms = tables.my_rooms(actor.id, 1000, 0)[1]
            messages = {room["id"]: tables.messages_after(room["id"], 0, 1000) for room in rooms}
            mine = Participant.select().where(Participant.person == actor.id)
            return rooms, messages, {row.room_id: row.last_read_id for row in mine}

        rooms, messages, read = await talk.store.snapshot(everything)
        return cls(
            actor.id,
            {room["id"]: room for room in rooms},
            {room_id: {message["id"]: message for message in found} for room_id, found in messages.items()},
            read,
            [room["id"] for room in rooms],
        )

    def hears(self, event) -> bool:
        mine = {groups.room(room["room_type"], room["id"]) for room in self.rooms.values()}
        return bool((mine | {groups.person(self.person)}) & set(event.groups))

    def take(self, event, now: "Knowledge") -> None:
        """What a client does with an event. A room that it gets into, it loads as it is `now`."""
        if self.hears(event) and events.CHAT in event.type.forms:
            getattr(self, f"_{event.type.name}")(event.payload, now)

    def _room_created(self, room, now) -> None:
        room_id = room["id"]
        self.rooms[room_id] = now.rooms[room_id]
        self.messages[room_id] = dict(now.messages[room_id])
        self.read[room_id] = now.read[room_id]
        self.order.insert(0, room_id)

    def _room_updated(self, room, now) -> None:
        if room["id"] not in self.rooms:
            self._room_created(room, now)
            self.order = now.order
        self.rooms[room["id"]] = self.rooms[room["id"]] | room

    def _room_muted(self, state, now) -> None:
        self.rooms[state["room_id"]]["is_muted"] = state["is_muted"]

    def _participant_removed(self, removed, now) -> None:
        assert removed["user_id"] == self.person
        for known in (self.rooms, self.messages, self.read):
            known.pop(removed["room_id"])
        self.order.remove(removed["room_id"])

    def _message_created(self, message, now) -> None:
        room_id = message["room"]
        self.messages[room_id][message["id"]] = message
        if message["sender"]["id"] == self.person:
            self.read[room_id] = message["id"]
        self.order.remove(room_id)
        self.order.insert(0, room_id)
        self._count(room_id)

    def _message_updated(self, message, now) -> None:
        self.messages[message["room"]][message["id"]] = message
        self._count(message["room"])

    _message_deleted = _message_updated

    def _room_read(self, state, now) -> None:
        if state["user_id"] == self.person:
            self.read[state["room_id"]] = state["last_message_id"]
            self._count(state["room_id"])

    def _count(self, room_id) -> None:
        messages = self.messages[room_id]
        unread = [
            message
            for message in messages.values()
            if message["id"] > self.read[room_id]
            and message["deleted_at"] is None
            and message["sender"]["id"] != self.person
        ]
        self.rooms[room_id] = self.rooms[room_id] | {
            "unread_count": len(unread),
            "last_message": messages[max(messages)],
        }


DEEDS = {
    "open a direct room": lambda talk, last: talk.run(chat.open_direct, talk.ann, talk.cyd.id),
    "find a direct room": lambda talk, last: talk.run(chat.open_direct, talk.ann, talk.ben.id),
    "open a group": lambda talk, last: talk.run(chat.open_group, talk.ann, "New", [talk.ben.id, talk.cyd.id]),
    "add somebody": lambda talk, last: talk.run(chat.add_participants, talk.ann, talk.room, [talk.cyd.id]),
    "leave": lambda talk, last: talk.run(chat.leave, talk.ann, talk.room),
    "rename": lambda talk, last: talk.run(chat.update_room, talk.ann, talk.room, "Garden", None),
    "mute": lambda talk, last: talk.run(chat.update_room, talk.ann, talk.room, None, True),
    "say": lambda talk, last: talk.say(talk.ann),
    "say with files": lambda talk, last: talk.say(talk.ann, files=[a_file("a")]),
    "say again": lambda talk, last: talk.say(talk.ann, client_id="known"),
    "say to a person": lambda talk, last: talk.say(talk.ann, room=talk.cyd.id, room_type="direct"),
    "edit": lambda talk, last: talk.run(chat.edit_message, talk.ann, last, "edited"),
    "delete": lambda talk, last: talk.run(chat.delete_message, talk.ann, last),
    "read a part": lambda talk, last: talk.run(chat.mark_read, talk.ann, talk.room, last),
    "read all": lambda talk, last: talk.run(chat.mark_read, talk.ann, talk.room),
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.gen_test
async def test_what_was_known_before_and_the_events_since_make_what_is_true_now(talk, deed):
    await talk.direct(talk.ann, talk.ben)
    last = (await talk.say(talk.ann, client_id="known", files=[a_file("old")]))["id"]
    for n in range(2):
        await talk.say(talk.ben, str(n))
    people = (talk.ann, talk.ben, talk.cyd)
    before = [await Knowledge.load(talk, actor) for actor in people]
    talk.run.take()
    await DEEDS[deed](talk, last)
    happened = talk.run.take()
    for known, actor in zip(before, people, strict=True):
        now = await Knowledge.load(talk, actor)
        for event in happened:
            known.take(event, now)
        assert known == now, actor.username


@pytest.mark.gen_test
async def test_ids_of_messages_are_never_used_again(talk):
    message = await talk.say(talk.ann)
    await talk.run(lambda: Message.delete().where(Message.id == message["id"]).execute())
    assert (await talk.say(talk.ann))["id"] > message["id"]
