"""Sign-in providers: where each lies, and what it says about a person. Every address comes from a setting,
and whatever a provider answers is taken as coming from a stranger."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from models.errors import Invalid, ProviderFailed
from models.operations.social import Profile
from models.people import email_address
from settings import Settings

CONNECT_WITHIN_S, ANSWER_WITHIN_S = 5, 10
MAX_ANSWER_BYTES = 1024 * 1024
MAX_SUBJECT_CHARS = 255
DISCOVERY_LIFE_S = 3600
_START_AGAIN = "The provider does not know this sign-in. Please start again."
_FALSE_CODE = ("invalid_grant", "invalid_request", "bad_verification_code", "access_denied")
"""Errors of a token request (RFC 6749, and GitHub's own) for a code that is made up, used or too old."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A configured provider."""

    id: str
    name: str
    client_id: str
    client_secret: str
    scope: tuple[str, ...]
    authorize_url: str = ""
    token_url: str = ""
    userinfo_url: str = ""
    emails_url: str = ""
    issuer: str = ""


def configured(settings: Settings) -> dict[str, Provider]:
    """The providers that have a client id, by id."""
    openid = ("openid", "email", "profile")
    found = {
        "google": Provider(
            "google",
            "Google",
            settings.google_client_id,
            settings.google_client_secret,
            openid,
            settings.google_authorize_url,
            settings.google_token_url,
            settings.google_userinfo_url,
        ),
        "github": Provider(
            "github",
            "GitHub",
            settings.github_client_id,
            settings.github_client_secret,
            ("read:user", "user:email"),
            settings.github_authorize_url,
            settings.github_token_url,
            settings.github_userinfo_url,
            settings.github_emails_url,
        ),
        "oidc": Provider(
            "oidc",
            settings.oidc_name,
            settings.oidc_client_id if settings.oidc_issuer else "",
            settings.oidc_client_secret,
            openid,
            issuer=settings.oidc_issuer,
        ),
    }
    return {name: provider for name, provider in found.items() if provider.client_id}


class Providers:
    """Talks to the providers of one process's settings."""

    def __init__(self, settings: Settings) -> None:
        self.known = configured(settings)
        self._http: Any = None
        self._discovered: dict[str, tuple[float, Provider]] = {}
        if self.known:
            # Only where it is used, and then at the start: loading it takes longer than anybody should wait.
            import oauthlib.oauth2  # noqa: F401

    async def located(self, provider: Provider) -> Provider:
        """The provider with its addresses: an OpenID Connect issuer says itself where they are.

        Raises ProviderFailed.
        """
        if not provider.issuer:
            return provider
        kept_until, found = self._discovered.get(provider.id, (0.0, provider))
        if kept_until < time.monotonic():
            found = await self._discover(provider)
            self._discovered[provider.id] = (time.monotonic() + DISCOVERY_LIFE_S, found)
        return found

    async def _discover(self, provider: Provider) -> Provider:
        says = await self._json("GET", f"{provider.issuer}/.well-known/openid-configuration")
        if not isinstance(says, dict) or _text(says, "issuer").rstrip("/") != provider.issuer:
            raise ProviderFailed("The sign-in provider describes itself as somebody else.")
        return replace(
            provider,
            authorize_url=_address(says, "authorization_endpoint"),
            token_url=_address(says, "token_endpoint"),
            userinfo_url=_address(says, "userinfo_endpoint"),
        )

    def redirect_url(self, provider: Provider, callback: str, state: str, verifier: str) -> str:
        """Where to send the browser, with `state` and PKCE."""
        from oauthlib.common import add_params_to_uri
        from oauthlib.oauth2 import WebApplicationClient

        # Not the client's own method, which refuses http: a LAN's issuer may have no certificate.
        challenge = WebApplicationClient(provider.client_id).create_code_challenge(verifier, "S256")
        fields = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": callback,
            "scope": " ".join(provider.scope),
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return add_params_to_uri(provider.authorize_url, list(fields.items()))

    async def profile(self, provider: Provider, code: str, callback: str, verifier: str) -> Profile:
        """Exchanges the code, and asks whose it is. Raises ProviderFailed, Invalid for a false code."""
        token = await self._token(provider, code, callback, verifier)
        says = await self._json("GET", provider.userinfo_url, token)
        if not isinstance(says, dict):
            raise ProviderFailed()
        if provider.emails_url:
            return _github_profile(says, await self._json("GET", provider.emails_url, token))
        return _openid_profile(provider.id, says)

    async def _token(self, provider: Provider, code: str, callback: str, verifier: str) -> str:
        from oauthlib.oauth2 import OAuth2Error, WebApplicationClient

        client = WebApplicationClient(provider.client_id)
        body = client.prepare_request_body(
            code=code,
            redirect_uri=callback,
            code_verifier=verifier,
            client_secret=provider.client_secret,
        )
        status, answer = await self._ask("POST", provider.token_url, body=body)
        try:
            # It takes the answer apart by the standard library, which gives up at deep brackets.
            token = client.parse_request_body_response(answer.decode())["access_token"]
        except (
            OAuth2Error,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
            Warning,
        ) as error:
            if _is_about_the_code(status, getattr(error, "error", None)):
                raise Invalid({"code": [_START_AGAIN]}) from None
            raise ProviderFailed("The sign-in provider did not accept this server's request.") from None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise ProviderFailed()
        return token

    async def _json(self, method: str, url: str, token: str = "") -> Any:
        try:
            status, answer = await self._ask(method, url, token)
            if status != 200:
                raise ProviderFailed(f"The sign-in provider answered {status}.")
            return orjson.loads(answer)
        except orjson.JSONDecodeError:
            raise ProviderFailed() from None

    async def _ask(
        self, method: str, url: str, token: str = "", body: str | None = None
    ) -> tuple[int, bytes]:
        """The status of its answer, and the answer. Raises ProviderFailed."""
        from tornado.simple_httpclient import SimpleAsyncHTTPClient

        if self._http is None:
            self._http = SimpleAsyncHTTPClient(force_instance=True, max_body_size=MAX_ANSWER_BYTES)
        headers = {"Accept": "application/json", "User-Agent": "Taskroom"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            answer = await self._http.fetch(
                url,
                method=method,
                headers=headers,
                body=body,
                raise_error=False,
                follow_redirects=False,
                connect_timeout=CONNECT_WITHIN_S,
                request_timeout=ANSWER_WITHIN_S,
            )
        except Exception:
            # Whatever a network and a foreign server can do.
            raise ProviderFailed("The sign-in provider cannot be reached.") from None
        return answer.code, answer.body or b""

    def close(self) -> None:
        """Ends what is under way."""
        if self._http is not None:
            self._http.close()


def _is_about_the_code(status: int, error: str | None) -> bool:
    """Whether a refusal is the fault of what the visitor brought, and not of this server's settings."""
    # The library's word for an answer that names no error.
    if error not in (None, "missing_token"):
        return error in _FALSE_CODE
    return status in (400, 403, 404, 410, 422)


def _text(says: Mapping[str, Any], name: str) -> str:
    value = says.get(name)
    return value if isinstance(value, str) and "\x00" not in value else ""


def _address(says: Mapping[str, Any], name: str) -> str:
    url = _text(says, name)
    if not url.startswith(("https://", "http://")) or not url.isprintable():
        raise ProviderFailed(f"The sign-in provider does not say where its {name} is.")
    return url


def _openid_profile(provider_id: str, says: Mapping[str, Any]) -> Profile:
    # Some issuers say "true".
    verified = says.get("email_verified") is True or says.get("email_verified") == "true"
    return Profile(
        provider_id,
        _subject(says.get("sub")),
        _email(_text(says, "email")) if verified else "",
        _text(says, "given_name")[:150],
        _text(says, "family_name")[:150],
    )


def _github_profile(says: Mapping[str, Any], emails: Any) -> Profile:
    listed = [item for item in emails if isinstance(item, dict)] if isinstance(emails, list) else []
    verified = [item for item in listed if item.get("verified") is True]
    verified.sort(key=lambda item: item.get("primary") is not True)
    first, _, last = _text(says, "name").partition(" ")
    email = _email(_text(verified[0], "email")) if verified else ""
    return Profile("github", _subject(says.get("id")), email, first[:150], last[:150])


def _subject(value: Any) -> str:
    """The unchanging id of an account there. Raises ProviderFailed for what cannot be one."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    text = str(value) if is_number else value
    if not isinstance(text, str) or not 0 < len(text) <= MAX_SUBJECT_CHARS or not text.isprintable():
        raise ProviderFailed("The sign-in provider does not say who this is.")
    return text


def _email(text: str) -> str:
    try:
        return email_address(text)
    except ValueError:
        return ""
