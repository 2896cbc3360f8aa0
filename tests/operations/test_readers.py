"""The threads that read cannot write."""

import pytest

from models.errors import Unavailable
from models.people import Department


def add(name):
    Department.create(name=name, name_key=name)


def names():
    return [name for (name,) in Department.select(Department.name).order_by(Department.id).tuples()]


@pytest.mark.gen_test
async def test_an_operation_that_is_taken_for_a_query_fails_and_writes_nothing(store):
    """It would write beside the one writer: unnumbered, and untold."""
    for read in (store.read, store.snapshot):
        with pytest.raises(Unavailable):
            await read(add, "beside")
    await store.write(add, "in order")
    assert await store.read(names) == ["in order"]
