"""One line for whatever touches somebody's identity: who signs in, from where, and what changes about it.

A line has the ids of people and the address of the client, as a trusted proxy gives it; never a token or
a password, and of a name that somebody typed only a short, escaped piece.
"""

from __future__ import annotations

import logging

from tornado.httputil import HTTPServerRequest

log = logging.getLogger("taskroom.security")
_MAX_CHARS = 60


def note(request: HTTPServerRequest, event: str, person_id: int | None = None, **details: object) -> None:
    """Logs an event about a person, and what is to know of it."""
    write(event, person_id, request.remote_ip, **details)


def write(event: str, person_id: int | None, address: str | None = None, **details: object) -> None:
    """Logs an event about a person that need not come from a request."""
    words = [event, f"person={person_id or '-'}", f"address={quoted(address or '-')}"]
    words += [f"{name}={quoted(value)}" for name, value in details.items() if value is not None]
    log.info("%s", " ".join(words))


def quoted(value: object) -> str:
    """A value as one word of a line: escaped, and not for ever."""
    text = str(value)
    plain = ascii(text[:_MAX_CHARS])[1:-1].replace(" ", "\\x20")
    return plain if len(text) <= _MAX_CHARS else plain + "..."
