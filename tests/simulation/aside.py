"""The thread that fills the index of words beside all writers (`models.database.aside`), on PostgreSQL.

What it reads is as it was then; what it writes waits until its commit, and others commit between its
statements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from models.base import database
from tests.simulation.database import WriteLane
from tests.simulation.postgres import Link, WriterStore
from tests.simulation.sessions import NOTHING, Session, ended

if TYPE_CHECKING:
    from tests.simulation.database import DatabaseServer
    from tests.simulation.scheduler import NodeLoop
    from tests.simulation.world import World


class AsideLink(Link):
    """Its connection."""

    def __init__(self, world: World, loop: NodeLoop) -> None:
        super().__init__(world, loop)
        self._waiting: list[Callable[[], Any]] = []

    def execute(self, sql: str, params: Any, run: Callable[[], Any]) -> Any:
        """A statement of this thread; `run` does it."""
        server, session = self._server, self.connection
        self._reach()
        if sql.startswith("BEGIN"):
            self._waiting = []
        elif sql == "COMMIT":
            self._commit_all(server, session)
        elif sql == "ROLLBACK":
            server.index.owner = None
        elif not sql.startswith("SELECT"):
            self._waiting.append(run)
        elif server.index.keeps_out(session, sql):
            return NOTHING
        else:
            server.index.let_in(session, sql)
            return run()
        return SimpleNamespace(rowcount=1)

    def _commit_all(self, server: DatabaseServer, session: Session) -> None:
        with server.shared.outside_of_sessions(), database.manual_commit():
            database.execute_sql("BEGIN IMMEDIATE")
            for run in self._waiting:
                run()
            database.execute_sql("COMMIT")
        server.index.owner = None
        if server.draws(server.share_of_lost_commits):
            session.end()
            raise ended()

    def cursor(self) -> Any:
        """For rows that are written one by one."""
        return SimpleNamespace(executemany=self._write_later, close=lambda: None)

    def _write_later(self, sql: str, rows: Sequence[Any]) -> None:
        def run() -> None:
            database.obj.cursor().executemany(sql, rows)

        self._waiting.append(run)


class PostgresStore(WriterStore):
    """A process's store on PostgreSQL: its writer waits on the way there, and another thread beside it."""

    def __init__(self, world: World, loop: NodeLoop, start_seq: int) -> None:
        super().__init__(world, loop, start_seq)
        self._aside_link = AsideLink(world, loop)
        self._aside.lane = WriteLane(self._serve_aside_soon)
        self._is_serving_aside = False

    def _serve_aside_soon(self) -> None:
        if not self._is_serving_aside:
            self._is_serving_aside = True
            self._scheduler.after(self._world.latency(), self._serve_aside)

    def _serve_aside(self) -> None:
        if not self._loop.is_dead:
            self._aside_link.thread.start(self._work_aside)

    def _work_aside(self) -> None:
        jobs = self._aside.lane.jobs
        while not jobs.empty():
            self._aside_link.begin()
            self._aside._serve(self._aside_link, jobs.get_nowait())
        self._is_serving_aside = False

    def die(self) -> None:
        """The process was killed."""
        super().die()
        self._aside_link.die()
