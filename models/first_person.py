"""The first person becomes ceo, so on a network it must not be whoever is quickest.

A code says that somebody has seen what the server shows where it was started. It follows from the
installation's secret and its name: so it outlives restarts, every process of the installation knows it, and
nothing is stored. It is dead as soon as there is somebody.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac

from models import installation
from models.base import Statement
from models.errors import Forbidden

CODE_CHARS = 16
_GROUP_CHARS = 4
_anybody = Statement("SELECT id FROM person LIMIT 1")


class Claim(enum.Enum):
    """By which right somebody may become the first person."""

    LINK = enum.auto()
    """They have the link: they are the first, or nobody at all."""
    HERE = enum.auto()
    """They need no link, most likely because they are at the machine itself."""
    NONE = enum.auto()


class FirstCode:
    """The code of one installation's link for the first person."""

    def __init__(self, secret: str, installation: str) -> None:
        """`installation` is its name."""
        digest = hmac.digest(secret.encode(), f"first person {installation}".encode(), hashlib.sha256)
        self._plain = base64.b32encode(digest).decode().lower()[:CODE_CHARS]

    @property
    def text(self) -> str:
        """The code in groups, as it stands in the link."""
        starts = range(0, CODE_CHARS, _GROUP_CHARS)
        return "-".join(self._plain[start : start + _GROUP_CHARS] for start in starts)

    def link(self, base_url: str) -> str:
        """The link, on a server with this address."""
        # The fragment is seen by no server and no log on the way.
        return f"{base_url}/#first-{self.text}"

    def matches(self, given: str) -> bool:
        """Whether this is the code, however it is grouped and whatever its case."""
        plain = given.replace("-", "").replace(" ", "").lower()
        return hmac.compare_digest(plain.encode(), self._plain.encode())


def is_anybody_here() -> bool:
    """Query: whether somebody has registered."""
    return bool(_anybody.all())


def code_of_link(secret: str) -> FirstCode | None:
    """Query: the code for the first person; None if there is somebody."""
    return None if is_anybody_here() else FirstCode(secret, installation.name())


def check_claim(claim: Claim, is_first: bool) -> None:
    """Raises Forbidden if a new person may not be the first, or not be anybody but the first."""
    if is_first and claim is Claim.NONE:
        raise Forbidden(
            "Nobody has registered here yet, and whoever does first runs this server. From another machine"
            " that takes the link which the server shows at its start; `taskroom first-link` shows it, too.",
            "first_link_needed",
        )
    if not is_first and claim is Claim.LINK:
        raise Forbidden(
            "This link was for the first person, and somebody has registered already."
            " Please sign in, or register without it.",
            "first_link_over",
        )
