"""A process's way to PostgreSQL: a thread whose calls take time, and sessions behind one lock.

The writer's code is the real one and runs in a greenlet, which waits wherever a thread would: on the way to
the database, for the lock on the counter, for an answer. Meanwhile everybody else goes on. What a session has
not committed nobody sees: so all of a transaction's statements are done at one moment, the last one before
its commit, and the time that they take is spent before, with the lock held. A statement that is sent is the
server's: it is done even if whoever sent it has gone.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import greenlet
import orjson
import peewee

from models import posts
from models.base import database
from models.chat import MessageRow
from models.database.backends import IDLE_PATIENCE_S, LOCK_PATIENCE_S, transaction
from models.database.threads import Worker
from models.posts import Post
from tests.simulation.database import CUT_AFTER_S, SimulatedStore, WriteLane
from tests.simulation.sessions import NOTHING, Session, ended, failure

if TYPE_CHECKING:
    from tests.simulation.scheduler import NodeLoop
    from tests.simulation.world import World

# How long the server may take for a statement that it does for nobody.
LATE_S = 0.4


class StoringPosts:
    """The statement that stores many posts (`models.posts`), on its way through the server."""

    def __init__(self, world: World, session: Session, then: Callable[[Any, Exception | None], None]) -> None:
        self._world = world
        self._server = world.server
        self._session = session
        self._then = then
        self._life = world.server.life
        self._has_lock = self._is_over = False
        self.posts: list[Post] = []
        # For whoever plants a fault.
        self.last = 0
        session.busy += 1

    def arrive(self, text: str) -> None:
        """The server has read it."""
        self.posts = [_post(offer) for offer in orjson.loads(text)]
        server = self._server
        server.scheduler.at(max(server.frozen_until, server.scheduler.now), self.begin)

    def begin(self) -> None:
        """It waits for the lock."""
        self._server.lock.take(self, self._hold)
        self._server.scheduler.after(LOCK_PATIENCE_S, self._give_up)

    def _give_up(self) -> None:
        if not self._has_lock:
            self._end(None, failure("canceling statement due to lock timeout", "55P03"))

    def _hold(self) -> None:
        self._has_lock = True
        server, world = self._server, self._world
        took_s = LATE_S * world.rng.random() if self._session.closed else world.latency()
        server.scheduler.at(max(server.frozen_until, server.scheduler.now + took_s), self._finish)

    def _finish(self) -> None:
        server = self._server
        if server.is_down or server.life != self._life:
            return self._end(None, ended())
        if server.draws(server.share_of_cancelled):
            return self._end(None, failure("canceling statement due to statement timeout", "57014"))
        try:
            with server.shared.outside_of_sessions(), transaction():
                rows = self.store()
        except peewee.PeeweeException as error:
            return self._end(None, error)
        server.statements += 1
        self._world.record()
        self._end(rows, None)

    def store(self) -> Sequence[tuple[int, int, int]]:
        """All of it at one moment: what the statement does is done in steps elsewhere."""
        return posts._store_in_steps(self.posts)

    def _end(self, rows: Any, error: Exception | None) -> None:
        if not self._is_over:
            self._is_over = True
            self._session.busy -= 1
            self._server.lock.release(self)
            self._then(rows, error)


def _post(offer: dict[str, Any]) -> Post:
    fields = ("room_id", "room_type", "sender_id", "username", "content", "client_id", "created_at")
    row = MessageRow(id=0, avatar=offer["avatar"] or None, **{name: offer[name] for name in fields})
    return Post(row, offer["group_name"], posts._ID + offer["tail"])


class Thread:
    """The writer's thread: it waits without keeping anybody else from anything."""

    def __init__(self, world: World, loop: NodeLoop, link: Link) -> None:
        self._scheduler = world.scheduler
        self._loop = loop
        self._link = link
        self._main = greenlet.getcurrent()
        self._greenlet: greenlet.greenlet | None = None
        self._turn = 0
        self._blocks: list[Any] = []

    def start(self, work: Callable[[], None]) -> None:
        """Works until it has to wait."""
        self._greenlet = greenlet.greenlet(work, self._main)
        self._greenlet.gr_context = contextvars.copy_context()
        with self._as_this_thread():
            self._greenlet.switch()

    def end(self) -> None:
        """Its process was killed."""
        if self._greenlet is not None and not self._greenlet.dead:
            with self._as_this_thread():
                self._greenlet.throw()

    def wait(self, seconds: float) -> None:
        """Waits for so long."""
        wake = self.waker()
        self._scheduler.after(seconds, wake, None)
        self.sleep()

    def waker(self) -> Callable[[Any], None]:
        """Ends the next `sleep` once, with what it is given; later calls do nothing."""
        self._turn += 1
        turn = self._turn

        def wake(value: Any) -> None:
            if turn != self._turn or self._loop.is_dead:
                return
            if self._loop.paused_until > self._scheduler.now:
                self._scheduler.at(self._loop.paused_until, wake, value)
                return
            self._turn += 1
            with self._as_this_thread():
                self._greenlet.switch(value)  # type: ignore[union-attr]

        return wake

    def sleep(self) -> Any:
        """Waits for whoever was given a waker; returns what they give."""
        return self._main.switch()

    @contextlib.contextmanager
    def _as_this_thread(self) -> Iterator[None]:
        # Peewee keeps its blocks by thread.
        shared: Any = database.obj
        others, shared._state.transactions = shared._state.transactions, self._blocks
        before, shared.link = shared.link, self._link
        try:
            yield
        finally:
            self._blocks, shared._state.transactions = shared._state.transactions, others
            shared.link = before


