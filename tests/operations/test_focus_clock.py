"""Nobody's focus is longer, shorter or less than nothing because of a late clock or one that jumps."""

import pytest

from jobs.focus import Ticker
from models import base, steady
from models.focus import FocusParticipant, FocusSession
from models.operations import focus
from models.operations.focus import Plan
from tests.support.clock import WallClock
from tests.support.people import join_team
from tests.support.team import sign_up
from tests.support.waiting import eventually

MINUTE_US = 60_000_000


@pytest.fixture
def wall_clock(monkeypatch):
    monkeypatch.setattr(steady, "_mark", None)
    return WallClock(monkeypatch)


@pytest.fixture
def people(run, io_loop):
    """Ann, who hosts, and Bob."""
    return io_loop.run_sync(lambda: join_team(run, "ann", "bob"))


async def started(run, host, **plan):
    made = await run(focus.create, host, Plan("Deep", **({"focus_minutes": 55} | plan)))
    return await run(focus.start, host, made["id"])


async def focused(store):
    """Minutes of each who takes part or did, by id."""

    def read():
        rows = FocusParticipant.select(FocusParticipant.person, FocusParticipant.focused)
        return {person_id: us / MINUTE_US for person_id, us in rows.tuples()}

    return await store.read(read)


async def row(store):
    return await store.read(lambda: FocusSession.get())


# Whoever comes or goes while the clock is late


@pytest.mark.gen_test
async def test_whoever_joins_after_a_phase_that_nobody_has_ended_has_no_negative_time(
    run, store, people, wall_clock
):
    """The server was down when the phase ended: its end used to count from before the joining, -300 s."""
    ann, bob = people
    made = await started(run, ann, focus_minutes=25, break_minutes=10)
    wall_clock.forward(minutes=30)
    run.take()
    joined = await run(focus.join, bob, made["id"])
    assert (joined["phase"], joined["round"]) == ("break", 1)
    assert [event.payload["data"]["event"] for event in run.take()] == ["phase", "joined"]
    assert await focused(store) == {ann.id: 25, bob.id: 0}
    await run(focus.advance_due)
    await run(focus.end, ann, made["id"])
    assert await focused(store) == {ann.id: 25, bob.id: 0}


@pytest.mark.gen_test
async def test_joining_twice_while_the_clock_is_late_keeps_the_session_whole(run, store, people, wall_clock):
    ann, _ = people
    made = await started(run, ann, focus_minutes=25, break_minutes=10)
    wall_clock.forward(minutes=30)
    assert (await run(focus.join, ann, made["id"]))["phase"] == "break"
    assert (await row(store)).phase == "break"
    assert await focused(store) == {ann.id: 25}


@pytest.mark.gen_test
async def test_whoever_leaves_late_has_focused_as_long_as_the_phase_was(run, store, people, wall_clock):
    ann, bob = people
    made = await started(run, ann, focus_minutes=25, break_minutes=10)
    await run(focus.join, bob, made["id"])
    wall_clock.forward(minutes=30)
    await run(focus.leave, bob, made["id"])
    minutes = await focused(store)
    assert minutes[ann.id] == 25
    assert minutes[bob.id] == pytest.approx(25, abs=0.1)


@pytest.mark.gen_test
async def test_whoever_leaves_after_the_clock_was_set_back_has_no_negative_time(
    run, store, people, wall_clock
):
    ann, bob = people
    made = await started(run, ann)
    await run(focus.join, bob, made["id"])
    wall_clock.forward(minutes=-10)
    await run(focus.leave, bob, made["id"])
    await run(focus.end, ann, made["id"])
    assert await focused(store) == {ann.id: 0, bob.id: 0}


# A clock that jumps


