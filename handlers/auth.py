"""Signing in, staying signed in, signing out (Task Manager, TaskConsumer, promptcraft)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from handlers import schemas
from handlers.web import security_log
from handlers.web.base import BaseHandler
from handlers.web.endpoint import Endpoint, Page, Route, endpoint
from handlers.web.throttle import LOGIN, LOGIN_ADDRESS, USER
from handlers.web.throttle import REFRESH as REFRESH_RATE
from models import access
from models.access import PERSON
from models.base import SECOND_US
from models.errors import (
    DomainError,
    Forbidden,
    Invalid,
    SecondFactorRefused,
    SecondStepNeeded,
    Throttled,
    TokenNotValid,
    Unauthenticated,
    Unavailable,
)
from models.inputs import Input, Name, Text, storable
from models.keys import API_TOKEN
from models.names import label, user_name
from models.operations import accounts
from models.operations.accounts import Reused
from models.operations.signing_in import NextStep, SignedIn
from models.passwords import common, hash_password, matches, strong, weaknesses
from models.people import email_address
from models.text import MAX_LOGIN_CHARS, MAX_NAME_CHARS, MAX_PASSWORD_CHARS, fold
from models.tokens import ACCESS, REFRESH

REFRESH_PATHS = ("/api/auth", "/api/v2/auth", "/token-refresh")
"""Where the refresh cookie is sent: the paths that refresh and sign out, and nothing else."""
SIGNED_IN_COOKIE = "signed_in"
"""Tells a page's script that there may be a session, and nothing else: the tokens are kept from scripts."""

SECOND_STEP, SECOND_STEP_LIFE_S = "second step", 600

Username = Annotated[Name, AfterValidator(user_name)]
Login = Annotated[str, Field(max_length=MAX_LOGIN_CHARS), AfterValidator(storable)]
EmailAddress = Annotated[Login, AfterValidator(email_address)]
Password = Annotated[str, Field(max_length=MAX_PASSWORD_CHARS), AfterValidator(storable)]
OneTimeCode = Annotated[str, Field(max_length=64, examples=["123456"]), AfterValidator(storable)]
"""Of an app, or a recovery code."""
NewPasswordText = Annotated[Password, AfterValidator(strong)]
PersonalName = Annotated[
    str, Field(max_length=MAX_NAME_CHARS), AfterValidator(storable), AfterValidator(label)
]


class Credentials(Input):
    """An address or a username, in either key, and the password; `otp` is a code of one's second factor, for
    whoever has one."""

    one_of = (("email", "username"),)

    email: Login | None = None
    username: Login | None = None
    password: Password
    otp: OneTimeCode | None = None

    @property
    def login(self) -> str:
        """Whichever was given."""
        return self.email or self.username or ""


class RefreshToken(Input):
    """The refresh token; without it the cookie is taken."""

    refresh: Text | None = None


