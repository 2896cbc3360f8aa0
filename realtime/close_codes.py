"""Why a WebSocket ends. The page's copy is made from here:

`python -m realtime.close_codes > static/js/close_codes.js`
"""

from __future__ import annotations

import enum


class CloseCode(enum.IntEnum):
    """The code of a close frame; `meaning` says what it means, and what a client should do about it."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> CloseCode:
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    GOING_AWAY = 1001, "the server is going; reconnect after the time that the `closing` message names"
    PROTOCOL_ERROR = 1002, "a frame that breaks the WebSocket protocol"
    NOT_UTF8 = 1007, "a text that is not UTF-8"
    TOO_LARGE = 1009, "a message was too large"
    SERVER_FAILED = 1011, "the server failed; reconnect with back-off"
    BAD_MESSAGES = 4400, "three bad messages in a row"
    NOT_SIGNED_IN = 4401, "not, or no longer, signed in"
    NOT_ALLOWED = 4403, "no longer allowed: a membership was lost"
    NOT_FOUND = 4404, "no such room, session or workspace, or not one's own"
    SIGN_IN_TIMEOUT = 4408, "no credentials within 10 seconds"
    TOO_MANY = 4429, "too many messages, or too many open sockets of one person or address"
    TOO_SLOW = 4503, "too slow a reader; reconnect with `since`"


def as_javascript() -> str:
    """The codes as a module of the page."""
    lines = [f"  {member.name}: {member.value}," for member in CloseCode]
    return "\n".join(
        [
            "/* Made by `python -m realtime.close_codes`; do not edit. */",
            "",
            "export const CloseCode = Object.freeze({",
            *lines,
            "});",
            "",
        ]
    )


if __name__ == "__main__":
    print(as_javascript(), end="")
