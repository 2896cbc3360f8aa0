"""Fixtures of the operations."""

import pytest

from tests.support.talk import Talk


@pytest.fixture
def talk(run, store, io_loop):
    """Talk: Ann, Ben and Cyd, with a group of Ann and Ben."""
    return io_loop.run_sync(Talk(run, store).begin)
