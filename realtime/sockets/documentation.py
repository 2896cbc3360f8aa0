"""What `/api/schema/` says about the WebSockets: commands from their declarations, the rest in words."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from realtime.sockets.base import Socket
from realtime.sockets.commands import CLOSE_CODES


def describe(path: str, socket: type[Socket]) -> Mapping[str, Any]:
    """One WebSocket."""
    return {
        "path": path,
        "summary": inspect.getdoc(socket),
        "commands": list(socket.commands.values()),
        "server": _server_messages(socket),
    }


def _server_messages(socket: type[Socket]) -> Sequence[Mapping[str, str]]:
    return [{"type": type_, "description": text} for type_, text in socket.says.items()]


def close_codes() -> Mapping[str, str]:
    """Every close code and what a client should do about it."""
    return {str(code): meaning for code, meaning in CLOSE_CODES.items()}