@pytest.mark.parametrize("hours", [1, -1])
@pytest.mark.gen_test
async def test_a_jump_of_the_clock_neither_ends_nor_prolongs_a_session(run, store, people, wall_clock, hours):
    """55 minutes were "finished" when the clock went forward by an hour."""
    ann, _ = people
    ticker = Ticker(store)
    made = await started(run, ann)
    await ticker.tick()
    wall_clock.forward(hours=hours)
    run.take()
    await ticker.tick()
    [told] = [event.payload["data"] for event in run.take()]
    assert (told["event"], told["status"], told["phase"]) == ("updated", "running", "focus")
    paused = await run(focus.pause, ann, made["id"])
    assert paused["remaining_seconds"] == pytest.approx(55 * 60, abs=30)
    assert (await focused(store))[ann.id] == pytest.approx(0, abs=0.5)


@pytest.mark.gen_test
async def test_a_command_between_the_jump_and_the_tick_sees_no_jump(run, store, people, wall_clock):
    ann, _ = people
    ticker = Ticker(store)
    made = await started(run, ann)
    await ticker.tick()
    wall_clock.forward(hours=1)
    paused = await run(focus.pause, ann, made["id"])
    assert paused["remaining_seconds"] == pytest.approx(55 * 60, abs=30)
    assert (await focused(store))[ann.id] == pytest.approx(0, abs=0.5)


@pytest.mark.gen_test
async def test_two_processes_that_see_one_jump_follow_it_once(run, store, people, wall_clock):
    ann, _ = people
    await started(run, ann)
    tickers = [Ticker(store) for _ in range(2)]
    for ticker in tickers:
        await ticker.tick()
    wall_clock.forward(hours=1)
    for ticker in tickers:
        await ticker.tick()
    left_us = (await row(store)).ends_at - base.now()
    assert left_us / MINUTE_US == pytest.approx(55, abs=0.5)


@pytest.mark.gen_test
async def test_a_jump_is_followed_again_until_that_has_worked(run, store, people, wall_clock, monkeypatch):
    ann, _ = people
    await started(run, ann)
    ticker = Ticker(store)
    await ticker.tick()
    wall_clock.forward(hours=1)

    def fails(*args):
        raise RuntimeError("the database is away")

    with monkeypatch.context() as away, pytest.raises(RuntimeError):
        away.setattr(focus, "shift", fails)
        await ticker.tick()
    await ticker.tick()
    left_us = (await row(store)).ends_at - base.now()
    assert left_us / MINUTE_US == pytest.approx(55, abs=0.5)


@pytest.mark.gen_test
async def test_after_a_restart_no_phase_has_more_left_than_it_is_long(run, store, people, wall_clock):
    ann, _ = people
    await started(run, ann)
    wall_clock.forward(hours=-3)
    await Ticker(store).tick()
    left_us = (await row(store)).ends_at - base.now()
    assert left_us / MINUTE_US == pytest.approx(55, abs=0.5)
    wall_clock.forward(minutes=56)
    await Ticker(store).tick()
    assert (await row(store)).phase == "break"
    assert (await focused(store))[ann.id] == pytest.approx(55, abs=0.5)


@pytest.mark.gen_test
async def test_the_server_goes_on_through_a_jump(app, client, connect, wall_clock, monkeypatch):
    look, seen = focus.running, []
    monkeypatch.setattr(focus, "running", lambda: seen.append(look()) or seen[-1])
    [ann] = await sign_up(client, "ann")
    path = "/api/v1/focus-sessions/"
    made = (await ann.post(path, json={"title": "Deep", "focus_minutes": 55})).expect(201).json
    socket = await connect(f"/ws/focus-session/{made['id']}", token=ann.access)
    (await ann.post(f"{path}{made['id']}/start/")).expect(200)
    await socket.expect("focus_session_update")
    await eventually(lambda: seen and seen[-1])
    wall_clock.forward(minutes=10)
    while (data := (await socket.recv())["data"])["event"] != "updated":
        assert data["event"] in ("state", "started")
    assert (data["status"], data["phase"]) == ("running", "focus")
