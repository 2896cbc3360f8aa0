"""How much one client may send."""

import pytest

from realtime.limits import MAX_TURN_ITEMS, MAX_TURN_S, TokenBucket, Turn


def taken(bucket, moment, tries=1000):
    return sum(bucket.take(moment) for _ in range(tries))


def test_a_burst_is_allowed_and_then_the_rate():
    bucket = TokenBucket(rate=20, burst=60, now=100.0)
    assert taken(bucket, 100.0) == 60
    assert taken(bucket, 100.5) == 10
    assert taken(bucket, 101.5) == 20


def test_silence_saves_no_more_than_a_burst():
    bucket = TokenBucket(rate=20, burst=60, now=0.0)
    taken(bucket, 0.0)
    assert taken(bucket, 10_000.0) == 60


def test_parts_of_a_token_are_kept():
    bucket = TokenBucket(rate=1, burst=1, now=0.0)
    assert bucket.take(0.0)
    assert [bucket.take(step / 4) for step in range(1, 9)] == [False, False, False, True] * 2


def test_a_refused_message_costs_nothing():
    bucket = TokenBucket(rate=2, burst=2, now=0.0)
    assert taken(bucket, 0.0) == 2
    assert bucket.take(0.5)


@pytest.mark.parametrize(("rate", "burst", "at_once"), [(20, 0, 20), (0.5, 0, 1), (5, 2, 5)])
def test_a_burst_below_the_rate_is_the_rate_and_at_least_one(rate, burst, at_once):
    assert taken(TokenBucket(rate, burst, 0.0), 0.0) == at_once


def test_a_rate_of_zero_is_no_limit():
    assert taken(TokenBucket(0, 0, 0.0), 0.0) == 1000


def test_a_turn_is_over_after_so_many_things_and_the_next_is_as_long():
    turn = Turn(100)
    for _ in range(2):
        assert [turn.is_over(100) for _ in range(MAX_TURN_ITEMS)] == [False] * (MAX_TURN_ITEMS - 1) + [True]
        turn.begin(100)


def test_a_turn_is_over_after_so_long_however_little_was_done():
    turn = Turn(100)
    assert not turn.is_over(100 + MAX_TURN_S / 2)
    assert turn.is_over(100 + MAX_TURN_S)
    turn.begin(200)
    assert not turn.is_over(200)
