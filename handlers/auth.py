"""Signing in, staying signed in, signing out, registering, one's profile (documents A, C, D)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from handlers import answers
from handlers.base import BaseHandler, Endpoint, Route, endpoint
from models.base import SECOND_US
from models.errors import Invalid, Unauthenticated
from models.inputs import Input, Name, Text
from models.notifications import Quiet, zone
from models.operations import accounts
from models.operations.accounts import NewPerson, SignedIn
from models.operations.notifications import QuietChanges
from models.passwords import common, hash_password, matches, strong, weaknesses
from models.people import email_address, user_name
from models.tokens import ACCESS, REFRESH

REFRESH_PATHS = ("/api/auth", "/api/v2/auth", "/token-refresh")
"""Where the refresh cookie is sent: the paths that refresh and sign out, and nothing else."""

EmailAddress = Annotated[Text, Field(max_length=254), AfterValidator(email_address)]
Username = Annotated[Name, AfterValidator(user_name)]
NewPasswordText = Annotated[Text, AfterValidator(strong)]
ClockTime = Annotated[Text, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["22:00"])]
PersonalName = Annotated[Text, Field(max_length=150)]


def _known_zone(name: str) -> str:
    zone(name)
    return name


TimeZone = Annotated[Text, Field(max_length=64), AfterValidator(_known_zone)]


class Credentials(Input):
    """An address or a username, in either key, and the password."""

    one_of = (("email", "username"),)

    email: Text | None = None
    username: Text | None = None
    password: Text

    @property
    def login(self) -> str:
        """Whichever was given."""
        return self.email or self.username or ""


class Registration(Input):
    """A new person. Without a username it is the part of the address before @, made unique."""

    email: EmailAddress
    password: NewPasswordText
    username: Username | None = None
    first_name: PersonalName = ""
    last_name: PersonalName = ""


class RefreshToken(Input):
    """The refresh token; without it the cookie is taken."""

    refresh: Text | None = None


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


class QuietHours(Input):
    """When one is not told of anything but deadlines and system messages; it may reach over midnight."""

    start: ClockTime
    end: ClockTime
    time_zone: TimeZone = "UTC"

    @property
    def quiet(self) -> Quiet:
        """The same for the operation."""
        return Quiet(_minute(self.start), _minute(self.end), self.time_zone)


class ProfileChanges(Input):
    """What one may change about oneself; what is not sent stays. `quiet_hours` null is none."""

    hold_while_focusing: bool | None = None
    quiet_hours: QuietHours | None = None

    email: EmailAddress | None = None
    username: Username | None = None
    first_name: PersonalName | None = None
    last_name: PersonalName | None = None

    HOLDING: ClassVar[tuple[str, ...]] = ("hold_while_focusing", "quiet_hours")

    @property
    def holding(self) -> QuietChanges:
        """When one wants to be left alone."""
        quiet = self.quiet_hours
        none = quiet is None and "quiet_hours" in self.model_fields_set
        return QuietChanges(self.hold_while_focusing, quiet.quiet if quiet else None, none)


class NewPassword(Input):
    """What a reset link carries, and the new password."""

    uid: Text
    token: Text
    new_password: NewPasswordText


class AuthHandler(BaseHandler):
    """What signing in and out share: tokens and cookies."""

    @property
    def session_life_us(self) -> int:
        """How long a new session lasts."""
        return int(self.backend.settings.refresh_token_days * 24 * 3600 * SECOND_US)

    def welcome(self, signed_in: SignedIn, status: int) -> None:
        """Answers with tokens for the session, and sets them as cookies."""
        make = self.backend.authenticator.tokens.make
        refresh = make(REFRESH, signed_in.person_id, signed_in.session_id)
        self.set_refresh_cookie(refresh)
        access = self.give_access(signed_in)
        self.answer({"access": access, "refresh": refresh, "user": signed_in.user}, status)

    def give_access(self, signed_in: SignedIn) -> str:
        """A new access token for the session, also as cookie."""
        access = self.backend.authenticator.tokens.make(ACCESS, signed_in.person_id, signed_in.session_id)
        self._set_cookie("access", access, "/", self.backend.settings.access_token_minutes * 60)
        return access

    def set_refresh_cookie(self, token: str) -> None:
        """A cookie has one path, so the refresh token is set once for each that takes it."""
        for path in REFRESH_PATHS:
            self._set_cookie("refresh", token, path, self.backend.settings.refresh_token_days * 24 * 3600)

    def _set_cookie(self, name: str, value: str, path: str, life_s: float) -> None:
        secure = self.request.protocol == "https"
        # Tornado keeps one cookie of a name; the refresh token needs one for each path.
        cookie = f"{name}={value}; HttpOnly; Max-Age={int(life_s)}; Path={path}; SameSite=Lax"
        self.add_header("Set-Cookie", cookie + ("; Secure" if secure else ""))

    def clear_auth_cookies(self) -> None:
        """Removes every cookie that `welcome` sets."""
        self._set_cookie("access", "", "/", 0)
        for path in REFRESH_PATHS:
            self._set_cookie("refresh", "", path, 0)

    def refresh_cookie(self) -> str | None:
        """The refresh token of the cookie, if any. Raises Forbidden for another site's page."""
        cookie = self.get_cookie("refresh")
        if cookie:
            self.check_cookie_origin()
        return cookie


class NewPasswordHandler(AuthHandler):
    """What takes a new password."""

    async def read_inputs(self, declared: Endpoint, path_args: Sequence[str]) -> list[Any]:
        # The list that the check looks into takes a while to load, so not on the loop.
        await self.store.hash(common)
        return await super().read_inputs(declared, path_args)


