"""Focus sessions (OneTask)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from handlers import schemas
from handlers.web.base import BaseHandler
from handlers.web.endpoint import Page, Route, endpoint
from models.access import ALL
from models.inputs import Id, Input, Name
from models.operations import focus
from models.operations.focus import Plan
from models.task_inputs import ExactKey

# A second is the least a clock of people can show.
MIN_FOCUS_MINUTES, MAX_MINUTES = 1 / 60, 24 * 60


def _focus_minutes(minutes: float) -> float:
    if minutes < MIN_FOCUS_MINUTES:
        raise ValueError("At least 1 second.")
    return _minutes(minutes)


def _minutes(minutes: float) -> float:
    if minutes < 0:
        raise ValueError("This cannot be less than nothing.")
    if minutes > MAX_MINUTES:
        raise ValueError("At most 24 hours.")
    return minutes


FocusMinutes = Annotated[
    float,
    Field(allow_inf_nan=False, json_schema_extra={"minimum": MIN_FOCUS_MINUTES, "maximum": MAX_MINUTES}),
    AfterValidator(_focus_minutes),
]
BreakMinutes = Annotated[
    float,
    Field(allow_inf_nan=False, json_schema_extra={"minimum": 0, "maximum": MAX_MINUTES}),
    AfterValidator(_minutes),
]
Rounds = Annotated[int, Field(ge=1, le=100)]


class NewSession(Input):
    """A session to be: for a workspace's members, for those who see a task, or for everybody."""

    title: Name
    workspace: Id | None = None
    workspace_id: Id | None = None
    task: ExactKey | None = None
    task_id: ExactKey | None = None
    focus_minutes: FocusMinutes = 25
    break_minutes: BreakMinutes = 5
    rounds: Rounds = 4

    @property
    def plan(self) -> Plan:
        """The plan, as the operation takes it."""
        workspace, task = self.workspace or self.workspace_id, self.task or self.task_id
        return Plan(self.title, workspace, task, self.focus_minutes, self.break_minutes, self.rounds)


class SessionChanges(Input):
    """What may be changed; the clock only before it starts."""

    title: Name | None = None
    focus_minutes: FocusMinutes | None = None
    break_minutes: BreakMinutes | None = None
    rounds: Rounds | None = None


class SessionQuery(Page):
    """A page of sessions, narrowed."""

    workspace: Id | None = None
    status: Literal["waiting", "running", "paused", "finished"] | None = None


class StatsQuery(Input):
    """Of how many days, and of whom."""

    days: Annotated[int, Field(ge=1, le=366)] = 7
    workspace: Id | None = None


class FocusSessions(BaseHandler):
    """Focus sessions."""

    @endpoint(query=SessionQuery, answers={200: schemas.FocusSessionPage})
    async def get(self, query: SessionQuery) -> None:
        """The sessions one may be in, newest first."""
        count, results = await self.store.snapshot(
            focus.listed, self.actor, query.page_size, query.offset, query.workspace, query.status
        )
        self.answer_page(count, results, query)

    @endpoint(body=NewSession, answers={201: schemas.FocusSession}, scope=ALL)
    async def post(self, body: NewSession) -> None:
        """Make a session; one hosts it, and it waits to be started."""
        await self.operate(focus.create, body.plan, status=201)


class FocusStats(BaseHandler):
    """Figures."""

    @endpoint(query=StatsQuery, answers={200: schemas.FocusStats})
    async def get(self, query: StatsQuery) -> None:
        """How long one, and the people whose figures one may see, have focused in finished sessions. With
        `workspace` its members, and its own sessions only."""
        self.answer(await self.store.snapshot(focus.stats, self.actor, query.days, query.workspace))


class OneFocusSession(BaseHandler):
    """One session."""

    @endpoint(answers={200: schemas.FocusSession})
    async def get(self, session_id: int) -> None:
        """A session and who is in it."""
        self.answer(await self.store.snapshot(focus.retrieve, self.actor, session_id))

    @endpoint(body=SessionChanges, answers={200: schemas.FocusSession}, scope=ALL)
    async def put(self, session_id: int, body: SessionChanges) -> None:
        """Change a session, as its host."""
        await self._change(session_id, body)

    @endpoint(body=SessionChanges, answers={200: schemas.FocusSession}, scope=ALL)
    async def patch(self, session_id: int, body: SessionChanges) -> None:
        """Change a session, as its host."""
        await self._change(session_id, body)

    async def _change(self, session_id: int, body: SessionChanges) -> None:
        changes = body.model_dump(exclude_none=True)
        await self.operate(focus.update, session_id, changes, self.expected_version())

    @endpoint(answers={204: None}, scope=ALL)
    async def delete(self, session_id: int) -> None:
        """Delete a session and what it counted for, as its host."""
        await self.store.write(focus.delete, self.actor, session_id)
        self.answer(None, 204)


def _action(operation: Callable[..., Any], text: str) -> type[BaseHandler]:
    """A handler for POST …/{operation}/."""

    async def post(self: BaseHandler, session_id: int) -> None:
        await self.operate(operation, session_id)

    post.__doc__ = text
    name = f"Focus{operation.__name__.title()}"
    members = {"__doc__": text, "__module__": __name__}
    declared = endpoint(answers={200: schemas.FocusSession}, scope=ALL)(post)
    return type(name, (BaseHandler,), members | {"post": declared})


def _action_route(name: str, operation: Callable[..., Any], text: str) -> Route:
    return Route(f"/api/v1/focus-sessions/{{id}}/{name}/", _action(operation, text))


routes = [
    Route("/api/v1/focus-sessions/", FocusSessions),
    Route("/api/v1/focus-sessions/stats/", FocusStats),
    Route("/api/v1/focus-sessions/{id}/", OneFocusSession),
    _action_route("join", focus.join, "Take part in a session; doing it twice is fine."),
    _action_route(
        "leave", focus.leave, "Leave a session. If it is the host, the longest present takes over."
    ),
    _action_route("start", focus.start, "Begin a session's first round, as its host."),
    _action_route("pause", focus.pause, "Stop a session's clock, as its host."),
    _action_route("resume", focus.resume, "Go on after a pause, as a session's host."),
    _action_route("skip", focus.skip, "Go on to the next phase, as a session's host."),
    _action_route("end", focus.end, "End a session, as its host; it counts."),
]
