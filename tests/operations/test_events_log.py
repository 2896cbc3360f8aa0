"""The one log: what was given out by this history, and whether everything after it can be told."""

import asyncio
import threading

import pytest

from models import event_log, events
from models.database.store import Store
from tests.support.database import copy_sqlite, postgresql_only, sqlite_only, sqlite_url
from tests.support.events import Noted
from tests.support.rival import rival_of

HOUR_US = 3600 * 1_000_000


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets, in microseconds."""

    class Clock:
        now = 1_800_000_000 * 1_000_000

    monkeypatch.setattr(event_log, "now", lambda: Clock.now)
    return Clock


@pytest.fixture
def log(database_url, tmp_path, clock):
    """A store whose epoch has begun; everything runs in this thread."""
    (tmp_path / "data").mkdir()
    store = Store(database_url, tmp_path / "data")
    store.open()
    return store


def restart(log):
    """Another start of the process; the first `seq` of its epoch."""
    return log.run_alone(event_log.start_epoch)


def say(log, *groups_of_each):
    """Appends an event to each list of groups in one transaction; their numbers."""
    batch = [events.addressed(Noted({"n": n}), groups) for n, groups in enumerate(groups_of_each)]
    log.run_alone(event_log.append, batch)
    return [event.seq for event in batch]


def known(log, *sinces):
    return [log.run_alone(event_log.is_known, since) for since in sinces]


def page(log, after, most=100, **up_to):
    return [event.seq for event in log.run_alone(event_log.page, up_to, after, most)]


# Numbers


def test_a_start_jumps_ahead_to_the_clock_and_never_back(log, clock):
    assert log.start_seq == clock.now
    assert say(log, ["a"], ["a"]) == [log.start_seq + 1, log.start_seq + 2]
    clock.now += HOUR_US
    assert restart(log) == clock.now
    clock.now -= 24 * HOUR_US
    newest = log.run_alone(event_log.newest)
    assert restart(log) == newest + 1
    assert say(log, ["a"]) == [newest + 2]


def test_an_event_keeps_its_kind_payload_and_groups(log):
    payload = {"text": 'ü🙂\u2028"quoted"', "none": None, "list": [1, 2.5, True], "big": 2**53}
    sent = [
        events.Emitted(events.MessageCreated, ["a", "b"], payload),
        events.Emitted(events.SessionRevoked, [], {}),
    ]
    log.run_alone(event_log.append, sent)
    kept = log.run_alone(event_log.between, log.start_seq, log.start_seq + 2)
    assert [(one.seq, one.type, sorted(one.groups), one.payload) for one in kept] == [
        (log.start_seq + 1, events.MessageCreated, ["a", "b"], payload),
        (log.start_seq + 2, events.SessionRevoked, [], {}),
    ]
    assert kept[0].message(events.CHAT) == {"type": "chat_message", "data": payload, "seq": kept[0].seq}
    assert kept[1].message(events.CHAT) is None


def test_a_kind_that_only_a_newer_version_knows_says_nothing_and_keeps_its_place(log):
    log.run_alone(event_log.append, [events.addressed(Noted({"what": "of tomorrow"}), ["a"])])
    (kept,) = log.run_alone(event_log.page, {"a": log.start_seq + 9}, 0, 9)
    assert (kept.seq, kept.message(events.CHAT)) == (log.start_seq + 1, None)


# Whether a `since` can be answered


def test_only_what_was_given_out_is_known(log, clock):
    start = log.start_seq
    (first, last) = say(log, ["a"], ["a"])
    assert known(log, 0, start, first, last) == [True] * 4
    assert known(log, last + 1, last + 10**6, 2**53) == [False] * 3  # nobody has been told that yet
    assert known(log, 1, start // 2, start - 1) == [False] * 3  # the jump itself: never given out

    clock.now += HOUR_US
    again = restart(log)
    (newest,) = say(log, ["a"])
    assert known(log, 0, start, last, again, newest) == [True] * 5
    assert known(log, last + 1, again - 1) == [False] * 2


@sqlite_only
def test_what_a_restored_backup_has_undone_is_unknown_for_ever(log, clock, tmp_path, database_url):
    file = tmp_path / "taskroom.sqlite3"
    (kept,) = say(log, ["a"])
    copy_sqlite(file, tmp_path / "backup.sqlite3")
    lost = say(log, ["a"], ["a"])
    assert known(log, kept, *lost) == [True] * 3

    for suffix in ("", "-wal", "-shm"):
        (tmp_path / f"taskroom.sqlite3{suffix}").unlink(missing_ok=True)
    copy_sqlite(tmp_path / "backup.sqlite3", file)
    clock.now += HOUR_US
    restored = Store(sqlite_url(file), tmp_path / "data")
    restored.open()
    assert known(restored, kept, *lost) == [True, False, False]
    for _ in range(3):
        say(restored, *[["a"]] * 5)
    assert known(restored, kept, *lost) == [True, False, False]


def test_after_forgetting_only_what_needs_nothing_forgotten_is_known(log, clock):
    old = say(log, ["a"], ["b"], ["a"])
    clock.now += HOUR_US
    young = say(log, ["a"], ["b"])
    assert log.run_alone(event_log.purge, clock.now - HOUR_US // 2, 2) == 2
    assert known(log, 0, log.start_seq, old[0], old[1], old[2]) == [False, False, False, True, True]
    assert page(log, old[1], a=young[-1], b=young[-1]) == [old[2], *young]
    assert log.run_alone(event_log.purge, clock.now - HOUR_US // 2, 2) == 1
    assert log.run_alone(event_log.purge, clock.now - HOUR_US // 2, 2) == 0
    assert known(log, *old, *young) == [False, False, True, True, True]
    assert page(log, 0, a=young[-1], b=young[-1]) == young


def test_forgetting_takes_epochs_along_that_nothing_can_lie_in_any_more(log, clock):
    first = log.start_seq
    (old,) = say(log, ["a"])
    clock.now += HOUR_US
    second = restart(log)
    (young,) = say(log, ["a"])
    log.run_alone(event_log.purge, clock.now - HOUR_US // 2, 10)
    assert log.run_alone(lambda: [epoch.base for epoch in event_log.Epoch.select()]) == [second]
    assert known(log, first, old + 1, second - 1) == [False] * 3
    assert known(log, old, second, young) == [True] * 3


def test_an_empty_log_forgets_nothing(log, clock):
    assert log.run_alone(event_log.purge, clock.now, 10) == 0
    assert known(log, 0, log.start_seq) == [True, True]


# Pages


def test_each_group_is_read_up_to_its_own_bound(log):
    start = log.start_seq
    say(log, ["a"], ["b"], ["a", "b"], ["c"], ["b"], ["a"])  # 1 to 6

    def read(after=0, most=100, **up_to):
        found = page(log, start + after, most, **{name: start + bound for name, bound in up_to.items()})
        return [seq - start for seq in found]

    assert read(a=6, b=6) == [1, 2, 3, 5, 6]
    assert read(a=1, b=6) == [1, 2, 3, 5]
    assert read(a=6, b=2) == [1, 2, 3, 6]
    assert read(a=1, b=2) == [1, 2]
    assert read(a=6, b=6, after=3) == [5, 6]
    assert read(a=6, b=6, most=3) == [1, 2, 3]
    assert read(c=3, nobodys=6) == []
    assert read() == []


def test_many_groups_are_no_problem(log):
    """A ceo may be in more rooms than a statement may have parameters in some databases."""
    start = log.start_seq
    say(log, *([f"room {n}"] for n in range(0, 3000, 500)))
    up_to = {f"room {n}": start + 5 if n % 2 else start + 6 for n in range(3000)}
    assert page(log, 0, 100, **up_to) == list(range(start + 1, start + 7))


def test_after_a_position_comes_everything_with_its_groups(log):
    numbers = say(log, ["a"], ["b", "c"], [])
    newest, found = log.run_alone(event_log.after, numbers[0])
    assert newest == numbers[-1]
    groups = {event.seq: sorted(event.groups) for event in found}
    assert groups == {numbers[1]: ["b", "c"], numbers[2]: []}
    assert log.run_alone(event_log.after, newest) == (newest, [])


# Several processes


@postgresql_only
def test_a_process_that_starts_while_another_commits_neither_goes_back_nor_calls_its_events_unknown(
    log, database_url
):
    before = log.run_alone(event_log.newest)
    with rival_of(database_url) as rival:
        rival.execute("UPDATE event_counter SET seq = seq + 1000000 WHERE id = 1")
        starting = threading.Thread(target=restart, args=[log])
        starting.start()
        asyncio.run(rival.blocks_somebody())
        rival.commit()
        starting.join()
    theirs = before + 1_000_000
    assert log.run_alone(event_log.newest) > theirs
    assert known(log, theirs, theirs - 1) == [True, True]


@postgresql_only
@pytest.mark.gen_test
async def test_numbers_of_two_processes_follow_the_order_of_their_commits(store, run, database_url):
    with rival_of(database_url) as rival:
        ((theirs,),) = rival.execute("UPDATE event_counter SET seq = seq + 1 WHERE id = 1 RETURNING seq")
        ours = asyncio.ensure_future(run(events.emit, Noted({}), ["a"]))
        await rival.blocks_somebody()
        rival.commit()
        await ours
    assert [event.seq for event in run.events] == [theirs + 1]


def test_a_kind_that_only_a_newer_version_knows_is_not_learnt():
    """Whatever Redis brings would stay in memory for ever."""
    before = set(events.TYPES)
    event = event_log.restore(7, "of_tomorrow", ["room"], {})
    assert event.message(events.CHAT) is None
    assert set(events.TYPES) == before
