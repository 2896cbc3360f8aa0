"""What an administrator measures: figures of this process, and of all workers together, for Prometheus.

Hot paths only count in plain attributes; a job looks at these every second. Several workers keep their
figures in files of a folder that their parent has made (the library's multiprocess mode), so whichever is
asked answers for all of them: counts are added up, and what holds now is told of each worker.
"""

from __future__ import annotations

import asyncio
import collections
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable by which the library knows the folder."""
SAMPLE_EVERY_S = 1.0
LOOK_CLOSELY_EVERY, QUERY_EVERY = 5, 15
"""Samples, between those that look at every socket and at the system, and those that ask the database."""
LAG_BUCKETS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200)

Counts = Mapping[Any, float]
Query = Callable[[], Awaitable[float]]


class Metrics:
    """The figures of one process. Belongs to one loop; `round` again and again."""

    def __init__(self, worker: int) -> None:
        # Imported here: it costs 10 MiB that a server without metrics does not need.
        import prometheus_client

        self._library = prometheus_client
        self._registry = prometheus_client.CollectorRegistry()
        self.worker = worker
        self.statuses: collections.Counter[int] = collections.Counter()
        """How many requests were answered, by status."""
        self._counters: list[tuple[Any, Callable[[], Counts], collections.Counter[Any]]] = []
        self._gauges: list[tuple[Any, Callable[[], Counts]]] = []
        self._queries: list[tuple[Any, Query]] = []
        self._histograms: list[tuple[Any, Callable[[], Iterable[float]]]] = []
        self._samples = 0
        self._lag = prometheus_client.Histogram(
            "taskroom_loop_lag_seconds",
            "How much later than it was due the loop came to something.",
            buckets=LAG_BUCKETS_S,
            registry=self._registry,
        )

    def counter(self, name: str, meaning: str, read: Callable[[], Counts], label: str = "") -> None:
        """Follows counts that only grow, one for each value of the label."""
        labels = [label] if label else []
        counter = self._library.Counter(f"taskroom_{name}", meaning, labels, registry=self._registry)
        self._counters.append((counter, read, collections.Counter()))

    def gauge(self, name: str, meaning: str, read: Callable[[], Counts], label: str = "") -> None:
        """Follows what holds now in this worker, one figure for each value of the label."""
        labels = ["worker", label] if label else ["worker"]
        gauge = self._library.Gauge(
            f"taskroom_{name}", meaning, labels, registry=self._registry, multiprocess_mode="livesum"
        )
        self._gauges.append((gauge, read))

    def histogram(
        self, name: str, meaning: str, buckets: Sequence[float], read: Callable[[], Iterable[float]]
    ) -> None:
        """Follows how values are spread; `read` gives those since it was asked before."""
        histogram = self._library.Histogram(
            f"taskroom_{name}", meaning, buckets=buckets, registry=self._registry
        )
        self._histograms.append((histogram, read))

    def query_each(self, name: str, meaning: str, read: Query) -> None:
        """Follows what the database says of this worker."""
        gauge = self._library.Gauge(
            f"taskroom_{name}", meaning, ["worker"], registry=self._registry, multiprocess_mode="livesum"
        )
        self._queries.append((gauge.labels(self.worker), read))

    def query(self, name: str, meaning: str, read: Query) -> None:
        """Follows what the database says, which is the same for all workers: the first one asks."""
        if self.worker == 1:
            gauge = self._library.Gauge(
                f"taskroom_{name}", meaning, registry=self._registry, multiprocess_mode="livemostrecent"
            )
            self._queries.append((gauge, read))

    async def round(self) -> None:
        """Waits for a second, sees how much later than that it is, and takes all figures."""
        loop = asyncio.get_running_loop()
        due = loop.time() + SAMPLE_EVERY_S
        await asyncio.sleep(SAMPLE_EVERY_S)
        self._lag.observe(max(0.0, loop.time() - due))
        for counter, read, seen in self._counters:
            _count_on(counter, read(), seen)
        for histogram, recent in self._histograms:
            for value in recent():
                histogram.observe(value)
        if self._samples % LOOK_CLOSELY_EVERY == 0:
            for gauge, read in self._gauges:
                self._set(gauge, read())
        self._samples += 1
        if self._samples % QUERY_EVERY == 1:
            for gauge, query in self._queries:
                gauge.set(await query())

    def _set(self, gauge: Any, figures: Counts) -> None:
        for label, value in figures.items():
            gauge.labels(self.worker, *_labels(label)).set(value)

    def render(self) -> bytes:
        """All figures, of all workers. Reads files: not for the loop."""
        registry = self._registry
        if FOLDER in os.environ:
            from prometheus_client.multiprocess import MultiProcessCollector

            registry = self._library.CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        text: bytes = self._library.generate_latest(registry)
        return text


def follow(
    metrics: Metrics,
    store: Any,
    realtime: Any,
    server: Any,
    throttle: Any,
    backups: Any,
    webhooks: Any,
    waiting_mail: Query,
    backup_age_s: Query,
    untold_s: Query,
) -> None:
    """Says what the figures of a server are."""
    metrics.query("mail_waiting", "Mail that has not been sent.", waiting_mail)
    metrics.query("backup_age_seconds", "Since the last backup; infinite without one.", backup_age_s)
    metrics.query_each(
        "event_lag_seconds", "For how long an event has been stored that this worker has not told.", untold_s
    )
    _follow_batches(metrics, store)
    _follow_webhooks(metrics, webhooks)
    counter, gauge = metrics.counter, metrics.gauge
    counter("requests", "Requests that were answered.", lambda: metrics.statuses, "status")
    counter("throttled", "Requests above a rate.", lambda: throttle.refused, "rate")
    counter("socket_closes", "Sockets that the server closed.", lambda: realtime.closes, "code")
    counter("recoveries", "Clients that asked for what they missed.", lambda: realtime.recoveries, "outcome")
    counter("backup_failures", "Backups by the clock that failed.", lambda: {"": backups.failures})
    counter("commits", "Transactions of the event log's writer.", lambda: {"": store.batches})
    counter("writes", "Writes in them.", lambda: {"": store.units})
    counter("writing_seconds", "How long they took, commit included.", lambda: {"": store.writing_s})
    channels: collections.Counter[str] = collections.Counter()

    def count_channels() -> Counts:
        # Those of which none is left are 0 and not what they were.
        for name in channels:
            channels[name] = 0
        channels.update(client.channel for client in realtime.sockets)
        return channels

    gauge("sockets", "Open sockets.", count_channels, "channel")
    gauge("connections", "Connections that speak HTTP.", lambda: {"": server.connections})
    gauge("requests_under_way", "Requests that are being answered.", lambda: {"": server.under_way})
    gauge(
        "outbox_bytes",
        "What waits for slow readers.",
        lambda: {"": sum(client.connection.waiting_bytes for client in realtime.sockets)},
    )
    gauge("event_seq", "The newest event that was told.", lambda: {"": realtime.hub.position})
    gauge("memory_bytes", "Resident memory.", lambda: {"": memory_bytes()})
    gauge("open_descriptors", "Open file descriptors.", lambda: {"": open_descriptors()})


def _follow_webhooks(metrics: Metrics, webhooks: Any) -> None:
    metrics.query("webhooks_waiting", "What webhooks have still to tell.", webhooks.waiting)
    metrics.query("webhooks_waiting_seconds", "For how long the oldest of it has waited.", webhooks.oldest_s)
    metrics.query("webhooks_failing", "Webhooks whose receiver has not taken the last.", webhooks.failing)
    metrics.counter(
        "webhook_attempts", "What was sent by webhooks, by outcome.", lambda: webhooks.outcomes, "outcome"
    )


def _follow_batches(metrics: Metrics, store: Any) -> None:
    recent: list[tuple[int, float]] = []

    def take() -> Iterable[float]:
        recent[:] = store.take_recent_batches()
        return [seconds for _, seconds in recent]

    metrics.histogram("commit_seconds", "Each transaction, commit included.", LAG_BUCKETS_S, take)
    metrics.histogram(
        "batch_writes", "Writes in each.", BATCH_BUCKETS, lambda: [units for units, _ in recent]
    )


def _count_on(counter: Any, counts: Counts, seen: collections.Counter[Any]) -> None:
    for label, count in counts.items():
        if count > seen[label]:
            (counter.labels(*_labels(label)) if label != "" else counter).inc(count - seen[label])
            seen[label] = count  # type: ignore[assignment]


def _labels(label: Any) -> list[str]:
    return [str(label)] if label != "" else []


def memory_bytes() -> int:
    """Resident memory of this process; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def open_descriptors() -> int:
    """How many file descriptors this process has open; 0 where the system does not say."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0


def forget_worker(folder: Path, pid: int) -> None:
    """Removes what held of a worker that has ended; its counts stay."""
    for path in folder.glob(f"gauge_live*_{pid}.db"):
        path.unlink(missing_ok=True)
