"""Registering (Task Manager, TaskConsumer, promptcraft), and who may be the first person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from handlers import schemas
from handlers.auth import (
    AuthHandler,
    EmailAddress,
    NewPasswordHandler,
    NewPasswordText,
    PersonalName,
    Username,
)
from handlers.web.endpoint import Endpoint, Route, endpoint
from models.errors import Forbidden, Invalid
from models.first_person import Claim, check_claim
from models.inputs import Input, storable
from models.operations import accounts
from models.operations.accounts import NewPerson
from models.passwords import hash_password, weaknesses

FirstCodeText = Annotated[
    str, Field(max_length=64, examples=["kq3v-7xhd-2mfa-c5ne"]), AfterValidator(storable)
]


class Registration(Input):
    """A new person. Without a username it is the part of the address before @, made unique. `first_code` is
    that of the link which the first person has."""

    email: EmailAddress
    password: NewPasswordText
    username: Username | None = None
    first_name: PersonalName = ""
    last_name: PersonalName = ""
    first_code: FirstCodeText = ""


class ClaimingHandler(AuthHandler):
    """What makes new people."""

    async def claim(self, code: str) -> Claim:
        """By which right whoever asks may be the first person. Raises Throttled, and Forbidden for a wrong
        code, or for none where one is needed."""
        first = self.backend.first
        if not code and not first.needs_link(self.request, self._allows):
            return Claim.HERE
        if not code:
            check_claim(Claim.NONE, not await first.is_somebody_here(self.store))
            return Claim.NONE
        if not await first.is_somebody_here(self.store):
            await self.count_log_in("first person")
            if not first.code.matches(code):
                self.note("first_link_refused")
                raise Forbidden(
                    "This is not the link that the server has shown. `taskroom first-link` shows it again.",
                    "first_link_wrong",
                )
        return Claim.LINK


class Register(ClaimingHandler, NewPasswordHandler):
    """Register."""

    async def read_inputs(self, declared: Endpoint, path_args: Sequence[str]) -> list[Any]:
        try:
            return await super().read_inputs(declared, path_args)
        except Invalid as error:
            # Somebody who has to correct one field learns at once that another is taken.
            right = {
                name: text
                for name in ("email", "username")
                if isinstance(text := self.raw_fields.get(name, ""), str) and name not in error.errors
            }
            taken = await self.store.read(accounts.taken, right.get("email", ""), right.get("username", ""))
            raise Invalid(error.errors | taken) from None

    @endpoint(body=Registration, answers={201: schemas.SignedIn}, public=True)
    async def post(self, body: Registration) -> None:
        """Register and log in. The first person ever becomes ceo, everyone after is an employee.

        While there is nobody, whoever is not at the machine itself needs the `first_code` of the link that
        the server shows at its start (the setting `first_link`); without it the answer is a 403 with the code
        `first_link_needed`. Later that link is refused with `first_link_over`.
        """
        claim = await self.claim(body.first_code)
        username = body.username or ""
        problems = await self.store.read(accounts.taken, body.email, username)
        names = (username, body.email, body.email.split("@")[0], body.first_name, body.last_name)
        if reasons := weaknesses(body.password, *names):
            problems["password"] = reasons
        if problems:
            raise Invalid(problems)
        hashed = await self.hash(hash_password, body.password)
        new = NewPerson(body.email, username, hashed, body.first_name, body.last_name)
        is_open = self.backend.settings.registration == "open"
        signed_in = await self.store.write(
            accounts.register, new, self.device, self.session_life_us, is_open, claim
        )
        self.note("registered", signed_in.person_id)
        self.welcome(signed_in, 201)


routes = [
    Route("/api/register/", Register),
    Route("/api/users/auth/register/", Register),
    Route("/api/auth/register/", Register),
    Route("/api/v2/auth/register/", Register),
    Route("/register/", Register),
]
