"""Who may register as the first person: whoever is at the machine itself, or has the link that it shows."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any, Literal

from tornado.httputil import HTTPServerRequest

from models import first_person
from models.database.store import Store
from models.first_person import FirstCode

_FORWARDED = (
    "Forwarded",
    "Via",
    "X-Forwarded-For",
    "X-Real-IP",
    "X-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
)
"""Whoever sends one of these passes on what somebody else has asked. `X-Forwarded-Proto` and `-Host` alone
say how a program on this machine is reached, and not that there is somebody else."""


class FirstPerson:
    """What one process knows of the first person."""

    def __init__(self, needs_link: Literal["lan", "always", "never"], code: FirstCode) -> None:
        self.code = code
        self._needs_link = needs_link
        self._is_somebody_here = False

    async def is_somebody_here(self, store: Store) -> bool:
        """Whether anybody has registered. Raises Unavailable."""
        # Nobody is ever removed, so this is asked of the database at the very beginning only.
        if not self._is_somebody_here:
            self._is_somebody_here = await store.read(first_person.is_anybody_here)
        return self._is_somebody_here

    def needs_link(self, request: HTTPServerRequest, allows: Callable[[str], bool]) -> bool:
        """Whether somebody who asks so needs the link to become the first. `allows` tells which origins may
        act here."""
        if self._needs_link == "lan":
            return not is_at_this_machine(request) or _is_strange_page(request, allows)
        return self._needs_link == "always"


def is_at_this_machine(request: HTTPServerRequest) -> bool:
    """Whether a program on this machine asks for itself, and not for somebody else."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    # Who is really connected: `remote_ip` may be what a proxy says.
    connection: Any = request.connection
    return _is_loopback(connection.context.address[0])


def _is_loopback(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _is_strange_page(request: HTTPServerRequest, allows: Callable[[str], bool]) -> bool:
    """Whether a browser on this machine sends this for a page of somewhere else."""
    origin = request.headers.get("Origin")
    return "Sec-Fetch-Site" in request.headers and origin is not None and not allows(origin)
