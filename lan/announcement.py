"""taskroom.local: the server's name on its network, by multicast DNS.

The library has a thread and a loop of its own, so nothing here waits for the server nor the server for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lan.addresses import colleagues_addresses
from lan.certificate import NAMES
from settings import Settings

if TYPE_CHECKING:
    from zeroconf import ServiceInfo, Zeroconf

log = logging.getLogger("taskroom.mdns")

ASK_FOR_MS = 1500
"""Others answer a question within half a second; asked twice."""
_GROUP = "224.0.0.251"
LOOK_EVERY_S = 60.0
"""A laptop that changes its network gets another address."""


class NotAnnounced(Exception):
    """The text says why."""


class Announcement:
    """Has one name lead to these addresses for as long as it lasts. Both methods block."""

    def __init__(self, addresses: Sequence[str], port: int, is_tls: bool) -> None:
        self._addresses = list(addresses)
        self._port = port
        self._is_tls = is_tls
        self._zeroconf: Zeroconf | None = None
        self._lock = threading.Lock()
        self._is_over = False

    def start(self) -> str | None:
        """Takes the first of the names that nobody has, and returns it; None if it was stopped meanwhile.
        Raises NotAnnounced."""
        with self._lock:
            if self._is_over:
                return None
            try:
                return self._start()
            except Exception as error:
                # A foreign library, and whatever a network can do.
                self._close()
                raise NotAnnounced(str(error) or type(error).__name__) from None

    def stop(self) -> None:
        """Takes the name back: whoever knows it is told that it is over."""
        with self._lock:
            self._is_over = True
            self._close()

    def _start(self) -> str:
        # Imported here: a server for this machine alone does without.
        from zeroconf import IPVersion, Zeroconf

        # It writes tracebacks when a network goes away.
        logging.getLogger("zeroconf").setLevel(logging.CRITICAL)
        has_6 = any(":" in one for one in self._addresses)
        has_4 = any(":" not in one for one in self._addresses)
        version = IPVersion.All if has_4 and has_6 else IPVersion.V6Only if has_6 else IPVersion.V4Only
        _try_multicast(self._addresses)
        self._zeroconf = zeroconf = Zeroconf(interfaces=self._addresses, ip_version=version)
        for name in NAMES:
            if not _is_taken(zeroconf, name):
                zeroconf.register_service(self._service(name), allow_name_change=True)
                return name
        raise NotAnnounced(f"others on the network have {', '.join(NAMES)}")

    def _service(self, name: str) -> ServiceInfo:
        from zeroconf import ServiceInfo

        kind = f"_{'https' if self._is_tls else 'http'}._tcp.local."
        title = f"Taskroom on {socket.gethostname().partition('.')[0]}"[:63]
        return ServiceInfo(
            kind,
            f"{title}.{kind}",
            port=self._port,
            properties={"path": "/"},
            server=f"{name}.",
            parsed_addresses=self._addresses,
        )

    def _close(self) -> None:
        zeroconf, self._zeroconf = self._zeroconf, None
        if zeroconf is not None:
            # It ends anyway.
            with contextlib.suppress(Exception):
                zeroconf.unregister_all_services()
            zeroconf.close()


def _try_multicast(addresses: Sequence[str]) -> None:
    """Raises OSError where nothing can be sent to a group: the library would leave its sockets open."""
    for address in addresses:
        if ":" not in address:
            group = socket.inet_aton(_GROUP) + socket.inet_aton(address)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
                trial.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
                trial.bind((address, 0))


def _is_taken(zeroconf: Zeroconf, name: str) -> bool:
    from zeroconf import AddressResolver, DNSQuestionType  # type: ignore[attr-defined]

    # By multicast: a direct answer may go to another program on this machine.
    return AddressResolver(f"{name}.").request(zeroconf, ASK_FOR_MS, question_type=DNSQuestionType.QM)


async def announce(settings: Settings, port: int, say: Callable[[str], None]) -> None:
    """Announces a server of the LAN until it is cancelled, and calls `say` with each name that it gets."""
    addresses: list[str] = []
    announcement = Announcement(addresses, port, settings.speaks_tls)
    try:
        while True:
            found = await asyncio.to_thread(colleagues_addresses, settings.host)
            if found != addresses:
                await asyncio.to_thread(announcement.stop)
                addresses = found
                announcement = Announcement(addresses, port, settings.speaks_tls)
                if addresses:
                    await _start(announcement, say)
            await asyncio.sleep(LOOK_EVERY_S)
    finally:
        await asyncio.to_thread(announcement.stop)


async def _start(announcement: Announcement, say: Callable[[str], None]) -> None:
    try:
        name = await asyncio.to_thread(announcement.start)
    except NotAnnounced as error:
        log.warning("taskroom.local is not announced on the network: %s", error)
        return
    if name:
        say(name)
