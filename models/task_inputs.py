"""Typed input of tasks, the same for REST and for the sockets."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from models.base import instant
from models.inputs import LARGEST_ID, Id, Input, storable
from models.names import is_blank
from models.task_lists import ORDERS, Filters
from models.tasks import PRIORITIES, STATUS_ALIASES, STATUSES, TaskKey

MAX_ASSIGNEES = 200
MAX_TITLE_CHARS = 255
MAX_DESCRIPTION_CHARS = 50_000
MAX_REASON_CHARS = 2000
MAX_SEARCH_CHARS = 20_000
MAX_ESTIMATE = 999_999
"""In hundredths of an hour: 9999.99 hours."""
_FIRST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
_ORDERINGS = tuple(sign + name for name in ORDERS for sign in ("", "-"))


def _blank_is_none(value: Any) -> Any:
    return None if value == "" else value


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("This must be text.")
    return value.strip().lower()


def _status(value: Any) -> str:
    word = STATUS_ALIASES.get(_word(value), _word(value))
    if word not in STATUSES:
        raise ValueError(f"This must be one of {', '.join(STATUSES)}.")
    return word


def _priority(value: Any) -> int:
    if _word(value) not in PRIORITIES:
        raise ValueError(f"This must be one of {', '.join(PRIORITIES)}.")
    return PRIORITIES.index(_word(value)) + 1


def _moment(value: Any) -> int:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("This must be a date and time in ISO 8601, like 2025-09-30T17:00:00Z.") from None
    if moment.tzinfo is None:
        raise ValueError("The time needs a zone, like 2025-09-30T17:00:00Z.")
    try:
        in_range = moment >= _FIRST_MOMENT
    except OverflowError:
        in_range = False
    at = instant(moment) if in_range else -1
    if not 0 <= at < instant(datetime(9999, 12, 31, tzinfo=UTC)):
        raise ValueError("The date must lie between 1970 and 9999.")
    return at


def _day_or_moment(value: Any) -> int:
    # In a query string, a plus sign that was not escaped has become a space.
    text = value.replace(" ", "+") if isinstance(value, str) else value
    return _moment(f"{text}T00:00:00Z" if re.fullmatch(r"\d{4}-\d\d-\d\d", str(text)) else text)


def _hundredths(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("A valid number is required.")
    try:
        number = Decimal(str(value).strip()) * 100
        in_range = 0 <= number <= MAX_ESTIMATE
    except ArithmeticError:
        raise ValueError("A valid number is required.") from None
    # Made an integer only now: a short text can name a number of a million digits.
    if not in_range:
        raise ValueError("This must lie between 0 and 9999.99 hours.")
    if number != int(number):
        raise ValueError("Ensure that there are no more than 2 decimal places.")
    return int(number)


def _key(value: Any) -> TaskKey:
    """A task's id or uuid, which may come as text. Raises ValueError."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if text.isascii() and text.isdigit() and len(text) <= 16 and 0 < int(text) <= LARGEST_ID:
        return int(text)
    if re.fullmatch(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}", text):
        return UUID(text)
    raise ValueError("This must be the id or the uuid of a task.")


def _exact_key(value: Any) -> TaskKey:
    key = _key(value)
    if isinstance(key, int) and isinstance(value, str):
        raise ValueError("This must be a whole number, or the uuid of a task.")
    return key


def _unique(ids: list[int]) -> list[int]:
    return list(dict.fromkeys(ids))


def _not_blank(text: str) -> str:
    if is_blank(text):
        raise ValueError("This field may not be blank.")
    return text.strip()


def _flag(value: Any) -> Any:
    return True if value == "" else value


Title = Annotated[
    str, Field(max_length=MAX_TITLE_CHARS), AfterValidator(storable), AfterValidator(_not_blank)
]
Description = Annotated[str, Field(max_length=MAX_DESCRIPTION_CHARS), AfterValidator(storable)]
Status = Annotated[
    str,
    BeforeValidator(_status),
    WithJsonSchema({"type": "string", "enum": [*STATUSES, *STATUS_ALIASES]}),
]
Priority = Annotated[
    int, BeforeValidator(_priority), WithJsonSchema({"type": "string", "enum": list(PRIORITIES)})
]
"""Stored as a number, sent as a word."""
Moment = Annotated[int, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
DayOrMoment = Annotated[
    int,
    BeforeValidator(_day_or_moment),
    WithJsonSchema({"type": "string", "description": "date-time, or a date in UTC"}),
]
Hours = Annotated[
    int,
    BeforeValidator(_hundredths),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "decimal"}, {"type": "number"}]}),
]
Key = Annotated[
    TaskKey,
    BeforeValidator(_key),
    WithJsonSchema({"type": ["integer", "string"], "description": "id or uuid of a task"}),
]
ExactKey = Annotated[
    TaskKey,
    BeforeValidator(_exact_key),
    WithJsonSchema({"type": ["integer", "string"], "description": "id or uuid of a task"}),
]
"""The same where a number is a number."""
People = Annotated[list[Id], Field(max_length=MAX_ASSIGNEES), AfterValidator(_unique)]
Reason = Annotated[str, Field(max_length=MAX_REASON_CHARS), AfterValidator(storable)]
Blank = BeforeValidator(_blank_is_none)


