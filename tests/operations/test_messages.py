"""Messages: sent, edited, deleted, read, and shown in pages."""

import asyncio

import pytest

from models import event_log, events, groups
from models.base import iso
from models.chat import FIRST_ROOM_ID, Attachment
from models.errors import Conflict, Forbidden, Invalid, NotFound
from models.operations import chat
from models.operations.chat import Draft
from tests.support.database import postgresql_only
from tests.support.people import deactivate
from tests.support.rival import rival_of
from tests.support.talk import a_file, persons, refs

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
        "reply_to": None,
        "quote": None,
        "reactions": [],
        "pinned_at": None,
        "pinned_by": None,
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
