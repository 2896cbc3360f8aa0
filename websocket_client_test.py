"""A client of OneTask's sockets: shows what arrives, and comes back when the server has gone.

    python websocket_client_test.py <your_jwt_token> [workspace_id] [--session ID] [--server URL]
    taskroom listen <your_jwt_token> [workspace_id] [--session ID] [--server URL]

It connects to /ws/notifications, with a workspace's id to /ws/tasks/<workspace_id>, and with --session to
/ws/focus-session/<id>. After a break it asks for what it missed. Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import HTTPClientError
from tornado.websocket import websocket_connect

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
# 44xx: coming back unchanged will not help.
FINAL_CODES = range(4400, 4500)
COLOURS = {"notifications": 36, "tasks": 32, "focus": 35, "problem": 31, "quiet": 90}


class Screen:
    """One line for each thing that happens, in colour where a person looks at it."""

    def __init__(self, is_coloured: bool) -> None:
        self._is_coloured = is_coloured

    def say(self, who: str, text: str, colour: str | None = None) -> None:
        """A line of one socket."""
        line = f"{datetime.now():%H:%M:%S} {who:<13} {text}"
        if self._is_coloured:
            line = f"\033[{COLOURS[colour or who]}m{line}\033[0m"
        print(line, flush=True)


class Listener:
    """One socket: connected, cut, connected again, from the `seq` it has."""

    def __init__(self, name: str, url: str, token: str, screen: Screen) -> None:
        self._name, self._url, self._token, self._screen = name, url, token, screen
        self._seq: int | None = None

    async def run(self) -> None:
        """Until the server says that coming back is of no use."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                code = await self._listen()
                pause_s = FIRST_PAUSE_S
            except (OSError, HTTPClientError) as error:
                self._screen.say(self._name, f"cannot connect: {error}", "problem")
                code = None
            if code in FINAL_CODES:
                return
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _listen(self) -> int | None:
        query: dict[str, Any] = {"token": self._token}
        if self._seq is not None:
            query["since"] = self._seq
        socket = await websocket_connect(f"{self._url}?{urlencode(query)}", connect_timeout=10)
        self._screen.say(self._name, "connected", "quiet")
        if self._seq is None:
            # The answer tells where the stream is, so that nothing is missed from here on.
            await socket.write_message('{"type": "hello"}')
        while (text := await socket.read_message()) is not None:
            self._show(json.loads(text))
        reason = f" ({socket.close_reason})" if socket.close_reason else ""
        self._screen.say(self._name, f"closed with {socket.close_code}{reason}", "problem")
        return socket.close_code

    def _show(self, message: dict[str, Any]) -> None:
        if isinstance(message.get("seq"), int):
            self._seq = message["seq"]
        if message.get("type") == "hello":
            return
        self._screen.say(self._name, describe(message))


def describe(message: dict[str, Any]) -> str:
    """A message in one line."""
    kind = message.get("type")
    if kind == "notification":
        related = f" [{message['related_entity_type']} {message['related_entity_id']}]"
        return (
            f"{message['notification_type']}: {message['title']} – {message['content']}"
            f"{related if message['related_entity_type'] else ''}"
        )
    if kind == "focus_session_update":
        return f"session {message['session_id']}, from {message['sender_id']}: {json.dumps(message['data'])}"
    return json.dumps(message)


def listeners(args: argparse.Namespace, screen: Screen) -> list[Listener]:
    """A listener for each of OneTask's sockets that was asked for."""
    base = args.server.rstrip("/").replace("http", "ws", 1)
    wanted = [("notifications", "/ws/notifications")]
    if args.workspace_id:
        wanted.append(("tasks", f"/ws/tasks/{args.workspace_id}"))
    if args.session:
        wanted.append(("focus", f"/ws/focus-session/{args.session}"))
    return [Listener(name, base + path, args.token, screen) for name, path in wanted]


async def listen(args: argparse.Namespace) -> None:
    """Until every socket was refused for good."""
    screen = Screen(sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    await asyncio.gather(*(listener.run() for listener in listeners(args, screen)))


def main(argv: Sequence[str] | None = None, called: str | None = None) -> int:
    """The command line. Returns the exit status: 1 when every socket was refused."""
    parser = argparse.ArgumentParser(
        prog=called, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("token", help="an access token, as signing in gives it")
    parser.add_argument("workspace_id", nargs="?", type=int)
    parser.add_argument("--session", type=int, metavar="ID", help="a focus session to connect to as well")
    parser.add_argument("--server", default="http://127.0.0.1:8000", metavar="URL")
    try:
        asyncio.run(listen(parser.parse_args(argv)))
    except KeyboardInterrupt:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
