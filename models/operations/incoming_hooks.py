"""Addresses at which other programs post into a room: made and ended by people, used by programs."""

from __future__ import annotations

from typing import Any

from models import access, chat, events, groups, incoming_hooks
from models.base import Statement, now
from models.chat import MessageRow
from models.errors import Conflict, Gone, NotFound
from models.incoming_hooks import MAX_HOOKS, IncomingHook
from models.operations import notify_about
from models.operations.outcomes import Outcome
from models.sessions import Actor

_NONE = "There is no such hook."
_stored = Statement("SELECT id FROM message WHERE sender_id = ? AND client_id = ?")


def listed(actor: Actor, room_id: int | None, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """Query: the hooks of a room, or else all of them to the ceo, and to others their own.

    Raises NotFound, Forbidden, Conflict.
    """
    found = IncomingHook.select().order_by(IncomingHook.id)
    if room_id is not None:
        access.check_managing_webhooks(actor, room_id, None)
        found = found.where(IncomingHook.room == room_id)
    elif not access.is_ceo(actor):
        found = found.where(IncomingHook.maker == actor.id)
    return found.count(), incoming_hooks.listed(list(found.limit(limit).offset(offset)))


def create(actor: Actor, room_id: int, name: str) -> tuple[dict[str, Any], str]:
    """A hook, and what stands in its address, which is shown this once.

    Raises NotFound, Forbidden, Conflict.
    """
    access.check_managing_webhooks(actor, room_id, None)
    if IncomingHook.select().where(IncomingHook.room == room_id).count() >= MAX_HOOKS:
        raise Conflict(f"There are {MAX_HOOKS} hooks here already.", "too_many_webhooks")
    secret = incoming_hooks.new_secret()
    hook = IncomingHook.create(
        room=room_id, maker=actor.id, name=name, digest=incoming_hooks.digest_of(secret), created_at=now()
    )
    return incoming_hooks.listed([hook])[0], secret


def delete(actor: Actor, hook_id: int) -> None:
    """Ends a hook: for those who manage the room's, and the ceo. Raises NotFound."""
    found = IncomingHook.get_or_none(IncomingHook.id == hook_id)
    if found is None or not (access.is_ceo(actor) or access.can_manage_webhooks(actor, found.room_id, None)):
        raise NotFound(_NONE)
    IncomingHook.delete_where(IncomingHook.id == hook_id)


def post(digest: str, text: str, client_id: str | None) -> Outcome:
    """Says something in the hook's room, or gives back what was said with this `client_id`.

    Raises NotFound for an unknown hook, Gone for one whose maker may no longer have it.
    """
    hook = incoming_hooks.by_digest.one(digest)
    if hook is None:
        raise NotFound(_NONE)
    maker = access.get_actors([hook.maker_id]).get(hook.maker_id)
    if maker is None or not access.can_manage_webhooks(maker, hook.room_id, None):
        raise Gone("Whoever made this hook may not post there any more.", "hook_gone")
    moment = now()
    incoming_hooks.used.run(moment, hook.id)
    # Each hook has `client_id`s of its own, and none of its maker's.
    known = None if client_id is None else f"hook:{hook.id}:{client_id}"
    return _say(maker, hook, text, known, moment)


def _say(maker: Actor, hook: IncomingHook, text: str, client_id: str | None, moment: int) -> Outcome:
    room_type, username, avatar, _ = access.get_room_to_write_in(maker, hook.room_id)
    row = chat.store_message(
        MessageRow(
            id=0,
            room_id=hook.room_id,
            room_type=room_type,
            content=text,
            sender_id=maker.id,
            username=username,
            avatar=avatar,
            created_at=moment,
            client_id=client_id,
            hook_name=hook.name,
        )
    )
    if row is None:
        return Outcome(_said(chat.stored_message(_stored.value(maker.id, client_id))), is_new=False)
    message = chat.message_json(row)
    events.emit(events.MessageCreated(message), (groups.room(room_type, hook.room_id),))
    notify_about.message_posted_by_hook(maker, message)
    return Outcome(_said(message))


def _said(message: dict[str, Any]) -> dict[str, Any]:
    """What a program hears of what it has said: nothing of the room."""
    return {"id": message["id"], "timestamp": message["timestamp"]}
