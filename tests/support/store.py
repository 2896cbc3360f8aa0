"""What is done to a store, and how long it may take."""

import asyncio
import contextlib
import threading

from models import events
from models.people import Department
from tests.support.events import Noted


def add(name):
    """Stores a row and says so."""
    Department.create(name=name, name_key=name)
    events.emit(Noted({"name": name}), [f"group {name}"])
    return name


def names():
    return [name for (name,) in Department.select(Department.name).order_by(Department.id).tuples()]


def said(batch):
    return [event.payload["name"] for event in batch]


@contextlib.asynccontextmanager
async def busy_writer(store):
    """The writer works on something else inside the block, so that what is queued there waits together."""
    begun, end = threading.Event(), threading.Event()
    blocking = store.submit(lambda: begun.set() or end.wait(5))
    await asyncio.to_thread(begun.wait, 5)
    try:
        yield blocking
    finally:
        end.set()
        await asyncio.wait([blocking])
