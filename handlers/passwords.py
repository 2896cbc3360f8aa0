"""A new password: with the old one, or with a reset link."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from handlers import schemas
from handlers.auth import AuthHandler, EmailAddress, NewPasswordHandler, NewPasswordText, Password
from handlers.web.endpoint import Route, endpoint
from handlers.web.throttle import PASSWORD_RESET
from models.access import PERSON
from models.errors import DomainError, Invalid
from models.inputs import Input, Text
from models.operations import accounts

log = logging.getLogger("taskroom.http")


class ResetRequest(Input):
    """Whose password is to be set anew."""

    email: EmailAddress


class PasswordChange(Input):
    """One's password, and the one to take its place."""

    current_password: Password
    new_password: NewPasswordText


class NewPassword(Input):
    """What a reset link carries, and the new password."""

    uid: Text
    token: Text
    new_password: NewPasswordText


class RequestPasswordReset(AuthHandler):
    """Asks for a reset link."""

    @endpoint(body=ResetRequest, answers={200: schemas.Status}, public=True, throttled=False)
    async def post(self, body: ResetRequest) -> None:
        """Ask for a link with which to set a new password, by mail. The answer is the same whether or not
        the address is known."""
        await self.backend.throttle.count(PASSWORD_RESET, self.network)
        found = await self.store.read(accounts.reset_target, body.email)
        self.note("reset_asked", found[0] if found else None)
        if found is not None:
            reset = self.backend.resets.make(*found)
            link = reset.link(self.backend.settings.frontend_url, self.own_url)
            # Not waited for: a commit takes time, and the time would tell.
            self.store.submit(accounts.mail_reset_link, found[0], link).add_done_callback(_log_failure)
        self.answer({"status": "If this address is known, a link is on its way to it."})


def _log_failure(done: asyncio.Future[Any]) -> None:
    error = None if done.cancelled() else done.exception()
    if isinstance(error, DomainError):
        log.warning("a reset link could not be mailed: %s", error.detail)


class ConfirmPasswordReset(NewPasswordHandler):
    """Sets a new password with a reset link."""

    @endpoint(body=NewPassword, answers={200: schemas.Status}, public=True)
    async def post(self, body: NewPassword) -> None:
        """Set a new password with a reset link, which works once and for an hour; ends every session."""
        resets = self.backend.resets
        person_id = resets.person_id(body.uid)
        subject = await self.store.read(accounts.reset_subject, person_id)
        found = await self.store.read(accounts.own_secret, person_id)
        email = found[0] if found else ""
        if subject is None or not resets.is_valid(body.token, person_id, subject[0], email):
            self.note("reset_refused", person_id)
            raise Invalid({"token": ["This link has been used, or is not valid."]})
        proven_email = email if resets.is_mailed(body.token) else ""
        await self.replace_password(person_id, body.new_password, *subject, proven_email)
        self.answer({"status": "password changed"})


class ChangePassword(NewPasswordHandler):
    """Changes one's own password."""

    @endpoint(body=PasswordChange, answers={200: schemas.Status}, scope=PERSON)
    async def post(self, body: PasswordChange) -> None:
        """Change one's own password. Every session ends, this one too: sign in with the new one."""
        _, checked_hash = await self.check_password(body.current_password)
        subject = await self.store.read(accounts.reset_subject, self.actor.id)
        names = subject[1] if subject else ()
        await self.replace_password(self.actor.id, body.new_password, checked_hash, names)
        self.clear_auth_cookies()
        self.answer({"status": "password changed"})


routes = [
    Route("/api/password-reset/", RequestPasswordReset),
    Route("/api/password-reset/confirm/", ConfirmPasswordReset),
    Route("/api/users/profile/password/", ChangePassword),
]