class LogIn(AuthHandler):
    """Log in."""

    @endpoint(body=Credentials, answers={200: answers.SignedIn}, public=True)
    async def post(self, body: Credentials) -> None:
        """Log in with an address or a username, in either key. Sets the cookies `access` and `refresh`."""
        found = await self.store.read(accounts.credentials, body.login)
        # An unknown account costs a hash as well: the time tells nothing.
        right = await self.store.hash(matches, body.password, found[1] if found else None)
        if not found or not right:
            raise Unauthenticated("No active account found with the given credentials.", "no_active_account")
        self.welcome(await self.store.write(accounts.sign_in, *found, self.device, self.session_life_us), 200)


class Register(NewPasswordHandler):
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

    @endpoint(body=Registration, answers={201: answers.SignedIn}, public=True)
    async def post(self, body: Registration) -> None:
        """Register and log in. The first person ever becomes ceo, everyone after is an employee."""
        username = body.username or ""
        problems = await self.store.read(accounts.taken, body.email, username)
        names = (username, body.email, body.email.split("@")[0], body.first_name, body.last_name)
        if reasons := weaknesses(body.password, *names):
            problems["password"] = reasons
        if problems:
            raise Invalid(problems)
        hashed = await self.store.hash(hash_password, body.password)
        new = NewPerson(body.email, username, hashed, body.first_name, body.last_name)
        is_open = self.backend.settings.registration == "open"
        signed_in = await self.store.write(accounts.register, new, self.device, self.session_life_us, is_open)
        self.welcome(signed_in, 201)


class Refresh(AuthHandler):
    """Refresh."""

    @endpoint(body=RefreshToken, answers={200: answers.Refreshed}, public=True)
    async def post(self, body: RefreshToken) -> None:
        """A new access token for a refresh token, from the body or else from the cookie."""
        token = body.refresh or self.refresh_cookie()
        if not token:
            raise Unauthenticated("There is no refresh token, neither in the body nor as a cookie.")
        session_id = self.backend.authenticator.tokens.session_of(token, REFRESH)
        signed_in = await self.store.write(accounts.use_refresh, session_id)
        self.answer({"access": self.give_access(signed_in), "refresh": token})


class LogOut(AuthHandler):
    """Log out."""

    @endpoint(body=RefreshToken, answers={200: answers.Status}, public=True)
    async def post(self, body: RefreshToken) -> None:
        """End the session: its tokens are dead at once, its sockets close, the cookies go.

        An expired access token will do, and so will the refresh token.
        """
        await self.store.write(accounts.sign_out, self._session_id(body))
        self.clear_auth_cookies()
        self.answer({"status": "logged out"})

    def _session_id(self, body: RefreshToken) -> str:
        tokens = self.backend.authenticator.tokens
        try:
            return tokens.expired_session_of(self.token(), ACCESS)
        except Unauthenticated:
            refresh = body.refresh or self.refresh_cookie()
            if not refresh:
                raise
            return tokens.session_of(refresh, REFRESH)


class ConfirmPasswordReset(NewPasswordHandler):
    """Confirm."""

    @endpoint(body=NewPassword, answers={200: answers.Status}, public=True)
    async def post(self, body: NewPassword) -> None:
        """Set a new password with a reset link, which works once and for an hour; ends every session."""
        resets = self.backend.resets
        person_id = resets.person_id(body.uid)
        subject = await self.store.read(accounts.reset_subject, person_id)
        if subject is None or not resets.is_valid(body.token, person_id, subject[0]):
            raise Invalid({"token": ["This link has been used, or is not valid."]})
        if reasons := weaknesses(body.new_password, *subject[1]):
            raise Invalid({"new_password": reasons})
        hashed = await self.store.hash(hash_password, body.new_password)
        await self.store.write(accounts.set_password, person_id, hashed, subject[0])
        self.answer({"status": "password changed"})


class Profile(BaseHandler):
    """One's own profile."""

    @endpoint(answers={200: answers.Profile})
    async def get(self) -> None:
        """The signed-in person."""
        self.answer(await self.store.read(accounts.own_profile, self.actor))

    @endpoint(body=ProfileChanges, answers={200: answers.Profile})
    async def patch(self, body: ProfileChanges) -> None:
        """Change one's own name or address."""
        changes: dict[str, Any] = body.model_dump(exclude_none=True, exclude=set(ProfileChanges.HOLDING))
        await self.operate(accounts.update_profile, changes, self.expected_version(), body.holding)


routes = [
    Route("/api/auth/token/", LogIn),
    Route("/api/auth/login/", LogIn),
    Route("/api/users/auth/login/", LogIn),
    Route("/api/v2/auth/login/", LogIn),
    Route("/login/", LogIn),
    Route("/api/auth/token/refresh/", Refresh),
    Route("/api/v2/auth/token/refresh/", Refresh),
    Route("/token-refresh/", Refresh),
    Route("/api/register/", Register),
    Route("/api/users/auth/register/", Register),
    Route("/api/auth/register/", Register),
    Route("/api/v2/auth/register/", Register),
    Route("/register/", Register),
    Route("/api/auth/logout/", LogOut),
    Route("/api/v2/auth/logout/", LogOut),
    Route("/api/password-reset/confirm/", ConfirmPasswordReset),
    Route("/api/users/profile/", Profile),
    Route("/api/v2/auth/profile/", Profile),
]
