"""Webhooks out and in, made by people through the API."""

from typing import Any

from tests.support.team import Member

RECEIVER = "http://localhost:9/hook"


_OUTGOING, _ADDRESSES, _INCOMING = "/api/hooks/outgoing/", "/api/hooks/addresses/", "/api/hooks/incoming/"
_NEW = {"name": "N", "url": RECEIVER, "events": ["message.created"]}
# Nobody, somebody outside the room, one in it, its owner, and the ceo, who is outside: they see and end a
# webhook and no more.
_ALL, _SIGNED_IN, _CEO = (201,) * 5, (401, 200, 200, 200, 200), (401, 403, 403, 403)
_OWNER, _MAKERS = (401, 404, 404), (401, 404, 403, 201, 404)


def _of_webhook(world: Any) -> dict[str, Any]:
    places: dict[str, Any] = world.hooks
    return places


def _keepers(status: int, ceo: int = 404) -> tuple[Any, ...]:
    return ((*_OWNER, status, ceo), None, None, _of_webhook)


HOOK_ROWS: dict[tuple[str, str], tuple[Any, ...]] = {
    ("GET", _OUTGOING): (_SIGNED_IN,),
    ("POST", _OUTGOING): (_MAKERS, lambda world: _NEW | {"room": world.room}),
    ("GET", _OUTGOING + "{id}/"): _keepers(200, 200),
    ("PATCH", _OUTGOING + "{id}/"): ((*_OWNER, 200, 404), lambda world: {"name": "N"}, None, _of_webhook),
    ("DELETE", _OUTGOING + "{id}/"): _keepers(204, 204),
    ("POST", _OUTGOING + "{id}/secret/"): _keepers(200),
    ("POST", _OUTGOING + "{id}/test/"): _keepers(202),
    ("GET", _OUTGOING + "{id}/deliveries/"): _keepers(200, 200),
    ("POST", _OUTGOING + "{id}/deliveries/{delivery_id}/again/"): _keepers(202),
    ("GET", _ADDRESSES): (_SIGNED_IN,),
    ("POST", _ADDRESSES): ((*_CEO, 201), lambda world: {"origin": "https://x.example.org"}),
    ("DELETE", _ADDRESSES + "{id}/"): ((*_CEO, 204), None, None, lambda world: world.hooks["address"]),
    ("GET", _INCOMING): (_SIGNED_IN,),
    ("POST", _INCOMING): (_MAKERS, lambda world: {"room": world.room, "name": "N"}),
    ("DELETE", _INCOMING + "{id}/"): ((*_OWNER, 204, 204), None, None, lambda world: world.hooks["in"]),
    ("POST", "/api/hooks/in/{secret...}/"): (_ALL, lambda world: {"text": "hi"}, None, _of_webhook),
}
"""What the authorization matrix says of webhooks: the statuses, the body, the query, the places."""


async def new_hooks(ceo: Member, sender: Member, room: int) -> dict[str, Any]:
    """Nobody listens where they lead, and nothing is sent to this machine anyway."""
    allowed = await ceo.post("/api/hooks/addresses/", json={"origin": "http://localhost:9"})
    new = {"room": room, "name": "CI", "url": RECEIVER, "events": ["message.created"]}
    webhook = (await sender.post("/api/hooks/outgoing/", json=new)).expect(201).json["id"]
    tried = await sender.post(f"/api/hooks/outgoing/{webhook}/test/")
    incoming = (await sender.post("/api/hooks/incoming/", json={"room": room, "name": "CI"})).expect(201).json
    return {
        "id": webhook,
        "delivery_id": tried.expect(202).json["id"],
        "address": {"id": allowed.json["id"]},
        "in": {"id": incoming["id"]},
        "secret...": incoming["url"].rstrip("/").rpartition("/")[2],
    }
