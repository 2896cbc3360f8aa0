"""How a log line looks: one line, and nothing in it that a terminal would obey."""

from __future__ import annotations

import logging
import re
from typing import Any

import orjson

from handlers.web import request_ids
from models.keys import masked
from models.text import printable

# Whoever has the rest of such a path can post into a room.
_SECRET = re.compile(r"(/api/hooks/in)(?!coming).*", re.IGNORECASE | re.DOTALL)


def without_secret(path: str) -> str:
    """The path of a request as a log may have it."""
    return _SECRET.sub(r"\1/(hidden)", path) if "hooks" in path.lower() else path


class _SafeFormatter(logging.Formatter):
    """Escapes what strangers put into paths, names and errors, and masks keys wherever they came from."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = masked(printable(record.message))
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        return "\n".join(masked(printable(line)) for line in super().formatException(ei).split("\n"))


class TextFormatter(_SafeFormatter):
    """For people."""

    def __init__(self, worker: int = 0) -> None:
        """`worker` is this process's number among several."""
        who = f" worker {worker}" if worker else ""
        super().__init__(f"%(asctime)s{who} %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        request_id = request_ids.current.get()
        return super().formatMessage(record) + (f" [{request_id}]" if request_id else "")


class JsonFormatter(_SafeFormatter):
    """For programs: one JSON object a line."""

    def __init__(self, worker: int = 0) -> None:
        """`worker` is this process's number among several."""
        super().__init__()
        self._worker = worker

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        line: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": masked(printable(record.getMessage())),
        }
        if self._worker:
            line["worker"] = self._worker
        if request_id := request_ids.current.get():
            line["request_id"] = request_id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line).decode()