class AuthHandler(BaseHandler):
    """What signing in and out share: tokens and cookies."""

    @property
    def session_life_us(self) -> int:
        """How long a new session lasts."""
        return int(self.backend.settings.refresh_token_days * 24 * 3600 * SECOND_US)

    def welcome(self, signed_in: SignedIn, status: int) -> None:
        """Answers with tokens for the session, and sets them as cookies."""
        access, refresh = self.give_cookies(signed_in)
        self.answer({"access": access, "refresh": refresh, "user": signed_in.user}, status)

    def give_cookies(self, signed_in: SignedIn) -> tuple[str, str]:
        """Tokens for the session, set as cookies: access and refresh."""
        make = self.backend.authenticator.tokens.make
        refresh = make(REFRESH, signed_in.person_id, signed_in.session_id)
        self.set_refresh_cookie(refresh)
        return self.give_access(signed_in), refresh

    def go_to(self, url: str) -> None:
        """Answers with a redirect."""
        self.set_status(302)
        self.set_header("Location", url)
        self.clear_header("Content-Type")

    async def count_log_in(self, login: str) -> None:
        """Counts an attempt to sign in with this name or address. Raises Throttled.

        Counted for this account from this address, and for all accounts from this address: neither
        locks anybody out elsewhere. A name and the address that begins with it are one account, known
        here or not: so the count does not tell.
        """
        try:
            await self.backend.throttle.count(LOGIN_ADDRESS, self.network)
            await self.backend.throttle.count(LOGIN, self.network, fold(login).partition("@")[0])
        except Throttled:
            self.note("log_in_throttled", name=login)
            raise

    async def count_person(self, person_id: int) -> None:
        """Counts a try to sign in as a person who is known: one account, whatever name it was called by."""
        try:
            await self.backend.throttle.count(LOGIN, self.network, f"person {person_id}")
        except Throttled:
            self.note("log_in_throttled", person_id)
            raise

    async def count_code(self, person_id: int) -> None:
        """Counts a code that is tried for a person, from wherever: who tries has taken the first step, so
        nobody else is kept out. Raises Throttled."""
        try:
            await self.backend.throttle.count(LOGIN, f"second factor of {person_id}")
        except Throttled:
            self.note("second_factor_throttled", person_id)
            raise

    async def enter(self, person_id: int, operation: Callable[..., Any], *args: Any) -> SignedIn | NextStep:
        """Runs what starts a session with a code, if there is one. Raises SecondFactorRefused."""
        try:
            entered: SignedIn | NextStep = await self.store.write(operation, *args)
        except SecondFactorRefused:
            self.note("second_factor_refused", person_id)
            raise
        return entered

    def check_entered(self, entered: SignedIn | NextStep, onward: str = "") -> SignedIn:
        """The session that has been started. Raises SecondStepNeeded if there is none yet."""
        if isinstance(entered, NextStep):
            raise SecondStepNeeded(self.second_step_token(entered, onward), entered.is_setup)
        return entered

    def second_step_token(self, step: NextStep, onward: str) -> str:
        """What stands for a first step that was right, for a while; `onward` is where to go afterwards."""
        self.note("second_factor_needed", step.person_id)
        content = {"person": step.person_id, "proof": step.proof, "next": onward}
        return self.backend.signer.make(SECOND_STEP, content, SECOND_STEP_LIFE_S)

    def note(self, event: str, person_id: int | None = None, **details: object) -> None:
        """Logs what touches somebody's identity."""
        security_log.note(self.request, event, person_id, **details)

    @property
    def own_url(self) -> str:
        """Where this server is reached, for a link that goes to somebody else. The Host header is the
        sender's to choose, and a link with a token must lead nowhere but here."""
        if self.backend.settings.backend_url:
            return self.backend.settings.backend_url
        connection = self.tcp_stream.socket
        if connection is None:
            raise Unavailable("The client has gone.")
        address, port = connection.getsockname()[:2]
        host = f"[{address}]" if ":" in address else address
        return f"{self.request.protocol}://{host}:{port}"

    async def check_password(self, password: str) -> tuple[str, str]:
        """The actor's address, and the hash that their password matches. Raises Throttled, Invalid, and
        Forbidden for an API token."""
        access.check_scope(self.actor, PERSON)
        await self.count_log_in(self.actor.username)
        await self.count_person(self.actor.id)
        found = await self.store.read(accounts.own_secret, self.actor.id)
        if found is None or not await self.hash(matches, password, found[1]):
            self.note("password_refused", self.actor.id)
            raise Invalid({"current_password": ["This is not your password."]})
        return found

    def give_access(self, signed_in: SignedIn) -> str:
        """A new access token for the session, also as cookie."""
        access = self.backend.authenticator.tokens.make(ACCESS, signed_in.person_id, signed_in.session_id)
        self.set_auth_cookie("access", access, "/", self.backend.settings.access_token_minutes * 60)
        return access

    def set_refresh_cookie(self, token: str) -> None:
        """Sets the refresh token, once for each path that takes it, and the sign that there is one."""
        life_s = self.backend.settings.refresh_token_days * 24 * 3600
        # A cookie has one path.
        for path in REFRESH_PATHS:
            self.set_auth_cookie("refresh", token, path, life_s)
        self._set_cookie(f"{SIGNED_IN_COOKIE}=1", "/", life_s)

    def set_auth_cookie(self, name: str, value: str, path: str, life_s: float) -> None:
        """Sets a cookie that scripts and other sites' requests do not get; a life of 0 removes it."""
        self._set_cookie(f"{name}={value}; HttpOnly", path, life_s)

    def _set_cookie(self, cookie: str, path: str, life_s: float) -> None:
        secure = "; Secure" if self.request.protocol == "https" else ""
        # Tornado keeps one cookie of a name; the refresh token needs one for each path.
        self.add_header("Set-Cookie", f"{cookie}; Max-Age={int(life_s)}; Path={path}; SameSite=Lax{secure}")

    def clear_auth_cookies(self) -> None:
        """Removes every cookie that `welcome` sets."""
        self.set_auth_cookie("access", "", "/", 0)
        for path in REFRESH_PATHS:
            self.set_auth_cookie("refresh", "", path, 0)
        self._set_cookie(f"{SIGNED_IN_COOKIE}=", "/", 0)

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
        await self.hash(common)
        return await super().read_inputs(declared, path_args)

    async def replace_password(
        self, person_id: int, password: str, old_hash: str, names: Sequence[str], proven_email: str = ""
    ) -> None:
        """Sets a new password in place of the one with this hash, and ends every session. An address that
        the person has proven to be theirs is verified with it. Raises Invalid."""
        if reasons := weaknesses(password, *names):
            raise Invalid({"new_password": reasons})
        hashed = await self.hash(hash_password, password)
        await self.store.write(accounts.set_password, person_id, hashed, old_hash, proven_email)
        self.note("password_changed", person_id, sessions="ended")


