"""How often one address, one person, one account may ask: the rates of the settings.

Counted in memory by a single process, in Redis by several. Without Redis for a while, each process
counts for itself: a throttle that is a little too generous is better than no service.
"""

from __future__ import annotations

import collections
import hashlib
import logging
import math
import time
from typing import Any

from models.errors import Throttled
from settings import Settings

log = logging.getLogger("taskroom.throttle")
ANON, USER, LOGIN, LOGIN_ADDRESS, PASSWORD_RESET = "anon", "user", "login", "login_address", "password_reset"
REFRESH, HOOK = "refresh", "hook"
OFFICE_FACTOR = 10
"""Log-ins from one address, as a multiple of those to one account: an office sits behind one router."""
REDIS_PATIENCE_S = 0.3
WITHOUT_REDIS_S = 5.0
"""For how long a Redis that did not answer is not asked again."""


class Throttle:
    """The counters of one process; those in Redis are shared by the processes of one installation."""

    def __init__(self, settings: Settings, installation: str) -> None:
        self._rates: dict[str, Any] = {}
        self.refused: collections.Counter[str] = collections.Counter()
        """How many requests were above each rate."""
        rates = {
            ANON: settings.throttle_anon,
            USER: settings.throttle_user,
            LOGIN: settings.throttle_login,
            PASSWORD_RESET: settings.throttle_password_reset,
            REFRESH: settings.throttle_refresh,
            HOOK: settings.throttle_hook,
        }
        if not any(rates.values()):
            return
        # Imported here because a server without throttles can start without them.
        from limits import parse
        from limits.aio.strategies import FixedWindowRateLimiter

        from handlers.web.counters import LocalStorage, redis_storage

        self._rates = {name: parse(rate) for name, rate in rates.items() if rate}
        if LOGIN in self._rates:
            one = self._rates[LOGIN]
            self._rates[LOGIN_ADDRESS] = type(one)(one.amount * OFFICE_FACTOR, one.multiples)
        self._local = FixedWindowRateLimiter(LocalStorage())
        self._shared: FixedWindowRateLimiter | None = None
        if settings.redis_url:
            self._shared = FixedWindowRateLimiter(
                redis_storage(settings.redis_url, installation, REDIS_PATIENCE_S)
            )
        self._shared_again_at = 0.0

    async def count(self, rate: str, *who: str) -> None:
        """Counts a request against a rate. Raises Throttled above it."""
        item = self._rates.get(rate)
        if item is None:
            return
        key = _key(who)
        if self._shared is None or time.monotonic() < self._shared_again_at:
            return await self._count(self._local, item, rate, key)
        try:
            await self._count(self._shared, item, rate, key)
        except Throttled:
            raise
        except Exception as error:
            # Whatever a network and a foreign server can do.
            log.warning("throttles count without Redis for now: %s", str(error) or type(error).__name__)
            self._shared_again_at = time.monotonic() + WITHOUT_REDIS_S
            await self._count(self._local, item, rate, key)

    async def _count(self, limiter: Any, item: Any, rate: str, key: str) -> None:
        if not await limiter.hit(item, rate, key):
            self.refused[rate] += 1
            stats = await limiter.get_window_stats(item, rate, key)
            raise Throttled(max(1, math.ceil(stats.reset_time - time.time())))

    async def close(self) -> None:
        """Ends the link to Redis."""
        if self._rates and self._shared is not None:
            shared: Any = self._shared.storage
            await shared.bridge.storage.aclose()


def _key(who: tuple[str, ...]) -> str:
    # What somebody sent may be long, and is kept for as long as it counts.
    return hashlib.blake2b(repr(who).encode(errors="surrogatepass"), digest_size=16).hexdigest()
