"""Who may register as the first person: whoever is at the machine itself, or has the link that it shows."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any, Literal

from tornado.httputil import HTTPServerRequest

from models import first_person
from models.database.store import Store
from models.first_person import FirstCode

_FORWARDED = (
    "Forwarded",
    "X-Forwarded-For",
    "X-Real-IP",
    "X-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
)
"""Whoever sends one of these passes on what was asked from the addresses in it: a proxy before many, or the
server that a frontend is developed with before one. `X-Forwarded-Proto` and `-Host` alone say how a program
on this machine is reached, and not that there is somebody else."""
_PASSED_ON = "Via"
"""So does whoever sends this, and does not say for whom."""


class FirstPerson:
    """What one process knows of the first person."""

    def __init__(
        self, needs_link: Literal["lan", "always", "never"], code: FirstCode, lists: Callable[[str], bool]
    ) -> None:
        """`lists` tells which origins the settings name."""
        self.code = code
        self._needs_link = needs_link
        self._lists = lists
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
            return not is_at_this_machine(request) or self._is_strange_page(request, allows)
        return self._needs_link == "always"

    def _is_strange_page(self, request: HTTPServerRequest, allows: Callable[[str], bool]) -> bool:
        """Whether a browser on this machine sends this for a page of somewhere else."""
        origin = request.headers.get("Origin")
        if origin is None or self._lists(origin):
            return False
        if not allows(origin) and "Sec-Fetch-Site" in request.headers:
            return True
        # Else it may be of this very address. Whose name that is can have it lead here, and before that to a
        # page of theirs.
        return not _is_own_name(request.host)


def is_at_this_machine(request: HTTPServerRequest) -> bool:
    """Whether a program on this machine asks for itself, and not for somebody else."""
    if _PASSED_ON in request.headers:
        return False
    if not all(
        _is_of_this_machine(name, request.headers[name]) for name in _FORWARDED if name in request.headers
    ):
        return False
    # Who is really connected: `remote_ip` may be what a proxy says.
    connection: Any = request.connection
    return _is_loopback(connection.context.address[0])


def _is_of_this_machine(name: str, text: str) -> bool:
    """Whether all addresses in such a header are this machine's loopback. Whoever is elsewhere can claim so,
    but the proxy that they come through adds where that is."""
    values = text.split(",")
    if name == "Forwarded":
        values = [_forwarded_for(value) for value in values]
    return all(_is_loopback(_without_port(value.strip())) for value in values)


def _forwarded_for(element: str) -> str:
    """For whom one proxy passed it on, as RFC 7239 writes that."""
    pairs = (pair.strip().partition("=") for pair in element.split(";"))
    return next((value.strip('"') for key, _, value in pairs if key.lower() == "for"), "")


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _is_own_name(host: str) -> bool:
    """Whether nobody else can have this name of a host lead to this machine."""
    name = _without_port(host).lower().rstrip(".")
    if name in ("localhost", socket.gethostname().lower()) or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
