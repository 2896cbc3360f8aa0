"""The realtime core of several processes in virtual time, at a few seeds; `make faults` lives many more.

What must hold is written down in `tests/simulation/checks.py`.
"""

import os
import subprocess
import sys

import pytest

from tests.simulation.checks import Violation
from tests.simulation.planted import PLANTED
from tests.simulation.story import run
from tests.support.server_process import ROOT

# How long anybody waits for a database is virtual, too.
pytestmark = pytest.mark.real_patience

# Where each planted fault was found; another change may move it, and then the others are tried.
FOUND_AT = {
    "live events do not wait for the replay": 3,
    "what overflows while a replay runs is forgotten": 63,
    "memory answers for what it has forgotten": 4,
    "whoever waits for a failed commit is answered as if it had worked": 5,
    "a commit without an answer is tried again": 5,
    "a new member is told what was said before": 10,
    "what a killed process held counts for ever": 3,
    "numbers are taken before the lock": 9,
    "a statement without an answer is sent again": 10,
    "what the server may still do is not waited for": 22,
}
SEEDS = range(80)
WORLDS = 6


@pytest.fixture(autouse=True)
def bound_database():
    """Whatever database this process was bound to is bound again, and so is what it may."""
    from models import access
    from models.base import database

    bound = database.obj
    access.configure(access.Policy())
    yield
    database.initialize(bound)


def test_every_promise_holds_in_worlds_where_everything_breaks():
    told = [run(seed) for seed in range(WORLDS)]
    assert sum(one.heard for one in told) > 1000
    # Once, the worlds went on without Redis, which the bridge had learnt to reach in another way.
    assert sum(one.passed_on for one in told) > 500
    # Both kinds of databases, and on PostgreSQL both kinds of transactions.
    assert any(one.statements for one in told) and any(not one.statements for one in told)
    assert {"GOING_AWAY", "TOO_SLOW", "SERVER_FAILED"} <= {name for one in told for name in one.closes}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(name):
    """Else the worlds above would prove nothing."""
    for seed in (FOUND_AT.get(name, 0), *SEEDS):
        with PLANTED[name]():
            try:
                run(seed)
            except Violation as violation:
                assert str(violation).startswith(f"seed {seed}: ")
                return
    pytest.fail(f"not found at any of {len(SEEDS)} seeds")


def test_a_seed_lives_the_same_world_again():
    """In another process, where sets and dictionaries lie otherwise."""
    script = "from tests.simulation.story import run; told = run(3); print(told.steps, told.trace)"
    again = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | {"PYTHONHASHSEED": "1"}, cwd=ROOT,
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    told = run(3)
    assert again.stdout == f"{told.steps} {told.trace}\n"
