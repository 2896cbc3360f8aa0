"""Signing in with an account at a provider (promptcraft): there with `state` and PKCE, back once."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import unquote, urlencode

from pydantic import AfterValidator, Field

from handlers import schemas
from handlers.auth import Password
from handlers.providers import Provider, configured
from handlers.registering import ClaimingHandler, FirstCodeText
from handlers.web import security_log
from handlers.web.base import BaseHandler
from handlers.web.endpoint import Route, endpoint
from handlers.web.throttle import LOGIN_ADDRESS
from models.base import SECOND_US
from models.errors import Forbidden, Invalid, NotFound
from models.first_person import Claim, check_claim
from models.inputs import Input, Text
from models.operations import accounts, social
from models.operations.signing_in import NextStep
from models.operations.social import Attempt, PasswordNeeded, Profile
from models.passwords import hash_password, matches
from models.social import ATTEMPT_LIFE_US
from settings import Settings

CALLBACK = "/api/v2/auth/social/callback/"
_COOKIE = "social_{}"
_FIRST_COOKIE = "first_code"
_MAX_NEXT_CHARS = 500
LINK_PURPOSE, LINK_LIFE_S = "link", 600


def _own_path(text: str) -> str:
    """A path of the same origin. Browsers read `//host` and `/\\host` as another origin, and so may
    whatever decodes the path once more."""
    plain = text
    for _ in range(3):
        plain = unquote(plain)
    for form in (text, plain):
        if not form.startswith("/") or form.startswith("//") or "\\" in form or not form.isprintable():
            raise ValueError("This must be a path on this site, like /tasks.")
    return text


class SocialStart(Input):
    """Where to go afterwards; `first_code` is that of the link which the first person has."""

    next: Annotated[Text, Field(max_length=_MAX_NEXT_CHARS), AfterValidator(_own_path)] = "/"
    first_code: FirstCodeText = ""


class SocialLink(Input):
    """What the address carried, and the password of the account here."""

    token: Text
    password: Password


class SocialReturn(Input):
    """What a provider sends back through the browser."""

    state: Text = ""
    code: Text = ""
    error: Text = ""
    error_description: Text = ""


def listed(settings: Settings, base_url: str) -> list[Mapping[str, str]]:
    """The configured providers as frontends get to know them."""
    return [
        {
            "id": provider.id,
            "name": provider.name,
            "initiate_url": f"{base_url}/api/v2/auth/social/{provider.id}/initiate/",
        }
        for provider in configured(settings).values()
    ]


class SocialProviders(BaseHandler):
    """Which there are."""

    @endpoint(answers={200: schemas.SocialProviders}, public=True)
    async def get(self) -> None:
        """The configured providers; none is an empty list."""
        self.answer({"providers": listed(self.backend.settings, self.base_url)})


class SocialHandler(ClaimingHandler):
    """What going there and coming back share."""

    @property
    def callback_url(self) -> str:
        """Where the provider sends the browser back to."""
        return self.base_url + CALLBACK

    def state_cookie(self, state: str) -> str:
        """The name of the cookie that binds an attempt to this browser; one for each open tab."""
        return _COOKIE.format(state[:8])

    def provider(self, name: str) -> Provider:
        """Raises NotFound for one that is not configured."""
        found = self.backend.providers.known.get(name)
        if found is None:
            raise NotFound(f'Sign-in with "{name[:50]}" is not configured here.', "provider_not_configured")
        return found

    def onward(self, path: str) -> str:
        """Where a browser goes that has signed in."""
        return (self.backend.settings.frontend_url or self.base_url) + path


class InitiateSocial(SocialHandler):
    """Sends the browser to a provider, to sign in there."""

    def path_value(self, text: str) -> str:
        return text

    @endpoint(query=SocialStart, answers={302: None}, public=True, throttled=False, errors=(403, 429, 502))
    async def get(self, name: str, query: SocialStart) -> None:
        """Send the browser to the provider. `next` is a path on the frontend's site to come back to."""
        provider = self.provider(name)
        await self.backend.throttle.count(LOGIN_ADDRESS, self.network)
        if query.first_code:
            await self._keep_first_code(query.first_code)
        provider = await self.backend.providers.located(provider)
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        await self.store.write(social.begin, state, Attempt(provider.id, verifier, query.next))
        self.set_auth_cookie(self.state_cookie(state), state, CALLBACK[:-1], ATTEMPT_LIFE_US / SECOND_US)
        self.go_to(self.backend.providers.redirect_url(provider, self.callback_url, state, verifier))

    async def _keep_first_code(self, code: str) -> None:
        """Has the browser bring back the code of the first person's link. Raises Throttled, Forbidden."""
        if await self.backend.first.is_somebody_here(self.store):
            check_claim(Claim.LINK, is_first=False)
        await self.claim(code)
        self.set_auth_cookie(_FIRST_COOKIE, code, CALLBACK[:-1], ATTEMPT_LIFE_US / SECOND_US)


