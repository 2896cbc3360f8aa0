"""What is at PostgreSQL's end of a connection, and the lock that orders all that write."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import peewee

if TYPE_CHECKING:
    from tests.simulation.database import DatabaseServer
    from tests.simulation.scheduler import Scheduler


def failure(text: str, code: str | None = None) -> peewee.OperationalError:
    """What PostgreSQL says, with its code if it is still there."""
    error = peewee.OperationalError(text)
    error.orig = SimpleNamespace(pgcode=code)
    return error


def ended() -> peewee.OperationalError:
    return failure("the connection has ended")


class CounterLock:
    """The lock on the counter's row. `take(owner, then)` calls back when the owner has it."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._owner: Any = None
        self._waiting: deque[tuple[Any, Callable[[], None]]] = deque()

    def take(self, owner: Any, then: Callable[[], None]) -> None:
        """In order of arrival."""
        if self._owner is None:
            self._owner = owner
            # Not at once: whoever gives it away goes on first.
            self._scheduler.after(0, then)
        else:
            self._waiting.append((owner, then))

    def release(self, owner: Any) -> None:
        """Whoever has it gives it to the next one; whoever waits for it no longer does."""
        self._waiting = deque(one for one in self._waiting if one[0] is not owner)
        if self._owner is owner:
            self._owner = None
            if self._waiting:
                self.take(*self._waiting.popleft())


_TRIES_LOCK = "FROM search_state s"
NOTHING = SimpleNamespace(fetchall=list, rowcount=0)


class IndexLock:
    """The lock on the one row that says how far the index of words is; nobody waits for it."""

    def __init__(self) -> None:
        self.owner: Session | None = None

    def keeps_out(self, session: Session, sql: str) -> bool:
        """Whether a statement passes over the row, since somebody else has it."""
        is_kept = self.owner is not None and not self.owner.closed and self.owner is not session
        return is_kept and _TRIES_LOCK in sql

    def let_in(self, session: Session, sql: str) -> None:
        """Gives the row to whoever asks for it."""
        if _TRIES_LOCK in sql:
            self.owner = session


class Session:
    """What is at the other end of a connection. `calls` are the statements that it may still be busy with."""

    def __init__(self, server: DatabaseServer, number: int) -> None:
        self.info = SimpleNamespace(backend_pid=number)
        self.closed = False
        self.begun_at = server.scheduler.now
        self.is_open = self.is_failed = False
        self.busy = 0
        self._server = server

    def end(self) -> None:
        """What was not committed is undone."""
        if not self.closed:
            self.closed = True
            self.undo()

    def undo(self) -> None:
        """The end of a transaction that is not committed."""
        if self.is_open:
            self._server.shared.undo_transaction()
        self.is_open = self.is_failed = False
        self._server.lock.release(self)
