"""Sends one delivery of a webhook: signed, to a machine that may be asked, and without waiting for long.

Names are resolved in threads of their own, and what a name stands for is judged before a connection is
made to just that address: a name that means another machine a moment later changes nothing. Redirects are
not followed, nor is any proxy asked. Of the answer only the status counts.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tornado.netutil import Resolver

from models.operations.webhook_queue import Attempt, Parcel
from models.text import printable
from models.webhook_addresses import why_never

ANSWER_WITHIN_S = 10.0
SPARE_S = 5.0
"""The library's own deadline comes first; both are below the lease."""
MAX_ANSWER_BYTES = 64 * 1024
MAX_ERROR_CHARS = 200
RESOLVERS = 4


class AddressRefused(OSError):
    """Nothing is ever sent to this address."""


class _Judging(Resolver):
    """Resolves a name to those of its addresses that may be asked."""

    def initialize(self, may_be_own: bool, threads: ThreadPoolExecutor) -> None:
        self._may_be_own = may_be_own
        self._threads = threads

    async def resolve(
        self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[tuple[int, Any]]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _resolve, host, port, family, self._may_be_own)


def _resolve(host: str, port: int, family: socket.AddressFamily, may_be_own: bool) -> list[tuple[int, Any]]:
    found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    for kind, _, _, _, address in found:
        why = why_never(str(address[0]), _is_own(kind, str(address[0])), may_be_own)
        if why is not None:
            # All of them: a name with one good address and a bad one is no mistake.
            raise AddressRefused(f"Nothing is sent to {address[0]}: {why}.")
    return [(kind, address) for kind, _, _, _, address in found]


def _is_own(family: socket.AddressFamily, address: str) -> bool:
    """Whether this machine has the address: nobody can be at home at somebody else's."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


class WebhookClient:
    """Sends from one process. Belongs to one loop."""

    def __init__(self, may_be_own: bool) -> None:
        # Imported here because a server without webhooks does not need it.
        from tornado.simple_httpclient import SimpleAsyncHTTPClient

        self._threads = ThreadPoolExecutor(RESOLVERS, "webhook-names")
        self._http: Any = SimpleAsyncHTTPClient(
            force_instance=True,
            max_clients=1000,
            max_body_size=MAX_ANSWER_BYTES,
            max_buffer_size=MAX_ANSWER_BYTES,
            max_header_size=MAX_ANSWER_BYTES,
            resolver=_Judging(may_be_own=may_be_own, threads=self._threads),
        )

    async def send(self, parcel: Parcel) -> Attempt:
        """Sends it once; says what came of it, whatever that is."""
        begun = time.monotonic()
        seen: list[int] = []
        error = ""
        try:
            # Shielded: the library complains of what fails after nobody waits for it any more.
            async with asyncio.timeout(ANSWER_WITHIN_S + SPARE_S):
                await asyncio.shield(self._fetch(parcel, seen))
        except Exception as raised:
            # Whatever a network and a foreign server can do.
            error = _why(raised)
        status = seen[-1] if seen else None
        if status is not None:
            error = "" if 200 <= status < 300 else _refused(status)
        return Attempt(status, error, round(1000 * (time.monotonic() - begun)))

    def _fetch(self, parcel: Parcel, seen: list[int]) -> asyncio.Future[Any]:
        def note_status(line: str) -> None:
            # The rest of an answer may be long, or never come.
            if line.startswith("HTTP/"):
                seen.append(int(line.split(" ", 2)[1]))

        fetching: asyncio.Future[Any] = self._http.fetch(
            parcel.url,
            method="POST",
            body=parcel.body,
            headers=signed_headers(parcel.message_id, int(time.time()), parcel.body, parcel.secrets),
            raise_error=False,
            follow_redirects=False,
            decompress_response=False,
            connect_timeout=ANSWER_WITHIN_S,
            request_timeout=ANSWER_WITHIN_S,
            header_callback=note_status,
        )
        return fetching

    def close(self) -> None:
        """Ends what is under way."""
        self._http.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


def signed_headers(message_id: str, timestamp: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The headers of a delivery, as Standard Webhooks has them: one signature for each secret."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "Content-Type": "application/json",
        "User-Agent": "Taskroom-Webhook",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{_signature(secret, signed)}" for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _refused(status: int) -> str:
    if 300 <= status < 400:
        return f"The receiver answered {status}; redirects are not followed."
    return f"The receiver answered {status}."


def _why(error: BaseException) -> str:
    if "Timeout" in type(error).__name__:
        return f"There was no answer within {ANSWER_WITHIN_S:g} seconds."
    text = "The name is not known." if isinstance(error, socket.gaierror) else str(error)
    return printable(text or type(error).__name__)[:MAX_ERROR_CHARS]
