"""What each noun looks like as JSON: for the documentation, and for the tests, which check what is said.

The functions that make the JSON are hand-written, since they are hot; these types are what they keep to.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Role = Literal["ceo", "hr", "supervisor", "manager", "atl", "employee"]

RoomType = Literal["direct", "task", "group"]

RoomRole = Literal["owner", "admin", "member"]

RoomLevel = Literal["all", "mentions", "none"]

TaskStatus = Literal["todo", "in_progress", "review", "blocked", "done", "cancelled"]

Priority = Literal["low", "medium", "high", "critical"]


class Shape(BaseModel):
    """Base of them all: nothing undocumented is said."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class Reference(Shape):
    """The public reference to a person."""

    id: int
    username: str
    avatar: str | None


class User(Shape):
    """A person. `email`, `email_verified` and `last_seen` are there only for those who may see them."""

    id: int
    username: str
    email: str | None = None
    email_verified: bool | None = None
    first_name: str
    last_name: str
    full_name: str
    role: Role
    department: int | None
    avatar: str | None
    is_active: bool
    is_online: bool
    last_seen: str | None = None
    date_joined: str
    version: int
    status_text: str
    status_emoji: str
    status_until: str | None


class Attachment(Shape):
    """A stored file: `file` needs credentials, `file_url` is signed and good for 24 hours without. A picture
    has its size, null if it cannot be shown, and if it is large a `thumbnail_url` for a small one."""

    id: int
    task: int | None
    message: int | None
    uploaded_by: int
    file: str
    file_url: str
    file_name: str
    file_size: int
    content_type: str
    uploaded_at: str
    width: int | None = None
    height: int | None = None
    thumbnail_url: str | None = None


# -- chat --------------------------------------------------------------------------------------------


class Reaction(Shape):
    """An emoji on a message, and whose: in the order in which they came."""

    emoji: str
    count: int
    user_ids: list[int]


class Quote(Shape):
    """The message that a reply answers, as it is now: the beginning of its text, or that it is deleted."""

    id: int
    sender: Reference | None
    content: str
    is_deleted: bool


class MessageHook(Shape):
    """What posted a message through somebody's incoming hook."""

    name: str


class Message(Shape):
    """A chat message. A system message has no sender, but an `actor_id`, who caused it; a deleted one is
    empty but keeps its place. One with a `hook` came from a program, through a hook of its sender's."""

    id: int
    room: int
    room_id: int
    room_type: RoomType
    content: str
    sender: Reference | None
    actor_id: int | None = None
    timestamp: str
    attachments: list[Attachment]
    is_system: bool
    edited_at: str | None
    deleted_at: str | None
    client_id: str | None
    version: int
    reply_to: int | None
    quote: Quote | None
    reactions: list[Reaction]
    pinned_at: str | None
    pinned_by: int | None
    hook: MessageHook | None = None


class SharedRoom(Shape):
    """What everyone in a room sees alike: what `room_created` and `room_updated` carry. The people of the
    default room, where everybody is, are counted and not named."""

    id: int
    room_type: RoomType
    name: str
    participants: list[Reference]
    task: int | None
    created_by: int
    created_at: str
    version: int
    topic: str = ""
    is_open: bool = False
    is_default: bool = False
    member_count: int = 0


# -- tasks -------------------------------------------------------------------------------------------


class TaskProposal(Shape):
    """A proposal as its task shows it."""

    id: int
    task: int
    user: int
    proposed_by: int
    status: Literal["pending", "accepted", "rejected", "withdrawn"]
    reason: str
    created_at: str
    answered_at: str | None


class Proposal(Shape):
    """That somebody is asked to take a task."""

    id: int
    task: int
    user: int
    proposed_by: int
    status: Literal["pending", "accepted", "rejected", "withdrawn"]
    reason: str
    created_at: str
    answered_at: str | None
    task_uuid: str
    task_title: str
    task_description: str
    task_priority: Priority
    task_due_date: str | None


