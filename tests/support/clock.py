"""The clock on the wall, moved forward; what the loop measures durations with goes on as ever."""

import time
from datetime import datetime, timedelta

import pytest


class WallClock:
    """Tokens, sessions, links and stored instants grow old without anybody waiting."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead_seconds = 0.0
        seconds, nanoseconds = time.time, time.time_ns
        monkeypatch.setattr(time, "time", lambda: seconds() + self.ahead_seconds)
        monkeypatch.setattr(time, "time_ns", lambda: nanoseconds() + int(self.ahead_seconds * 1e9))
        # PyJWT asks datetime, which asks the operating system.
        clock = self

        class Datetime(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(tz) + timedelta(seconds=clock.ahead_seconds)

        monkeypatch.setattr("jwt.api_jwt.datetime", Datetime)

    def forward(self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        self.ahead_seconds += seconds + 60 * (minutes + 60 * (hours + 24 * days))