class SocialCallback(SocialHandler):
    """Takes the browser back from a provider, and signs in whoever it names."""

    @endpoint(
        query=SocialReturn,
        answers={302: None},
        public=True,
        throttled=False,
        errors=(403, 404, 409, 429, 502),
    )
    async def get(self, query: SocialReturn) -> None:
        """Sign in whom the provider sends back, set the cookies, and go on to the frontend.

        An account with the same address that nobody has verified here is not signed in: the browser goes to
        `/#link?token=…`, where its password is asked for once (`POST /api/v2/auth/social/link/`). One with a
        second factor goes to `/#second-factor?token=…` (`POST /api/v2/auth/second-factor/`).
        """
        await self.backend.throttle.count(LOGIN_ADDRESS, self.network)
        attempt = await self._redeem(query.state)
        if query.error or not query.code:
            raise Forbidden(f"The provider says: {query.error[:100] or 'no code'}.", "provider_refused")
        provider = await self.backend.providers.located(self.provider(attempt.provider))
        profile = await self.backend.providers.profile(
            provider, query.code, self.callback_url, attempt.verifier
        )
        claim = await self._claim()
        # Nobody knows this password; a reset link replaces it.
        hashed = await self.hash(hash_password, secrets.token_urlsafe(32))
        is_open = self.backend.settings.registration == "open"
        found = await self.store.write(
            social.sign_in, profile, hashed, self.device, self.session_life_us, is_open, claim
        )
        if isinstance(found, PasswordNeeded):
            return self.go_to(self._link_url(found, profile, attempt.next))
        if isinstance(found, NextStep):
            return self.go_to(self._second_step_url(found, attempt.next))
        security_log.note(self.request, "log_in", found.person_id, by=profile.provider)
        self.give_cookies(found)
        self.go_to(self.onward(attempt.next))

    async def _claim(self) -> Claim:
        """By which right whoever comes back may be the first person. Raises Throttled, Forbidden."""
        code = self.get_cookie(_FIRST_COOKIE) or ""
        if code:
            self.set_auth_cookie(_FIRST_COOKIE, "", CALLBACK[:-1], 0)
        return await self.claim(code)

    def _link_url(self, found: PasswordNeeded, profile: Profile, onward: str) -> str:
        """Where the password is asked for: our own page, since no frontend need know of this."""
        security_log.note(self.request, "link_needs_password", found.person_id, by=profile.provider)
        content = {
            "person": found.person_id,
            "provider": profile.provider,
            "subject": profile.subject,
            "email": profile.email,
            "next": onward,
        }
        token = self.backend.signer.make(LINK_PURPOSE, content, LINK_LIFE_S)
        name = self.provider(profile.provider).name
        # The fragment is seen by no server and no log.
        return f"{self.base_url}/#link?{urlencode({'token': token, 'provider': name})}"

    def _second_step_url(self, step: NextStep, onward: str) -> str:
        """Where the code is asked for: our own page, as for the password."""
        fields = {"token": self.second_step_token(step, self.onward(onward)), "setup": int(step.is_setup)}
        return f"{self.base_url}/#second-factor?{urlencode(fields)}"

    async def _redeem(self, state: str) -> Attempt:
        cookie = self.get_cookie(self.state_cookie(state)) or ""
        if not state or not hmac.compare_digest(cookie.encode(), state.encode()):
            raise Invalid({"state": ["This sign-in was not begun in this browser. Please start again."]})
        attempt = await self.store.write(social.redeem, state)
        self.set_auth_cookie(self.state_cookie(state), "", CALLBACK[:-1], 0)
        return attempt


class LinkSocial(SocialHandler):
    """Joins an account elsewhere to one here, by that one's password."""

    @endpoint(body=SocialLink, answers={200: schemas.Linked}, public=True, throttled=False, errors=(429,))
    async def post(self, body: SocialLink) -> None:
        """Join an account elsewhere to the one here that has its address, by that one's password, and log in.

        `next` in the answer is where to go on to.
        """
        content = self.backend.signer.read(LINK_PURPOSE, body.token)
        if content is None:
            raise Invalid({"token": ["This sign-in is over. Please start again."]})
        person_id = content["person"]
        await self.count_log_in(content["email"])
        await self.count_person(person_id)
        subject = await self.store.read(accounts.own_secret, person_id)
        if subject is None or not await self.hash(matches, body.password, subject[1]):
            security_log.note(self.request, "link_refused", person_id, by=content["provider"])
            raise Invalid({"password": ["This is not the password of that account."]})
        wanted = Profile(content["provider"], content["subject"], content["email"])
        entered = await self.store.write(
            social.link, wanted, person_id, subject[1], self.device, self.session_life_us
        )
        security_log.note(self.request, "linked", person_id, by=content["provider"])
        signed_in = self.check_entered(entered, self.onward(content["next"]))
        access, refresh = self.give_cookies(signed_in)
        given = {"access": access, "refresh": refresh, "user": signed_in.user}
        self.answer(given | {"next": self.onward(content["next"])})


routes = [
    Route("/api/v2/auth/social/link/", LinkSocial),
    Route("/api/v2/auth/social/providers/", SocialProviders),
    Route("/api/v2/auth/social/callback/", SocialCallback),
    Route("/api/v2/auth/social/{provider...}/initiate/", InitiateSocial),
]
