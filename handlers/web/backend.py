"""What the handlers of one process share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from handlers.first_person import FirstPerson
from handlers.providers import Providers
from handlers.web.throttle import Throttle
from models.authenticator import Authenticator
from models.database.store import Store
from models.links import Links
from models.resets import ResetTokens
from models.signed import Signer
from settings import Settings


@dataclass(frozen=True, slots=True)
class Backend:
    """What the handlers of one process share."""

    settings: Settings
    store: Store
    authenticator: Authenticator
    links: Links
    media: Path
    resets: ResetTokens
    throttle: Throttle
    providers: Providers
    signer: Signer
    first: FirstPerson
