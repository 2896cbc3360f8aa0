"""Messages: posted, edited, deleted, listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models import access, chat, events, groups, reactions
from models.base import Statement, now
from models.chat import Attachment, Message, MessageRow, Room
from models.database.batches import in_batches
from models.errors import Conflict, Invalid, NotFound
from models.operations import notify_about, posting, search_index
from models.operations.chat.reading import mark_own
from models.operations.chat.rooms import open_direct, take_place
from models.operations.outcomes import Outcome
from models.operations.posting import Draft, StoredFile
from models.operations.versions import check_version
from models.quotes import quotes_json
from models.sessions import Actor

_stored = Statement("SELECT id, room_id FROM message WHERE sender_id = ? AND client_id = ?")
_last_read = Statement("SELECT last_read_id FROM participant WHERE room_id = ? AND person_id = ?")
_is_in_room = Statement("SELECT 1 FROM message WHERE id = ? AND room_id = ?")


def actual_room_id(actor: Actor, room_type: str | None, room_id: int) -> int:
    """The room that a client means: a number below the rooms' is the other person's id.

    Makes the direct room if there is none yet. Raises NotFound for an unknown person.
    """
    if not chat.names_person(room_type, room_id):
        return room_id
    try:
        return int(open_direct(actor, room_id).body["id"])
    except Invalid:
        raise NotFound("There is no such person.") from None


@in_batches(posting.BATCH)
def post_message(actor: Actor, draft: Draft) -> Outcome:
    """Stores a message, or gives back the one stored with this `client_id`.

    Sending marks what came before as read for the sender. Raises NotFound to whoever takes no part
    in the room, Conflict for a `client_id` that was used in another one, Invalid for a reply to a message
    that is not there.
    """
    room_id = actual_room_id(actor, draft.room_type, draft.room_id)
    room_type, username, avatar, _ = take_place(actor, room_id)
    if draft.reply_to is not None and not _is_in_room.one(draft.reply_to, room_id):
        raise Invalid({"reply_to": ["There is no such message in this room."]})
    moment = now()
    row = chat.store_message(
        MessageRow(
            id=0,
            room_id=room_id,
            room_type=room_type,
            content=draft.content,
            sender_id=actor.id,
            username=username,
            avatar=avatar,
            created_at=moment,
            client_id=draft.client_id,
            reply_to_id=draft.reply_to,
        )
    )
    if row is None:
        return Outcome(_said_before(actor, draft.client_id, room_id), is_new=False)
    mark_own(room_id, actor.id, row.id)
    files = [_attach(actor, row.id, file, moment) for file in draft.files]
    quote = None if row.reply_to_id is None else quotes_json([row.reply_to_id])[row.reply_to_id]
    message = chat.message_json(row, files, quote=quote)
    events.emit(events.MessageCreated(message), (groups.room(room_type, room_id),))
    notify_about.message_posted(actor, message)
    return Outcome(message)


def _said_before(actor: Actor, client_id: str | None, room_id: int) -> dict[str, Any]:
    message_id, its_room_id = _stored.all(actor.id, client_id)[0]
    if its_room_id != room_id:
        raise Conflict("This client_id was used in another room.", "client_id_reused")
    return chat.stored_message(message_id)


def _attach(actor: Actor, message_id: int, file: StoredFile, moment: int) -> dict[str, Any]:
    return Attachment.create(
        message=message_id,
        uploaded_by=actor.id,
        path=file.path,
        file_name=file.file_name,
        file_size=file.file_size,
        content_type=file.content_type,
        uploaded_at=moment,
        width=file.width,
        height=file.height,
    ).to_json()


def edit_message(
    actor: Actor, message_id: int, content: str | None, version: int | None = None
) -> dict[str, Any]:
    """Changes one's own message; without a text, nothing about it. Raises NotFound, Forbidden, Conflict."""
    message, room = _changeable(actor, message_id, version)
    if content is None:
        return chat.stored_message(message_id)
    search_index.message_revised(message, message.content, content)
    message.content = content
    message.edited_at = now()
    return _save(message, room, events.MessageUpdated)


def delete_message(actor: Actor, message_id: int, version: int | None = None) -> list[str]:
    """Empties one's own message, with what was put on it; its place stays. Returns the paths of files that
    nothing needs now."""
    message, room = _changeable(actor, message_id, version)
    paths = [row.path for row in Attachment.select().where(Attachment.message == message_id)]
    Attachment.delete_where(Attachment.message == message_id)
    reactions.clear(message_id)
    search_index.message_revised(message, message.content, None)
    message.content = ""
    message.reply_to_id = message.pinned_at = message.pinned_by_id = None
    message.deleted_at = now()
    _save(message, room, events.MessageDeleted)
    return paths


def _changeable(actor: Actor, message_id: int, version: int | None) -> tuple[Message, Room]:
    message, room = access.get_own_message(actor, message_id)
    check_version(version, message.version, lambda: chat.message(message_id))
    if message.deleted_at is not None:
        raise Conflict("This message has been deleted.", "deleted", chat.message(message_id))
    return message, room


_Revised = type[events.MessageUpdated] | type[events.MessageDeleted]


def _save(message: Message, room: Room, revised: _Revised) -> dict[str, Any]:
    message.version += 1
    message.save()
    result = chat.stored_message(message.id)
    notify_about.message_revised(result)
    events.emit(revised(result), [groups.room(room.room_type, room.id)])
    return result


def known_room_id(actor: Actor, room_type: str | None, room_id: int) -> int:
    """Query: like `actual_room_id`, but only looks. Raises NotFound if there is no direct room yet."""
    if not chat.names_person(room_type, room_id):
        return room_id
    found = chat.room_by_direct_key.one(chat.direct_key(actor.id, room_id))
    if found is None:
        raise NotFound("There is no such room.")
    return int(found.id)


def message(actor: Actor, message_id: int) -> dict[str, Any]:
    """Query: one message of a room the actor takes part in. Raises NotFound."""
    found = chat.message(message_id)
    if found is None:
        raise NotFound("There is no such message.")
    access.get_room(actor, found["room"])
    return found


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Some messages of a room, newest first, and how many it has in all."""

    results: list[dict[str, Any]]
    count: int
    has_more: bool
    unread_up_to: int
    """The id to mark read up to; 0 if the page has nothing new to this person, and nothing that they were
    told of and have not read."""


def list_messages(
    actor: Actor, room_id: int, limit: int, page: int = 1, before: int | None = None, after: int | None = None
) -> MessagePage:
    """Query: a page of the room, newest first. Raises NotFound to whoever takes no part in it."""
    room = access.get_room(actor, room_id)
    # One more than asked for tells whether there are more.
    if after is not None:
        found = chat.messages_after(room_id, after, limit + 1)
        results, more = found[:limit][::-1], len(found) > limit
    elif before is not None:
        found = chat.messages_before(room_id, before, limit + 1)
        results, more = found[:limit], len(found) > limit
    else:
        found = chat.newest_messages(room_id, limit + 1, (page - 1) * limit)
        results, more = found[:limit], len(found) > limit
    is_newest = before is None and page == 1
    newest = results[0]["id"] if results and is_newest else 0
    is_unread = newest > _read_up_to(room_id, actor.id) or notify_about.of_room(actor.id, room_id, newest)
    return MessagePage(results, room.message_count, more, newest if newest and is_unread else 0)


def _read_up_to(room_id: int, person_id: int) -> int:
    row = _last_read.one(room_id, person_id)
    return row[0] if row else 0
