"""Three people who talk."""

from typing import Any

from models import groups
from models.operations import chat
from models.operations.chat import Draft, StoredFile
from tests.support.people import join_team


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
