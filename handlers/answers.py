"""What the endpoints give, as types: they document the answers in `/api/schema/`, and the tests check
every answer against them. Times are ISO 8601 UTC with `Z`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, RootModel

Role = Literal["ceo", "hr", "supervisor", "manager", "atl", "employee"]
RoomType = Literal["direct", "task", "group"]
TaskStatus = Literal["todo", "in_progress", "review", "blocked", "done", "cancelled"]
Priority = Literal["low", "medium", "high", "critical"]


class AnswerModel(BaseModel):
    """Base of all answers: nothing undocumented is said."""

    model_config = ConfigDict(extra="forbid")


class Document(RootModel[dict[str, Any]]):
    """An OpenAPI 3.1 document."""


class Status(AnswerModel):
    """That it was done."""

    status: str


class Reference(AnswerModel):
    """The public reference to a person."""

    id: int
    username: str
    avatar: str | None


class User(AnswerModel):
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


class QuietHours(AnswerModel):
    """When somebody is left alone, as hours and minutes in their time zone."""

    start: str
    end: str
    time_zone: str


class Profile(User):
    """Oneself. Without the last two, one is left alone while focusing, and at no hours."""

    hold_while_focusing: bool = True
    quiet_hours: QuietHours | None = None


class SignedIn(AnswerModel):
    """Tokens, also set as HttpOnly cookies, and who they are for."""

    access: str
    refresh: str
    user: User


class Linked(SignedIn):
    """The same after an account elsewhere was linked, and where to go on to."""

    next: str


class Refreshed(AnswerModel):
    """A new access token, also set as cookie."""

    access: str
    refresh: str


class Attachment(AnswerModel):
    """A stored file: `file` needs credentials, `file_url` is signed and good for 24 hours without."""

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


class Proposal(AnswerModel):
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


class TaskProposal(AnswerModel):
    """A proposal as its task shows it."""

    id: int
    task: int
    user: int
    proposed_by: int
    status: Literal["pending", "accepted", "rejected", "withdrawn"]
    reason: str
    created_at: str
    answered_at: str | None


class Task(AnswerModel):
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


class SurfaceCTask(Task):
    """A task as TaskConsumer shows it: `id` is the uuid (the number is `pk`), `task` the title."""

    id: str
    pk: int
    task: str


class AssignedTask(Status):
    """Who is assigned now."""

    assignees: list[int]
    task: Task


class DoneTask(Status):
    """That a task is done, and since when."""

    completed_at: str
    task: Task


class ProposedTask(AnswerModel):
    """Who has been asked."""

    assignments: list[Proposal]


class HistoryEntry(AnswerModel):
    """One thing that was done to a task; a value is as the task shows it."""

    id: int
    task: int
    user: Reference
    action: str
    field: str | None
    old_value: Any
    new_value: Any
    reason: str
    created_at: str


class Comment(AnswerModel):
    """What somebody said about a task."""

    id: int
    task: int
    author: int
    content: str
    created_at: str
    updated_at: str
    version: int


class Assignment(AnswerModel):
    """That somebody was assigned to a task."""

    id: int
    task: int
    assigned_to: int
    assigned_by: int
    created_at: str


class OneOrMoreAttachments(RootModel[Attachment | list[Attachment]]):
    """One file as an object, several as a list."""


class Message(AnswerModel):
    """A chat message. A system message has no sender, but an `actor_id`, who caused it; a deleted one is
    empty but keeps its place."""

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


class SharedRoom(AnswerModel):
    """What everyone in a room sees alike: what `room_created` and `room_updated` carry."""

    id: int
    room_type: RoomType
    name: str
    participants: list[Reference]
    task: int | None
    created_by: int
    created_at: str
    version: int


class Room(SharedRoom):
    """A chat room as one person sees it."""

    unread_count: int
    last_message: Message | None
    is_muted: bool


class LeftRoom(Status):
    """That a room was left."""

    room_id: int


class ReadState(AnswerModel):
    """How far somebody has read a room."""

    room_id: int
    user_id: int
    last_message_id: int
    unread_count: int


class ListPage(AnswerModel):
    """A page of a list; `next` and `previous` are absolute URLs."""

    count: int
    next: str | None
    previous: str | None


class RoomPage(ListPage):
    """A page of rooms."""

    results: list[Room]


class TaskPage(ListPage):
    """A page of tasks."""

    results: list[Task]


class SurfaceCPage(ListPage):
    """A page of tasks as TaskConsumer shows them."""

    results: list[SurfaceCTask]


class HistoryPage(ListPage):
    """A page of a task's history."""

    results: list[HistoryEntry]


class CommentPage(ListPage):
    """A page of comments."""

    results: list[Comment]


class AttachmentPage(ListPage):
    """A page of files."""

    results: list[Attachment]


class AssignmentPage(ListPage):
    """A page of the audit of assignments."""

    results: list[Assignment]


class ProposalPage(ListPage):
    """A page of proposals."""

    results: list[Proposal]


class UserPage(ListPage):
    """A page of people."""

    results: list[User]


class ResetLink(AnswerModel):
    """A link with which somebody sets a new password, and what it carries."""

    link: str
    uid: str
    token: str


class Department(AnswerModel):
    """A department; `manager` is a person's id."""

    id: int
    name: str
    manager: int | None
    version: int


