"""What keeps a fault from filling the disk with its log."""

from __future__ import annotations

import logging

EVERY_S = 1.0
MAX_ALIKE = 10
"""In that time, of lines that differ only in what they name."""
MAX_REMEMBERED = 1000


class LogLimit(logging.Filter):
    """Lets each warning or error pass once a second, and ten that say the same of different things. The next
    one to pass says how many did not.

    What is said for information has a cause of its own each time, such as a request.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], tuple[float, int, int]] = {}
        """When lines of a cause were let pass first, how many since, and how many were not."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        if record.levelno < logging.WARNING:
            return True
        text = record.getMessage()
        left_out = [self._left_out(record, (record.name, text), 1)]
        if record.args:
            left_out.append(self._left_out(record, (record.name, str(record.msg)), MAX_ALIKE))
        if None in left_out:
            return False
        if more := max(count or 0 for count in left_out):
            record.msg, record.args = f"{text} (and {more} more like this)", ()
        return True

    def _left_out(self, record: logging.LogRecord, cause: tuple[str, str], limit: int) -> int | None:
        """How many lines of the cause were left out before this one; None if this one is as well."""
        at, passed, left_out = self._said.get(cause, (0.0, 0, 0))
        if record.created - at >= EVERY_S or record.created < at:
            if len(self._said) >= MAX_REMEMBERED:
                self._said.clear()
            self._said[cause] = (record.created, 1, 0)
            return left_out
        if passed < limit:
            self._said[cause] = (at, passed + 1, left_out)
            return 0
        self._said[cause] = (at, passed, left_out + 1)
        return None
