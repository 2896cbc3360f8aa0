"""Incoming webhooks: addresses at which other programs post into a room.

Whoever knows the address may post, so it has 256 random bits, and only their hash is kept. What is posted is
said by whoever made the hook, who answers for it, and names the hook beside.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

import peewee

from models.base import InstantField, Lookup, Statement, Table, iso
from models.chat import Room
from models.people import Person, reference

MAX_HOOKS = 20
"""Of a room."""
MAX_SECRET_CHARS = 200


class IncomingHook(Table):
    """An address that posts into a room. `digest` is of what stands in the address."""

    id = peewee.AutoField()
    room = peewee.ForeignKeyField(Room, on_delete="CASCADE", lazy_load=False)
    room_id: Any
    maker = peewee.ForeignKeyField(Person, on_delete="CASCADE", lazy_load=False)
    maker_id: Any
    name = peewee.TextField()
    digest = peewee.TextField(unique=True)
    created_at = InstantField()
    last_used_at = InstantField(null=True)

    class Meta:
        table_name = "incoming_hook"


by_digest = Lookup(IncomingHook, "t.digest = ?")
used = Statement("UPDATE incoming_hook SET last_used_at = ? WHERE id = ?")


def new_secret() -> str:
    """What stands in a new hook's address."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What is kept of an address. A plain hash does: nobody tries 256 random bits."""
    return hashlib.sha256(secret[:MAX_SECRET_CHARS].encode(errors="surrogatepass")).hexdigest()


def listed(hooks: Sequence[IncomingHook]) -> list[dict[str, Any]]:
    """Hooks as JSON, without their addresses."""
    makers = {one.id: one for one in Person.select().where(Person.id.in_([hook.maker_id for hook in hooks]))}
    return [_json(hook, makers[hook.maker_id]) for hook in hooks]


def _json(hook: IncomingHook, maker: Person) -> dict[str, Any]:
    return {
        "id": hook.id,
        "name": hook.name,
        "room": hook.room_id,
        "maker": reference(maker.id, maker.username, maker.avatar),
        "created_at": iso(hook.created_at),
        "last_used_at": iso(hook.last_used_at),
    }