class LogIn(AuthHandler):
    """Log in."""

    @endpoint(body=Credentials, answers={200: schemas.SignedIn}, public=True, throttled=False)
    async def post(self, body: Credentials) -> None:
        """Log in with an address or a username, in either key. Sets the cookies `access` and `refresh`.

        Whoever has a second factor sends a code of it as `otp` as well. Without one the answer is a 401 with
        the code `second_factor_required`, and with `second_factor_setup_required` where one's role needs a
        second factor that is not there yet; `second_step` then goes on at `/api/v2/auth/second-factor/`.
        """
        await self.count_log_in(body.login)
        found = await self.store.read(accounts.credentials, body.login)
        if found:
            await self.count_person(found[0])
        # An unknown account costs a hash as well: the time tells nothing.
        right = await self.hash(matches, body.password, found[1] if found else None)
        if not found or not right:
            self.note("log_in_refused", found[0] if found else None, name=None if found else body.login)
            raise Unauthenticated("No active account found with the given credentials.", "no_active_account")
        if body.otp:
            await self.count_code(found[0])
        start = (accounts.sign_in, *found, self.device, self.session_life_us, body.otp)
        signed_in = self.check_entered(await self.enter(found[0], *start))
        self.note("log_in", signed_in.person_id)
        self.welcome(signed_in, 200)


