"""Every setting: its name, default, meaning and check.

A setting is read from `--name value` on the command line, then from the environment as
`TASKROOM_<NAME>`, then from the default here. `BACKEND_URL` is read as well, because the
deployments of the Task Manager already set it. Lists are comma-separated; 0 or empty turns a limit off.
"""

from __future__ import annotations

import functools
import ipaddress
import os
import re
import secrets
import ssl
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AliasChoices, BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

VERSION = "0.1.0"
"""Of Taskroom; setup.cfg takes it from here."""
_MAX_DAYS = 3650
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
"""Browsers leave these out of an Origin."""
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*([mhdw]?)")
_RATE = re.compile(r"^\d+\s*(/|per)\s*\d*\s*(second|minute|hour|day|month|year)s?$", re.IGNORECASE)
# Never the assignment, department or workspace, whatever the setting says.
_ASSIGNEE_FIELDS = ("title", "description", "status", "priority", "due_date", "estimate_hours")

_ROLES = ("employee", "atl", "manager", "supervisor", "hr", "ceo")

_REASONS = {
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "bool_parsing": "must be true or false",
    "greater_than": "must be above {gt:.15g}",
    "greater_than_equal": "must be at least {ge:.15g}",
    "less_than_equal": "must be at most {le:.15g}",
    "literal_error": "must be {expected}",
    "extra_forbidden": "there is no such setting",
}
"""What pydantic finds, in words for people."""


class SettingsError(Exception):
    """A setting makes no sense; the text is one line that names it."""


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _networks(value: Any) -> Any:
    """Addresses and networks as networks. Raises ValueError."""
    try:
        return tuple(ipaddress.ip_network(part, strict=False) for part in _split(value))
    except ValueError as error:
        raise ValueError(f"{error}; it takes addresses and networks, like 10.0.0.1,192.168.0.0/16") from None


def _among(known: tuple[str, ...], value: tuple[str, ...]) -> tuple[str, ...]:
    """The value. Raises ValueError for a word that is not known."""
    if unknown := [word for word in value if word not in known]:
        raise ValueError(f"{unknown[0]!r} is none of {', '.join(known)}")
    return value


_HOURS = {"m": 1 / 60, "h": 1, "d": 24, "w": 168, "": 1}


def _hours(value: Any) -> Any:
    """A time like 30m, 12h or 1d as hours; a plain number is hours already."""
    if isinstance(value, str):
        found = _TIME.fullmatch(value.strip().lower())
        if found is None:
            raise ValueError("must be a time like 12h or 1d; 0 is off")
        return float(found[1]) * _HOURS[found[2]]
    return value


def _without_slash(value: Any) -> Any:
    return value.strip().rstrip("/") if isinstance(value, str) else value


WordList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Counts = Annotated[tuple[int, ...], NoDecode, BeforeValidator(_split)]
NumberList = Annotated[tuple[float, ...], NoDecode, BeforeValidator(_split)]
Hours = Annotated[float, BeforeValidator(_hours)]
Url = Annotated[str, BeforeValidator(_without_slash)]
Folder = Annotated[Path | None, BeforeValidator(lambda value: value or None)]
Networks = Annotated[
    tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...], NoDecode, BeforeValidator(_networks)
]


