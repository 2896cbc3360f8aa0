"""The addresses and names of this machine, those first that colleagues can type."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
from collections.abc import Iterable
from pathlib import Path

EVERY_ADDRESS = ("", "0.0.0.0", "::")
_FAMILIES = {"0.0.0.0": (4,), "::": (6,), "": (4, 6)}
_VIRTUAL = re.compile(r"(docker|br-|veth|virbr|vmnet|vboxnet|lxc|lxd|cni|flannel|podman|tun|tap|ifb|wg)")
"""Interfaces of containers, virtual machines and tunnels: colleagues most likely are not behind them."""
_ROUTES, _EVERYWHERE = Path("/proc/net/route"), "00000000"
"""Linux's routes of IPv4, and the destination of the one for everything else."""
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MAX_NAME_CHARS = 253

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def lan_addresses(host: str = "") -> list[str]:
    """The addresses at which others reach whoever listens on `host`, the likeliest first; none for an address
    of this machine alone."""
    return [address for address, _ in _found(host)]


def colleagues_addresses(host: str) -> list[str]:
    """The same without those of containers and tunnels, unless there are no others."""
    found = _found(host)
    return [address for address, is_virtual in found if not is_virtual] or [one for one, _ in found]


def _found(host: str) -> list[tuple[str, bool]]:
    """Addresses, and whether each belongs to a virtual interface."""
    if host in EVERY_ADDRESS:
        # Imported here: a server for this machine alone does without.
        import ifaddr

        # A service that is shut in may not ask for them (AF_NETLINK).
        with contextlib.suppress(OSError):
            own = [(one.nice_name, ip) for one in ifaddr.get_adapters() for ip in _plain(one.ips)]
            return _ordered(own, _FAMILIES[host])
        return []
    try:
        is_own = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_own = True
    return [] if is_own else [(host, False)]


def _plain(ips: Iterable[object]) -> list[str]:
    """As texts: of an IPv6 address the library also gives the flow and the scope."""
    values = (getattr(one, "ip", "") for one in ips)
    return [value[0] if isinstance(value, tuple) else str(value) for value in values]


def _ordered(found: Iterable[tuple[str, str]], families: tuple[int, ...]) -> list[tuple[str, bool]]:
    """Those that can be typed: by whether the interface is a real one, IPv4 first, and the one by which this
    machine speaks to others before its others."""
    outgoing = _outgoing()

    def rank(one: tuple[Address, str]) -> tuple[bool, bool, bool]:
        address, name = one
        return _is_virtual(name), address.version == 6, name != outgoing

    usable = {
        address: name
        for name, text in found
        if _is_typed(address := ipaddress.ip_address(text)) and address.version in families
    }
    return [(str(address), _is_virtual(name)) for address, name in sorted(usable.items(), key=rank)]


def _is_virtual(name: str) -> bool:
    return _VIRTUAL.match(name) is not None


def _is_typed(address: Address) -> bool:
    # A link-local IPv6 address needs the interface's name beside it, which no browser takes.
    local = address.version == 6 and address.is_link_local
    return not (address.is_loopback or address.is_unspecified or address.is_multicast or local)


def _outgoing() -> str:
    """The network card by which this machine speaks to others, where the system tells without being asked for
    a connection; else nothing."""
    with contextlib.suppress(OSError):
        for line in _ROUTES.read_text().splitlines()[1:]:
            name, destination = line.split()[:2]
            if destination == _EVERYWHERE:
                return name
    return ""


def machine_names() -> list[str]:
    """What this machine calls itself, and that below `.local`."""
    name = socket.gethostname().lower().rstrip(".")
    short = name.partition(".")[0]
    return list(dict.fromkeys(one for one in (name, f"{short}.local") if is_name(one)))


def is_name(text: str) -> bool:
    """Whether the text can be a host's name in a certificate."""
    return len(text) <= _MAX_NAME_CHARS and all(map(_LABEL.fullmatch, text.split(".")))
