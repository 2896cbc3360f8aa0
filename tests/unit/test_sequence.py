"""Events in order, once, however they arrive."""

import itertools
from types import SimpleNamespace

import pytest

from realtime.sequence import Sequencer


def event(seq, source="redis"):
    return SimpleNamespace(seq=seq, source=source)


class Stage:
    """A sequencer at position 10, what it released, and what it wants from the log."""

    def __init__(self):
        self.released = []
        self.wanted = []
        self.sequencer = Sequencer(10, self.released.extend, self.wanted.append)

    @property
    def seqs(self):
        return [one.seq for one in self.released]


def test_in_order_events_pass_at_once():
    stage = Stage()
    stage.sequencer.offer([event(11), event(12)])
    assert stage.seqs == [11, 12]
    assert stage.wanted == []


@pytest.mark.parametrize("order", list(itertools.permutations([11, 12, 13, 14])))
def test_any_order_comes_out_in_order(order):
    stage = Stage()
    for seq in order:
        stage.sequencer.offer([event(seq)])
    if stage.seqs != [11, 12, 13, 14]:
        up_to = stage.wanted[0]
        stage.sequencer.fill(up_to, [event(seq, "log") for seq in range(11, up_to + 1)])
    assert stage.seqs == [11, 12, 13, 14]


def test_what_comes_twice_is_told_once():
    stage = Stage()
    stage.sequencer.offer([event(11), event(12)])
    stage.sequencer.offer([event(11), event(12)])
    assert stage.seqs == [11, 12]


def test_a_hole_is_read_from_the_log_once():
    stage = Stage()
    stage.sequencer.offer([event(13)])
    stage.sequencer.offer([event(14)])
    assert stage.wanted == [12]
    stage.sequencer.fill(12, [event(11), event(12)])
    assert stage.seqs == [11, 12, 13, 14]


def test_numbers_that_were_never_given_are_passed_over():
    """Another process started: seq has jumped ahead, and the log has nothing in between."""
    stage = Stage()
    stage.sequencer.offer([event(5000)])
    stage.sequencer.fill(4999, [])
    assert stage.seqs == [5000]
    assert stage.sequencer.position == 5000


def test_a_second_hole_is_noticed_after_the_first_is_filled():
    stage = Stage()
    stage.sequencer.offer([event(12)])
    stage.sequencer.offer([event(15)])
    stage.sequencer.fill(11, [event(11)])
    assert stage.seqs == [11, 12]
    assert stage.wanted == [11, 14]


def test_ones_own_event_wins_over_its_copy_from_the_log():
    """Only the own one knows which connection waits for its answer."""
    stage = Stage()
    stage.sequencer.offer([event(12, "own")])
    stage.sequencer.fill(12, [event(11, "log"), event(12, "log")])
    assert [one.source for one in stage.released] == ["log", "own"]


def test_a_hole_that_closes_by_itself_hides_no_later_one():
    """Redis brought what was missing, so the log was never read: the next hole is told of all the same."""
    stage = Stage()
    stage.sequencer.offer([event(12)])
    stage.sequencer.offer([event(11)])
    stage.sequencer.offer([event(14)])
    assert stage.seqs == [11, 12]
    assert stage.wanted == [11, 13]


def test_a_reading_that_ends_early_is_no_end():
    """Of very much that was missed, a page is read at a time."""
    stage = Stage()
    stage.sequencer.offer([event(15)])
    stage.sequencer.fill(12, [event(11), event(12)])
    stage.sequencer.fill(14, [event(13), event(14)])
    assert stage.seqs == [11, 12, 13, 14, 15]