class Settings(BaseSettings):
    """The settings of one process, checked and frozen."""

    model_config = SettingsConfigDict(
        env_prefix="TASKROOM_", extra="forbid", frozen=True, allow_inf_nan=False
    )

    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 serves the LAN")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    workers: int = Field(
        1, ge=1, le=64, description="processes that share the port; several need PostgreSQL and Redis"
    )
    data_dir: Path = Field(Path("data"), description="the SQLite file, uploads and the generated secret")
    database_url: str = Field("", description="postgresql://…; empty is SQLite in data_dir")
    redis_url: str = Field("", description="redis://…; needed only by several processes")
    secret_key: str = Field("", description="signs tokens and links; empty generates one in data_dir")
    backend_url: Url = Field(
        "",
        validation_alias=AliasChoices("TASKROOM_BACKEND_URL", "backend_url"),
        description="base of absolute URLs; empty takes each request's own host",
    )
    frontend_url: Url = Field(
        "", description="where social sign-in and mailed links lead; empty is this server"
    )
    cors_origins: WordList = Field(
        (
            "http://localhost:3000",
            "http://localhost:5173",
            "http://127.0.0.1:3000",
            "http://127.0.0.1:5173",
        ),
        description="origins whose pages may call with credentials",
    )
    registration: Literal["open", "closed"] = Field("open", description="whether anyone may register")

    access_token_minutes: float = Field(15, gt=0, le=_MAX_DAYS * 1440, description="life of an access token")
    refresh_token_days: float = Field(
        14, gt=0, le=_MAX_DAYS, description="life of a refresh token and of its session"
    )
    session_idle_days: float = Field(14, ge=0, le=_MAX_DAYS, description="unused, a session ends; 0: never")
    require_second_factor: WordList = Field((), description="roles that need a second factor, like ceo,hr")
    rotate_refresh: bool = Field(False, description="give a new refresh token at each refresh, detect reuse")

    throttle_anon: str = Field("50/hour", description="requests of one address without credentials")
    throttle_user: str = Field("1000/hour", description="requests of one person")
    throttle_login: str = Field("10/minute", description="log-ins to one account from one address")
    throttle_refresh: str = Field("30/minute", description="refreshes of tokens from one address")
    throttle_password_reset: str = Field("5/hour", description="reset requests of one address")

    smtp_url: str = Field("", description="smtp://user:password@host:port; empty keeps mail in the queue")
    mail_from: str = Field("taskroom@localhost", description="sender of all mail")

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

    max_upload_mb: float = Field(25, ge=0, le=1e6, description="largest file")
    disk_free_percent: float = Field(
        5, ge=0, le=100, description="health warns when less of data_dir's disk is free"
    )
    event_retention_hours: float = Field(
        72, ge=0, le=_MAX_DAYS * 24, description="how far back `since` reaches; 0 keeps all"
    )
    socket_rate: float = Field(20, ge=0, description="messages a second of one socket, sustained")
    socket_burst: int = Field(60, ge=0, description="messages of one socket at once")
    socket_message_kib: int = Field(64, ge=0, description="largest message of a client")
    socket_outbox_kib: int = Field(1024, ge=0, description="bytes that may wait for one slow reader")
    socket_outbox_messages: int = Field(1000, ge=0, description="messages that may wait for one slow reader")
    max_sockets: int = Field(10000, ge=0, description="open WebSockets of this process")
    max_sockets_per_address: int = Field(
        1000,
        ge=0,
        description="open WebSockets of one address; as many other connections, as many waiting for events",
    )
    max_sockets_per_person: int = Field(
        50, ge=0, description="open WebSockets of one person, and as many requests waiting for events"
    )
    backup_every: Hours = Field(
        0, ge=0, le=_MAX_DAYS * 24, description="how often a backup is made, like 12h or 1d; 0 is never"
    )
    backup_keep: Counts = Field(
        (7, 4, 6), description="of how many days, weeks and months a backup made by the clock stays"
    )
    backup_folder: Folder = Field(None, description="where they lie; empty is data_dir/backups")
    deadline_hours: NumberList = Field((24.0, 1.0), description="how long before its due date a task reminds")
    assignee_fields: WordList = Field((), description="what an assignee may change; empty: all they may have")
    default_room: str = Field(
        "Everybody",
        max_length=150,
        description="name of the room that everybody is in from the start; empty: there is none",
    )
    proxy: Networks = Field((), description="addresses and networks whose X-Forwarded-* headers are believed")
    tls_cert: Path | None = Field(None, description="certificate chain (PEM)")
    tls_key: Path | None = Field(None, description="private key (PEM)")
    metrics_from: Networks = Field(
        (), description="addresses and networks that may read /metrics, after X-Forwarded-For; empty is off"
    )
    log_format: Literal["text", "json"] = Field("text", description="how a line of the log looks")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="the least that is logged; debug has a line for every request"
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and _parts(value).scheme not in ("postgresql", "postgres", "sqlite"):
            raise ValueError("must be postgresql://… or sqlite:///path, or empty for SQLite in data_dir")
        return value

    @field_validator("redis_url")
    @classmethod
    def _known_redis(cls, value: str) -> str:
        if value and _parts(value).scheme not in ("redis", "rediss", "unix"):
            raise ValueError("must be redis://…, rediss://… or unix://…, or empty")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _known_mail_server(cls, value: str) -> str:
        parts = _parts(value)
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
        if _parts(value).scheme not in ("http", "https") or not _parts(value).hostname:
            raise ValueError("must be an absolute http:// or https:// URL")
        return value

    @field_validator("backend_url", "frontend_url", "oidc_issuer")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if value and not (_parts(value).scheme in ("http", "https") and _parts(value).netloc):
            raise ValueError("must be an absolute http:// or https:// URL, or empty")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        origins = tuple(origin.rstrip("/") for origin in value)
        for origin in origins:
            parts = _parts(origin)
            if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query:
                raise ValueError(f"{origin!r} is no origin: scheme://host[:port]")
        return origins

    @field_validator(
        "throttle_anon", "throttle_user", "throttle_login", "throttle_refresh", "throttle_password_reset"
    )
    @classmethod
    def _rate(cls, value: str) -> str:
        rate = "" if value.strip() == "0" else value.strip()
        if rate and not _RATE.match(rate):
            raise ValueError("must look like 50/hour, or be empty for no limit")
        return rate

    @field_validator("secret_key")
    @classmethod
    def _strong(cls, value: str) -> str:
        if value and len(value) < 32:
            raise ValueError("must have at least 32 characters, or be empty")
        return value

    @field_validator("backup_keep")
    @classmethod
    def _three(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(value) != 3 or not all(0 <= count <= _MAX_DAYS for count in value):
            raise ValueError("must be three whole numbers: days, weeks, months, like 7,4,6")
        return value

    @field_validator("deadline_hours")
    @classmethod
    def _before(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < hours <= _MAX_DAYS * 24 for hours in value):
            raise ValueError("must be hours above 0")
        return value

    @field_validator("assignee_fields")
    @classmethod
    def _fields_of_a_task(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _among(_ASSIGNEE_FIELDS, value)

    @field_validator("require_second_factor")
    @classmethod
    def _known_roles(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _among(_ROLES, tuple(role.lower() for role in value))

    @field_validator("tls_cert", "tls_key")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"there is no file {value}")
        return value

    @property
    def backups(self) -> Path:
        """The folder in which backups by the clock lie."""
        return self.backup_folder or self.data_dir / "backups"

    @property
    def max_upload_bytes(self) -> int:
        """Largest file in bytes; 0 is no limit."""
        return int(self.max_upload_mb * 1024 * 1024)

    def allows_origin(self, origin: str, scheme: str, host: str) -> bool:
        """Whether a page of this origin may act with a person's cookies: one of the address that the
        request was sent to, of `backend_url`, or a listed one."""
        # Compared as text: what is no URL at all makes a parser raise.
        own = f"{scheme}://{host.lower()}".removesuffix(_DEFAULT_PORTS.get(scheme, ":"))
        return origin in (own, self.backend_origin) or origin in self.cors_origins

    @functools.cached_property
    def backend_origin(self) -> str | None:
        """Scheme, host and port of `backend_url`."""
        parts = urlsplit(self.backend_url)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else None

    def existing_secret(self) -> str | None:
        """`secret_key`, or the one kept in `data_dir`, if there is one."""
        path = self.data_dir / "secret_key"
        return self.secret_key or (path.read_text().strip() if path.is_file() else None)

    def resolve_secret(self) -> str:
        """`secret_key`, or the one kept in `data_dir` (made at the first start, mode 0600)."""
        if self.secret_key:
            return self.secret_key
        path = self.data_dir / "secret_key"
        if path.exists():
            return path.read_text().strip()
        self.data_dir.mkdir(parents=True, exist_ok=True)
        # Written aside and linked into place, so that two processes starting at once agree on one
        # secret and none ever reads half of it.
        draft = path.with_name(f"secret_key.{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_text().strip()


def _parts(url: str) -> SplitResult:
    """Raises ValueError, also for a port that is no number."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018
    except ValueError:
        raise ValueError("must be a URL with a valid host and port") from None
    return parts


def load(flags: dict[str, str] | None = None) -> Settings:
    """The checked settings; `flags` (from the command line) win over the environment.

    Raises SettingsError, whose text names the first setting that makes no sense.
    """
    given: dict[str, Any] = dict(flags or {})
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise SettingsError(_complaint(error)) from None
    _check_pairs(settings)
    _check_workers(settings)
    if settings.tls_cert and settings.tls_key:
        _check_tls(settings.tls_cert, settings.tls_key)
    return settings


def _complaint(error: ValidationError) -> str:
    first = error.errors()[0]
    name = str(first["loc"][0]).lower().removeprefix("taskroom_") if first["loc"] else "settings"
    if first["type"] == "value_error":
        why = str(first["ctx"]["error"])
    else:
        why = _REASONS.get(first["type"], "makes no sense").format(**first.get("ctx", {}))
    return f"setting {name}: {why}"


_PAIRS = (
    ("tls_cert", "tls_key"),
    ("google_client_id", "google_client_secret"),
    ("github_client_id", "github_client_secret"),
    ("oidc_client_id", "oidc_issuer"),
)


def _check_pairs(settings: Settings) -> None:
    """Raises SettingsError for half a configuration, which would be off or fail when it is used."""
    for pair in _PAIRS:
        _check_needs(settings, *pair)
        _check_needs(settings, *reversed(pair))
    # A public client has no secret.
    _check_needs(settings, "oidc_client_secret", "oidc_client_id")


def _check_needs(settings: Settings, name: str, needed: str) -> None:
    if getattr(settings, name) and not getattr(settings, needed):
        raise SettingsError(f"setting {name}: needs {needed}, which is empty")


def _check_workers(settings: Settings) -> None:
    """Raises SettingsError for several processes on what only one can use."""
    if settings.workers == 1:
        return
    if not settings.database_url.startswith("postgres"):
        raise SettingsError("setting workers: several need database_url, a postgresql://…; SQLite takes one")
    if not settings.redis_url:
        raise SettingsError("setting workers: several need redis_url, through which they hear of each other")


def _check_tls(cert: Path, key: Path) -> None:
    """Raises SettingsError if the two are not a certificate and the key that it belongs to."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    for name, path in (("tls_cert", cert), ("tls_key", key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise SettingsError(f"setting {name}: {path}: {error.strerror}") from None
    try:
        # OpenSSL would ask at the terminal for an encrypted key's password.
        context.load_cert_chain(cert, key, password="")
    except (ssl.SSLError, ValueError) as error:
        raise SettingsError(_tls_complaint(context, cert, key, error)) from None


def _tls_complaint(context: ssl.SSLContext, cert: Path, key: Path, error: Exception) -> str:
    try:
        context.load_verify_locations(cert)
    except ssl.SSLError:
        return f"setting tls_cert: {cert} holds no certificate in PEM form"
    if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
        return f"setting tls_key: {key} does not belong to the certificate in {cert}"
    return f"setting tls_key: {key} holds no private key in PEM form, or an encrypted one"


def unknown_environment() -> list[str]:
    """Names of TASKROOM_* variables that no setting reads: most likely a typing error."""
    known = {f"TASKROOM_{name.upper()}" for name in Settings.model_fields}
    return sorted(name for name in os.environ if name.startswith("TASKROOM_") and name.upper() not in known)
