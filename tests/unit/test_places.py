"""How much one key may hold, and how long something unfinished may take."""

import pytest

from models.places import Places, patience_s
from realtime.admission import Admission, Limits
from realtime.shared_limits import SharedLimits


def test_a_key_holds_as_much_as_it_may_and_others_do_not_count():
    places = Places(2)
    assert [places.take("a") for _ in range(3)] == [True, True, False]
    assert places.take("b")
    places.give_back("a")
    assert places.take("a")
    assert places.is_full("a")
    assert (places.fill("a"), places.fill("b"), places.fill("c")) == (1, 0.5, 0)
    assert places.crowded() == ["a"]


def test_nothing_is_kept_of_a_key_that_holds_nothing():
    places = Places(2)
    places.take("a")
    places.give_back("a")
    assert not places._taken


def test_no_limit_is_never_full():
    places = Places(0)
    assert all(places.take("a") for _ in range(1000))
    assert places.fill("a") == 0
    assert places.crowded() == []


@pytest.mark.parametrize(
    ("fill", "seconds"), [(0, 10), (0.5, 10), (0.75, 5), (0.9, 2), (0.99, 1), (1, 1), (1.2, 1)]
)
def test_patience_is_full_while_there_is_room_and_the_less_the_nearer_the_limit(fill, seconds):
    assert patience_s(10, fill) == pytest.approx(seconds)


def test_patience_is_never_more_than_there_was():
    assert patience_s(0.01, 1) == 0.01


def test_an_address_and_the_whole_process_have_limits_of_their_own():
    admission = Admission(Limits(3, 2, 0), SharedLimits(), "sockets")
    assert admission.refusal("a") is None
    for _ in range(2):
        admission.opened("a")
    assert admission.refusal("a").status == 429
    assert admission.refusal("b") is None
    assert admission.patience_s("a", 10) == 1
    admission.opened("b")
    assert admission.refusal("b").status == 503
    admission.closed("a")
    assert admission.refusal("a") is None
