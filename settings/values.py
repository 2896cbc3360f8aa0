"""Kinds of values: how the words of a flag, a variable or a file become what a setting holds."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_settings import NoDecode

MAX_DAYS = 3650
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_MAX_HOST_CHARS = 253
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*([mhdw]?)")


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


def among(known: tuple[str, ...], value: tuple[str, ...]) -> tuple[str, ...]:
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


def url_parts(url: str) -> SplitResult:
    """The parts of a URL. Raises ValueError, also for a port that is no number."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018
    except ValueError:
        raise ValueError("must be a URL with a valid host and port") from None
    return parts


def absolute_url(value: str) -> str:
    """The value. Raises ValueError for what is neither an absolute URL nor empty."""
    if value and not (url_parts(value).scheme in ("http", "https") and url_parts(value).netloc):
        raise ValueError("must be an absolute http:// or https:// URL, or empty")
    return value


def host_name(value: str) -> str:
    """The value in lower case. Raises ValueError for what is neither a host's name nor an address."""
    value = value.lower()
    if _HOST.fullmatch(value) and len(value) <= _MAX_HOST_CHARS:
        return value
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError(f"{value[:60]!r} is no name or address of a machine") from None


class Group(BaseModel):
    """Settings that belong together; `Settings` takes them in."""

    # They are built once, in Settings.
    model_config = ConfigDict(defer_build=True)