class Refresh(AuthHandler):
    """Refresh."""

    cookies_are_stale = False
    """Whether the browser's cookies are of no use any more; an error does not reach them otherwise."""

    def answer_error(self, error: DomainError) -> None:
        """Also removes the cookies of a session that has ended, so that nobody asks with them again."""
        super().answer_error(error)
        if self.cookies_are_stale:
            self.clear_auth_cookies()

    @endpoint(body=RefreshToken, answers={200: schemas.Refreshed}, public=True, throttled=False)
    async def post(self, body: RefreshToken) -> None:
        """A new access token for a refresh token, from the body or else from the cookie.

        Without either the answer is a 400. With the setting `rotate_refresh` also a new refresh token: the
        old one works on for 30 seconds, and using it later ends the session.
        """
        # A rate of its own: a client that asks for ever must not use up what its office shares.
        await self.backend.throttle.count(REFRESH_RATE, self.network)
        token = body.refresh or self.refresh_cookie()
        if not token:
            # Only if our own page asked: a form on another site is sent without any of our cookies.
            self.cookies_are_stale = bool(self.get_cookie(SIGNED_IN_COOKIE))
            # No 401: promptcraft's client answers each of those with another refresh, and so on for ever.
            raise Invalid({"refresh": ["This field is required."]})
        try:
            signed_in, token = await self._exchange(token)
        except TokenNotValid:
            self.note("refresh_refused")
            self.cookies_are_stale = not body.refresh
            raise
        self.answer({"access": self.give_access(signed_in), "refresh": token})

    async def _exchange(self, token: str) -> tuple[SignedIn, str]:
        session_id, token_id = self.backend.authenticator.tokens.refresh_of(token)
        await self.backend.throttle.count(USER, f"session {session_id}")
        if self.backend.settings.rotate_refresh:
            return await self._rotate(session_id, token_id)
        return await self.store.write(accounts.use_refresh, session_id), token

    async def _rotate(self, session_id: str, token_id: str) -> tuple[SignedIn, str]:
        given = await self.store.write(accounts.rotate_refresh, session_id, token_id, secrets.token_hex(16))
        if isinstance(given, Reused):
            self.note("session_ended", given.person_id, by="reuse of a refresh token")
            raise TokenNotValid("This refresh token was used before; the session has been ended.")
        signed_in, new_id = given
        make = self.backend.authenticator.tokens.make
        token = make(REFRESH, signed_in.person_id, session_id, new_id)
        self.set_refresh_cookie(token)
        return signed_in, token


class LogOut(AuthHandler):
    """Log out."""

    @endpoint(body=RefreshToken, answers={200: schemas.Status}, public=True, throttled=False)
    async def post(self, body: RefreshToken) -> None:
        """End the session: its tokens are dead at once, its sockets close, the cookies go.

        An expired access token will do, and so will the refresh token.
        """
        person_id = await self.store.write(accounts.sign_out, self._session_id(body))
        self.note("session_ended", person_id, by="log_out")
        self.clear_auth_cookies()
        self.answer({"status": "logged out"})

    def _session_id(self, body: RefreshToken) -> str:
        tokens = self.backend.authenticator.tokens
        try:
            token = self.token()
            if API_TOKEN.is_named(token):
                raise Forbidden("An API token does not sign out: revoke it in the profile.", "token_scope")
            return tokens.expired_session_of(token, ACCESS)
        except Unauthenticated:
            refresh = body.refresh or self.refresh_cookie()
            if not refresh:
                raise
            return tokens.session_of(refresh, REFRESH)


class Sessions(BaseHandler):
    """Where one is signed in."""

    @endpoint(query=Page, answers={200: schemas.SessionPage})
    async def get(self, query: Page) -> None:
        """One's own sessions, the last used first."""
        count, results = await self.store.read(
            accounts.list_sessions, self.actor, query.page_size, query.offset
        )
        self.answer_page(count, results, query)


class OneSession(BaseHandler):
    """One session."""

    def path_value(self, text: str) -> str:
        return text

    @endpoint(answers={204: None}, scope=PERSON)
    async def delete(self, session_id: str) -> None:
        """End one of one's own sessions: its tokens are dead at once, its sockets close."""
        await self.store.write(accounts.end_session, self.actor, session_id)
        security_log.note(self.request, "session_ended", self.actor.id, by="its owner")
        self.answer(None, 204)


routes = [
    Route("/api/auth/token/", LogIn),
    Route("/api/auth/login/", LogIn),
    Route("/api/users/auth/login/", LogIn),
    Route("/api/v2/auth/login/", LogIn),
    Route("/login/", LogIn),
    Route("/api/auth/token/refresh/", Refresh),
    Route("/api/v2/auth/token/refresh/", Refresh),
    Route("/token-refresh/", Refresh),
    Route("/api/auth/logout/", LogOut),
    Route("/api/v2/auth/logout/", LogOut),
    Route("/api/auth/sessions/", Sessions),
    Route("/api/auth/sessions/{id...}/", OneSession),
]
