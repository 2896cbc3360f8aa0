"""What a reverse proxy says about the client: believed only from addresses that a setting names."""

from __future__ import annotations

import ipaddress

from tornado.httputil import HTTPServerRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


def apply(request: HTTPServerRequest, proxies: Networks) -> None:
    """Puts the client's address, scheme and host into the request, if it came through a named proxy."""
    if not proxies or not is_proxy(request.remote_ip or "", proxies):
        return
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    # From the right: each proxy appended who spoke to it; the first unknown one is the client.
    client = next((part for part in reversed(forwarded) if not is_proxy(part, proxies)), "")
    address = _address(client)
    if address is not None:
        request.remote_ip = str(address)
    scheme = request.headers.get("X-Forwarded-Proto", "").split(",")[-1].strip().lower()
    if scheme in ("http", "https"):
        request.protocol = scheme
    host = request.headers.get("X-Forwarded-Host", "").split(",")[-1].strip()
    if host:
        request.host = host


def is_proxy(text: str, proxies: Networks) -> bool:
    """Whether the text is the address of a named proxy."""
    return is_among(text, proxies)


def is_among(text: str | None, networks: Networks) -> bool:
    """Whether the text is an address of these networks."""
    address = _address(text or "")
    return address is not None and any(address in network for network in networks)


def _address(text: str) -> Address | None:
    """The address; that of an IPv4 client of an IPv6 socket (`::ffff:10.0.0.1`) is its IPv4 address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