class Task(Shape):
    """A task. `assignees` are ids, `assigned_to` the same people as references; `estimate_hours` is a
    decimal string."""

    id: int
    uuid: str
    title: str
    description: str
    status: TaskStatus
    priority: Priority
    due_date: str | None
    estimate_hours: str | None
    creator: int
    assigned_by: int | None
    assignees: list[int]
    assigned_to: list[Reference]
    department: int | None
    workspace: int | None
    completed_at: str | None
    created_at: str
    updated_at: str
    attachments: list[Attachment]
    proposals: list[TaskProposal]
    comment_count: int
    version: int


class TaskConsumerTask(Task):
    """A task as TaskConsumer shows it: `id` is the uuid (the number is `pk`), `task` the title."""

    id: str  # type: ignore[assignment]  # all but this field is as in Task
    pk: int
    task: str


class Comment(Shape):
    """What somebody said about a task."""

    id: int
    task: int
    author: int
    content: str
    created_at: str
    updated_at: str
    version: int


class FoundComment(Comment):
    """A comment that a search has found, with what its task is called."""

    task_title: str


# -- notifications -----------------------------------------------------------------------------------


class Notification(Shape):
    """A notification. `data` is what its sender gave along."""

    id: int
    title: str
    message: str
    content: str
    notification_type: str
    is_read: bool
    created_at: str
    related_entity_type: str | None
    related_entity_id: int | None
    task_id: int | None
    action: str | None
    workspace_id: int | None
    actor_id: int | None
    data: dict[str, Any]


class NotificationData(Shape):
    """The notification as REST gives it. What its sender gave along lies beside these fields, too."""

    model_config = ConfigDict(extra="allow")

    id: int
    title: str
    message: str
    content: str
    notification_type: str
    is_read: bool
    created_at: str
    data: dict[str, Any]


class NotificationMessage(Shape):
    """A notification, as it comes."""

    type: Literal["notification"]
    notification_id: int
    title: str
    content: str
    notification_type: str
    related_entity_type: str | None
    related_entity_id: int | None
    created_at: str
    data: NotificationData


# -- workspaces --------------------------------------------------------------------------------------


class Member(Shape):
    """Somebody in a workspace."""

    user_id: int
    role: Literal["owner", "admin", "member"]
    user: Reference


class SharedWorkspace(Shape):
    """What all members see alike: what `workspace_changed` carries."""

    id: int
    name: str
    members: list[Member]
    created_at: str
    version: int


class TaskNoticeData(Shape):
    """What happened to a task of the workspace, and who did it."""

    title: str
    message: str
    notification_type: Literal["task"]
    is_read: Literal[False]
    created_at: str
    task_id: int
    action: str
    workspace_id: int | None
    actor_id: int


class TaskNotice(Shape):
    """Something about a task, in the words of a notification: what watches a workspace is told."""

    type: Literal["notification"]
    notification_id: Annotated[int | None, Field(description="the event's own `seq`")]
    title: str
    content: str
    notification_type: Literal["task"]
    related_entity_type: Literal["task"]
    related_entity_id: int
    created_at: str
    data: TaskNoticeData


# -- focus sessions ----------------------------------------------------------------------------------


class FocusSession(Shape):
    """A focus session. `ends_at` is when the running phase ends; while paused, `remaining_seconds` is how
    much of it is left."""

    id: int
    title: str
    workspace: int | None
    task: int | None
    host: int
    focus_minutes: int | float
    break_minutes: int | float
    rounds: int
    round: int
    status: Literal["waiting", "running", "paused", "finished"]
    phase: Literal["focus", "break"] | None
    created_at: str
    started_at: str | None
    ends_at: str | None
    remaining_seconds: float | None
    finished_at: str | None
    participants: list[Reference]
    version: int


class FocusUpdateData(FocusSession):
    """What has happened, by the server's own word, with the whole session beside it."""

    event: Literal[
        "state", "joined", "left", "started", "paused", "resumed", "skipped", "phase", "updated", "ended",
        "deleted",
    ]  # fmt: skip
    server_time: str
    user_id: Annotated[int | None, Field(description="who joined or left")] = None


class FocusUpdate(Shape):
    """A change of a focus session: OneTask's one envelope."""

    type: Literal["focus_session_update"]
    session_id: str
    sender_id: int | None
    data: FocusUpdateData
