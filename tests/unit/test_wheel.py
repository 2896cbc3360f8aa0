"""Who is due when: never early, hardly late, each once, whatever the clock does."""

import random

import pytest

from realtime.wheel import Wheel


@pytest.fixture
def wheel():
    return Wheel(tick_s=1.0)


def test_nobody_is_handed_out_before_the_time(wheel):
    wheel.put("a", 10.5)
    assert wheel.take(10.4) == []
    assert wheel.take(10.9) == []
    assert wheel.take(11.0) == ["a"]
    assert wheel.take(12.0) == []


def test_what_is_put_anew_is_due_then_only(wheel):
    wheel.put("a", 5)
    wheel.put("a", 20)
    assert wheel.take(19) == []
    wheel.put("a", 25)
    wheel.put("a", 21)
    assert wheel.take(24) == ["a"]
    assert len(wheel) == 0


def test_whoever_goes_leaves_nothing_behind(wheel):
    wheel.put("a", 5)
    wheel.discard("a")
    wheel.discard("a")
    assert wheel.take(100) == []
    assert not wheel._buckets


def test_what_is_due_already_comes_with_the_next_tick_not_in_the_same(wheel):
    """Else somebody who is put back as due now would be handed out for ever."""
    wheel.put("a", 5)
    assert wheel.take(7) == ["a"]
    wheel.put("a", 7)
    assert wheel.take(7.5) == []
    assert wheel.take(8) == ["a"]


def test_after_a_long_sleep_everybody_comes_in_order_and_once(wheel):
    for number in range(20):
        wheel.put(number, 10 + number)
    assert wheel.take(10.0**9) == list(range(20))
    assert wheel.take(10.0**9) == []


def test_everybody_can_be_had_at_once(wheel):
    for name in "abc":
        wheel.put(name, 50)
    assert sorted(wheel.take_all()) == ["a", "b", "c"]
    assert wheel.take(100) == []
    assert len(wheel) == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_random_walk_hands_out_what_a_list_would(seed):
    chance, wheel, dues, now = random.Random(seed), Wheel(tick_s=0.5), {}, 0.0
    for _ in range(3000):
        item = chance.randrange(40)
        match chance.randrange(3):
            case 0:
                dues[item] = now + chance.uniform(0.5, 30)
                wheel.put(item, dues[item])
            case 1:
                dues.pop(item, None)
                wheel.discard(item)
            case 2:
                now += chance.choice((0.01, 0.5, 3))
                for found in wheel.take(now):
                    assert dues.pop(found) <= now
                late = [due for due in dues.values() if due < now - 0.5]
                assert not late
        assert len(wheel) == len(dues)
