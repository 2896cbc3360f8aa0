"""What rooms and messages cost, and that what is told of them is enough."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from models import chat as tables
from models import events, groups
from models.chat import Message, Participant
from models.operations import chat
from models.quotes import quote_of
from tests.support.database import count_queries
from tests.support.talk import a_file

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
    assert one <= 9 + 2  # nine statements in a transaction


@pytest.mark.gen_test
async def test_a_page_of_messages_costs_the_same_however_many_it_holds(talk):
    async def costs():
        pages = [{}, {"before": 2**53}, {"after": 0}]
        return [await queries_of(talk.page(talk.ben, 20, **page)) for page in pages]

    async def say_and_mark(n):
        files = [a_file(f"{n}"), a_file(f"second {n}")]
        said = await talk.say(talk.ann, files=files, reply_to=first["id"])
        for emoji in ("👍", "🎉"):
            await talk.run(chat.add_reaction, talk.ben, said["id"], emoji)
        await talk.run(chat.pin_message, talk.ben, said["id"])

    first = await talk.say(talk.ann, files=[a_file("first")])
    await say_and_mark(0)
    one = await costs()
    for n in range(1, 20):
        await say_and_mark(n)
    assert await costs() == one
    assert max(one) <= 8 + 2


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
        if self.hears(event) and events.extended(events.CHAT) in event.type.forms:
            getattr(self, f"_{event.type.stored_name}")(event.payload, now)

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

    def _room_preferred(self, state, now) -> None:
        self.rooms[state["room_id"]] |= {key: value for key, value in state.items() if key != "room_id"}

    def _room_role_changed(self, state, now) -> None:
        if state["user_id"] == self.person:
            self.rooms[state["room_id"]]["role"] = state["role"]

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
        for other in self.messages[message["room"]].values():
            if other["reply_to"] == message["id"]:
                other["quote"] = quote_of(message)
        self._count(message["room"])

    _message_deleted = _message_updated

    def _reaction_changed(self, state, now) -> None:
        message = self.messages[state["room_id"]][state["message_id"]]
        people = {one["emoji"]: one["user_ids"] for one in message["reactions"]}
        for emoji, ids in people.items():
            if emoji not in state["user_emoji"] and state["user_id"] in ids:
                ids.remove(state["user_id"])
        for emoji in state["user_emoji"]:
            ids = people.setdefault(emoji, [])
            if state["user_id"] not in ids:
                ids.append(state["user_id"])
        message["reactions"] = [
            {"emoji": emoji, "count": len(ids), "user_ids": ids} for emoji, ids in people.items() if ids
        ]
        self._count(state["room_id"])

    def _message_pinned(self, state, now) -> None:
        message = self.messages[state["room_id"]][state["message_id"]]
        message["pinned_at"] = state["pinned_at"]
        message["pinned_by"] = state["pinned_at"] and state["user_id"]
        self._count(state["room_id"])

    def _room_unread(self, state, now) -> None:
        self.read[state["room_id"]] = state["last_message_id"]
        self._count(state["room_id"])
        assert self.rooms[state["room_id"]]["unread_count"] == state["unread_count"]

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
        if not unread:  # What mentions one is read with the rest.
            self.rooms[room_id]["mention_count"] = 0


def change(talk, **changes):
    return talk.run(chat.update_room, talk.ann, talk.room, None, None, None, chat.RoomChanges(**changes))


async def join(talk, last):
    await change(talk, is_open=True)
    await talk.run(chat.join_open, talk.cyd, talk.room)


DEEDS = {
    "open a direct room": lambda talk, last: talk.run(chat.open_direct, talk.ann, talk.cyd.id),
    "find a direct room": lambda talk, last: talk.run(chat.open_direct, talk.ann, talk.ben.id),
    "open a group": lambda talk, last: talk.run(chat.open_group, talk.ann, "New", [talk.ben.id, talk.cyd.id]),
    "add somebody": lambda talk, last: talk.run(chat.add_participants, talk.ann, talk.room, [talk.cyd.id]),
    "leave": lambda talk, last: talk.run(chat.leave, talk.ann, talk.room),
    "rename": lambda talk, last: talk.run(chat.update_room, talk.ann, talk.room, "Garden", None),
    "mute": lambda talk, last: talk.run(chat.update_room, talk.ann, talk.room, None, True),
    "hear nothing": lambda talk, last: change(talk, level="none"),
    "make it a favourite": lambda talk, last: change(talk, is_favourite=True),
    "hide": lambda talk, last: change(talk, is_hidden=True),
    "open": lambda talk, last: change(talk, is_open=True, topic="Everything about cooking"),
    "promote": lambda talk, last: talk.run(chat.change_role, talk.ann, talk.room, talk.ben.id, "admin"),
    "take out": lambda talk, last: talk.run(chat.remove_member, talk.ann, talk.room, talk.ben.id),
    "join": join,
    "say": lambda talk, last: talk.say(talk.ann),
    "say with files": lambda talk, last: talk.say(talk.ann, files=[a_file("a")]),
    "say again": lambda talk, last: talk.say(talk.ann, client_id="known"),
    "say to a person": lambda talk, last: talk.say(talk.ann, room=talk.cyd.id, room_type="direct"),
    "edit": lambda talk, last: talk.run(chat.edit_message, talk.ann, last, "edited"),
    "delete": lambda talk, last: talk.run(chat.delete_message, talk.ann, last),
    "answer": lambda talk, last: talk.say(talk.ann, "to myself", reply_to=last),
    "edit what was answered": lambda talk, last: talk.run(chat.edit_message, talk.ann, last, "anew"),
    "react": lambda talk, last: talk.run(chat.add_reaction, talk.ann, last, "🎉"),
    "react as others did": lambda talk, last: talk.run(chat.add_reaction, talk.ann, last, "👀"),
    "react again": lambda talk, last: talk.run(chat.add_reaction, talk.ben, last, "👀"),
    "take back": lambda talk, last: talk.run(chat.remove_reaction, talk.ben, last, "👀"),
    "take back what is not there": lambda talk, last: talk.run(chat.remove_reaction, talk.ann, last, "👀"),
    "pin": lambda talk, last: talk.run(chat.pin_message, talk.ann, last + 1),
    "pin again": lambda talk, last: talk.run(chat.pin_message, talk.ann, last),
    "unpin": lambda talk, last: talk.run(chat.unpin_message, talk.ann, last),
    "mark unread": lambda talk, last: talk.run(chat.mark_unread, talk.ben, talk.room, last),
    "mark unread what is": lambda talk, last: talk.run(chat.mark_unread, talk.ann, talk.room, last + 2),
    "read a part": lambda talk, last: talk.run(chat.mark_read, talk.ann, talk.room, last),
    "read all": lambda talk, last: talk.run(chat.mark_read, talk.ann, talk.room),
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.gen_test
async def test_what_was_known_before_and_the_events_since_make_what_is_true_now(talk, deed):
    await talk.direct(talk.ann, talk.ben)
    last = (await talk.say(talk.ann, client_id="known", files=[a_file("old")]))["id"]
    for n in range(2):
        await talk.say(talk.ben, str(n), reply_to=last)
    await talk.run(chat.add_reaction, talk.ben, last, "👀")
    await talk.run(chat.pin_message, talk.ben, last)
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
