"""What a reverse proxy says about the client: believed only from the addresses that a setting names."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from tornado.httputil import HTTPServerRequest


def apply(request: HTTPServerRequest, proxies: Sequence[str]) -> None:
    """Puts the client's address, scheme and host into the request, if it came through a named proxy."""
    if not proxies or request.remote_ip not in proxies:
        return
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    # From the right: each proxy appended who spoke to it; the first unknown one is the client.
    client = next((part for part in reversed(forwarded) if part not in proxies), "")
    if _is_address(client):
        request.remote_ip = client
    scheme = request.headers.get("X-Forwarded-Proto", "").split(",")[-1].strip().lower()
    if scheme in ("http", "https"):
        request.protocol = scheme
    host = request.headers.get("X-Forwarded-Host", "").split(",")[-1].strip()
    if host:
        request.host = host


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
