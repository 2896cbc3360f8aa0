"""The id of each request: in its answer, and in every line that is logged while it is served."""

from __future__ import annotations

import random
import re
from contextvars import ContextVar

from tornado.httputil import HTTPServerRequest

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+/=-]{0,63}")

current: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is served; empty outside of one."""


def begin(request: HTTPServerRequest) -> None:
    """Gives the request the id that a proxy or client has chosen, or a new one if that is none or makes no
    sense."""
    given = request.headers.get(HEADER, "")
    # Nobody is kept out by it, so it need not be hard to guess, which costs a call of the system.
    current.set(given if _SANE.fullmatch(given) else f"{random.getrandbits(64):016x}")
