"""AsyncAPI 3 made from the declarations of the WebSockets: what clients may send, and what they are told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from handlers.web.json_schema import Schemas, any_of, collect, first_sentence, with_plain_descriptions
from models.access import PERSON

_EVERY_SOCKET = "every_socket"
_DESCRIPTION = (
    "Tasks, chat, notifications and shared focus sessions, live. Each message is one JSON object in a text"
    " frame. `hello` turns on the additions to what a frontend's own document names, and is answered with"
    " the `seq` of the newest event; with `?since=<seq>` a new socket is told first what it has missed. A"
    " command may carry a `request_id`, which its answer repeats. Trailing slashes are optional."
)
_SERVERS = {
    "plain": {"protocol": "ws", "description": "The server without TLS."},
    "tls": {"protocol": "wss", "description": "The server with TLS, its own or a proxy's."},
}
_SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The access token, or an API token, in the header `Authorization`.",
    },
    "subprotocol": {
        "type": "httpApiKey",
        "name": "Sec-WebSocket-Protocol",
        "in": "header",
        "description": "The access token as the one subprotocol, or behind `bearer`: the way of a browser.",
    },
    "cookie": {
        "type": "httpApiKey",
        "name": "access",
        "in": "cookie",
        "description": "The access token as a cookie, from an allowed origin.",
    },
    "query": {
        "type": "httpApiKey",
        "name": "token",
        "in": "query",
        "description": "The access token in the query. Without any of these, the first message is `auth`.",
    },
}
_PARAMETERS = {
    "room_id": "The id of a chat room, or below 1,000,000 that of the person to talk with.",
    "session_id": "The id of a focus session.",
    "workspace_id": "The id of a workspace.",
}
_SINCE = {"type": "string", "pattern": "^[0-9]{1,16}$", "description": "The `seq` to go on from."}


def document(
    sockets: Sequence[Mapping[str, Any]], close_codes: Mapping[str, str], version: str
) -> dict[str, Any]:
    """The whole document. `sockets` describes the WebSockets (`realtime.sockets.documentation`)."""
    made = _Messages()
    channels = {one["name"]: _channel(one, made) for one in sockets}
    operations = {name: one for socket in sockets for name, one in _operations(socket)}
    described: dict[str, Any] = with_plain_descriptions(
        {
            "asyncapi": "3.0.0",
            "id": "urn:taskroom",
            "info": {
                "title": "Taskroom",
                "version": version,
                "description": _DESCRIPTION,
                "license": {"name": "MIT"},
                "tags": [{"name": "WebSockets"}],
            },
            "defaultContentType": "application/json",
            "servers": {name: one | _place() for name, one in _SERVERS.items()},
            "channels": channels,
            "operations": operations,
            "components": {
                "messages": made.messages,
                "schemas": dict(sorted(made.schemas.items())),
                "securitySchemes": _SECURITY,
            },
            "x-close-codes": dict(close_codes),
        }
    )
    return described


def _place() -> dict[str, Any]:
    host = {"default": "localhost:8000", "description": "Where the server is, with its port."}
    return {"host": "{host}", "variables": {"host": host}}


class _Messages:
    """The messages and schemas that are named so far."""

    def __init__(self) -> None:
        self.messages: dict[str, Any] = {}
        self.schemas: dict[str, Any] = {}

    def command(self, socket: Mapping[str, Any], item: Any) -> str:
        """The name of what a client may send."""
        name = f"{_owner(socket, item)}.client.{item.name}"
        self._keep(name, item, [item.model])
        self.messages[name]["x-token-scope"] = item.scope or PERSON
        return name

    def said(self, socket: Mapping[str, Any], item: Any) -> str:
        """The name of what the server may say."""
        return self._keep(f"{_owner(socket, item)}.server.{item.name}", item, item.shapes)

    def _keep(self, name: str, item: Any, models: Iterable[Any]) -> str:
        if name not in self.messages:
            self.messages[name] = {
                "name": item.name,
                "title": item.name,
                "summary": first_sentence(item.description),
                "description": item.description,
                "payload": any_of([self._schema(model) for model in models]),
                "examples": [{"name": item.name, "payload": item.example}],
            }
        return name

    def _schema(self, model: Any) -> dict[str, Any]:
        nested = Schemas()
        schema = collect(model, nested, keep=False)
        for name, one in nested.items():
            if self.schemas.setdefault(name, one) != one:
                raise ValueError(f"two schemas are called {name}")
        return schema


def _owner(socket: Mapping[str, Any], item: Any) -> str:
    """What all sockets have in common is named once."""
    return _EVERY_SOCKET if item.is_of_every_socket else socket["channel"]


def _channel(socket: Mapping[str, Any], made: _Messages) -> dict[str, Any]:
    names = [made.command(socket, item) for item in socket["commands"]]
    names += [made.said(socket, item) for item in socket["server"]]
    channel: dict[str, Any] = {
        "address": socket["path"],
        "title": socket["path"],
        "summary": first_sentence(socket["summary"]),
        "description": socket["summary"],
        "messages": {_short(name): {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"ws": {"method": "GET", "query": _query(), "bindingVersion": "0.1.0"}},
    }
    places = re.findall(r"\{(\w+)\}", socket["path"])
    if places:
        channel["parameters"] = {name: {"description": _PARAMETERS[name]} for name in places}
    return channel


def _query() -> dict[str, Any]:
    token = {"type": "string", "description": "The access token, where nothing else carries it."}
    return {"type": "object", "properties": {"since": _SINCE, "token": token}}


def _short(name: str) -> str:
    """A message's name within its channel: `client.ping`, `server.pong`."""
    return name.partition(".")[2]


def _operations(socket: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    """The server receives what clients send, and sends what it says."""
    name = socket["name"]
    taken = [f"client.{item.name}" for item in socket["commands"]]
    said = [f"server.{item.name}" for item in socket["server"]]
    for action, messages, text in (
        ("receive", taken, "What a client may send."),
        ("send", said, "What the server may say."),
    ):
        place = f"#/channels/{name}"
        operation = {
            "action": action,
            "channel": {"$ref": place},
            "title": f"{action} {socket['path']}",
            "summary": text,
            "messages": [{"$ref": f"{place}/messages/{one}"} for one in messages],
        }
        if socket["needs_sign_in"]:
            operation["security"] = [{"$ref": f"#/components/securitySchemes/{one}"} for one in _SECURITY]
        yield f"{name}_{action}", operation
