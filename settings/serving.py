"""Settings of the server: where it serves, what it keeps, what it limits, and what it tells."""

from __future__ import annotations

import functools
import os
import secrets
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, field_validator

from settings.errors import SettingsError
from settings.values import (
    MAX_DAYS,
    Counts,
    Folder,
    Group,
    Hours,
    Networks,
    Url,
    WordList,
    absolute_url,
    host_name,
    url_parts,
)

MIN_SECRET_CHARS = 32
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
"""Browsers leave these out of an Origin."""


class Serving(Group):
    """Where it serves and what it keeps."""

    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 serves the LAN")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    mdns: bool = Field(
        True, description="whether a server of the LAN announces itself there as taskroom.local"
    )
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

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and url_parts(value).scheme not in ("postgresql", "postgres", "sqlite"):
            raise ValueError("must be postgresql://… or sqlite:///path, or empty for SQLite in data_dir")
        return value

    @field_validator("redis_url")
    @classmethod
    def _known_redis(cls, value: str) -> str:
        if value and url_parts(value).scheme not in ("redis", "rediss", "unix"):
            raise ValueError("must be redis://…, rediss://… or unix://…, or empty")
        return value

    @field_validator("backend_url", "frontend_url")
    @classmethod
    def _base_url(cls, value: str) -> str:
        return absolute_url(value)

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        origins = tuple(origin.rstrip("/") for origin in value)
        for origin in origins:
            parts = url_parts(origin)
            if parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query:
                raise ValueError(f"{origin!r} is no origin: scheme://host[:port]")
        return origins

    @field_validator("secret_key")
    @classmethod
    def _strong(cls, value: str) -> str:
        if value and len(value) < MIN_SECRET_CHARS:
            raise ValueError(f"must have at least {MIN_SECRET_CHARS} characters, or be empty")
        return value

    def allows_origin(self, origin: str, scheme: str, host: str) -> bool:
        """Whether a page of this origin may act with a person's cookies: one of the address that the
        request was sent to, of `backend_url`, or a listed one."""
        # Compared as text: what is no URL at all makes a parser raise.
        own = f"{scheme}://{host.lower()}".removesuffix(_DEFAULT_PORTS.get(scheme, ":"))
        return origin == own or self.lists_origin(origin)

    def lists_origin(self, origin: str) -> bool:
        """Whether a setting names this origin."""
        return origin == self.backend_origin or origin in self.cors_origins

    @functools.cached_property
    def backend_origin(self) -> str | None:
        """Scheme, host and port of `backend_url`."""
        parts = urlsplit(self.backend_url)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else None

    def existing_secret(self) -> str | None:
        """`secret_key`, or the one kept in `data_dir`, if there is one. Raises SettingsError."""
        if self.secret_key:
            return self.secret_key
        path = self.data_dir / "secret_key"
        try:
            text = path.read_text().strip()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SettingsError(f"setting data_dir: {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            text = ""
        # With an empty one, anybody could sign tokens.
        if len(text) < MIN_SECRET_CHARS:
            raise SettingsError(
                f"setting data_dir: {path} is empty or damaged: put it back from a backup,"
                " or remove it, and everybody signs in again"
            )
        return text

    def resolve_secret(self) -> str:
        """`secret_key`, or the one kept in `data_dir` (made at the first start, mode 0600). Raises
        SettingsError, OSError."""
        secret = self.existing_secret()
        if secret is not None:
            return secret
        self.data_dir.mkdir(parents=True, exist_ok=True)
        path = self.data_dir / "secret_key"
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
        return self.resolve_secret()


class Limits(Group):
    """What it takes and keeps at most; 0 is none."""

    max_upload_mb: float = Field(25, ge=0, le=1e6, description="largest file")
    disk_free_percent: float = Field(
        5, ge=0, le=100, description="health warns when less of data_dir's disk is free"
    )
    event_retention_hours: float = Field(
        72, ge=0, le=MAX_DAYS * 24, description="how far back `since` reaches; 0 keeps all"
    )
    socket_rate: float = Field(20, ge=0, description="messages a second of one socket, sustained")
    socket_burst: int = Field(60, ge=0, description="messages of one socket at once")
    socket_message_kib: int = Field(64, ge=0, description="largest message of a client")
    socket_outbox_kib: int = Field(1024, ge=0, description="bytes that may wait for one slow reader")
    socket_outbox_messages: int = Field(1000, ge=0, description="messages that may wait for one slow reader")
    max_sockets: int = Field(10000, ge=0, description="open WebSockets, of all processes together")
    max_sockets_per_address: int = Field(
        1000,
        ge=0,
        description="open WebSockets of one address; as many waiting for events, as many other connections",
    )
    max_sockets_per_person: int = Field(
        50, ge=0, description="open WebSockets of one person, and as many requests waiting for events"
    )
    backup_every: Hours = Field(
        0, ge=0, le=MAX_DAYS * 24, description="how often a backup is made, like 12h or 1d; 0 is never"
    )
    backup_keep: Counts = Field(
        (7, 4, 6), description="of how many days, weeks and months a backup made by the clock stays"
    )
    backup_folder: Folder = Field(None, description="where they lie; empty is data_dir/backups")

    @field_validator("backup_keep")
    @classmethod
    def _three(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(value) != 3 or not all(0 <= count <= MAX_DAYS for count in value):
            raise ValueError("must be three whole numbers: days, weeks, months, like 7,4,6")
        return value

    @property
    def max_upload_bytes(self) -> int:
        """Largest file in bytes; 0 is no limit."""
        return int(self.max_upload_mb * 1024 * 1024)


class Surroundings(Group):
    """Proxy, TLS, metrics and log."""

    proxy: Networks = Field((), description="addresses and networks whose X-Forwarded-* headers are believed")
    tls: Literal["off", "auto"] = Field(
        "off", description="auto makes a local authority and a certificate in data_dir/tls, and serves https"
    )
    tls_names: WordList = Field(
        (), description="further names and addresses that the certificate of tls auto is for"
    )
    tls_cert: Path | None = Field(None, description="certificate chain (PEM)")
    tls_key: Path | None = Field(None, description="private key (PEM)")
    metrics_from: Networks = Field(
        (), description="addresses and networks that may read /metrics, after X-Forwarded-For; empty is off"
    )
    webhooks_to_this_machine: bool = Field(
        False, description="whether webhooks may be sent to this machine itself, loopback included"
    )
    log_format: Literal["text", "json"] = Field("text", description="how a line of the log looks")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="the least that is logged; debug has a line for every request"
    )

    @property
    def speaks_tls(self) -> bool:
        """Whether the server itself speaks https."""
        return self.tls == "auto" or self.tls_cert is not None

    @field_validator("tls_names")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(host_name(name) for name in value)

    @field_validator("tls_cert", "tls_key")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"there is no file {value}")
        return value
