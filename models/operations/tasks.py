"""Tasks: changed, assigned, finished, deleted. How they are made is in `new_tasks`.

Every change goes through `_store`: it writes what differs, the history, the audit and the mail, and
tells everybody who may see the task, whoever sees it only now, and whoever no longer does.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from models import access, events, groups, mail, search, task_lists, tasks
from models.base import Insert, Statement, insert_all, iso, now, parts
from models.errors import Invalid, all_errors
from models.operations import chat, focus, notify_about, visibility
from models.operations.versions import check_version
from models.people import Person
from models.sessions import Actor
from models.task_inputs import MAX_ASSIGNEES, TaskFields
from models.task_lists import Filters
from models.tasks import DONE, History, Proposal, Task, TaskKey, TaskRow, Viewer
from models.wording import STATUS_LABELS, excerpt, quoted

PENDING, ACCEPTED, REJECTED, WITHDRAWN = "pending", "accepted", "rejected", "withdrawn"
"""What a proposal is."""
_NEEDS_REASON = ("blocked", "cancelled")
# What makes a new version; the rest (comments, files, proposals) lies beside the task.
_EDITABLE = frozenset(TaskFields.COLUMNS.values()) | {"assigned_by_id"}
_AUDIENCE = frozenset({"assignees", "assigned_by_id", "department_id", "workspace_id"})
_IN_HISTORY = (
    "title",
    "description",
    "status",
    "priority",
    "due_date",
    "estimate_hours",
    "assignees",
    "department",
    "workspace",
)

INSERT_VIEWERS = Insert("task_viewer", "viewer", "task_id", "status")
INSERT_ASSIGNEES = Insert("task_assignee", "person_id", "task_id")
INSERT_AUDIT = Insert("task_assignment", "task_id", "assigned_to_id", "assigned_by_id", "created_at")
INSERT_HISTORY = Insert(
    "task_history",
    "task_id",
    "person_id",
    "action",
    "field",
    "old_value",
    "new_value",
    "reason",
    "created_at",
)
_department = Statement("""
    SELECT p.id, p.email FROM department d
    LEFT JOIN person p ON p.id = d.manager_id AND p.is_active WHERE d.id = ?
