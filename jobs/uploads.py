"""Removes files that nothing names: uploads that were cut off, and those of a write whose outcome nobody knew
and that was undone. A little at a time."""

from __future__ import annotations

import logging
from pathlib import Path

from models import uploads
from models.database.store import Store

log = logging.getLogger("taskroom.jobs")
EVERY_S = 600
NEXT_SLICE_S = 5
SLICE = 500


class Sweep:
    """The job; it remembers where the last round ended."""

    def __init__(self, store: Store, media: Path) -> None:
        self._store = store
        self._media = media
        self._after = ""

    async def round(self) -> float:
        """Looks at a slice of all old files; returns in how many seconds to go on."""
        store, media = self._store, self._media
        if not self._after:
            await store.file(uploads.remove_leftovers, media)
        paths = await store.file(uploads.old_files, media, self._after, SLICE)
        if paths:
            since = await store.read(uploads.oldest_use)
            unnamed = await store.read(uploads.unnamed, paths)
            await store.file(_remove_unnamed, media, unnamed, since)
        is_end = len(paths) < SLICE
        self._after = "" if is_end else paths[-1]
        return EVERY_S if is_end else NEXT_SLICE_S


def _remove_unnamed(media: Path, paths: list[str], since: float) -> None:
    """File thread."""
    gone = uploads.changed_since(media, paths, since)
    uploads.remove_stored(media, gone)
    if gone:
        log.info("removed %d files that nothing names", len(gone))