def task_key(value: Any) -> TaskKey:
    """A task's id or uuid, which may come as text. Raises ValueError."""
    return _key(value)


class TaskFields(Input):
    """What can be written about a task; what is not sent stays. `reason` goes into the history."""

    title: Title = ""
    task: Annotated[Title, Field(description="the title, as TaskConsumer calls it")] = ""
    description: Description = ""
    status: Status = STATUSES[0]
    priority: Priority = 2
    due_date: Annotated[Moment | None, Blank] = None
    estimate_hours: Annotated[Hours | None, Blank] = None
    assignees: People = []
    assigned_to_ids: Annotated[People, Field(description="the same as `assignees`")] = []
    department: Annotated[Id | None, Blank] = None
    workspace: Annotated[Id | None, Blank] = None
    workspace_id: Annotated[Id | None, Blank] = None
    reason: Reason = ""

    COLUMNS: ClassVar[dict[str, str]]
    """The column of each name."""

    def columns(self) -> dict[str, Any]:
        """What was sent, by column; `assignees` as a list of ids."""
        sent = self.model_fields_set
        return {column: getattr(self, name) for name, column in self.COLUMNS.items() if name in sent}

    def all_columns(self) -> dict[str, Any]:
        """What a task has by this, by column: what was sent, and the default of whatever was not."""
        return {column: getattr(self, name) for column, name in _FIRST_NAMES.items()} | self.columns()

    def field_of(self, column: str) -> str:
        """The name that the client used for a column."""
        names, sent = [name for name, known in self.COLUMNS.items() if known == column], self.model_fields_set
        return next((name for name in reversed(names) if name in sent), names[0])


# Where two names stand for one column, the later one, which our answers do not use, says what is meant: a
# client may send the whole object back with only its own name changed.
_CALLED_OTHERWISE = {
    "task": "title",
    "estimate_hours": "estimate",
    "assigned_to_ids": "assignees",
    "department": "department_id",
    "workspace": "workspace_id",
}
TaskFields.COLUMNS = {
    name: _CALLED_OTHERWISE.get(name, name) for name in TaskFields.model_fields if name != "reason"
}
_FIRST_NAMES = {column: name for name, column in reversed(TaskFields.COLUMNS.items())}


class NamedTask(TaskFields):
    """A task with its title; what else is not sent stays."""

    one_of = (("title", "task"),)


class NamedTaskConsumerTask(TaskFields):
    """A task with its title, which is called `task`; what else is not sent stays."""

    one_of = (("task", "title"),)


class NewTask(TaskFields):
    """A new task: it needs a title."""

    one_of = (("title", "task"),)

    priority: Annotated[Priority, Field(json_schema_extra={"default": PRIORITIES[1]})] = 2


class NewTaskConsumerTask(NewTask):
    """A new task whose title is called `task`."""

    one_of = (("task", "title"),)


class TaskQuery(Input):
    """Which tasks, and in which order. Empty values mean nothing."""

    status: Status | None = None
    priority: Priority | None = None
    search: Annotated[str, Field(max_length=MAX_SEARCH_CHARS, description="words, or their beginnings")] = ""
    assignee: Id | None = None
    department: Id | None = None
    workspace: Id | None = None
    due_before: DayOrMoment | None = None
    due_after: DayOrMoment | None = None
    mine: Annotated[
        bool, BeforeValidator(_flag), Field(description="what one has created or is assigned")
    ] = False
    ordering: Literal[_ORDERINGS] = "-created_at"  # type: ignore[valid-type]

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if value != "" or name == "mine"}

    def filters(self, person_id: int) -> Filters:
        """As the lists take it."""
        return Filters(
            self.status,
            self.priority,
            self.department,
            self.workspace,
            self.assignee,
            self.due_before,
            self.due_after,
            self.search.strip(),
            person_id if self.mine else None,
            self.ordering,
        )
