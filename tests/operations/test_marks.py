"""What people put on messages: emoji, answers and pins; and what they want to read again."""

import pytest

from models import events, groups
from models.errors import Conflict, Invalid, NotFound
from models.operations import chat, notifications
from models.operations.chat import Draft
from models.operations.chat.marks import (
    MAX_EMOJI_PER_MESSAGE,
    MAX_EMOJI_PER_PERSON,
    MAX_PINNED,
    MAX_REACTIONS,
)
from models.reactions import Reaction
from tests.support.talk import refs

EMOJI = [chr(0x1F600 + n) for n in range(60)]


async def one(talk, message_id, actor=None):
    return await talk.store.read(chat.message, actor or talk.ann, message_id)


def in_room(talk):
    return [groups.room("group", talk.room)]


# Reactions


@pytest.mark.gen_test
async def test_an_emoji_on_a_message_shows_whose_it_is_until_it_is_taken_back(talk):
    said = await talk.say(talk.ann)
    talk.run.take()
    for actor, emoji in ((talk.ben, "🎉"), (talk.ann, "👍"), (talk.ann, "🎉")):
        state, is_new = await talk.run(chat.add_reaction, actor, said["id"], emoji)
        assert is_new
    assert state == {
        "room_id": talk.room,
        "message_id": said["id"],
        "user_id": talk.ann.id,
        "emoji": "🎉",
        "is_added": True,
        "user_emoji": ["👍", "🎉"],
    }
    assert [kind for kind, *_ in talk.said()] == [events.ReactionChanged] * 3
    assert (await one(talk, said["id"]))["reactions"] == [
        {"emoji": "🎉", "count": 2, "user_ids": [talk.ben.id, talk.ann.id]},
        {"emoji": "👍", "count": 1, "user_ids": [talk.ann.id]},
    ]
    # The first who put it there has gone; it stays where it was.
    state, is_new = await talk.run(chat.remove_reaction, talk.ben, said["id"], "🎉")
    assert is_new
    assert not state["is_added"]
    assert talk.said() == [(events.ReactionChanged, in_room(talk), state)]
    found = (await talk.page(talk.ben)).results[0]["reactions"]
    assert [(item["emoji"], item["user_ids"]) for item in found] == [
        ("🎉", [talk.ann.id]),
        ("👍", [talk.ann.id]),
    ]
    assert (await one(talk, said["id"]))["version"] == 1


@pytest.mark.gen_test
async def test_the_same_emoji_twice_is_one_and_nothing_is_told(talk):
    said = await talk.say(talk.ann)
    await talk.run(chat.add_reaction, talk.ben, said["id"], "👍")
    talk.run.take()
    assert not (await talk.run(chat.add_reaction, talk.ben, said["id"], "👍"))[1]
    assert not (await talk.run(chat.reacted, talk.ben, said["id"], "👍")).is_new
    assert not (await talk.run(chat.remove_reaction, talk.ann, said["id"], "👍"))[1]
    assert talk.said() == []
    assert (await one(talk, said["id"]))["reactions"][0]["count"] == 1


@pytest.mark.gen_test
async def test_there_is_an_end_to_what_one_message_takes(talk):
    said = await talk.say(talk.ann)
    for actor, emoji in ((talk.ann, EMOJI), (talk.ben, EMOJI[MAX_EMOJI_PER_PERSON:])):
        for one_of_them in emoji[:MAX_EMOJI_PER_PERSON]:
            await talk.run(chat.add_reaction, actor, said["id"], one_of_them)
        with pytest.raises(Conflict) as refused:
            await talk.run(chat.add_reaction, actor, said["id"], EMOJI[-1])
        assert refused.value.code == "too_many_reactions"
    assert len((await one(talk, said["id"]))["reactions"]) == MAX_EMOJI_PER_MESSAGE
    await talk.run(chat.remove_reaction, talk.ann, said["id"], EMOJI[0])
    await talk.run(chat.add_reaction, talk.ann, said["id"], EMOJI[1 + MAX_EMOJI_PER_PERSON])
    with pytest.raises(Conflict):
        await talk.run(chat.add_reaction, talk.ann, said["id"], EMOJI[2 + MAX_EMOJI_PER_PERSON])


@pytest.mark.gen_test
async def test_a_crowd_cannot_make_a_message_heavier_than_a_list_carries(talk, monkeypatch):
    monkeypatch.setattr("models.operations.chat.marks.MAX_REACTIONS", 2)
    assert MAX_REACTIONS < 500
    said = await talk.say(talk.ann)
    await talk.run(chat.add_reaction, talk.ann, said["id"], "👍")
    await talk.run(chat.add_reaction, talk.ben, said["id"], "👍")
    with pytest.raises(Conflict) as refused:
        await talk.run(chat.add_reaction, talk.ben, said["id"], "🎉")
    assert refused.value.code == "too_many_reactions"


