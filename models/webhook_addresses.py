"""Where webhooks may go: what an address must look like, which machines are never asked, and what the ceo
has allowed."""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from urllib.parse import SplitResult, urlsplit

import peewee

from models.base import InstantField, Statement, Table
from models.people import Person

MAX_URL_CHARS = 2000
MAX_ADDRESSES = 200
_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
# What resolvers read as a number: 2130706433, 0x7f.1, 127.1.
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")
_SHARED = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 within IPv6, as NAT64 has it."""

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class AllowedAddress(Table):
    """An origin (`scheme://host[:port]`) that webhooks may be sent to."""

    id = peewee.AutoField()
    origin = peewee.TextField(unique=True)
    added_by = peewee.ForeignKeyField(Person, lazy_load=False)
    added_by_id: Any
    added_at = InstantField()

    class Meta:
        table_name = "webhook_address"


_allows = Statement("SELECT 1 FROM webhook_address WHERE origin = ?")


def is_allowed(origin: str) -> bool:
    """Query: whether webhooks may be sent to this origin."""
    return _allows.one(origin) is not None


def check_url(text: str) -> str:
    """The address of a webhook, trimmed. Raises ValueError for what is none, or has credentials in it."""
    url = text.strip()
    parts = _parts(url)
    if parts.fragment or "#" in url:
        raise ValueError("An address with a # in it cannot be asked.")
    _host_of(parts)
    return url


def check_origin(text: str) -> str:
    """The origin that an address has, if it is nothing more. Raises ValueError."""
    parts = _parts(text.strip())
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(
            "Give scheme, host and port only, like https://ci.example.org or http://10.0.0.7:9000."
        )
    return origin_of(text)


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, spelt one way. Raises ValueError."""
    parts = _parts(url.strip())
    host = _host_of(parts)
    port = parts.port if parts.port not in (None, _PORTS[parts.scheme]) else None
    return f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")


def _parts(url: str) -> SplitResult:
    if len(url) > MAX_URL_CHARS:
        raise ValueError(f"An address has at most {MAX_URL_CHARS} characters.")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("An address has no spaces, and only ASCII characters: others are percent-encoded.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("This is not an address with a valid host and port.") from None
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise ValueError("An address begins with http:// or https:// and names a host.")
    if "@" in parts.netloc:
        raise ValueError("An address must not carry credentials: receivers know a webhook by its signature.")
    return parts


def _host_of(parts: SplitResult) -> str:
    """The host, spelt one way. Raises ValueError for a number that is no address as people write it."""
    host = (parts.hostname or "").rstrip(".")
    if ":" in host:
        if "%" in host:
            raise ValueError("An address with a zone is of one machine's own network only.")
        try:
            return f"[{ipaddress.IPv6Address(host).compressed}]"
        except ValueError:
            raise ValueError("This is no IPv6 address.") from None
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise ValueError("Write an IPv4 address as four decimal numbers, like 192.168.1.7.") from None
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise ValueError("This is no name of a host.")
    return host


def why_never(address: str, is_own: bool, may_be_own: bool) -> str | None:
    """Why nothing is sent to a resolved address; None if it may be. `is_own` says that the address is one of
    this machine's."""
    ip = _plain(ipaddress.ip_address(address.partition("%")[0]))
    if ip.is_unspecified or ip.is_link_local or ip.is_multicast:
        return "it is no address of a single machine on the network"
    if ip.is_loopback or is_own:
        return None if may_be_own else "it is this machine itself"
    return "it is reserved" if ip.is_reserved or ip == ipaddress.IPv4Address("255.255.255.255") else None


def _plain(ip: IpAddress) -> IpAddress:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if not isinstance(ip, ipaddress.IPv6Address):
        return ip
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    low = int(ip) & 0xFFFFFFFF
    # Also ::7f00:1, as IPv4 was once written, but not ::1 and ::.
    is_compatible = int(ip) >> 32 == 0 and low > 0xFFFF
    return ipaddress.IPv4Address(low) if ip in _SHARED or is_compatible else ip


def literal_problem(url: str, may_be_own: bool) -> str | None:
    """Why nothing is ever sent to an address that names no host but a number; None of all others."""
    host = origin_of(url).partition("://")[2]
    host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    try:
        return why_never(host, is_own=False, may_be_own=may_be_own)
    except ValueError:
        return None