class DepartmentPage(ListPage):
    """A page of departments."""

    results: list[Department]


class DepartmentCount(AnswerModel):
    """How many active people a department has; null is for those without one."""

    department: int | None
    name: str | None
    count: int


class PersonTasks(AnswerModel):
    """How many tasks somebody is assigned."""

    user: Reference
    open: int
    done: int


class PeopleStatistics(AnswerModel):
    """Counts of the people in the caller's scope; those by role and department are of active people."""

    total: int
    active: int
    inactive: int
    online: int
    by_role: dict[Role, int]
    by_department: list[DepartmentCount]
    tasks_per_person: list[PersonTasks]


class DeviceSession(AnswerModel):
    """A sign-in on one device. `device` is what its browser calls itself."""

    id: str
    device: str
    address: str
    created_at: str
    last_used: str
    expires_at: str
    is_current: bool


class SessionPage(ListPage):
    """A page of sessions."""

    results: list[DeviceSession]


class SocialProvider(AnswerModel):
    """A provider to sign in with; `initiate_url` is where to send the browser."""

    id: str
    name: str
    initiate_url: str


class SocialProviders(AnswerModel):
    """The configured providers."""

    providers: list[SocialProvider]


class PartHealth(AnswerModel):
    """One part: `ok`, `off` (not configured) or `unavailable`; of the background jobs `ok` or `failing`,
    and then their names; of the disk with the uploads `low` when less is free than the setting
    `disk_free_percent` says."""

    status: Literal["ok", "off", "unavailable", "failing", "low"]
    latency_ms: float | None
    detail: str | None = None
    waiting: int | None = None
    failing: list[str] | None = None
    free_percent: float | None = None


class Health(AnswerModel):
    """`degraded` if a part is away that can be done without, a background job fails or the disk is nearly
    full; 503 and `unavailable` without a database, or if it takes no writes.

    `uptime` is in seconds.
    """

    status: Literal["ok", "degraded", "unavailable"]
    version: str
    uptime: float
    parts: dict[str, PartHealth]
    detail: str | None = None
    code: str | None = None


class ChatHealth(Status):
    """Open sockets of this process, stored rooms, messages of the last minute."""

    connections: int
    rooms: int
    messages_per_minute: int


class Config(AnswerModel):
    """What a frontend asks for at its start."""

    name: str
    version: str
    features: dict[str, bool]
    social_providers: list[SocialProvider]
    limits: dict[str, float | str | None]
    websockets: dict[str, str]
    websocket_auth: list[str]


class DayCount(AnswerModel):
    """A day in UTC and how many."""

    date: str
    count: int


class BusyPerson(AnswerModel):
    """How many open tasks somebody is assigned."""

    user: Reference
    open: int


class Dashboard(AnswerModel):
    """Figures in the caller's scope: of the tasks they may see, and of everyone, a department, or
    themselves. Days are the last 30, in UTC; `focus_minutes` is of the same time."""

    tasks_by_status: dict[TaskStatus, int]
    tasks_by_priority: dict[Priority, int]
    tasks_overdue: int
    tasks_done_per_day: list[DayCount]
    busiest_people: list[BusyPerson]
    messages_per_day: list[DayCount]
    focus_minutes: float


class MessagePage(AnswerModel):
    """A page of messages, newest first."""

    results: list[Message]
    count: int
    page: int
    page_size: int
    has_more: bool


class Problem(AnswerModel):
    """An error; `current` comes with a 409 and is the object as it is now."""

    detail: str
    code: str
    current: dict | None = None


class FieldErrors(RootModel[dict[str, list[str]]]):
    """What is wrong with a request, by field; `non_field_errors` is about the whole."""


class Notification(AnswerModel):
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
    data: dict


class NotificationPage(ListPage):
    """A page of notifications, as they were before this look at them."""

    results: list[Notification]


class UnreadCount(AnswerModel):
    """How many are unread."""

    count: int


class AllRead(Status):
    """How many were marked read."""

    count: int


class Member(AnswerModel):
    """Somebody in a workspace."""

    user_id: int
    role: Literal["owner", "admin", "member"]
    user: Reference


class MemberPage(ListPage):
    """A page of members."""

    results: list[Member]


class SharedWorkspace(AnswerModel):
    """What all members see alike: what `workspace_changed` carries."""

    id: int
    name: str
    members: list[Member]
    created_at: str
    version: int


class Workspace(SharedWorkspace):
    """A workspace; `role` is one's own in it."""

    role: Literal["owner", "admin", "member"]


class WorkspacePage(ListPage):
    """A page of workspaces."""

    results: list[Workspace]


class RecipientCount(Status):
    """To how many people a task event went."""

    recipient_count: int


class FocusSession(AnswerModel):
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


class FocusSessionPage(ListPage):
    """A page of focus sessions."""

    results: list[FocusSession]


class FocusFigures(AnswerModel):
    """What somebody has focused in finished sessions."""

    user: Reference
    sessions: int
    focus_minutes: float


class FocusStats(AnswerModel):
    """Figures of the last days: one's own, and those of the team, the most focused first."""

    days: int
    me: FocusFigures
    team: list[FocusFigures]


class MissedEvents(AnswerModel):
    """What came, as the sockets say it, and the position to ask from the next time."""

    events: list[dict]
    seq: int
