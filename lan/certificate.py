"""The certificate that a server shows, and how it is changed while the server runs.

New connections get the new chain; those that are open go on with theirs.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import ssl
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lan.addresses import EVERY_ADDRESS, is_name, lan_addresses, machine_names
from settings import Settings, SettingsError

if TYPE_CHECKING:
    from lan.authority import Authority

log = logging.getLogger("taskroom.tls")

LOOK_EVERY_S = 60.0
NAMES = ("taskroom.local", "taskroom-2.local", "taskroom-3.local")
"""What this server may be called on the network (`lan.announcement`)."""
_HERE = ("localhost", "127.0.0.1", "::1")


def names_of(settings: Settings) -> list[str]:
    """Every name and address by which this machine is reached, also what a setting names."""
    own = settings.host.lower()
    host = (urlsplit(settings.backend_url).hostname or "").lower()
    given = [*settings.tls_names, host, *([] if own in EVERY_ADDRESS else [own])]
    addresses = lan_addresses("")
    named = [one for one in given if one and (is_name(one) or ":" in one)]
    return list(dict.fromkeys([*machine_names(), *NAMES, *named, *_HERE, *addresses]))


def authority_of(settings: Settings) -> Authority:
    """The local authority of a data folder, made or not."""
    # Imported here: only who has a local authority needs it.
    from lan.authority import Authority

    return Authority(settings.data_dir / "tls")


class Certificate:
    """What a server shows: its own authority's, or that of two files."""

    def __init__(self, settings: Settings) -> None:
        """Raises SettingsError if it cannot be made or read."""
        self._settings = settings
        self._authority = authority_of(settings) if settings.tls == "auto" else None
        self.context = _new_context()
        self._loaded: object = None
        self.root = b""
        """The local authority's own certificate in PEM form; empty without one."""
        self.fingerprint = ""
        """The root's SHA-256."""
        self._said = ""
        try:
            self._ensure()
            self._reload()
        except (OSError, ValueError) as error:
            raise SettingsError(f"setting tls: no certificate can be made: {error}") from None

    async def round(self) -> None:
        """Makes the certificate anew in time, and shows what has been made or put there."""
        await asyncio.to_thread(self.look)

    def look(self, moment: datetime | None = None) -> None:
        """The same at once. One that cannot be shown leaves the one before, and a line in the log."""
        try:
            if self._ensure(moment):
                log.info("made a new certificate for %s", ", ".join(names_of(self._settings)))
            if self._reload():
                log.info("new connections get the new certificate")
            self._said = ""
        except (OSError, ValueError) as error:
            # Each trouble once.
            if str(error) != self._said:
                self._said = str(error)
                log.warning("the certificate stays as it was: %s", error)

    def _ensure(self, moment: datetime | None = None) -> bool:
        return self._authority is not None and self._authority.ensure(names_of(self._settings), moment)

    def _files(self) -> tuple[Path, Path | None]:
        if self._authority is not None:
            return self._authority.server_path, None
        assert self._settings.tls_cert is not None
        return self._settings.tls_cert, self._settings.tls_key

    def _reload(self) -> bool:
        """Whether there was anything new to load. Raises OSError (and of these SSLError), ValueError."""
        cert, key = self._files()
        # Their times would do, but for two within a tick of the file system's clock.
        state = [hashlib.sha256(path.read_bytes()).digest() for path in (cert, key) if path is not None]
        if state == self._loaded:
            return False
        # Tried elsewhere first: a key that does not fit would leave the real one without any.
        _new_context().load_cert_chain(cert, key)
        self.context.load_cert_chain(cert, key)
        self._loaded = state
        if self._authority is not None:
            self.root, self.fingerprint = self._authority.root_text(), self._authority.fingerprint()
        return True


def _new_context() -> ssl.SSLContext:
    return ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
