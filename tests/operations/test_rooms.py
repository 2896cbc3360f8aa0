"""Rooms: who may do what, what is stored, and what is told."""

import asyncio

import pytest

from models import access, events, groups, room_members
from models.chat import FIRST_ROOM_ID, GROUP, TASK, Room
from models.errors import Conflict, Invalid, NotFound
from models.operations import chat
from models.operations.chat import Draft
from tests.support.database import count_queries
from tests.support.people import deactivate
from tests.support.store import busy_writer
from tests.support.talk import a_file, persons, refs

UNTOUCHED = {
    "unread_count": 0,
    "mention_count": 0,
    "is_muted": False,
    "level": "all",
    "is_favourite": False,
    "is_hidden": False,
    "role": "member",
}

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
        "topic": "",
        "is_open": False,
        "is_default": False,
        "member_count": 2,
        "last_message": None,
        **UNTOUCHED,
    }
    personal = ("last_message", *UNTOUCHED)
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
    everybody = (await talk.store.read(room_members.default_room.one)).id
    assert {room.room_id: room.group for room in found} == {
        everybody: groups.room("group", everybody),
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
    assert sorted(map(len, found.values())) == [2, 2, 3] and len(queries) == 1


# Rooms of tasks


@pytest.mark.gen_test
@pytest.mark.parametrize("ask_for", [access.get_room, access.get_room_to_write_in], ids=["read", "write"])
async def test_a_tasks_room_that_has_lost_its_task_is_open_to_nobody(talk, ask_for):
    """Whoever took part in it could have gone on reading: only seeing the task opens it."""

    def ask(actor, room_id, room_type):
        Room.update(room_type=room_type, task_id=None).where(Room.id == room_id).execute()
        ask_for(actor, room_id)

    room_id = (await talk.run(chat.open_direct, talk.ann, talk.ben.id)).body["id"]
    await talk.run(ask, talk.ann, room_id, GROUP)
    with pytest.raises(NotFound):
        await talk.run(ask, talk.ann, room_id, TASK)


@pytest.mark.gen_test
async def test_what_is_stored_together_with_a_new_member_is_theirs_from_their_turn_on(talk):
    """What others had said just before, in the same transaction, was theirs to replay as well."""
    async with busy_writer(talk.store):
        waiting = [
            talk.store.submit(chat.post_message, talk.ann, Draft(talk.room, "before")),
            talk.store.submit(chat.mark_read, talk.ben, talk.room, None),
            talk.store.submit(chat.add_participants, talk.ann, talk.room, [talk.cyd.id]),
            talk.store.submit(chat.post_message, talk.ben, Draft(talk.room, "after")),
        ]
    await asyncio.gather(*waiting)
    told = {event.type: event.seq for event in talk.run.take() if event.payload.get("content") != "after"}
    joined = {room.room_id: room.joined_seq for room in await talk.store.read(chat.joined_rooms, talk.cyd)}
    assert told[events.MessageCreated] < joined[talk.room] == told[events.RoomUpdated] - 1
