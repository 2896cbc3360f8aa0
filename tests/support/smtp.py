"""A real SMTP server in a thread, which refuses, hangs or dies as a test tells it to."""

import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class MailServer:
    """`received` holds every mail that was accepted with a 250."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.attempts = 0
        self.answer_to_recipient = ""
        self.answer_to_data = ""
        self.hangs_after_data = False
        self._let_go = threading.Event()
        self._controller: Controller | None = None
        self.port = 0

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port or _free_port())
        self._controller.start()
        self.port = self._controller.port

    def let_go(self) -> None:
        """Whatever hangs goes on."""
        self._let_go.set()

    def stop(self) -> None:
        self._let_go.set()
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:
        self.attempts += 1
        if self.answer_to_recipient:
            return self.answer_to_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        if self.hangs_after_data:
            await server.loop.run_in_executor(None, self._let_go.wait, 20)
        if self.answer_to_data:
            return self.answer_to_data
        self.received.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients += envelope.rcpt_tos
        return "250 OK"


def _free_port() -> int:
    from tests.support.service import free_port

    return free_port()