@pytest.mark.gen_test
async def test_whoever_is_not_in_the_room_puts_nothing_on_its_messages(talk):
    said = await talk.say(talk.ann)
    await talk.run(chat.pin_message, talk.ann, said["id"])
    talk.run.take()
    for message_id in (said["id"], 999_999):
        for operation in (chat.pin_message, chat.unpin_message):
            with pytest.raises(NotFound):
                await talk.run(operation, talk.cyd, message_id)
        for operation in (chat.add_reaction, chat.remove_reaction):
            with pytest.raises(NotFound):
                await talk.run(operation, talk.cyd, message_id, "👍")
    with pytest.raises(NotFound):
        await talk.run(chat.list_pinned, talk.cyd, talk.room, 10, 0)
    with pytest.raises(NotFound):
        await talk.run(chat.read_positions, talk.cyd, talk.room)
    with pytest.raises(NotFound):
        await talk.run(chat.mark_unread, talk.cyd, talk.room, said["id"])
    assert talk.said() == []


@pytest.mark.gen_test
async def test_a_deleted_message_loses_what_was_put_on_it_and_takes_nothing_more(talk):
    said = await talk.say(talk.ann)
    answer = await talk.say(talk.ann, "to myself", reply_to=said["id"])
    for message in (said, answer):
        await talk.run(chat.add_reaction, talk.ben, message["id"], "👍")
        await talk.run(chat.pin_message, talk.ben, message["id"])
        await talk.run(chat.delete_message, talk.ann, message["id"])
        gone = await one(talk, message["id"])
        assert (gone["reactions"], gone["pinned_at"], gone["pinned_by"]) == ([], None, None)
        assert (gone["reply_to"], gone["quote"]) == (None, None)
        with pytest.raises(Conflict):
            await talk.run(chat.add_reaction, talk.ben, message["id"], "👍")
        with pytest.raises(Conflict):
            await talk.run(chat.pin_message, talk.ben, message["id"])
    assert await talk.store.read(lambda: Reaction.select().count()) == 0
    assert (await talk.run(chat.list_pinned, talk.ann, talk.room, 10, 0)) == (0, [])


# Replies


@pytest.mark.gen_test
async def test_an_answer_carries_what_it_answers_and_follows_it(talk):
    said = await talk.say(talk.ann, "when?\n\nat noon " + "x" * 300)
    talk.run.take()
    answer = await talk.say(talk.ben, "yes", reply_to=said["id"])
    quote = {"id": said["id"], "sender": refs(talk.ann)[0], "content": answer["quote"]["content"]}
    assert answer["reply_to"] == said["id"]
    assert answer["quote"] == quote | {"is_deleted": False}
    assert answer["quote"]["content"].startswith("when? at noon xxx")
    assert len(answer["quote"]["content"]) == 200
    assert talk.said()[0] == (events.MessageCreated, in_room(talk), answer)
    assert await one(talk, answer["id"]) == answer
    await talk.run(chat.edit_message, talk.ann, said["id"], "at one")
    assert (await one(talk, answer["id"]))["quote"]["content"] == "at one"
    await talk.run(chat.delete_message, talk.ann, said["id"])
    assert (await one(talk, answer["id"]))["quote"] == quote | {"content": "", "is_deleted": True}
    late = await talk.say(talk.ben, "too late", reply_to=said["id"])
    assert late["quote"]["is_deleted"]


@pytest.mark.gen_test
async def test_only_a_message_of_the_same_room_is_answered(talk):
    elsewhere = await talk.group(talk.ann, talk.ben)
    said = await talk.say(talk.ann, "a secret of elsewhere", room=elsewhere)
    talk.run.take()
    for number in (said["id"], 999_999):
        with pytest.raises(Invalid) as refused:
            await talk.say(talk.ann, "what?", reply_to=number)
        assert refused.value.errors == {"reply_to": ["There is no such message in this room."]}
    assert talk.said() == []


@pytest.mark.gen_test
async def test_an_answer_that_is_sent_again_is_the_same_answer(talk):
    said = await talk.say(talk.ann)
    draft = Draft(talk.room, "yes", client_id="c1", reply_to=said["id"])
    first, again = [await talk.run(chat.post_message, talk.ben, draft) for _ in range(2)]
    assert (first.is_new, again.is_new) == (True, False)
    assert again.body == first.body