""")


class KnownPerson(NamedTuple):
    """Somebody as far as a task has to know."""

    id: int
    username: str
    avatar: str | None
    email: str


@functools.cache
def _active_people(count: int) -> Statement:
    marks = ", ".join("?" * count)
    return Statement(f"SELECT id, username, avatar, email FROM person WHERE id IN ({marks}) AND is_active")


def active_people(ids: Collection[int]) -> dict[int, KnownPerson]:
    """Those of the people who are active, by id."""
    rows = [row for part in parts(list(ids)) for row in _active_people(len(part)).all(*part)]
    return {row[0]: KnownPerson._make(row) for row in rows}


def check_known(field: str, ids: Iterable[int], known: Collection[int]) -> None:
    """Raises Invalid, which names those who are no active people."""
    missing = [str(one) for one in ids if one not in known]
    if missing:
        raise Invalid({field: [f"There is no active person {', '.join(missing)}."]})


def known_people(field: str, ids: Collection[int]) -> dict[int, KnownPerson]:
    """Active people by id. Raises Invalid, which names those who are none."""
    known = active_people(ids)
    check_known(field, ids, known)
    return known


def department_manager(department_id: int | None) -> tuple[int, str] | None:
    """Id and address of who manages a department, if anybody does. Raises Invalid if there is none."""
    if department_id is None:
        return None
    row = _department.one(department_id)
    if row is None:
        raise Invalid({"department": [f"There is no department {department_id}."]})
    return row if row[0] is not None else None


# -- what a new task has, and a change may need ---------------------------------------------------------


def viewer_rows(viewers: Iterable[int], row: TaskRow) -> list[tuple]:
    """Rows for `INSERT_VIEWERS`."""
    return [(viewer, row.id, row.status) for viewer in viewers]


def assignee_rows(row: TaskRow, ids: Iterable[int]) -> list[tuple]:
    """Rows for `INSERT_ASSIGNEES`: who is on the task."""
    return [(one, row.id) for one in ids]


def audit_rows(assigned_by: int, row: TaskRow, ids: Iterable[int]) -> list[tuple]:
    """Rows for `INSERT_AUDIT`, which keeps who was assigned by whom."""
    return [(row.id, one, assigned_by, row.updated_at) for one in ids]


def assignment_mails(
    row: TaskRow, ids: Iterable[int], known: Mapping[int, KnownPerson]
) -> list[tuple[str, str, str]]:
    """The mails to those who have been assigned."""
    title = excerpt(row.title)
    text = f"The task {quoted(title)} is yours now."
    return [(known[one].email, f"Assigned to you: {title}", text) for one in ids]


# -- changing ----------------------------------------------------------------------------------------


def update_task(
    actor: Actor,
    key: TaskKey,
    changes: TaskFields,
    version: int | None = None,
    assignee_fields: Collection[str] = (),
) -> dict[str, Any]:
    """Changes whatever differs. Raises NotFound, Forbidden, Invalid, Conflict for a stale version."""
    before = access.get_task(actor, key, lock=True)
    check_version(version, before.version, lambda: tasks.one_json(before))
    wanted = changes.columns()
    if set(wanted.get("assignees", before.assignee_ids)) == set(before.assignee_ids):
        wanted.pop("assignees", None)
    wanted = {
        column: value
        for column, value in wanted.items()
        if column == "assignees" or getattr(before, column) != value
    }
    field = changes.field_of("assignees")
    added = [one for one in wanted.get("assignees", ()) if one not in before.assignee_ids]
    with all_errors() as check:
        check(
            access.check_task_changes,
            actor,
            before,
            wanted,
            assignee_fields,
            changes.field_of("workspace_id"),
        )
        check(known_people, field, added)
        check(department_manager, wanted.get("department_id"))
    if not wanted:
        return tasks.one_json(before)
    return _store(actor, before, _with(before, wanted, actor.id), changes.reason, field)


def _with(before: TaskRow, wanted: dict[str, Any], assigned_by: int) -> TaskRow:
    """The row with these values; whoever assigns somebody has assigned the task."""
    if "assignees" not in wanted:
        return before._replace(**wanted)
    ids = wanted["assignees"]
    if not set(ids) <= set(before.assignee_ids):
        wanted = wanted | {"assigned_by_id": assigned_by}
    return before._replace(**(wanted | {"assignees": tasks.dumps(ids)}))


def update_status(
    actor: Actor,
    key: TaskKey,
    status: str,
    reason: str = "",
    version: int | None = None,
    assignee_fields: Collection[str] = (),
) -> dict[str, Any]:
    """Moves a task. Entering `blocked` or `cancelled`, and leaving `done`, needs a reason.

    Raises NotFound, Forbidden, Invalid, Conflict.
    """
    before = access.get_task(actor, key, lock=True)
    check_version(version, before.version, lambda: tasks.one_json(before))
    access.check_task_changes(actor, before, {"status": status}, assignee_fields)
    if status == before.status:
        return tasks.one_json(before)
    if not reason.strip() and (status in _NEEDS_REASON or before.status == DONE):
        raise Invalid({"reason": [f"A reason is needed to go {_way(before.status, status)}."]})
    return _store(actor, before, before._replace(status=status), reason)


def mark_done(
    actor: Actor, key: TaskKey, version: int | None = None, assignee_fields: Collection[str] = ()
) -> dict[str, Any]:
    """Finishes a task; again changes nothing. Raises NotFound, Forbidden, Conflict."""
    task = update_status(actor, key, DONE, "", version, assignee_fields)
    return {"status": DONE, "completed_at": task["completed_at"], "task": task}


def assign(
    actor: Actor,
    key: TaskKey,
    ids: Sequence[int],
    replace: bool = False,
    field: str = "assignees",
    version: int | None = None,
) -> dict[str, Any]:
    """Assigns people, beside or instead of those there are.

    Raises NotFound, Forbidden, Invalid, Conflict for a stale version.
    """
    before = access.get_task(actor, key, lock=True)
    check_version(version, before.version, lambda: tasks.one_json(before))
    present = before.assignee_ids
    access.check_assigning(actor, before, [one for one in ids if one not in present])
    wanted = list(dict.fromkeys(ids if replace else [*present, *ids]))
    after = before if set(wanted) == set(present) else _with(before, {"assignees": wanted}, actor.id)
    task = _store(actor, before, after, field=field)
    return {"status": "assigned", "assignees": task["assignees"], "task": task}


def unassign(
    actor: Actor, key: TaskKey, ids: Sequence[int], field: str = "assignees", version: int | None = None
) -> dict[str, Any]:
    """Takes people off a task; whoever is not on it is passed over.

    Raises NotFound, Forbidden, Invalid, Conflict for a stale version.
    """
    before = access.get_task(actor, key, lock=True)
    check_version(version, before.version, lambda: tasks.one_json(before))
    access.check_assigning(actor, before, [])
    known = tasks.references(ids)
    missing = [str(one) for one in ids if one not in known]
    if missing:
        raise Invalid({field: [f"There is no person {', '.join(missing)}."]})
    left = [one for one in before.assignee_ids if one not in ids]
    task = _store(actor, before, before._replace(assignees=tasks.dumps(left)))
    return {"status": "unassigned", "assignees": task["assignees"], "task": task}


def clear_from_tasks(actor: Actor, column: Literal["department_id", "workspace_id"], value: int) -> None:
    """Part of an operation: a department or workspace goes; its tasks stay, without one."""
    rows = tasks.belonging(column, value, visibility.MAX_TOLD + 1)
    if len(rows) > visibility.MAX_TOLD:
        _clear_from_all_tasks(actor, column, value)
    else:
        for row in rows:
            _store(actor, row, row._replace(**{column: None}))


def _clear_from_all_tasks(actor: Actor, column: str, value: int) -> None:
    moment, field = now(), column.removesuffix("_id")
    _note_clearing(column).run(actor.id, field, tasks.dumps(value), moment, value)
    _clear(column).run(moment, value)
    visibility.start_anew(one for (one,) in Person.select(Person.id).where(Person.is_active).tuples())


@functools.cache
def _note_clearing(column: str) -> Statement:
    return Statement(f"""
        INSERT INTO task_history (
            task_id, person_id, action, field, old_value, new_value, reason, created_at)
        SELECT id, ?, 'updated', ?, ?, NULL, '', ? FROM task WHERE {column} = ? AND deleted_at IS NULL
    """)


@functools.cache
def _clear(column: str) -> Statement:
    return Statement(f"""
        UPDATE task SET {column} = NULL, version = version + 1, updated_at = ?
        WHERE {column} = ? AND deleted_at IS NULL
    """)


def delete_task(actor: Actor, key: TaskKey, version: int | None = None) -> None:
    """Hides a task from everybody, for good. Raises NotFound, Forbidden, Conflict."""
    row = access.get_task(actor, key, lock=True)
    check_version(version, row.version, lambda: tasks.one_json(row))
    access.check_deleting(actor, row)
    watchers = access.get_task_watchers(row)
    task = tasks.one_json(row)
    moment = now()
    _withdraw(row, Proposal.status == PENDING)
    Task.update(deleted_at=moment, version=row.version + 1).where(Task.id == row.id).execute()
    Viewer.delete().where(Viewer.task_id == row.id).execute()
    _note(actor, row.id, moment, [("deleted", None, None, None)])
    _emit(events.TASK_DELETED, actor, task, watchers, row.workspace_id)
    chat.close_task_room(row.id, watchers)
    focus.leave_unseen(watchers)


# -- the one way of a change -------------------------------------------------------------------------


@functools.lru_cache(maxsize=200)
def _update(columns: tuple[str, ...]) -> Statement:
    return Statement(f"UPDATE task SET {', '.join(f'{one} = ?' for one in columns)} WHERE id = ?")


def _store(
    actor: Actor,
    before: TaskRow,
    after: TaskRow,
    reason: str = "",
    field: str = "assignees",
    assigned_by: int | None = None,
) -> dict[str, Any]:
    """Writes what differs and tells of it; returns the task as it is now. Raises Invalid."""
    changed = {name for name in TaskRow._fields if getattr(before, name) != getattr(after, name)}
    if not changed:
        return tasks.one_json(before)
    moves = not _AUDIENCE.isdisjoint(changed)
    was_seen = access.get_task_watchers(before) if moves else set()
    after = _stamped(before, after, changed)
    if "assignees" in changed:
        _reassign(actor.id if assigned_by is None else assigned_by, before, after, field)
    if after.proposals == before.proposals and "assignees" in changed:
        _withdraw(after, Proposal.person.in_(after.assignee_ids))
        after = after._replace(proposals=proposals_of(after.id))
    _write(before, after)
    if moves:
        _set_viewers(after)
    old, new = tasks.tasks_json([before, after])
    _note_changes(actor, old, new, reason, after.updated_at)
    _tell(actor, before, after, old, new, was_seen, assigned_by)
    return new


def _stamped(before: TaskRow, after: TaskRow, changed: Collection[str]) -> TaskRow:
    if _EDITABLE.isdisjoint(changed):
        return after
    after = after._replace(version=before.version + 1, updated_at=now())
    if "status" in changed:
        after = after._replace(completed_at=after.updated_at if after.status == DONE else None)
    return after


def _write(before: TaskRow, after: TaskRow) -> None:
    changed = {name: value for name, value in after._asdict().items() if value != getattr(before, name)}
    if "title" in changed or "description" in changed:
        changed["words"] = search.searchable(after.title, after.description)
    _update(tuple(changed)).run(*changed.values(), after.id)


def _reassign(assigned_by: int, before: TaskRow, after: TaskRow, field: str) -> None:
    ids, present = after.assignee_ids, before.assignee_ids
    if len(ids) > MAX_ASSIGNEES:
        raise Invalid({field: [f"A task has at most {MAX_ASSIGNEES} assignees."]})
    added = [one for one in ids if one not in present]
    known = known_people(field, added)
    removed = [one for one in present if one not in ids]
    if removed:
        tasks.Assignee.delete().where(
            (tasks.Assignee.task_id == after.id) & tasks.Assignee.person_id.in_(removed)
        ).execute()
    if added:
        insert_all(
            (INSERT_ASSIGNEES, assignee_rows(after, added)),
            (INSERT_AUDIT, audit_rows(assigned_by, after, added)),
        )
        mail.queue_all(assignment_mails(after, added, known))


def _set_viewers(row: TaskRow) -> None:
    wanted, present = tasks.viewer_keys(row), tasks.stored_viewers(row.id)
    if gone := present - wanted:
        Viewer.delete().where((Viewer.task_id == row.id) & Viewer.viewer.in_(gone)).execute()
    if new := wanted - present:
        INSERT_VIEWERS.run(viewer_rows(new, row))


def _withdraw(row: TaskRow, which: Any) -> None:
    """Withdraws what is still proposed of a task, and tells those to whom it was."""
    pending = (Proposal.task == row.id) & (Proposal.status == PENDING)
    for one in Proposal.select().where(pending & which).order_by(Proposal.id):
        one.status, one.answered_at = WITHDRAWN, now()
        one.save()
        tell_proposal(one, row, WITHDRAWN)


def proposal_json(proposal: Proposal, task: TaskRow | Task) -> dict[str, Any]:
    """The proposal with what the person has to know of a task that they may not see yet."""
    return proposal.to_json() | {
        "task_uuid": task.uuid,
        "task_title": task.title,
        "task_description": task.description,
        "task_priority": tasks.PRIORITIES[task.priority - 1],
        "task_due_date": iso(task.due_date),
    }


def tell_proposal(proposal: Proposal, row: TaskRow, action: str) -> None:
    """Part of an operation: tells the proposed person, who need not see the task, on all their sockets."""
    events.emit(
        events.TASK_PROPOSED,
        [groups.tasks(proposal.person_id), groups.person(proposal.person_id)],
        {"action": action, "data": proposal_json(proposal, row)},
    )


def proposals_of(task_id: int) -> str:
    """The proposals of a task as its column keeps them."""
    rows = Proposal.select().where(Proposal.task == task_id).order_by(Proposal.id)
    return tasks.dumps([row.to_json() for row in rows])


# -- history -----------------------------------------------------------------------------------------


def note(
    actor: Actor, task_id: int, action: str, field: str, old: Any = None, new: Any = None, reason: str = ""
) -> None:
    """Part of an operation: keeps what was done beside the task's own fields."""
    _note(actor, task_id, now(), [(action, field, old, new)], reason)