class Link(Worker):
    """The writer's connection: what `models.database.threads` does with one, on a way that takes time."""

    def __init__(self, world: World, loop: NodeLoop) -> None:
        super().__init__("writer", WriteLane(lambda: None), lambda worker, job: None)
        self._world = world
        self._server = world.server
        self._loop = loop
        self._begun = 0
        self.thread = Thread(world, loop, self)

    def connect(self) -> None:
        """Raises OperationalError while the database is away."""
        if self.connection is None or self.connection.closed:
            self.disconnect()
            self._reach()
            self.connection = self._server.open_session()

    def reconnect_if_dropped(self) -> None:
        """What the real one sees on its socket."""
        if self.connection is not None and self._server.has_dropped(self.connection):
            self.disconnect()
        self.connect()

    def disconnect(self) -> None:
        """Drops the connection, whatever state it is in."""
        if self.connection is not None:
            self.connection.end()
        self.connection = None

    def cut(self) -> None:
        """Nobody but `_reach` and `store` wait, and they cut themselves off."""
        raise AssertionError("the watchdog has nothing to cut here")

    def die(self) -> None:
        """Its process was killed."""
        if self.connection is not None:
            self.connection.end()
        self.thread.end()

    def cursor(self) -> Any:
        """For rows that are written one by one, where no time passes."""
        with self._server.shared.outside_of_sessions():
            return database.obj.cursor()

    # -- what is asked -------------------------------------------------------------------------------

    def execute(self, sql: str, params: Any, run: Callable[[], Any]) -> Any:
        """A statement of this thread; `run` does it."""
        session = self.connection
        if session is None or session.closed:
            raise ended()
        if sql.startswith("BEGIN"):
            return self._begin(session)
        if sql == "COMMIT":
            return self._commit(session, run)
        if sql == "ROLLBACK":
            return session.undo()
        if "pg_stat_activity" in sql:
            return self._look_for_session(*params)
        if not session.is_open:
            self._reach()
        return self._execute_in(session, sql, run)

    def _execute_in(self, session: Session, sql: str, run: Callable[[], Any]) -> Any:
        server = self._server
        if session.is_open and server.draws(server.share_of_lost_statements):
            session.end()
            raise ended()
        if server.draws(server.share_of_cancelled) and "SAVEPOINT" not in sql:
            session.is_failed = session.is_open
            raise failure("canceling statement due to statement timeout", "57014")
        if session.is_failed and not sql.startswith("ROLLBACK TO"):
            raise failure("current transaction is aborted", "25P02")
        if server.index.keeps_out(session, sql):
            return NOTHING
        session.is_failed = False
        try:
            return run()
        except peewee.PeeweeException:
            session.is_failed = session.is_open
            raise

    def _look_for_session(self, number: int) -> Any:
        self._reach()
        is_there = any(one.busy for one in self._server.sessions if one.info.backend_pid == number)
        return SimpleNamespace(fetchone=lambda: (1,) if is_there else None)

    def _begin(self, session: Session) -> None:
        """Takes the counter's lock, and what the transaction takes of time."""
        self._reach()
        wake, scheduler = self.thread.waker(), self._world.scheduler
        scheduler.after(LOCK_PATIENCE_S, wake, False)
        self._server.lock.take(session, lambda: wake(True))
        if not self.thread.sleep():
            self._server.lock.release(session)
            raise failure("canceling statement due to lock timeout", "55P03")
        self._begun += 1
        scheduler.after(IDLE_PATIENCE_S, self._end_if_idle, session, self._begun)
        self._reach()
        session.is_open = True
        with self._server.shared.outside_of_sessions():
            database.execute_sql("BEGIN IMMEDIATE")

    def _end_if_idle(self, session: Session, begun: int) -> None:
        """The server does not let a process that stands still keep everybody waiting."""
        if begun == self._begun and self._loop.paused_until > self._world.scheduler.now:
            session.end()

    def _commit(self, session: Session, run: Callable[[], Any]) -> None:
        server = self._server
        if session.is_failed:
            # As PostgreSQL: it answers that it has rolled back, and nobody reads that.
            return session.undo()
        is_lost = server.draws(server.share_of_lost_commits)
        if is_lost and server.draws(0.5):
            session.end()
            raise ended()
        run()
        self._world.record()
        session.is_open = False
        self._begun += 1
        server.lock.release(session)
        if is_lost:
            session.end()
            raise ended()
        self._reach()
        return None

    def _reach(self) -> None:
        """To the server, or back from it. Raises OperationalError if it cannot be reached."""
        server, scheduler = self._server, self._world.scheduler
        began = scheduler.now
        self.thread.wait(self._world.latency())
        if scheduler.now < server.frozen_until:
            self.thread.wait(min(server.frozen_until - scheduler.now, CUT_AFTER_S))
            self.was_cut = scheduler.now < server.frozen_until
        is_lost = server.down_until > began or server.draws(server.share_of_lost_statements)
        if self.was_cut or is_lost or server.has_dropped(self.connection):
            if self.connection is not None:
                self.connection.end()
            raise ended()

    # -- the one statement ---------------------------------------------------------------------------

    def store(self, text: str) -> Any:
        """Sends what stores many posts, and waits for the answer; not for ever."""
        if self.connection is not None and self.connection.is_open:
            return self._store_in_transaction(text)
        self._reach()
        session, server = self.connection, self._server
        wake, scheduler = self.thread.waker(), self._world.scheduler

        def answer(rows: Any, error: Exception | None) -> None:
            scheduler.after(self._world.latency(), wake, (rows, error))

        scheduler.after(0, StoringPosts(self._world, session, answer).arrive, text)
        scheduler.after(CUT_AFTER_S, wake, "cut")
        if server.draws(server.share_of_lost_commits):
            scheduler.after(self._world.latency(), wake, "lost")
        what = self.thread.sleep()
        if isinstance(what, str):
            self.was_cut = what == "cut"
            session.end()
            raise ended()
        rows, error = what
        if error is not None:
            raise error
        return rows

    def _store_in_transaction(self, text: str) -> Any:
        def run() -> Any:
            with self._server.shared.outside_of_sessions():
                return posts._store_in_steps([_post(offer) for offer in orjson.loads(text)])

        return self._execute_in(self.connection, "EXECUTE store_posts", run)


class WriterStore(SimulatedStore):
    """A process's store whose writer waits where one on PostgreSQL does."""

    def __init__(self, world: World, loop: NodeLoop, start_seq: int) -> None:
        super().__init__(world, loop, start_seq)
        self.link = Link(world, loop)

    def _serve(self) -> None:
        """Starts the writer's thread on what waits; it ends when nothing does."""
        if self._loop.is_dead:
            return
        if self._loop.paused_until > self._scheduler.now:
            self._scheduler.at(self._loop.paused_until, self._serve)
            return
        self.link.thread.start(self._write_all)

    def _write_all(self) -> None:
        while not self._writes.jobs.empty():
            self._writer.serve(self.link, self._writes.jobs.get_nowait())
        self._is_serving = False

    def die(self) -> None:
        """The process was killed: what it has sent is the server's, and the rest is undone."""
        self.link.die()


class Posting:
    """Stands where `models.posts` has the statement itself."""

    def all(self, before: str, text: str) -> Sequence[Any]:
        """Sends it on the way of the thread that asks."""
        shared: Any = database.obj
        return shared.link.store(text)  # type: ignore[no-any-return]
