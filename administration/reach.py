"""Whether a server is reached at an address as by a browser: by HTTP, by WebSocket, with its certificate."""

from __future__ import annotations

import base64
import hashlib
import http.client
import ipaddress
import json
import secrets
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from administration.findings import PATIENCE_S

HEALTH, SOCKET = "/health/", "/ws/notifications/"
_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Unreached(Exception):
    """There was no answer; the text says why."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What answers at an address."""

    is_taskroom: bool
    headers: Mapping[str, str]


def ask(url: str) -> Reached:
    """Asks whoever answers at the base of a server's addresses. Raises Unreached."""
    status, headers, body = _request(url, HEALTH, {})
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    return Reached(status == 200 and answer == {"status": "ok"}, headers)


def upgrade_trouble(url: str) -> str | None:
    """Why a WebSocket cannot be opened at the address from its own pages, if it cannot."""
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    parts = urlsplit(url)
    asked = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Version": "13",
        "Origin": f"{parts.scheme}://{parts.netloc}",
    }
    status, headers, _ = _request(url, SOCKET, asked)
    if status != 101:
        return f"the handshake gets status {status} and not 101"
    accept = base64.b64encode(hashlib.sha1(key.encode() + _ACCEPT).digest()).decode()
    return None if headers.get("sec-websocket-accept") == accept else "the handshake gets a wrong answer"


def _request(url: str, path: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    place = parts.hostname or "", parts.port
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        # Whether the certificate is a good one is another question.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(*place, timeout=PATIENCE_S, context=context)
    else:
        connection = http.client.HTTPConnection(*place, timeout=PATIENCE_S)
    try:
        connection.request("GET", parts.path + path, headers=dict(headers))
        answer = connection.getresponse()
        body = b"" if answer.status == 101 else answer.read(1000)
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body
    except TimeoutError:
        raise Unreached(f"nothing answers within {PATIENCE_S:g} s") from None
    except (OSError, http.client.HTTPException) as error:
        raise Unreached(getattr(error, "strerror", None) or str(error) or type(error).__name__) from None
    finally:
        connection.close()


# -- certificates ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says."""

    names: list[str]
    days_left: float

    def covers(self, host: str) -> bool:
        """Whether it is for this host."""
        wild = "*." + host.partition(".")[2]
        known = {_plain(name) for name in self.names}
        return not known.isdisjoint((_plain(host), wild.lower()))


def _plain(name: str) -> str:
    """A name or address in the one way to write it: OpenSSL writes out every zero."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name.lower()


def own_certificate(cert: Path, key: Path | None) -> Certificate:
    """What the server would show. Raises Unreached for one that no browser takes any more."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(cert, key)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(cert)
    # The certificate is trusted itself here, and not only who has signed it.
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server, server_side=False),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(10):
        if all([_goes_on(end) for end in ends]):
            break
    return _read(ends[0].getpeercert() or {})


def _goes_on(end: ssl.SSLObject) -> bool:
    """Whether the handshake of this end is done."""
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLCertVerificationError as error:
        raise Unreached(error.verify_message) from None
    return True


def shown_certificate(url: str) -> Certificate:
    """What whoever serves the address shows. Raises Unreached for one that browsers warn of."""
    parts = urlsplit(url)
    place = (parts.hostname or "", parts.port or 443)
    try:
        with (
            socket.create_connection(place, PATIENCE_S) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=place[0]) as wrapped,
        ):
            return _read(wrapped.getpeercert() or {})
    except ssl.SSLCertVerificationError as error:
        raise Unreached(error.verify_message) from None
    except OSError as error:
        raise Unreached(error.strerror or str(error)) from None


def _read(found: Mapping[str, Any]) -> Certificate:
    ends_at = ssl.cert_time_to_seconds(found["notAfter"]) if "notAfter" in found else 0
    names = [name for kind, name in found.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
    return Certificate(names, (ends_at - time.time()) / 86400)
