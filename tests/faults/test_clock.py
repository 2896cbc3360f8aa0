"""The clock of the background jobs: no error ends one, the log says whose it was, and health names it."""

import asyncio
import contextlib
import logging

import pytest

from jobs import clock as clock_module
from jobs.clock import Clock, shortened
from models.errors import Unavailable
from tests.support.database import sqlite_only
from tests.support.waiting import eventually


class Job:
    """Fails as long as it has errors left."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.rounds = 0

    async def __call__(self):
        self.rounds += 1
        if self.errors:
            raise self.errors.pop(0)


@pytest.fixture
def clock(io_loop, monkeypatch):
    monkeypatch.setattr(clock_module, "FIRST_PAUSE_S", 0.001)
    clock = Clock()
    yield clock
    io_loop.run_sync(lambda: clock.stop(5))


@pytest.mark.expects_errors
@pytest.mark.parametrize(
    "error", [Unavailable(), ValueError("unforeseen"), asyncio.CancelledError(), RecursionError()], ids=repr
)
@pytest.mark.gen_test
async def test_no_error_ends_a_job(clock, error):
    """One mistyped address ended all mail, and a read-only database presence, until a restart."""
    job = Job(error, error)
    clock.every(0.001, "mail", job)
    await eventually(lambda: job.rounds == 2 and "mail" in clock.troubles)
    await eventually(lambda: job.rounds > 3 and not clock.troubles)


@pytest.mark.expects_errors
@pytest.mark.gen_test
async def test_the_log_says_once_whose_error_it_was_and_when_it_is_over(clock, caplog):
    caplog.set_level(logging.INFO, "taskroom.jobs")
    job = Job(*[ValueError("a comma")] * 5, Unavailable())
    clock.every(0.001, "mail", job)
    await eventually(lambda: job.rounds > 7)
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "mail: ValueError: a comma; it is tried again",
        f"mail: {Unavailable.detail}; it is tried again",
        "mail: works again, after 6 failed rounds",
    ]
    assert caplog.records[0].exc_info and not caplog.records[1].exc_info


@pytest.mark.expects_errors
@pytest.mark.gen_test
async def test_rounds_that_fail_become_rarer_and_an_absent_database_is_asked_again_soon(clock, monkeypatch):
    monkeypatch.setattr(clock_module, "FIRST_PAUSE_S", 1.0)
    unforeseen = [clock._failed("mail", ValueError()) for _ in range(8)]
    assert unforeseen == [1, 2, 4, 8, 16, 30, 30, 30]
    away = [clock._failed("presence", Unavailable()) for _ in range(5)]
    assert away == [1, 2, 2, 2, 2]


@pytest.mark.gen_test
async def test_a_job_may_say_when_it_wants_its_next_round(clock):
    rounds = []

    async def work():
        rounds.append(1)
        return 0.001

    clock.every(3600, "focus sessions", work)
    await eventually(lambda: len(rounds) > 2)


@pytest.mark.expects_errors
@pytest.mark.gen_test
async def test_what_is_to_be_done_once_is_done_when_it_has_worked(clock):
    job = Job(Unavailable(), ValueError())
    clock.once("tail", job)
    await eventually(lambda: job.rounds == 3)
    await asyncio.gather(*clock._running)
    assert job.rounds == 3


@pytest.mark.gen_test
async def test_a_stopped_clock_runs_nothing(clock):
    ended = []

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    clock.every(1, "mail", work)
    await asyncio.sleep(0)
    await clock.stop(5)
    assert ended == [True]


@pytest.mark.gen_test
async def test_a_round_that_swallows_its_end_is_the_last_one(clock):
    """`asyncio.wait_for` of Python 3.11 does, if what it waits for comes in the same moment."""
    rounds = []

    async def work():
        rounds.append(1)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    clock.every(0, "events", work)
    await asyncio.sleep(0)
    [running] = clock._running
    await clock.stop(5)
    assert running.done() and rounds == [1]


@sqlite_only
@pytest.mark.expects_errors
@pytest.mark.gen_test
async def test_health_names_the_jobs_that_fail_and_not_why(app, client, monkeypatch):
    monkeypatch.setattr(clock_module, "FIRST_PAUSE_S", 0.001)
    job = Job(*[ValueError("ann@example.com")] * 2)
    go_on = asyncio.Event()

    async def work():
        if not job.errors:
            await go_on.wait()
        await job()

    app.clock.every(0.001, "reports", work)
    await eventually(lambda: app.clock.troubles)
    answer = (await client.get("/api/v1/core/health/")).expect(200)
    assert answer.json["status"] == "degraded"
    jobs = {
        "status": "failing",
        "latency_ms": None,
        "detail": "Failing: reports.",
        "failing": ["reports"],
    }
    assert answer.json["parts"]["jobs"] == jobs
    assert "ann" not in answer.text
    go_on.set()
    await eventually(lambda: not app.clock.troubles)
    answer = (await client.get("/api/v1/core/health/")).expect(200)
    assert answer.json["status"] == "ok" and answer.json["parts"]["jobs"]["status"] == "ok"


@sqlite_only
@pytest.mark.gen_test
async def test_every_job_of_the_server_runs_by_the_clock(app):
    names = {running.get_name() for running in app.clock._running}
    assert names == {
        "tail",
        "sweep",
        "events",
        "presence",
        "mail",
        "retention",
        "uploads",
        "focus sessions",
        "held notifications",
        "deadlines",
        "search",
        "sessions",
        "webhooks",
    }


@pytest.mark.parametrize(
    ("pause_s", "begins", "expected"),
    [
        (0.5, 7.125, 0.375),
        (0.5, 7.0, 0.5),
        (2.0, 7.125, 1.875),
        (0.75, 7.25, 0.75),
        (0.25, 7.125, 0.25),
        (0.125, 7.5, 0.125),
        (0.0, 7.5, 0.0),
    ],
)
def test_jobs_that_pause_for_long_begin_together_and_never_late(pause_s, begins, expected):
    """Each woke the loop and a reader of the database by itself: most of what an idle server does."""
    assert shortened(pause_s, begins) == expected
