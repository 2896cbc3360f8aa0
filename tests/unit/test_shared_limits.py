"""What several processes hold of one limit, told to each other in one order."""

import random

import pytest

from models.places import Places
from realtime.shared_limits import SharedLimits


class Process:
    """One process: its places, and what it was made to give back."""

    def __init__(self, number, limit, worker=""):
        self.name = f"process {number}"
        self.limits, self.places, self.given_back = SharedLimits(worker), Places(limit), 0
        self.limits.share("sockets", self.places, self._give_up)
        self.offences = []
        self.limits.on_offence = lambda *what: self.offences.append(what)

    def _give_up(self, key, number):
        self.given_back += number
        for _ in range(number):
            self.places.give_back(key)


class Installation:
    """Several of them, and the channel: what was said and is not heard yet, by each."""

    def __init__(self, limit, count=2):
        self.limit, self.processes, self.waiting = limit, [], {}
        for number in range(count):
            self.start(number)
        self.settle()

    def start(self, number, worker=""):
        made = Process(number, self.limit, worker)
        self.processes.append(made)
        self.waiting[made.name] = []
        made.limits.connected()
        return made

    def kill(self, process):
        self.processes.remove(process)

    def say(self, process):
        said = process.limits.unsaid()
        if said is not None:
            for other in self.processes:
                self.waiting[other.name].append((process.name, said))

    def hear(self, process):
        if self.waiting[process.name]:
            name, said = self.waiting[process.name].pop(0)
            process.limits.hear(name, name == process.name, said)

    def settle(self):
        for _ in range(20):
            for process in self.processes:
                self.say(process)
            for process in self.processes:
                while self.waiting[process.name]:
                    self.hear(process)
        assert all(process.limits.unsaid() is None for process in self.processes)

    def held(self, key="ann"):
        return sum(process.places.here(key) for process in self.processes)


def test_what_one_holds_counts_with_the_other():
    here = Installation(limit=3)
    one, other = here.processes
    for _ in range(2):
        assert one.places.take("ann")
    here.settle()
    assert other.places.take("ann")
    assert not other.places.take("ann")
    here.settle()
    assert one.places.is_full("ann")
    assert not one.places.is_full("bob")
    one.places.give_back("ann")
    here.settle()
    assert other.places.take("ann")


@pytest.mark.parametrize("seed", range(40))
def test_of_what_several_take_at_the_same_moment_as_much_stays_as_may(seed):
    draw = random.Random(seed)
    here = Installation(limit=draw.randint(1, 6), count=draw.randint(2, 4))
    for _ in range(60):
        process = draw.choice(here.processes)
        what = draw.random()
        if what < 0.4:
            process.places.take("ann")
        elif what < 0.5 and process.places.here("ann"):
            process.places.give_back("ann")
        elif what < 0.7:
            here.say(process)
        else:
            here.hear(process)
    here.settle()
    assert here.held() <= here.limit
    # However many were given back, as many may be taken again.
    for _ in range(here.limit):
        here.processes[0].places.take("ann")
    here.settle()
    assert here.held() == here.limit
    for process in here.processes:
        assert process.places.here("ann") + process.places.elsewhere["ann"] == here.limit


def test_far_from_a_limit_nothing_is_said():
    here = Installation(limit=1000)
    one, other = here.processes
    for _ in range(31):
        one.places.take("office")
    assert one.limits.unsaid() is None
    one.places.take("office")
    here.settle()
    assert other.places.elsewhere["office"] == 32
    for _ in range(32):
        one.places.give_back("office")
    here.settle()
    assert not other.places.elsewhere


def test_no_limit_is_not_spoken_of():
    here = Installation(limit=0)
    for _ in range(100):
        here.processes[0].places.take("ann")
    assert here.processes[0].limits.unsaid() is None


def test_whoever_comes_later_hears_what_there_is():
    here = Installation(limit=2)
    for process in here.processes:
        process.places.take("ann")
    here.settle()
    late = here.start("late")
    here.settle()
    assert late.places.is_full("ann")


def test_a_process_that_is_heard_no_more_holds_nothing():
    here = Installation(limit=2)
    one, other = here.processes
    one.places.take("ann")
    here.settle()
    here.kill(one)
    other.limits.keep_only({other.name})
    assert not other.places.elsewhere


def test_of_a_killed_worker_nothing_is_left_when_another_has_its_place():
    here = Installation(limit=2, count=0)
    killed, stays = here.start("a", "here 1"), here.start("b", "here 2")
    killed.places.take("ann")
    stays.places.take("ann")
    here.settle()
    assert stays.places.is_full("ann")
    here.kill(killed)
    here.start("c", "here 1")
    here.settle()
    assert not stays.places.is_full("ann")


def test_without_redis_each_counts_alone_and_nobody_is_thrown_out_when_it_is_back():
    here = Installation(limit=2)
    for process in here.processes:
        process.limits.disconnected()
    for process in here.processes:
        while process.places.take("ann"):
            pass
    assert here.held() == 4
    for process in here.processes:
        process.limits.connected()
    here.settle()
    assert here.held() == 4
    assert not any(process.places.take("ann") for process in here.processes)


def test_what_is_held_against_somebody_is_held_everywhere():
    here = Installation(limit=2)
    one, other = here.processes
    one.limits.tell_offence("10.0.0.1", 1.0)
    here.settle()
    assert (one.offences, other.offences) == ([], [("10.0.0.1", 1.0)])
