"""How the files of backups that the clock makes are named, and which of them go."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from models.backups.thinning import Keep, kept
from models.base import SECOND_US

UNFINISHED = ".unfinished"
"""Ends the name of the folder in which a backup is made, beside where it is to be."""
_FORM = "taskroom-%Y%m%dT%H%M%SZ.zip"
_NAME = re.compile(r"taskroom-\d{8}T\d{6}Z\.zip")


def name_of(made_at: int) -> str:
    """The name of a backup that was begun at this instant."""
    return datetime.fromtimestamp(made_at / SECOND_US, UTC).strftime(_FORM)


def made_at(name: str) -> datetime | None:
    """When a backup with such a name was begun; None for any other file."""
    if not _NAME.fullmatch(name):
        return None
    try:
        return datetime.strptime(name, _FORM).replace(tzinfo=UTC)
    except ValueError:
        return None


def thin(folder: Path, moment: datetime, keep: Keep) -> list[Path]:
    """Removes those backups in the folder that are to go, and gives them. Other files stay."""
    found = {made: path for path in folder.iterdir() if (made := made_at(path.name)) is not None}
    gone = [found[made] for made in sorted(found.keys() - kept(found, moment, keep))]
    for path in gone:
        path.unlink(missing_ok=True)
    return gone


def unfinished(target: Path) -> Path:
    """The folder in which a backup is made."""
    return target.with_name(f".{target.name}{UNFINISHED}")


def leftovers(target: Path) -> list[Path]:
    """What may be left of backups whose process was killed: of this one, and of those that the clock made."""
    by_the_clock = target.parent.glob(f".taskroom-*{UNFINISHED}") if made_at(target.name) else ()
    return [unfinished(target), *by_the_clock]
