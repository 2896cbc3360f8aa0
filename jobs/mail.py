"""Sends what is queued in `models.mail`: in the background, again and again until the mail server has it.

A mail counts as sent once the server has answered its end with a 250. If the server, or this process,
goes before that answer is noted, the mail is sent again with the same Message-ID, by which a mailbox
recognises the second copy.
"""

from __future__ import annotations

import asyncio
import html
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

from models import mail
from models.base import SECOND_US
from models.database.store import Store
from models.errors import DomainError
from models.mail import Letter
from settings import Settings

log = logging.getLogger("taskroom.mail")
LOOK_EVERY_S = 2
# Well below the lease (`models.mail.LEASE_US`), so that nobody else takes a mail that is being sent.
SERVER_PATIENCE_S = 30
SEND_WITHIN_S = 120
FINISH_WITHIN_S = 5
_LINK = re.compile(r"https?://[^\s<>\"]+")


class _Refused(Exception):
    """The mail server does not want this mail, ever."""


class _Failed(Exception):
    """It did not work this time."""


class Courier:
    """One connection to the mail server, opened when there is something to send."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Any = None

    async def send(self, letter: Letter) -> None:
        """Hands a mail to the server. Raises _Refused, _Failed."""
        # Imported here because a server that sends no mail does not need it.
        import aiosmtplib

        message = _composed(letter, self._settings.mail_from)
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                client = await self._connected()
                sender = parseaddr(self._settings.mail_from)[1]
                await client.send_message(message, sender=sender, recipients=[letter.recipient])
        except ValueError as error:
            raise _Refused(f"this is no mail: {error}") from None
        except aiosmtplib.SMTPRecipientsRefused as error:
            await self.leave()
            raise _outcome(error.recipients[0]) from None
        except aiosmtplib.SMTPResponseException as error:
            await self.leave()
            raise _outcome(error) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            self._drop()
            raise _Failed(str(error) or type(error).__name__) from None

    async def try_connection(self) -> None:
        """Connects, logs in and leaves again. Raises whatever goes wrong with it."""
        await self._connected()
        await self.leave()

    async def _connected(self) -> Any:
        import aiosmtplib

        if self._client is None or not self._client.is_connected:
            parts = urlsplit(self._settings.smtp_url)
            self._client = aiosmtplib.SMTP(
                hostname=parts.hostname,
                port=parts.port,
                username=unquote(parts.username) if parts.username else None,
                password=unquote(parts.password) if parts.password else None,
                use_tls=parts.scheme == "smtps",
                timeout=SERVER_PATIENCE_S,
            )
            await self._client.connect()
        return self._client

    async def leave(self) -> None:
        """Says good-bye to the server, if it is still there to hear it."""
        import aiosmtplib

        client, self._client = self._client, None
        if client is not None and client.is_connected:
            try:
                await client.quit(timeout=1)
            except (aiosmtplib.SMTPException, OSError):
                client.close()

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def _outcome(error: Any) -> Exception:
    import aiosmtplib

    text = f"{error.code} {error.message}"
    # That a log-in or the sender is refused is the settings' fault and not the mail's.
    about_mail = isinstance(error, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError)
    is_final = about_mail and 550 <= error.code < 600
    return _Refused(text) if is_final else _Failed(text)


def _composed(letter: Letter, sender: str) -> EmailMessage:
    try:
        return compose(letter, sender)
    except Exception as error:
        # What `email` raises for a mistyped address is no common class: HeaderParseError, IndexError, ….
        raise _Refused(f"this is no mail: {type(error).__name__}: {error}") from None


def compose(letter: Letter, sender: str) -> EmailMessage:
    """The mail as it goes out: its text, and simple HTML of the same. Raises whatever `email` may."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = Address(addr_spec=letter.recipient)
    message["Subject"] = letter.subject
    queued_at = datetime.fromtimestamp(letter.created_at / SECOND_US, UTC)
    message["Date"] = format_datetime(queued_at)
    domain = parseaddr(sender)[1].rpartition("@")[2]
    message["Message-ID"] = f"<{letter.id}.{letter.created_at}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.body)
    message.add_alternative(as_html(letter.body), subtype="html")
    return message


def as_html(text: str) -> str:
    """Simple HTML of a plain text: its paragraphs, with links."""
    paragraphs = [part.strip("\n") for part in re.split(r"\n\s*\n", text) if part.strip()]
    body = "\n".join(f"<p>{_linked(part)}</p>" for part in paragraphs)
    return f'<!doctype html>\n<html><head><meta charset="utf-8"></head><body>\n{body}\n</body></html>\n'


def _linked(text: str) -> str:
    pieces, end = [], 0
    for link in _LINK.finditer(text):
        address = html.escape(link[0])
        pieces += [html.escape(text[end : link.start()]), f'<a href="{address}">{address}</a>']
        end = link.end()
    return "".join([*pieces, html.escape(text[end:])]).replace("\n", "<br>\n")


async def deliver(store: Store, courier: Courier) -> None:
    """Sends everything that is due. A mail server that does not answer ends the round."""
    try:
        while (letter := await store.write(mail.take)) is not None:
            if not await _finished(_deliver_one(store, courier, letter)):
                return
    finally:
        await courier.leave()


async def _finished(delivery: Coroutine[Any, Any, bool]) -> bool:
    """Its outcome. When the server stops, what is under way has a moment to be finished: a mail whose end
    the mail server has not answered yet would be sent again."""
    running = asyncio.ensure_future(delivery)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running], timeout=FINISH_WITHIN_S)
        running.cancel()
        raise


async def _deliver_one(store: Store, courier: Courier, letter: Letter) -> bool:
    """Whether the mail server may be asked for the next one."""
    try:
        await courier.send(letter)
    except _Refused as error:
        log.warning("mail %d is refused: %s", letter.id, error)
        await store.write(mail.failed, letter, str(error), True)
        return True
    except _Failed as error:
        log.warning("mail %d has to wait: %s", letter.id, error)
        await store.write(mail.failed, letter, str(error), False)
        return False
    await _insist(lambda: store.write(mail.sent, letter.id))
    return True


async def _insist(note: Callable[[], Awaitable[None]]) -> None:
    """Notes what has happened outside, however long the database is away: forgetting it would send twice."""
    while True:
        try:
            return await note()
        except DomainError as error:
            log.warning("a sent mail could not be noted yet: %s", error.detail)
        await asyncio.sleep(LOOK_EVERY_S)


class Post:
    """The job: looks for what is due; without a mail server it only says, once, that mail is kept."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._courier = Courier(settings) if settings.smtp_url else None
        self._said = False

    async def look(self) -> None:
        """One round."""
        if not await self._store.read(mail.is_due):
            return
        if self._courier is not None:
            await deliver(self._store, self._courier)
        elif not self._said:
            self._said = True
            log.info("smtp_url is empty: mail stays in the queue; see `server.py mail`")
