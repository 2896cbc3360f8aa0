"""What people put on messages: emoji and pins."""

from __future__ import annotations

from typing import Any

from models import access, chat, events, groups, reactions
from models.base import Statement, iso, now
from models.chat import Message, Room
from models.errors import Conflict
from models.operations.outcomes import Outcome
from models.reactions import ReactionRow
from models.sessions import Actor

MAX_EMOJI_PER_MESSAGE = 20
MAX_EMOJI_PER_PERSON = 10
"""So many different ones may stand on a message, and so many of one person."""
MAX_REACTIONS = 400
"""Of all people on one message: every list that shows the message carries their ids."""
MAX_PINNED = 100
"""In one room: what is pinned is what one looks up there."""

_pin = Statement("UPDATE message SET pinned_at = ?, pinned_by_id = ? WHERE id = ?")

Changed = tuple[dict[str, Any], bool]
"""How things stand now, as events tell it, and whether that is new."""


def add_reaction(actor: Actor, message_id: int, emoji: str) -> Changed:
    """Puts an emoji on a message. Raises NotFound; Conflict for a deleted one, or if there are too many."""
    message, room = _markable(actor, message_id)
    there = reactions.of_message(message_id)
    own = _own(actor, there)
    if emoji in own:
        return _state(actor, message, emoji, own).payload(), False
    _check_room_for(emoji, own, there)
    moment = now()
    begun_at = next((row.begun_at for row in there if row.emoji == emoji), moment)
    reactions.add(ReactionRow(message_id, actor.id, emoji, begun_at, moment))
    return _tell(_state(actor, message, emoji, [*own, emoji]), room)


def remove_reaction(actor: Actor, message_id: int, emoji: str) -> Changed:
    """Takes one's own emoji back; one that is not there may be taken back as well. Raises NotFound."""
    message, room = access.get_message(actor, message_id)
    is_new = reactions.remove(message_id, actor.id, emoji)
    state = _state(actor, message, emoji, _own(actor, reactions.of_message(message_id)))
    return _tell(state, room) if is_new else (state.payload(), False)


def _own(actor: Actor, there: list[ReactionRow]) -> list[str]:
    mine = sorted((row for row in there if row.person_id == actor.id), key=lambda row: row.created_at)
    return [row.emoji for row in mine]


def _check_room_for(emoji: str, own: list[str], there: list[ReactionRow]) -> None:
    kinds = {row.emoji for row in there}
    if emoji not in kinds and len(kinds) >= MAX_EMOJI_PER_MESSAGE:
        raise Conflict(f"At most {MAX_EMOJI_PER_MESSAGE} different emoji on a message.", "too_many_reactions")
    if len(own) >= MAX_EMOJI_PER_PERSON:
        raise Conflict(f"At most {MAX_EMOJI_PER_PERSON} emoji of one person.", "too_many_reactions")
    if len(there) >= MAX_REACTIONS:
        raise Conflict(f"At most {MAX_REACTIONS} reactions to a message.", "too_many_reactions")


def _state(actor: Actor, message: Message, emoji: str, own: list[str]) -> events.ReactionChanged:
    return events.ReactionChanged(message.room_id, message.id, actor.id, emoji, emoji in own, own)


def _tell(state: events.ReactionChanged | events.MessagePinned, room: Room) -> Changed:
    events.emit(state, [groups.room(room.room_type, room.id)])
    return state.payload(), True


def pin_message(actor: Actor, message_id: int) -> Changed:
    """Pins a message in its room; one that is pinned stays as it is. Raises NotFound; Conflict for a deleted
    one, or if there are too many."""
    message, room = _markable(actor, message_id)
    if message.pinned_at is not None:
        by = message.pinned_by_id or 0
        return events.MessagePinned(room.id, message.id, by, iso(message.pinned_at)).payload(), False
    if chat.pinned_count(room.id) >= MAX_PINNED:
        raise Conflict(f"At most {MAX_PINNED} messages are pinned in a room.", "too_many_pins")
    return _set_pin(actor, message, room, now())


def unpin_message(actor: Actor, message_id: int) -> Changed:
    """Takes a message's pin away, whoever put it there. Raises NotFound."""
    message, room = access.get_message(actor, message_id)
    if message.pinned_at is None:
        return events.MessagePinned(room.id, message.id, actor.id, None).payload(), False
    return _set_pin(actor, message, room, None)


def _set_pin(actor: Actor, message: Message, room: Room, at: int | None) -> Changed:
    _pin.run(at, None if at is None else actor.id, message.id)
    return _tell(events.MessagePinned(room.id, message.id, actor.id, iso(at)), room)


def _markable(actor: Actor, message_id: int) -> tuple[Message, Room]:
    message, room = access.get_message(actor, message_id)
    if message.deleted_at is not None:
        raise Conflict("This message has been deleted.", "deleted", chat.message(message_id))
    return message, room


# -- as REST has it ----------------------------------------------------------------------------------


def reacted(actor: Actor, message_id: int, emoji: str) -> Outcome:
    """`add_reaction`, with the message as it is then."""
    _, is_new = add_reaction(actor, message_id, emoji)
    return Outcome(chat.stored_message(message_id), is_new)


def pinned(actor: Actor, message_id: int) -> Outcome:
    """`pin_message`, with the message as it is then."""
    _, is_new = pin_message(actor, message_id)
    return Outcome(chat.stored_message(message_id), is_new)


def list_pinned(actor: Actor, room_id: int, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """Query: how many messages are pinned in a room, and a page of them, the last pinned first. Raises
    NotFound."""
    access.get_room(actor, room_id)
    return chat.pinned_count(room_id), chat.pinned_messages(room_id, limit, offset)
