"""Whether things can still be stored: what the health check tries, at most once a second for all who ask."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from models import event_log, installation
from models.database.store import Store
from models.errors import Unavailable

RECENT_S = 1.0
PROBE_BYTES = 64 * 1024
"""About what a message, a session or a small upload may need at once."""


class Checks:
    """The checks of one process."""

    def __init__(self, store: Store, data_dir: Path) -> None:
        self._store = store
        self._data_dir = data_dir
        self._write = _Shared(self._write_row)
        self._disk = _Shared(self._write_file)

    async def database(self) -> None:
        """Raises Unavailable unless the database can be read and written."""
        await self._store.read(event_log.newest)
        if not await self._write.outcome():
            raise Unavailable("The database can be read and not written.")

    async def free_percent(self) -> float:
        """How much of the disk with the uploads is free. Raises Unavailable if nothing fits any more."""
        free: float | None = await self._disk.outcome()
        if free is None:
            raise Unavailable("Nothing can be written to data_dir.")
        return free

    async def _write_row(self) -> bool:
        try:
            await self._store.write(installation.touch)
        except Unavailable:
            return False
        return True

    async def _write_file(self) -> float | None:
        return await self._store.file(_free_percent, self._data_dir)


class _Shared:
    """A check that several ask for at nearly the same time is made once."""

    def __init__(self, check: Callable[[], Awaitable[Any]]) -> None:
        self._check = check
        self._lock = asyncio.Lock()
        self._outcome: Any = None
        self._at = float("-inf")

    async def outcome(self) -> Any:
        """What the check says, or said a moment ago."""
        async with self._lock:
            if time.monotonic() - self._at > RECENT_S:
                self._outcome = await self._check()
                self._at = time.monotonic()
            return self._outcome


def _free_percent(data_dir: Path) -> float | None:
    """File thread."""
    probe = data_dir / f".health-{os.getpid()}"
    try:
        probe.write_bytes(bytes(PROBE_BYTES))
        usage = shutil.disk_usage(data_dir)
    except OSError:
        return None
    finally:
        # On a read-only disk it is not there.
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    return 100 * usage.free / (usage.total or 1)
