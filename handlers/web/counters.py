"""Where throttles count, as storages of the `limits` library."""

from __future__ import annotations

import time
from typing import Any

from limits.aio.storage import RedisStorage, Storage

SWEEP_EVERY_S = 60


class LocalStorage(Storage):
    """Counters in this process. The library's own looks at every counter at every request, this one at
    most once a minute; and this one counts by a clock that nobody sets back."""

    STORAGE_SCHEME = ["async+taskroom"]

    def __init__(self) -> None:
        super().__init__(None)
        self._counters: dict[str, tuple[int, float]] = {}
        self._sweep_at = time.monotonic() + SWEEP_EVERY_S

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Counts; a counter starts anew `expiry` seconds after its first request."""
        moment = time.monotonic()
        if moment >= self._sweep_at:
            self._sweep(moment)
        count, ends = self._counters.get(key, (0, 0.0))
        if ends <= moment:
            count, ends = 0, moment + expiry
        self._counters[key] = (count + amount, ends)
        return count + amount

    def _sweep(self, moment: float) -> None:
        self._sweep_at = moment + SWEEP_EVERY_S
        self._counters = {key: counter for key, counter in self._counters.items() if counter[1] > moment}

    async def get(self, key: str) -> int:
        """How many requests the counter has."""
        count, ends = self._counters.get(key, (0, 0.0))
        return count if ends > time.monotonic() else 0

    async def get_expiry(self, key: str) -> float:
        """When the counter starts anew, in seconds since 1970."""
        moment = time.monotonic()
        _, ends = self._counters.get(key, (0, moment))
        return time.time() + ends - moment

    async def check(self) -> bool:
        return True

    async def reset(self) -> int | None:
        count = len(self._counters)
        self._counters.clear()
        return count

    async def clear(self, key: str) -> None:
        self._counters.pop(key, None)


def redis_storage(url: str, installation: str, patience_s: float) -> Any:
    """Counters in Redis, which waits no longer than `patience_s` for an answer."""
    # `unix://` is what redis-py calls it, and `redis+unix://` what the library does.
    known = f"async+{url}" if not url.startswith("unix://") else f"async+redis+{url}"
    options: dict[str, Any] = {
        "socket_timeout": patience_s,
        "socket_connect_timeout": patience_s,
        "retry": None,
    }
    prefix = f"taskroom:{installation}:throttle"
    return RedisStorage(known, implementation="redispy", key_prefix=prefix, **options)
