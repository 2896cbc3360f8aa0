"""Signing in with an account at a provider (document D): there with `state` and PKCE, back once."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import unquote

from pydantic import AfterValidator, Field

from handlers import answers
from handlers.auth import AuthHandler
from handlers.base import BaseHandler, Route, endpoint
from handlers.providers import Provider, configured
from handlers.throttle import LOGIN_ADDRESS
from models.base import SECOND_US
from models.errors import Forbidden, Invalid, NotFound
from models.inputs import Input, Text
from models.operations import social
from models.operations.social import ATTEMPT_LIFE_US, Attempt
from models.passwords import hash_password
from settings import Settings

CALLBACK = "/api/v2/auth/social/callback/"
_COOKIE = "social_{}"
_MOST_NEXT_CHARS = 500


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
    """Where to go afterwards."""

    next: Annotated[Text, Field(max_length=_MOST_NEXT_CHARS), AfterValidator(_own_path)] = "/"


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

    @endpoint(answers={200: answers.SocialProviders}, public=True)
    async def get(self) -> None:
        """The configured providers; none is an empty list."""
        self.answer({"providers": listed(self.backend.settings, self.base_url)})


class SocialHandler(AuthHandler):
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


class InitiateSocial(SocialHandler):
    """There."""

    def path_value(self, text: str) -> str:
        return text

    @endpoint(query=SocialStart, answers={302: None}, public=True, throttled=False, errors=(429, 502))
    async def get(self, name: str, query: SocialStart) -> None:
        """Send the browser to the provider. `next` is a path on the frontend's site to come back to."""
        provider = self.provider(name)
        await self.backend.throttle.count(LOGIN_ADDRESS, self.network)
        provider = await self.backend.providers.located(provider)
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        await self.store.write(social.begin, state, Attempt(provider.id, verifier, query.next))
        self.set_auth_cookie(self.state_cookie(state), state, CALLBACK[:-1], ATTEMPT_LIFE_US / SECOND_US)
        self.go_to(self.backend.providers.redirect_url(provider, self.callback_url, state, verifier))


class SocialCallback(SocialHandler):
    """Back."""

    @endpoint(
        query=SocialReturn,
        answers={302: None},
        public=True,
        throttled=False,
        errors=(403, 404, 409, 429, 502),
    )
    async def get(self, query: SocialReturn) -> None:
        """Sign in whom the provider sends back, set the cookies, and go on to the frontend."""
        await self.backend.throttle.count(LOGIN_ADDRESS, self.network)
        attempt = await self._redeem(query.state)
        if query.error or not query.code:
            raise Forbidden(f"The provider says: {query.error[:100] or 'no code'}.", "provider_refused")
        provider = await self.backend.providers.located(self.provider(attempt.provider))
        profile = await self.backend.providers.profile(
            provider, query.code, self.callback_url, attempt.verifier
        )
        # Nobody knows this password; a reset link replaces it.
        hashed = await self.hash(hash_password, secrets.token_urlsafe(32))
        is_open = self.backend.settings.registration == "open"
        signed_in = await self.store.write(
            social.sign_in, profile, hashed, self.device, self.session_life_us, is_open
        )
        self.give_cookies(signed_in)
        self.go_to((self.backend.settings.frontend_url or self.base_url) + attempt.next)

    async def _redeem(self, state: str) -> Attempt:
        cookie = self.get_cookie(self.state_cookie(state)) or ""
        if not state or not hmac.compare_digest(cookie.encode(), state.encode()):
            raise Invalid({"state": ["This sign-in was not begun in this browser. Please start again."]})
        attempt = await self.store.write(social.redeem, state)
        self.set_auth_cookie(self.state_cookie(state), "", CALLBACK[:-1], 0)
        return attempt


routes = [
    Route("/api/v2/auth/social/providers/", SocialProviders),
    Route("/api/v2/auth/social/callback/", SocialCallback),
    Route("/api/v2/auth/social/{provider...}/initiate/", InitiateSocial),
]