@pytest.mark.gen_test
async def test_whoever_is_answered_is_told_as_if_they_were_mentioned(talk):
    said = await talk.say(talk.ann)
    await talk.say(talk.ann, "to myself", reply_to=said["id"])
    await talk.say(talk.ben, "yes, @ann", reply_to=said["id"])
    await talk.run(notifications.clear_all, talk.ann)
    await talk.say(talk.ben, "no", reply_to=said["id"])
    _, told = await talk.run(notifications.listed, talk.ann, 10, 0)
    assert [(item["title"], item["content"], item["notification_type"]) for item in told] == [
        ("ben replied to you", "no", "mention")
    ]
    assert (await talk.run(notifications.listed, talk.ben, 10, 0))[0] == 0
    # Whoever has left the room is told nothing of it.
    await talk.run(chat.leave, talk.ann, talk.room)
    await talk.run(notifications.clear_all, talk.ann)
    await talk.say(talk.ben, "gone?", reply_to=said["id"])
    assert (await talk.run(notifications.listed, talk.ann, 10, 0))[0] == 0


# Pins


@pytest.mark.gen_test
async def test_what_is_pinned_is_listed_the_last_one_first_and_anybody_may_unpin(talk):
    first, second = [(await talk.say(talk.ann, text))["id"] for text in ("1", "2")]
    talk.run.take()
    for message_id in (second, first):
        state, is_new = await talk.run(chat.pin_message, talk.ann, message_id)
        assert is_new
    assert talk.said()[-1] == (events.MessagePinned, in_room(talk), state)
    count, found = await talk.run(chat.list_pinned, talk.ben, talk.room, 10, 0)
    assert (count, [item["id"] for item in found]) == (2, [first, second])
    assert (found[0]["pinned_at"], found[0]["pinned_by"]) == (state["pinned_at"], talk.ann.id)
    assert await talk.run(chat.pin_message, talk.ben, first) == (state, False)
    state, is_new = await talk.run(chat.unpin_message, talk.ben, first)
    assert is_new
    assert state["pinned_at"] is None
    assert not (await talk.run(chat.unpin_message, talk.ben, first))[1]
    assert talk.said() == [(events.MessagePinned, in_room(talk), state)]
    assert (await one(talk, first))["pinned_by"] is None


@pytest.mark.gen_test
async def test_a_room_takes_so_many_pins(talk, monkeypatch):
    assert MAX_PINNED == 100
    monkeypatch.setattr("models.operations.chat.marks.MAX_PINNED", 1)
    first, second = [(await talk.say(talk.ann))["id"] for _ in range(2)]
    await talk.run(chat.pin_message, talk.ann, first)
    with pytest.raises(Conflict) as refused:
        await talk.run(chat.pin_message, talk.ann, second)
    assert refused.value.code == "too_many_pins"


# To be read again


@pytest.mark.gen_test
async def test_a_room_is_unread_again_from_a_message_on_for_oneself_alone(talk):
    said = [(await talk.say(talk.ann, str(n)))["id"] for n in range(3)]
    await talk.run(chat.mark_read, talk.ben, talk.room)
    talk.run.take()
    state = await talk.run(chat.unread_state, talk.ben, talk.room, said[1])
    assert state == {
        "room_id": talk.room,
        "user_id": talk.ben.id,
        "last_message_id": said[0],
        "unread_count": 2,
    }
    assert talk.said() == [(events.RoomUnread, [groups.person(talk.ben.id)], state)]
    assert await talk.unread(talk.ben) == 2
    positions = (await talk.run(chat.read_positions, talk.ann, talk.room))["results"]
    assert {item["user_id"]: item["last_message_id"] for item in positions} == {
        talk.ann.id: said[2],
        talk.ben.id: said[0],
    }
    # What is unread does not become read by it.
    later, moved = await talk.run(chat.mark_unread, talk.ben, talk.room, said[2])
    assert (later, moved) == (state, False)
    assert (await talk.run(chat.unread_state, talk.ben, talk.room, said[0]))["unread_count"] == 3
    await talk.run(chat.mark_read, talk.ben, talk.room)
    assert await talk.unread(talk.ben) == 0


@pytest.mark.gen_test
async def test_a_room_is_not_unread_from_a_message_of_another(talk):
    elsewhere = await talk.group(talk.ann, talk.ben)
    said = await talk.say(talk.ann, room=elsewhere)
    for number in (said["id"], 999_999):
        with pytest.raises(Invalid):
            await talk.run(chat.mark_unread, talk.ben, talk.room, number)
