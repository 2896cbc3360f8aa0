"""What one client asked for: in order, pipelined where it may be, no more than it may. No socket, no loop."""

import random
from dataclasses import dataclass

import pytest

from realtime.command_queue import MAX_IN_FLIGHT, MAX_QUEUED, MAX_STRIKES, CommandQueue


@dataclass
class Asked:
    name: str
    is_pipelined: bool = False


def sent(name):
    return Asked(name, is_pipelined=True)


def queue_of(*items):
    queue = CommandQueue()
    for item in items:
        queue.add(item)
    return queue


def taken(queue):
    """Everything that may start now."""
    names = []
    while (item := queue.take()) is not None:
        names.append(item.name)
    return names


def test_nothing_asked_is_nothing_to_do():
    queue = CommandQueue()
    assert queue.take() is None
    assert queue.is_idle


def test_one_after_the_other_in_the_order_they_came():
    queue = queue_of(Asked("a"), Asked("b"), Asked("c"))
    done = []
    while (item := queue.take()) is not None:
        assert queue.take() is None, "the next one must wait"
        done.append(item.name)
        queue.ended()
    assert done == ["a", "b", "c"]
    assert queue.is_idle


def test_pipelined_ones_are_under_way_together():
    queue = queue_of(*map(sent, "abc"))
    assert taken(queue) == ["a", "b", "c"]
    assert not queue.is_idle


def test_what_is_not_pipelined_waits_for_all_before_it_and_all_after_it_wait_for_it():
    queue = queue_of(sent("a"), sent("b"), Asked("read"), sent("c"), sent("d"))
    assert taken(queue) == ["a", "b"]
    assert not queue.ended()
    assert taken(queue) == []
    assert queue.ended()
    assert taken(queue) == ["read"]
    assert queue.ended()
    assert taken(queue) == ["c", "d"]


def test_whoever_adds_hears_whether_it_may_start_at_once():
    queue = CommandQueue()
    assert queue.add(Asked("a"))
    assert not queue.add(Asked("b")), "a is before it"
    queue.take()
    queue.ended()
    assert queue.take().name == "b"
    assert not queue.add(sent("c")), "b is under way"


def test_a_pipelined_one_may_start_beside_its_like_but_not_ahead_of_what_waits():
    queue = queue_of(sent("a"))
    queue.take()
    assert queue.add(sent("b"))
    queue.take()
    assert not queue.add(Asked("read"))
    assert not queue.add(sent("c"))
    assert taken(queue) == []


def test_so_many_are_under_way_and_the_next_begin_together():
    queue = queue_of(*(sent(str(n)) for n in range(MAX_IN_FLIGHT + 5)))
    assert len(taken(queue)) == MAX_IN_FLIGHT
    ends = [queue.ended() for _ in range(MAX_IN_FLIGHT)]
    assert ends == [False] * (MAX_IN_FLIGHT - 1) + [True]
    assert len(taken(queue)) == 5


def test_a_client_far_ahead_is_not_read_until_half_of_it_is_done():
    queue = queue_of(*(Asked(str(n)) for n in range(MAX_QUEUED - 1)))
    assert not queue.is_full
    queue.add(Asked("the last"))
    assert queue.is_full
    states = []
    while queue.take() is not None:
        queue.ended()
        states.append((queue.is_full, queue.has_room))
    assert states[0] == (False, False)
    assert states.index((False, True)) == MAX_QUEUED // 2


def test_what_was_forgotten_never_starts_and_what_is_under_way_still_ends():
    queue = queue_of(sent("a"), Asked("b"))
    queue.take()
    queue.clear()
    assert queue.take() is None
    assert not queue.is_idle
    assert queue.ended()
    assert queue.is_idle


def test_bad_messages_in_a_row_are_one_too_many_and_a_good_one_begins_anew():
    queue = CommandQueue()
    assert [queue.strike() for _ in range(MAX_STRIKES - 1)] == [False] * (MAX_STRIKES - 1)
    queue.forgive()
    assert [queue.strike() for _ in range(MAX_STRIKES)] == [False] * (MAX_STRIKES - 1) + [True]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_comes_and_ends_the_order_holds(seed):
    """What is not pipelined is alone, nothing overtakes, and everything is done in the end."""
    chance = random.Random(seed)
    queue, begun, under_way = CommandQueue(), [], []
    asked = [Asked(str(n), chance.random() < 0.6) for n in range(300)]
    to_come = list(asked)
    while len(begun) < len(asked) or under_way:
        may_start = False
        if to_come and chance.random() < 0.5:
            may_start = queue.add(to_come.pop(0))
        elif under_way:
            under_way.pop(chance.randrange(len(under_way)))
            may_start = queue.ended()
        while may_start and (item := queue.take()) is not None:
            assert not under_way or (item.is_pipelined and all(one.is_pipelined for one in under_way))
            begun.append(item)
            under_way.append(item)
        assert len(under_way) <= MAX_IN_FLIGHT
    assert begun == asked
    assert queue.is_idle
