"""What the headers of a WebSocket's handshake say. Pure functions: nothing here knows of sockets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from http.cookies import Morsel
from typing import NamedTuple

ACCESS_COOKIE = "access"
# What the standard calls a token: a subprotocol is one.
_SUBPROTOCOL = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Handshake(NamedTuple):
    """What is remembered of a handshake once the socket is open."""

    token: str | None
    """What signs in, if it came along."""
    since: str | None
    """Where the client goes on, as it says."""
    path_args: Sequence[str]
    """What the path names."""
    base_url: str
    """What links begin with."""
    address: str
    """The network that the socket counts for."""
    party: str
    """Against whom it counts what comes over this socket: a session, or where there is none, the address."""


def is_handshake(headers: Mapping[str, str]) -> bool:
    """Whether Tornado would go on with these; it answers others in HTML, or not at all."""
    connection = [part.strip().lower() for part in headers.get("Connection", "").split(",")]
    is_upgrade = headers.get("Upgrade", "").lower() == "websocket" and "upgrade" in connection
    return is_upgrade and headers.get("Sec-WebSocket-Version") == "13" and "Sec-WebSocket-Key" in headers


def credential(
    headers: Mapping[str, str],
    cookies: Mapping[str, Morsel[str]],
    query: Mapping[str, Sequence[bytes]],
    allows_origin: Callable[[str], bool],
) -> str | None:
    """The token of the handshake: a subprotocol, header, cookie or part of the query; the first one wins.

    The cookie counts only where the Origin may use it: any page can make a browser send it.
    """
    offered = [part.strip() for part in headers.get("Sec-WebSocket-Protocol", "").split(",")]
    tokens = [part for part in offered if part and part != "bearer"]
    if tokens:
        return tokens[0]
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    cookie, origin = cookies.get(ACCESS_COOKIE), headers.get("Origin")
    if cookie is not None and cookie.value and origin and allows_origin(origin):
        return cookie.value
    return query_value(query, "token")


def query_value(query: Mapping[str, Sequence[bytes]], name: str) -> str | None:
    """The last value that the query gives, or None."""
    values = query.get(name)
    return values[-1].decode(errors="replace") if values else None


def chosen_subprotocol(offered: Sequence[str]) -> str | None:
    """Echoes the token, or answers `bearer`: a browser fails when an offer is not taken."""
    if "bearer" in offered:
        return "bearer"
    # What is none could not be echoed: a header has no control characters.
    return next((text for text in offered[:1] if _SUBPROTOCOL.fullmatch(text)), None)