def _note(
    actor: Actor,
    task_id: int,
    moment: int,
    entries: Iterable[tuple[str, str | None, Any, Any]],
    reason: str = "",
) -> None:
    INSERT_HISTORY.run(history_rows(actor, task_id, moment, entries, reason))


def history_rows(
    actor: Actor,
    task_id: int,
    moment: int,
    entries: Iterable[tuple[str, str | None, Any, Any]],
    reason: str = "",
) -> list[tuple]:
    """Rows for `INSERT_HISTORY`."""
    return [
        (task_id, actor.id, action, field, _text(old), _text(new), reason, moment)
        for action, field, old, new in entries
    ]


def _text(value: Any) -> str | None:
    return None if value is None else tasks.dumps(value)


def _note_changes(actor: Actor, old: dict, new: dict, reason: str, moment: int) -> None:
    entries = [
        (_action(name, old[name], new[name]), name, old[name], new[name])
        for name in _IN_HISTORY
        if old[name] != new[name]
    ]
    if entries:
        _note(actor, new["id"], moment, entries, reason)


def _action(field: str, old: Any, new: Any) -> str:
    if field == "assignees":
        return "assigned" if set(new) - set(old) else "unassigned"
    return "status_changed" if field == "status" else "updated"


def history(actor: Actor, key: TaskKey, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """Query: who changed what of a task, the newest first. Raises NotFound."""
    row = access.get_task(actor, key)
    found = History.select().where(History.task_id == row.id)
    page = list(found.order_by(History.id.desc()).limit(limit).offset(offset))
    people = tasks.references(one.person_id for one in page)
    return found.count(), [tasks.history_json(one, people[one.person_id]) for one in page]


# -- telling -----------------------------------------------------------------------------------------


def event(
    kind: events.Kind,
    actor: Actor,
    task: dict[str, Any],
    watchers: Iterable[int],
    workspace_id: int | None = None,
) -> events.Event | None:
    """What tells these people, and those who watch the workspace, of a task; nothing if they are none."""
    addresses = [groups.tasks(one) for one in sorted(watchers)]
    if workspace_id is not None:
        addresses.append(groups.workspace(workspace_id))
    return events.Event(kind, addresses, {"task": task, "actor_id": actor.id}) if addresses else None


def _emit(
    kind: events.Kind,
    actor: Actor,
    task: dict[str, Any],
    watchers: Iterable[int],
    workspace_id: int | None = None,
) -> None:
    made = event(kind, actor, task, watchers, workspace_id)
    if made is not None:
        events.emit_made([made])


def _tell(
    actor: Actor,
    before: TaskRow,
    after: TaskRow,
    old: dict,
    new: dict,
    was_seen: set[int],
    knows: int | None = None,
) -> None:
    """Tells everybody who sees the task, those who see it only now, and those who no longer do; whoever
    `knows` gets no notification."""
    sees = access.get_task_watchers(after)
    shown, hidden = (sees - was_seen, was_seen - sees) if was_seen else (set(), set())
    completed = after.status == DONE != before.status
    kind = events.TASK_COMPLETED if completed else events.TASK_UPDATED
    moved = before.workspace_id != after.workspace_id
    _emit(kind, actor, new, sees - shown, None if moved else after.workspace_id)
    _emit(events.TASK_SHOWN, actor, new, shown)
    _emit(events.TASK_HIDDEN, actor, old, hidden)
    if moved:
        _emit(events.TASK_LEFT, actor, old, (), before.workspace_id)
        _emit(events.TASK_ENTERED, actor, new, (), after.workspace_id)
    chat.close_task_room(after.id, sorted(hidden))
    focus.leave_unseen(hidden)
    _tell_room(actor, old, new)
    notify_about.task_changed(actor, old, new, knows)


def _way(before: str, after: str) -> str:
    return f"from {STATUS_LABELS[before]} to {STATUS_LABELS[after]}"


def _tell_room(actor: Actor, old: dict, new: dict) -> None:
    """What the people who talk about a task have to know: its status, and who is on it."""
    if old["status"] != new["status"]:
        text = f"{actor.username} changed the status {_way(old['status'], new['status'])}."
        chat.say_in_task_room(actor, new["id"], text)
    if old["title"] != new["title"]:
        chat.rename_task_room(new["id"])
    names = {one["id"]: one["username"] for one in [*old["assigned_to"], *new["assigned_to"]]}
    for verb, one, other in (("assigned", new, old), ("unassigned", old, new)):
        ids = [name for name in one["assignees"] if name not in other["assignees"]]
        if ids:
            listed = ", ".join(names[name] for name in ids)
            chat.say_in_task_room(actor, new["id"], f"{actor.username} {verb} {listed}.")


def touch(actor: Actor, before: TaskRow, after: TaskRow) -> dict[str, Any]:
    """Part of an operation: something beside the task's fields has changed (files, comments, proposals)."""
    return _store(actor, before, after)


def accept(actor: Actor, before: TaskRow, after: TaskRow, assigned_by: int, reason: str) -> dict[str, Any]:
    """Part of an operation: the actor has taken the task that somebody proposed to them."""
    return _store(actor, before, after, reason, "assignment_id", assigned_by)


# -- queries -----------------------------------------------------------------------------------------


def list_tasks(actor: Actor, filters: Filters, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """Query: how many tasks the actor sees with these filters, and a page of them."""
    count, rows = task_lists.page(access.get_task_scope(actor), filters, limit, offset)
    return count, tasks.tasks_json(rows)


def retrieve(actor: Actor, key: TaskKey) -> dict[str, Any]:
    """Query: one task. Raises NotFound to whoever may not see it."""
    return tasks.one_json(access.get_task(actor, key))


class OpenedTask(NamedTuple):
    """A task that somebody looks at."""

    task: dict[str, Any]
    unread: list[int]
    """Their unread notifications about it, which are to be marked read."""


def look_at(actor: Actor, key: TaskKey) -> OpenedTask:
    """Query: one task that is opened. Raises NotFound to whoever may not see it."""
    task = retrieve(actor, key)
    return OpenedTask(task, notify_about.of_task(actor.id, task["id"]))
