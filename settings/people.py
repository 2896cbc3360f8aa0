"""Settings of what people do: how they sign in, what mail they get, and how they work."""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.utils import parseaddr
from typing import Literal

from pydantic import Field, field_validator

from settings.values import MAX_DAYS, Group, NumberList, Url, WordList, absolute_url, among, url_parts

_RATE = re.compile(r"^\d+\s*(/|per)\s*\d*\s*(second|minute|hour|day|month|year)s?$", re.IGNORECASE)
# Never the assignment, department or workspace, whatever the setting says.
_ASSIGNEE_FIELDS = ("title", "description", "status", "priority", "due_date", "estimate_hours")

_ROLES = ("employee", "atl", "manager", "supervisor", "hr", "ceo")


class SigningIn(Group):
    """How people sign in and stay so."""

    access_token_minutes: float = Field(15, gt=0, le=MAX_DAYS * 1440, description="life of an access token")
    refresh_token_days: float = Field(
        14, gt=0, le=MAX_DAYS, description="life of a refresh token and of its session"
    )
    session_idle_days: float = Field(14, ge=0, le=MAX_DAYS, description="unused, a session ends; 0: never")
    api_token_days: float = Field(
        365, ge=0, le=MAX_DAYS, description="longest life of an API token; 0: as one likes, also for ever"
    )
    require_second_factor: WordList = Field((), description="roles that need a second factor, like ceo,hr")
    first_link: Literal["lan", "always", "never"] = Field(
        "lan",
        description="who needs the link that the first start shows, to register first and become ceo: lan is"
        " everybody who is not at this machine",
    )
    rotate_refresh: bool = Field(False, description="give a new refresh token at each refresh, detect reuse")

    @field_validator("require_second_factor")
    @classmethod
    def _known_roles(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return among(_ROLES, tuple(role.lower() for role in value))


class Rates(Group):
    """How often; empty is no limit."""

    throttle_anon: str = Field("50/hour", description="requests of one address without credentials")
    throttle_user: str = Field("1000/hour", description="requests of one person")
    throttle_login: str = Field("10/minute", description="log-ins to one account from one address")
    throttle_refresh: str = Field("30/minute", description="refreshes of tokens from one address")
    throttle_password_reset: str = Field("5/hour", description="reset requests of one address")
    throttle_hook: str = Field("60/minute", description="messages of one incoming webhook")

    @field_validator(
        "throttle_anon",
        "throttle_user",
        "throttle_login",
        "throttle_refresh",
        "throttle_password_reset",
        "throttle_hook",
    )
    @classmethod
    def _rate(cls, value: str) -> str:
        rate = "" if value.strip() == "0" else value.strip()
        if rate and not _RATE.match(rate):
            raise ValueError("must look like 50/hour, or be empty for no limit")
        return rate


class Mail(Group):
    """Through which server mail goes, and from whom."""

    smtp_url: str = Field("", description="smtp://user:password@host:port; empty keeps mail in the queue")
    mail_from: str = Field("taskroom@localhost", description="sender of all mail")

    @field_validator("smtp_url")
    @classmethod
    def _known_mail_server(cls, value: str) -> str:
        parts = url_parts(value)
        if value and (parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.port == 0):
            raise ValueError("must be smtp://host:port or smtps://host:port, or empty")
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        address = parseaddr(value)[1]
        try:
            is_address = Address(addr_spec=address).addr_spec == address and "@" in address
        except Exception:
            # Not only a ValueError: a sender that no mail can have would refuse all mail.
            is_address = False
        if not is_address or not value.isprintable():
            raise ValueError("must be an address, like taskroom@example.org")
        return value


class Providers(Group):
    """Signing in with another provider."""

    google_client_id: str = Field("", description="empty: google sign-in is off")
    google_client_secret: str = Field("", description="goes with google_client_id")
    google_authorize_url: str = Field(
        "https://accounts.google.com/o/oauth2/v2/auth", description="where the browser signs in"
    )
    google_token_url: str = Field(
        "https://oauth2.googleapis.com/token", description="where a code becomes a token"
    )
    google_userinfo_url: str = Field(
        "https://openidconnect.googleapis.com/v1/userinfo", description="where the profile is"
    )
    github_client_id: str = Field("", description="empty: github sign-in is off")
    github_client_secret: str = Field("", description="goes with github_client_id")
    github_authorize_url: str = Field(
        "https://github.com/login/oauth/authorize", description="where the browser signs in"
    )
    github_token_url: str = Field(
        "https://github.com/login/oauth/access_token", description="where a code becomes a token"
    )
    github_userinfo_url: str = Field("https://api.github.com/user", description="where the profile is")
    github_emails_url: str = Field(
        "https://api.github.com/user/emails", description="where the addresses are"
    )
    oidc_client_id: str = Field("", description="empty: OpenID Connect sign-in is off")
    oidc_client_secret: str = Field("", description="if the issuer asks for one")
    oidc_issuer: Url = Field("", description="the rest comes from its /.well-known/openid-configuration")
    oidc_name: str = Field("Single sign-on", description="what the button says")

    @field_validator(
        "google_authorize_url",
        "google_token_url",
        "google_userinfo_url",
        "github_authorize_url",
        "github_token_url",
        "github_userinfo_url",
        "github_emails_url",
    )
    @classmethod
    def _endpoint(cls, value: str) -> str:
        if url_parts(value).scheme not in ("http", "https") or not url_parts(value).hostname:
            raise ValueError("must be an absolute http:// or https:// URL")
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer(cls, value: str) -> str:
        return absolute_url(value)


class Work(Group):
    """Tasks and rooms."""

    deadline_hours: NumberList = Field((24.0, 1.0), description="how long before its due date a task reminds")
    assignee_fields: WordList = Field((), description="what an assignee may change; empty: all they may have")
    default_room: str = Field(
        "Everybody",
        max_length=150,
        description="name of the room that everybody is in from the start; empty: there is none",
    )

    @field_validator("deadline_hours")
    @classmethod
    def _before(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < hours <= MAX_DAYS * 24 for hours in value):
            raise ValueError("must be hours above 0")
        return value

    @field_validator("assignee_fields")
    @classmethod
    def _fields_of_a_task(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return among(_ASSIGNEE_FIELDS, value)
