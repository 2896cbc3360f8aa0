"""A fault that repeats itself does not fill the disk with its log, and nothing else is left out."""

import logging

import pytest

from handlers.web.log_limit import MAX_ALIKE, LogLimit


@pytest.fixture
def written():
    """written(at, level, text, *args) -> the line that is written at that second, None if none is."""
    limit = LogLimit()

    def write(at, level, text, *args):
        record = logging.LogRecord("taskroom.test", level, __file__, 1, text, args, None)
        record.created = at
        return record.getMessage() if limit.filter(record) else None

    return write


def test_a_warning_is_written_once_a_second_and_says_how_often_it_was_not(written):
    assert written(100.9, logging.WARNING, "Redis is away") == "Redis is away"
    assert [written(101 + n / 100, logging.WARNING, "Redis is away") for n in range(50)] == [None] * 50
    assert written(102, logging.WARNING, "Redis is away") == "Redis is away (and 50 more like this)"
    assert written(103.5, logging.WARNING, "Redis is away") == "Redis is away"


def test_what_names_different_things_is_written_for_ten_of_them(written):
    lines = [written(100, logging.ERROR, "GET %s failed", f"/{n}") for n in range(30)]
    assert lines[:MAX_ALIKE] == [f"GET /{n} failed" for n in range(MAX_ALIKE)]
    assert lines[MAX_ALIKE:] == [None] * 20
    assert written(101, logging.ERROR, "GET %s failed", "/x") == "GET /x failed (and 20 more like this)"
    assert written(100, logging.ERROR, "another") == "another"


def test_information_is_always_written(written):
    assert [written(100, logging.INFO, "signed in") for _ in range(30)] == ["signed in"] * 30


def test_a_clock_that_is_set_back_silences_nothing(written):
    assert written(100, logging.ERROR, "broken")
    assert written(50, logging.ERROR, "broken")


def test_it_remembers_no_more_than_it_must(written):
    for number in range(5000):
        written(100, logging.ERROR, f"made up {number}")
    assert written(100, logging.ERROR, "one more") == "one more"
