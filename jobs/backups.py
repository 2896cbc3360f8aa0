"""Makes a backup every so often, each in a process of its own: reading and packing a whole database beside
the loop would make everybody wait. One that fails is told of in the log, in the metrics and to every ceo."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import program
from models import installation
from models.backups.errors import UNDER_WAY_STATUS
from models.backups.names import name_of, thin
from models.backups.thinning import Keep
from models.base import SECOND_US, now
from models.database.store import Store
from models.operations import backups
from models.text import printable
from settings import Settings

log = logging.getLogger("taskroom.backups")
LOOK_EVERY_S = 60.0
RETRY_S = 3600.0
"""After one that failed, or whose server ended."""
LONGEST_S = 6 * 3600.0
"""A database that is frozen while it is read would be waited for without end, and without a word."""
ENDS_WITHIN_S = 3


class Backups:
    """The job of one process. Of all processes on a database, one makes the backup that is due."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._untold = ""
        self.failures = 0
        self.every_s = settings.backup_every * 3600

    async def round(self) -> float:
        """Makes a backup if one is due; returns in how many seconds to look again."""
        await self._tell()
        retry_s = min(RETRY_S, self.every_s)
        if await self._store.write(
            installation.claim_backup, int(self.every_s * SECOND_US), int(retry_s * SECOND_US)
        ):
            await self._make()
            await self._tell()
        return min(LOOK_EVERY_S, self.every_s)

    async def _make(self) -> None:
        folder = self._settings.backups
        try:
            await self._store.file(lambda: folder.mkdir(0o700, parents=True, exist_ok=True))
            status, said = await self._run(folder / name_of(now()))
            if status == UNDER_WAY_STATUS:
                log.info("no backup by the clock: somebody makes one by hand right now")
            elif status:
                self._fail(said)
            else:
                log.info("%s", said)
                await self._store.file(thin, folder, datetime.now(UTC), Keep(*self._settings.backup_keep))
        except TimeoutError:
            self._fail(f"it was not done within {LONGEST_S / 3600:g} hours")
        except OSError as error:
            self._fail(f"{error.filename or folder}: {error.strerror or error}")

    async def _run(self, path: Path) -> tuple[int, str]:
        """Has another process make it; gives its status, and the last thing that it said."""
        process = await asyncio.create_subprocess_exec(
            *program.command("backup", str(path)),
            env=os.environ | program.environment() | _environment(self._settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(LONGEST_S):
                out, err = await process.communicate()
        except BaseException:
            await _end(process)
            raise
        lines = (err if process.returncode else out).decode(errors="replace").splitlines()
        return process.returncode or 0, printable(lines[-1] if lines else f"status {process.returncode}")

    def _fail(self, why: str) -> None:
        why = why.removeprefix("taskroom: ")
        log.error("the backup failed: %s", why)
        self.failures += 1
        self._untold = why

    async def _tell(self) -> None:
        """Raises Unavailable; then it is told the next time."""
        if self._untold:
            await self._store.write(backups.tell_failure, self._untold)
            self._untold = ""


async def _end(process: asyncio.subprocess.Process) -> None:
    """The server stops: so does the backup, and leaves nothing."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ENDS_WITHIN_S):
                await process.wait()
                return
        process.kill()


def _environment(settings: Settings) -> dict[str, str]:
    """The settings that the other process needs, and where it finds the code that runs here."""
    return {
        "TASKROOM_DATA_DIR": str(settings.data_dir),
        "TASKROOM_DATABASE_URL": settings.database_url,
        "TASKROOM_SECRET_KEY": settings.secret_key,
        "TASKROOM_WORKERS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
