"""How a device is taught to trust this server's own authority, and where plain http is sent."""

from __future__ import annotations

import re
from typing import Protocol
from urllib.parse import quote

from handlers.pages import StaticHandler, set_page_policy
from handlers.web.base import BaseHandler
from handlers.web.endpoint import Route, endpoint
from models.errors import NotFound

PAGE = "trust.html"
PLAIN_PATHS = ("/ca.crt", "/trust", "/static/", "/favicon.")
"""What is also answered without TLS: whoever does not trust the authority yet has to get it somehow, and
compares its fingerprint with what the server shows."""
_FINGERPRINT = b"that of <code>taskroom tls</code>"
"""Stands in the page for the fingerprint."""
_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_URI_CHARS = "/%?&=+:@!$'()*,;~-._"


class Certificate(Protocol):
    """What is asked of the certificate that the server shows."""

    root: bytes
    fingerprint: str


def root_of(handler: BaseHandler) -> Certificate:
    """The certificate of a server with its own authority. Raises NotFound for another one."""
    certificate: Certificate | None = handler.settings["certificate"]
    if certificate is None or not certificate.root:
        raise NotFound("This server has no authority of its own (`--tls auto`).")
    return certificate


class RootCertificate(BaseHandler):
    """The authority's own certificate."""

    @endpoint(answers={200: bytes}, public=True, throttled=False, errors=(404,))
    async def get(self) -> None:
        """The certificate of this server's own authority in PEM form, for devices that are to trust it."""
        content = root_of(self).root
        self.set_header("Content-Type", "application/x-x509-ca-cert")
        self.write(content)


class Trust(StaticHandler):
    """The page of instructions."""

    @endpoint(answers={200: bytes}, public=True, throttled=False, errors=(404,))
    async def get(self) -> None:
        """How each system is taught to trust this server's own authority."""
        fingerprint = root_of(self).fingerprint
        set_page_policy(self)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        page = (await self.settings["static_files"])[PAGE].content
        self.write(page.replace(_FINGERPRINT, fingerprint.replace(":", ":<wbr>").encode()))


class ToTls(BaseHandler):
    """Whatever comes plainly to a port of TLS."""

    async def prepare(self) -> None:
        """Sends the client to the same path by https, method and body included."""
        # Without the header, Tornado would name this machine by its loopback address.
        host = self.request.headers.get("Host", "")
        if not _HOST.fullmatch(host):
            address, port = self.tcp_stream.socket.getsockname()[:2]
            host = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        query = f"?{self.request.query}" if self.request.query else ""
        path = self.request.path if self.request.path.startswith("/") else "/"
        self.answer({"detail": "This server speaks https.", "code": "https_needed"}, 307)
        self.set_header("Location", f"https://{host}{quote(path + query, safe=_URI_CHARS)}")
        self.finish()


routes = [
    Route("/ca.crt", RootCertificate),
    Route("/trust/", Trust),
]
