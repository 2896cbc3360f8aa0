"""Which backups stay."""

from datetime import UTC, datetime, timedelta

import pytest

from models.backups.names import leftovers, made_at, name_of, thin, unfinished
from models.backups.thinning import Keep, kept
from models.base import instant

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def days_ago(*numbers):
    return [NOON - number * DAY for number in numbers]


def test_of_a_year_of_nights_the_last_of_each_day_week_and_month_stay():
    nights = days_ago(*range(365))
    stay = sorted(kept(nights, NOON, Keep(7, 4, 6)), reverse=True)
    assert stay[:7] == days_ago(*range(7))
    # The 22nd is a Sunday: the weeks end 0, 7, 14 and 21 days before.
    weeks = days_ago(0, 7, 14, 21)
    assert set(weeks) <= set(stay)
    ends = [
        datetime(2026, month, day, 12, tzinfo=UTC)
        for month, day in ((10, 31), (9, 30), (8, 31), (7, 31), (6, 30))
    ]
    assert set(stay) == {*days_ago(*range(7)), *weeks, *ends}


def test_of_every_hour_all_of_the_last_day_stay_and_then_one_a_day():
    hours = [NOON - timedelta(hours=number) for number in range(24 * 10)]
    stay = kept(hours, NOON, Keep(3, 0, 0))
    assert {one for one in hours if one > NOON - DAY} <= stay
    assert len(stay) == 24 + 2 - 1
    assert datetime(2026, 11, 20, 23, tzinfo=UTC) in stay


@pytest.mark.parametrize("keep", [Keep(0, 0, 0), Keep(1, 1, 1)])
def test_the_newest_stays_however_old_it_is(keep):
    assert kept(days_ago(400, 500), NOON, keep) >= set(days_ago(400))


def test_days_without_a_backup_are_not_counted():
    nights = days_ago(0, 10, 20, 30, 40)
    assert kept(nights, NOON, Keep(3, 0, 0)) == set(nights[:3])


def test_thinning_again_after_each_night_keeps_what_thinning_once_would():
    """What goes one night is not missed by a later one."""
    there = set()
    for number in range(200, -1, -1):
        moment = NOON - number * DAY
        there = kept(there | {moment}, moment, Keep(7, 4, 6))
    assert there == kept(days_ago(*range(201)), NOON, Keep(7, 4, 6))


def test_nothing_stays_of_nothing():
    assert kept([], NOON, Keep(7, 4, 6)) == set()


def test_a_name_says_when_it_was_made():
    assert name_of(instant(NOON)) == "taskroom-20261122T120000Z.zip"
    assert made_at(name_of(instant(NOON))) == NOON
    for name in ("mine.zip", "taskroom-20261122T120000Z.zip.old", "taskroom-99999999T999999Z.zip", ""):
        assert made_at(name) is None


def test_only_what_the_clock_has_made_is_removed(tmp_path):
    for night in days_ago(*range(30)):
        (tmp_path / name_of(instant(night))).write_text("x")
    for mine in ("before-the-move.zip", "taskroom.sqlite3"):
        (tmp_path / mine).write_text("precious")
    gone = thin(tmp_path, NOON, Keep(2, 0, 0))
    assert len(gone) == 28
    assert len(list(tmp_path.iterdir())) == 4
    assert thin(tmp_path, NOON, Keep(2, 0, 0)) == []


def test_what_was_left_by_the_clock_is_known_by_the_next_one_only(tmp_path):
    old, new = tmp_path / "taskroom-20261121T120000Z.zip", tmp_path / "taskroom-20261122T120000Z.zip"
    unfinished(old).mkdir()
    assert set(leftovers(new)) == {unfinished(new), unfinished(old)}
    assert leftovers(tmp_path / "by-hand.zip") == [unfinished(tmp_path / "by-hand.zip")]
