"""`taskroom.toml`: settings in the data folder, one a line, and what can be wrong with them."""

from __future__ import annotations

import difflib
import re
import stat
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from settings.errors import SettingsError

NAME = "taskroom.toml"
_READABLE_BY_OTHERS = stat.S_IROTH
_NAMED = re.compile(r"\s*([\w-]+)\s*=")


@dataclass(frozen=True, slots=True)
class Entry:
    """What the file says of one setting: its text as a flag would give it, and the line."""

    text: str
    line: int


def read(data_dir: Path, known: Collection[str], lists: Collection[str]) -> dict[str, Entry]:
    """What the file in the data folder says; nothing if there is none. `lists` are the settings that may
    be lists. Raises SettingsError."""
    path = data_dir / NAME
    try:
        with path.open("rb") as file:
            content = file.read().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{NAME}, line {line}: is not UTF-8") from None
    content = content.replace("\r\n", "\n")
    _check_syntax(content)
    return {
        name: Entry(_as_text(name, value, line, known, lists), line)
        for line, name, value in _statements(content)
    }


def is_readable_by_others(data_dir: Path) -> bool:
    """Whether anybody on the machine may read the file."""
    try:
        return bool((data_dir / NAME).stat().st_mode & _READABLE_BY_OTHERS)
    except OSError:
        return False


def _check_syntax(content: str) -> None:
    try:
        tomllib.loads(content)
    except (ValueError, RecursionError) as error:
        line = _line_of(content, error)
        why = str(error).partition(" (at ")[0] if isinstance(error, tomllib.TOMLDecodeError) else "is no TOML"
        name = _NAMED.match(content.split("\n")[line - 1])
        setting = f"setting {_shown(name[1])}: " if name else ""
        hint = "; a text stands in quotes" if why.startswith(("Expected newline", "Invalid value")) else ""
        raise SettingsError(f"{NAME}, line {line}: {setting}{why[:1].lower()}{why[1:]}{hint}") from None


def _line_of(content: str, error: Exception) -> int:
    """The line in which the syntax is wrong: tomllib tells it in words only."""
    _, _, place = str(error).partition("(at line ")
    number = place.partition(",")[0]
    return int(number) if number.isdigit() else len(content.rstrip("\n").split("\n"))


def _statements(content: str) -> Iterator[tuple[int, str, Any]]:
    """Line, name and value of each setting: what parses for itself is a statement."""
    first, gathered = 1, ""
    for number, line in enumerate(content.split("\n"), 1):
        gathered += line + "\n"
        try:
            found = tomllib.loads(gathered)
        except tomllib.TOMLDecodeError:
            # A list or a text goes on in the next line.
            continue
        yield from ((first, name, value) for name, value in found.items())
        first, gathered = number + 1, ""


def _as_text(name: str, value: Any, line: int, known: Collection[str], lists: Collection[str]) -> str:
    """The value as a flag would give it. Raises SettingsError."""
    where = f"{NAME}, line {line}"
    if isinstance(value, dict):
        raise SettingsError(f"{where}: there are no sections, only lines like port = 8000")
    if name == "data_dir":
        why = "the file lies in it; --data_dir and TASKROOM_DATA_DIR say where"
        raise SettingsError(f"{where}: data_dir cannot be set here: {why}")
    if name not in known:
        raise SettingsError(f'{where}: there is no setting "{_shown(name)}"{_hint(name, known)}')
    if isinstance(value, list) and name not in lists:
        raise SettingsError(f"{where}: setting {name}: takes one value and no list")
    parts = value if isinstance(value, list) else [value]
    if not all(isinstance(part, str | int | float) for part in parts):
        raise SettingsError(f"{where}: setting {name}: must be a text, a number, true or false")
    return ",".join(_word(name, part, where) for part in parts)


def _word(name: str, value: str | int | float, where: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    try:
        text = str(value)
    except ValueError:
        raise SettingsError(f"{where}: setting {name}: makes no sense") from None
    if not text.isprintable():
        raise SettingsError(f"{where}: setting {name}: must be one line of printable text")
    return text


def _shown(name: str) -> str:
    return name if name.isprintable() and len(name) <= 60 else ascii(name[:60])[1:-1]


def _hint(name: str, known: Collection[str]) -> str:
    """What was most likely meant."""
    close = difflib.get_close_matches(name[:60].lower().replace("-", "_"), [*known], 1)
    return f'; did you mean "{close[0]}"?' if close else ""
