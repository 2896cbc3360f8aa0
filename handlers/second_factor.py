"""A second factor: a code of an app beside the password; for whoever wants it, and whose role needs it."""

from __future__ import annotations

from typing import Any

from handlers import schemas
from handlers.auth import SECOND_STEP, AuthHandler, OneTimeCode, Password
from handlers.web.endpoint import Route, endpoint
from handlers.web.throttle import LOGIN_ADDRESS
from models.access import PERSON
from models.errors import Invalid
from models.inputs import Input, Text
from models.operations import second_factor, signing_in
from models.second_factor import Setup


class SecondStep(Input):
    """What stands for the first step, and a code."""

    token: Text
    otp: OneTimeCode


class FirstStep(Input):
    """What stands for the first step."""

    token: Text


class OwnPassword(Input):
    """One's password."""

    current_password: Password


class Code(Input):
    """A code of the app."""

    otp: OneTimeCode


class PasswordAndCode(Input):
    """One's password, and a code of the app or a recovery code."""

    current_password: Password
    otp: OneTimeCode


def _setup_json(setup: Setup) -> dict[str, Any]:
    # Imported here: most servers never draw one.
    import segno

    picture = segno.make(setup.uri, error="m").svg_data_uri(scale=4, dark="#000", light="#fff")
    return {"secret": setup.secret, "uri": setup.uri, "qr_code": picture}


class SecondStepHandler(AuthHandler):
    """What goes on from a first step that was right."""

    async def read_first_step(self, token: str) -> dict[str, Any]:
        """What the token says. Raises Invalid, Throttled."""
        await self.backend.throttle.count(LOGIN_ADDRESS, self.network)
        content = self.backend.signer.read(SECOND_STEP, token)
        if content is None:
            raise Invalid({"token": ["This sign-in is over. Please start again."]})
        return content


class TakeSecondStep(SecondStepHandler):
    """Signs in by a second step."""

    @endpoint(body=SecondStep, answers={200: schemas.SecondStepTaken}, public=True, throttled=False)
    async def post(self, body: SecondStep) -> None:
        """Log in with a code, after a first step whose answer carried `second_step`. The first code of an app
        that is being set up has it count, and brings the recovery codes."""
        content = await self.read_first_step(body.token)
        person_id = content["person"]
        await self.count_code(person_id)
        start = (person_id, content["proof"], body.otp, self.device, self.session_life_us)
        signed_in = self.check_entered(await self.enter(person_id, signing_in.take_second_step, *start))
        if signed_in.recovery_codes:
            self.note("second_factor_on", person_id)
        self.note("log_in", person_id, by="second factor")
        access, refresh = self.give_cookies(signed_in)
        given = {"access": access, "refresh": refresh, "user": signed_in.user, "next": content["next"]}
        self.answer(given | {"recovery_codes": list(signed_in.recovery_codes)})


class BeginSetupAtDoor(SecondStepHandler):
    """Sets up a second factor that one's role needs, before there is a session."""

    @endpoint(body=FirstStep, answers={200: schemas.SecondFactorSetup}, public=True, throttled=False)
    async def post(self, body: FirstStep) -> None:
        """A new secret for an app, after a first step whose answer was `second_factor_setup_required`."""
        content = await self.read_first_step(body.token)
        setup = await self.store.write(signing_in.begin_setup, content["person"], content["proof"])
        self.answer(_setup_json(setup))


class OwnSecondFactor(AuthHandler):
    """One's own second factor."""

    @endpoint(answers={200: schemas.SecondFactorState})
    async def get(self) -> None:
        """Whether one has a second factor, whether one's role needs it, and what recovery codes are left."""
        self.answer(await self.store.read(second_factor.state, self.actor))

    @endpoint(body=OwnPassword, answers={200: schemas.SecondFactorSetup}, scope=PERSON)
    async def post(self, body: OwnPassword) -> None:
        """A new secret for an app. It counts once a code of it has been confirmed."""
        _, checked_hash = await self.check_password(body.current_password)
        setup = await self.store.write(second_factor.begin, self.actor, checked_hash)
        self.answer(_setup_json(setup))


class ConfirmSecondFactor(AuthHandler):
    """Has a second factor count."""

    @endpoint(body=Code, answers={200: schemas.RecoveryCodes}, scope=PERSON)
    async def post(self, body: Code) -> None:
        """Confirm the app with a code of it: from here on it is asked for. Brings the recovery codes."""
        await self.count_code(self.actor.id)
        codes = await self.store.write(second_factor.confirm, self.actor, body.otp)
        self.note("second_factor_on", self.actor.id)
        self.answer({"recovery_codes": codes})


class RenewRecoveryCodes(AuthHandler):
    """Makes recovery codes anew."""

    @endpoint(body=PasswordAndCode, answers={200: schemas.RecoveryCodes}, scope=PERSON)
    async def post(self, body: PasswordAndCode) -> None:
        """New recovery codes in the place of the old ones."""
        _, checked_hash = await self.check_password(body.current_password)
        await self.count_code(self.actor.id)
        codes = await self.store.write(second_factor.renew_recovery_codes, self.actor, checked_hash, body.otp)
        self.note("recovery_codes_renewed", self.actor.id)
        self.answer({"recovery_codes": codes})


class SwitchSecondFactorOff(AuthHandler):
    """Switches one's own second factor off."""

    @endpoint(body=PasswordAndCode, answers={200: schemas.SecondFactorState}, scope=PERSON)
    async def post(self, body: PasswordAndCode) -> None:
        """Sign in with the password alone again; not for a role that needs a second factor."""
        _, checked_hash = await self.check_password(body.current_password)
        await self.count_code(self.actor.id)
        await self.store.write(second_factor.switch_off, self.actor, checked_hash, body.otp)
        self.note("second_factor_off", self.actor.id)
        self.answer(await self.store.read(second_factor.state, self.actor))


class ResetSecondFactor(AuthHandler):
    """Removes somebody's second factor."""

    @endpoint(answers={200: schemas.User}, scope=PERSON)
    async def post(self, person_id: int) -> None:
        """Remove the second factor of somebody who has lost app and recovery codes, and end their sessions:
        for hr and ceo."""
        await self.operate(second_factor.reset, person_id)
        self.note("second_factor_off", person_id, by=self.actor.id)


routes = [
    Route("/api/v2/auth/second-factor/", TakeSecondStep),
    Route("/api/v2/auth/second-factor/begin/", BeginSetupAtDoor),
    Route("/api/users/profile/second-factor/", OwnSecondFactor),
    Route("/api/users/profile/second-factor/confirm/", ConfirmSecondFactor),
    Route("/api/users/profile/second-factor/recovery-codes/", RenewRecoveryCodes),
    Route("/api/users/profile/second-factor/off/", SwitchSecondFactorOff),
    Route("/api/users/{id}/reset_second_factor/", ResetSecondFactor),
]
