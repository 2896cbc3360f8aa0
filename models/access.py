"""Who may see and do what: the only place that knows."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import peewee

from models import chat, sessions, tasks, workspaces
from models.base import Statement, locked, marks, parts
from models.chat import FIRST_ROOM_ID, TASK, Attachment, Message, Room, participant_ids
from models.errors import Conflict, Forbidden, Invalid, NotFound, TokenNotValid
from models.focus import FocusSession, locked_session
from models.inputs import LARGEST_ID
from models.people import PRIVATE, ROLES, Department, Person
from models.sessions import Actor
from models.tasks import Assignment, Comment, Proposal, Scope, Task, TaskKey, TaskRow
from models.wording import listed
from models.workspaces import ADMIN, MEMBER, OWNER, WorkspaceMember

RANK = {role: rank for rank, role in enumerate(ROLES)}
_SEES_EVERYONE = frozenset({"ceo", "hr", "supervisor"})
_SEES_DEPARTMENT = frozenset({"manager", "atl"})
_CHANGES_ROLES = frozenset({"supervisor", "hr", "ceo"})
_MANAGES_PEOPLE = frozenset({"hr", "ceo"})


# -- people ------------------------------------------------------------------------------------------


def sees_private(actor: Actor, person: Person) -> bool:
    """Whether the actor sees the person's address, last visit, and that an inactive one exists."""
    if actor.id == person.id or actor.role in _SEES_EVERYONE:
        return True
    return actor.role in _SEES_DEPARTMENT and None is not actor.department_id == person.department_id


def present(actor: Actor, person: Person) -> dict:
    """The person as the actor may see them. Raises NotFound if that is not at all."""
    if sees_private(actor, person):
        return person.to_json()
    if not person.is_active:
        raise NotFound()
    return {key: value for key, value in person.to_json().items() if key not in PRIVATE}


def person(actor: Actor, person_id: int) -> dict:
    """The person with this id as the actor may see them. Raises NotFound."""
    found = Person.get_or_none(Person.id == person_id)
    if found is None:
        raise NotFound("There is no such person.")
    return present(actor, found)


def private_people(actor: Actor) -> Any:
    """The condition on Person that `sees_private` is for one: whose private fields the actor sees."""
    if actor.role in _SEES_EVERYONE:
        return Person.id.is_null(False)
    mine = Person.id == actor.id
    if actor.role in _SEES_DEPARTMENT and actor.department_id is not None:
        return mine | (Person.department == actor.department_id)
    return mine


def visible_people(actor: Actor) -> Any:
    """The condition on Person for a directory: active, or known to the actor beyond that."""
    return Person.is_active | private_people(actor)


def figures_scope(actor: Actor) -> Any:
    """The condition on Person for whom figures tell the actor of: everyone, their department, themselves."""
    return private_people(actor)


def reads_statistics(actor: Actor) -> None:
    """Raises Forbidden below atl."""
    if RANK[actor.role] < RANK["atl"]:
        raise Forbidden("Statistics are for atl and above.")


def current(actor: Actor) -> Actor:
    """The actor as they are inside this transaction: a role lost meanwhile no longer counts.

    Raises TokenNotValid if the session has ended.
    """
    if actor.session_id is None:
        return actor
    fresh = sessions.actor(actor.session_id)
    if fresh is None:
        raise TokenNotValid("The session has ended.")
    return fresh


def managed_person(
    actor: Actor, person_id: int, by: frozenset[str] = _MANAGES_PEOPLE, for_change: bool = True
) -> Person:
    """Somebody whom the actor may change, deactivate or give a reset link; locked if to be changed.

    Raises NotFound, Forbidden for a role outside `by` and for a person who ranks above the actor.
    """
    query = Person.select().where(Person.id == person_id)
    found = (locked(query) if for_change else query).get_or_none()
    if found is None or not (found.is_active or sees_private(actor, found)):
        raise NotFound("There is no such person.")
    if actor.role not in by:
        raise Forbidden()
    if RANK[found.role] > RANK[actor.role]:
        raise Forbidden("This person ranks above you.", "ranks_above")
    return found


def person_to_promote(actor: Actor, person_id: int, role: str) -> Person:
    """Somebody whom the actor may give the role. Raises NotFound, Forbidden."""
    found = managed_person(actor, person_id, by=_CHANGES_ROLES)
    if RANK[role] > RANK[actor.role]:
        raise Forbidden("Nobody grants a role above their own.", "ranks_above")
    return found


def check_not_last_ceo(person: Person) -> None:
    """Raises Conflict if the person is the only active ceo. The caller serializes "ceo" first."""
    others = (Person.role == "ceo") & Person.is_active & (Person.id != person.id)
    if person.role == "ceo" and person.is_active and not Person.select().where(others).exists():
        raise Conflict("The last ceo can be neither demoted nor deactivated.", "last_ceo")


def department(department_id: int, for_change: bool = False) -> Department:
    """The department, which everybody may see; locked if it is to be changed. Raises NotFound."""
    query = Department.select().where(Department.id == department_id)
    found = (locked(query) if for_change else query).get_or_none()
    if found is None:
        raise NotFound("There is no such department.")
    return found


def manages_departments(actor: Actor) -> None:
    """Raises Forbidden below hr."""
    if actor.role not in _MANAGES_PEOPLE:
        raise Forbidden("Departments are changed by hr and ceo.")


# -- tasks: who sees ---------------------------------------------------------------------------------

_SEES_ALL_TASKS = frozenset({"ceo", "hr"})
_SEES_DEPARTMENT_TASKS = frozenset({"supervisor", "manager", "atl"})
_MANAGES_TASKS = frozenset({"supervisor", "manager"})
_CREATES_TASKS = _SEES_ALL_TASKS | _MANAGES_TASKS
_ASSIGNMENT = frozenset({"assignees", "department_id", "workspace_id"})
"""The columns that say whose business a task is."""


def task_scope(actor: Actor, with_workspaces: bool = True) -> Scope:
    """What the actor may see of all tasks.

    Somebody who sees a department also sees what they assigned to others; an employee does not.
    """
    if actor.role in _SEES_ALL_TASKS:
        return Scope(True, (actor.id,))
    shared = tuple(workspaces.ids_of(actor.id)) if with_workspaces else ()
    if actor.role in _SEES_DEPARTMENT_TASKS:
        return Scope(False, (actor.id, -actor.id), actor.department_id, shared)
    return Scope(False, (actor.id,), None, shared)


@functools.cache
def _active(count: int) -> Statement:
    return Statement(f"""
        SELECT p.id, p.username, p.role, p.department_id FROM person p
        WHERE p.id IN ({marks(count)}) AND p.is_active
    """)


def actors(person_ids: Iterable[int]) -> dict[int, Actor]:
    """Whoever of these people is active, as they would act now."""
    people = parts(list(person_ids))
    return {row[0]: Actor(*row) for ids in people for row in _active(len(ids)).all(*ids)}


def task_scopes(person_ids: Iterable[int]) -> dict[int, Scope]:
    """What each of these people may see of all tasks; nothing is said of whoever is deactivated."""
    return {person_id: task_scope(actor) for person_id, actor in actors(person_ids).items()}


def task(actor: Actor, key: TaskKey, lock: bool = False) -> TaskRow:
    """The task with this id or uuid, if the actor may see it. Raises NotFound otherwise.

    With `lock` nobody else changes it until this transaction ends.
    """
    found = tasks.find(key, task_scope(actor, with_workspaces=False), lock)
    if found is None:
        raise NotFound("There is no such task.")
    return found


def tasks_seen(actor: Actor, ids: Sequence[int]) -> set[int]:
    """Those of the tasks that the actor may see."""
    return tasks.visible_among(ids, task_scope(actor, with_workspaces=False)) if ids else set()


def sees_task(actor: Actor, task_id: int) -> bool:
    """Whether the actor may see the task."""
    return tasks.find(task_id, task_scope(actor, with_workspaces=False)) is not None


def _visible_ids(actor: Actor) -> peewee.Query | None:
    """The ids of all tasks that the actor may see, as a subquery; None for somebody who sees all."""
    scope = task_scope(actor)
    if scope.everything:
        return None
    ids = tasks.Viewer.select(tasks.Viewer.task_id).where(tasks.Viewer.viewer.in_(scope.viewers))
    if scope.department_id is not None:
        ids |= Task.select(Task.id).where(Task.department_id == scope.department_id)
    if scope.workspace_ids:
        ids |= Task.select(Task.id).where(Task.workspace_id.in_(scope.workspace_ids))
    return ids


def visible_tasks(actor: Actor) -> Any:
    """The condition on Task that `task` is for one: there, and for the actor to see."""
    visible = _visible_ids(actor)
    there = Task.deleted_at.is_null()
    return there if visible is None else there & Task.id.in_(visible)


def of_visible_tasks(actor: Actor, query: peewee.ModelSelect, task_id: peewee.Field) -> peewee.ModelSelect:
    """Narrows a query of things of tasks to the tasks that the actor may see."""
    visible = _visible_ids(actor)
    live = query.join(Task, on=(Task.id == task_id)).where(Task.deleted_at.is_null())
    return live if visible is None else live.where(task_id.in_(visible))


_OVERSEERS = """
    SELECT id FROM person WHERE is_active AND (
        role IN ('ceo', 'hr') OR (role IN ('supervisor', 'manager', 'atl') AND department_id = ?))
    UNION SELECT p.id FROM workspace_member m JOIN person p ON p.id = m.person_id
        WHERE m.workspace_id = ? AND p.is_active
"""
_overseers = Statement(_OVERSEERS)
_watchers = Statement(f"""
    {_OVERSEERS}
    UNION SELECT p.id FROM task_viewer v JOIN person p ON p.id = ABS(v.viewer)
        WHERE v.task_id = ? AND p.is_active
        AND (v.viewer > 0 OR p.role IN ('supervisor', 'manager', 'atl'))
""")


def overseers(department_id: int | None, workspace_id: int | None) -> set[int]:
    """Everybody who may see the tasks of a department and a workspace, whoever has to do with them."""
    return {found[0] for found in _overseers.all(department_id, workspace_id)}


def task_watchers(row: TaskRow) -> set[int]:
    """Everybody who may see the task as it is stored now: whom its events are for."""
    return watcher_ids(row.id, row.department_id, row.workspace_id)


def watcher_ids(task_id: int, department_id: int | None, workspace_id: int | None) -> set[int]:
    """The same by what it depends on."""
    return {found[0] for found in _watchers.all(department_id, workspace_id, task_id)}


# -- tasks: who does what ----------------------------------------------------------------------------


def _manages_task(actor: Actor, row: TaskRow) -> bool:
    if actor.role in _SEES_ALL_TASKS:
        return True
    if actor.role not in _MANAGES_TASKS:
        return False
    return None is not actor.department_id == row.department_id or actor.id in (
        row.creator_id,
        row.assigned_by_id,
    )


def is_personal(row: TaskRow) -> bool:
    """Whether the task concerns nobody but its creator."""
    shared = row.department_id is not None or row.workspace_id is not None
    return not shared and set(row.assignee_ids) <= {row.creator_id}


def _check_workspace(actor: Actor, workspace_id: int | None, field: str) -> None:
    if workspace_id is None or actor.id in workspaces.member_ids(workspace_id):
        return
    if actor.role not in _SEES_ALL_TASKS or not workspaces.exists(workspace_id):
        raise Invalid({field: [f"There is no workspace {workspace_id}."]})


def _check_named(actor: Actor, workspace_id: int | None, person_ids: Iterable[int]) -> None:
    """Whom somebody who does not manage a task may name in it. Raises Forbidden."""
    members = set() if workspace_id is None else workspaces.member_ids(workspace_id)
    if not (members if actor.id in members else {actor.id}).issuperset(person_ids):
        raise Forbidden("You may assign yourself, and in a workspace its members.")


def check_placement(
    actor: Actor,
    department_id: int | None,
    workspace_id: int | None,
    person_ids: Iterable[int],
    field: str = "workspace",
) -> None:
    """Whether the actor may make a task that concerns these. Raises Forbidden, or Invalid for a
    workspace that the actor may not know of; `field` is the client's name for it."""
    _check_workspace(actor, workspace_id, field)
    if actor.role in _CREATES_TASKS:
        return
    if department_id is not None:
        raise Forbidden("Only managers give tasks to a department.")
    _check_named(actor, workspace_id, person_ids)


def check_task_changes(
    actor: Actor,
    row: TaskRow,
    wanted: Mapping[str, Any],
    assignee_fields: Collection[str] = (),
    field: str = "workspace",
) -> None:
    """Whether the actor may give a task that they see these values, by column. Raises Forbidden, or
    Invalid for a workspace that the actor may not know of; `field` is the client's name for it.

    `assignee_fields` is the setting that narrows what an assignee may change; empty is everything.
    """
    if _manages_task(actor, row):
        return _check_workspace(actor, wanted.get("workspace_id"), field)
    if actor.id == row.creator_id:
        return _check_moving(actor, row, wanted, field)
    if actor.id not in row.assignee_ids:
        raise Forbidden("You may see this task, but not change it.")
    if not _ASSIGNMENT.isdisjoint(wanted):
        raise Forbidden("An assignee may not change who or what a task belongs to.")
    allowed = {"estimate" if name == "estimate_hours" else name for name in assignee_fields}
    refused = sorted(wanted.keys() - allowed) if allowed else []
    if refused:
        names = [name.removesuffix("_id").replace("_", " ") for name in refused]
        raise Forbidden(f"An assignee may not change the {listed(names)}.")


def _check_moving(actor: Actor, row: TaskRow, wanted: Mapping[str, Any], field: str) -> None:
    """For a creator who does not manage the task: it may go wherever they may make such a task."""
    named = wanted.get("assignees", row.assignee_ids)
    if "workspace_id" in wanted:
        check_placement(actor, wanted.get("department_id"), wanted["workspace_id"], named, field)
    elif not _ASSIGNMENT.isdisjoint(wanted):
        check_placement(actor, wanted.get("department_id"), None, ())
        _check_named(actor, row.workspace_id, set(named).difference(row.assignee_ids))


def check_assigning(actor: Actor, row: TaskRow, person_ids: Iterable[int]) -> None:
    """Whether the actor may assign these people, or propose it to them. Raises Forbidden."""
    if _manages_task(actor, row):
        return
    if actor.id != row.creator_id:
        raise Forbidden("Only managers and the creator assign a task.")
    _check_named(actor, row.workspace_id, person_ids)


def check_deleting(actor: Actor, row: TaskRow) -> None:
    """Raises Forbidden to whoever may not delete the task."""
    if not _manages_task(actor, row) and not (actor.id == row.creator_id and is_personal(row)):
        raise Forbidden("Only managers delete a task that is not personal.")


def proposal(actor: Actor, proposal_id: int) -> Proposal:
    """The proposal, if it is for the actor or its task is one they may see. Raises NotFound."""
    found = (
        Proposal.select()
        .join(Task)
        .where((Proposal.id == proposal_id) & Task.deleted_at.is_null())
        .get_or_none()
    )
    if found is None or not (found.person_id == actor.id or sees_task(actor, found.task_id)):
        raise NotFound("There is no such proposal.")
    return found


def check_answering(actor: Actor, found: Proposal) -> None:
    """Raises Forbidden to everybody but the proposed person."""
    if found.person_id != actor.id:
        raise Forbidden("Only the proposed person may answer.")


def check_withdrawing(actor: Actor, found: Proposal, row: TaskRow) -> None:
    """Raises Forbidden to whoever neither proposed it nor manages the task."""
    if found.proposed_by_id != actor.id and not _manages_task(actor, row):
        raise Forbidden("Only who proposed it, or a manager, may withdraw a proposal.")


def visible_proposals(actor: Actor, query: peewee.ModelSelect) -> peewee.ModelSelect:
    """Narrows to the actor's own proposals and those of tasks that they may see."""
    visible = _visible_ids(actor)
    live = query.join(Task).where(Task.deleted_at.is_null())
    if visible is None:
        return live
    return live.where((Proposal.person == actor.id) | Proposal.task.in_(visible))


def visible_assignments(actor: Actor, query: peewee.ModelSelect) -> peewee.ModelSelect:
    """Narrows the audit: all, one's department's, one's own."""
    if actor.role in _SEES_ALL_TASKS:
        return query
    seen = (Assignment.assigned_to_id == actor.id) | (Assignment.assigned_by_id == actor.id)
    if actor.role in _SEES_DEPARTMENT_TASKS and actor.department_id is not None:
        seen |= Assignment.task_id.in_(Task.select(Task.id).where(Task.department_id == actor.department_id))
    return query.where(seen)


def assignment(actor: Actor, assignment_id: int) -> Assignment:
    """A record of the audit that the actor may know. Raises NotFound."""
    found = visible_assignments(
        actor, Assignment.select().where(Assignment.id == assignment_id)
    ).get_or_none()
    if found is None:
        raise NotFound("There is no such assignment.")
    return found


def comment(actor: Actor, comment_id: int) -> tuple[Comment, TaskRow]:
    """The comment and its task. Raises NotFound to whoever may not see the task."""
    found = Comment.get_or_none(Comment.id == comment_id)
    if found is None:
        raise NotFound("There is no such comment.")
    return found, task(actor, found.task_id)


def own_comment(actor: Actor, comment_id: int) -> tuple[Comment, TaskRow]:
    """The same. Raises Forbidden for somebody else's comment."""
    found, row = comment(actor, comment_id)
    if found.author_id != actor.id:
        raise Forbidden("Only its author may change a comment.")
    return found, row


def task_attachment(actor: Actor, attachment_id: int) -> tuple[Attachment, TaskRow]:
    """A file of a task, and the task. Raises NotFound to whoever may not see the task."""
    found = Attachment.get_or_none((Attachment.id == attachment_id) & Attachment.task_id.is_null(False))
    if found is None:
        raise NotFound("There is no such attachment.")
    return found, task(actor, found.task_id)


def check_detaching(actor: Actor, found: Attachment, row: TaskRow) -> None:
    """Raises Forbidden to whoever neither uploaded the file nor manages the task."""
    if actor.id not in (found.uploaded_by_id, row.creator_id) and not _manages_task(actor, row):
        raise Forbidden("Only who uploaded it, the creator or a manager may remove a file.")


# -- chat --------------------------------------------------------------------------------------------

_membership = Statement("""
    SELECT r.room_type, p.username, p.avatar, me.last_read_id, r.task_id
    FROM room r
    JOIN participant me ON me.room_id = r.id
    JOIN person p ON p.id = me.person_id
    WHERE r.id = ? AND me.person_id = ? AND p.is_active {lock r}
""")


def writes_in_room(actor: Actor, room_id: int) -> tuple[str, str, str | None, int]:
    """Type of the room, the actor's username and avatar, and how far they have read.

    Locks the room's row (PostgreSQL), which makes the order of message ids in it the order of
    commit, also across processes. Raises NotFound to whoever takes no part in the room.
    """
    row = _membership.one(room_id, actor.id)
    if row is None or (row[4] is not None and not sees_task(actor, row[4])):
        raise NotFound("There is no such room.")
    return row[:4]


def room(actor: Actor, room_id: int, for_change: bool = False) -> Room:
    """The room, if the actor takes part in it, or may see its task; locked if it is to be changed.

    Raises NotFound otherwise.
    """
    if not FIRST_ROOM_ID <= room_id <= LARGEST_ID:
        raise NotFound("There is no such room.")
    found = (chat.locked_room_by_id if for_change else chat.room_by_id).one(room_id)
    if found is None or not _is_open(actor, found):
        raise NotFound("There is no such room.")
    return found


def present_in_room(room_id: int) -> list[int]:
    """Who takes part in the room, and in a task's room still sees the task: whom its changes are for."""
    people = participant_ids(room_id)
    task_id = chat.room_by_id.one(room_id).task_id
    row = None if task_id is None else tasks.find(task_id)
    if row is None:
        return people
    watchers = task_watchers(row)
    return [person_id for person_id in people if person_id in watchers]


def _is_open(actor: Actor, found: Room) -> bool:
    if found.room_type == TASK:
        return sees_task(actor, found.task_id)
    return chat.participant.one(found.id, actor.id) is not None


def own_message(actor: Actor, message_id: int) -> tuple[Message, Room]:
    """The message and its room. Raises NotFound outside the room, Forbidden for somebody else's message."""
    message = locked(Message.select().where(Message.id == message_id)).get_or_none()
    if message is None:
        raise NotFound("There is no such message.")
    its_room = room(actor, message.room_id)
    if message.sender_id != actor.id or message.is_system:
        raise Forbidden("Only its sender may change a message.")
    return message, its_room


def file(actor: Actor, path: str) -> Attachment:
    """The attachment stored at the path, if the actor may see it. Raises NotFound otherwise."""
    found = Attachment.get_or_none(Attachment.path == path)
    if found is None or not _may_see_file(actor, found):
        raise NotFound("There is no such file.")
    return found


def _may_see_file(actor: Actor, found: Attachment) -> bool:
    if found.task_id is not None:
        return sees_task(actor, found.task_id)
    message = Message.get_or_none(Message.id == found.message_id)
    return message is not None and _is_open(actor, Room.get_by_id(message.room_id))


def linked_file(path: str) -> Attachment:
    """The attachment stored at the path, for whoever holds a signed link. Raises NotFound."""
    found = Attachment.get_or_none(Attachment.path == path)
    if found is None or not _is_task_there(found):
        raise NotFound("There is no such file.")
    return found


def _is_task_there(found: Attachment) -> bool:
    """False for a file of a deleted task, or of what was said about one."""
    task_id = found.task_id
    if task_id is None:
        said = Message.get_or_none(Message.id == found.message_id)
        task_id = said and Room.get_by_id(said.room_id).task_id
    return task_id is None or tasks.find(task_id) is not None


# -- workspaces --------------------------------------------------------------------------------------

_workspace_role = Statement("SELECT role FROM workspace_member WHERE workspace_id = ? AND person_id = ?")
_locked_workspace = Statement("SELECT w.id FROM workspace w WHERE w.id = ? {lock w}")


def workspace_role(actor: Actor, workspace_id: int) -> str:
    """What the actor is in the workspace. Raises NotFound to whoever is not in it."""
    row = _workspace_role.one(workspace_id, actor.id)
    if row is None:
        raise NotFound("There is no such workspace.")
    return row[0]


def in_workspace(person_id: int, workspace_id: int) -> bool:
    """Whether the person is a member."""
    return _workspace_role.one(workspace_id, person_id) is not None


def changes_workspace(actor: Actor, workspace_id: int, needs: str = ADMIN) -> str:
    """The actor's role, inside an operation that changes the workspace: nobody else does until the commit.

    Raises NotFound to whoever is not in it, Forbidden below the role that is needed.
    """
    _locked_workspace.one(workspace_id)
    role = workspace_role(actor, workspace_id)
    if role != OWNER and role != needs:
        raise Forbidden(f"Only an owner{'' if needs == OWNER else ' or admin'} may do this.")
    return role


def changes_member(actor: Actor, workspace_id: int, person_id: int, now_role: str | None, role: str) -> None:
    """Admins bring in, and take out, members; anything else about somebody's role is for owners.

    Raises NotFound, Forbidden.
    """
    plain = now_role in (None, MEMBER) and role == MEMBER
    changes_workspace(actor, workspace_id, ADMIN if plain else OWNER)


def member_role(actor: Actor, workspace_id: int, person_id: int) -> str | None:
    """What somebody is in the workspace, and stays until the end of the transaction; None if they are not
    in it.

    Raises NotFound to whoever is not in it themselves.
    """
    _locked_workspace.one(workspace_id)
    workspace_role(actor, workspace_id)
    row = _workspace_role.one(workspace_id, person_id)
    return None if row is None else row[0]


def removes_member(actor: Actor, workspace_id: int, person_id: int) -> str:
    """The role of somebody whom the actor may take out: oneself always, members as admin, all as owner.

    Raises NotFound, Forbidden.
    """
    _locked_workspace.one(workspace_id)
    workspace_role(actor, workspace_id)
    row = _workspace_role.one(workspace_id, person_id)
    if row is None:
        raise NotFound("There is no such member.")
    if person_id != actor.id:
        changes_workspace(actor, workspace_id, ADMIN if row[0] == MEMBER else OWNER)
    return row[0]


# -- realtime events ---------------------------------------------------------------------------------


def announces_task(actor: Actor, key: TaskKey, workspace_id: int | None) -> tuple[int, set[int]]:
    """The task's id, and whom the actor may tell of it: who may see it, or is in the named workspace.

    A task that is deleted may still be said to be, by whoever had to do with it. Raises NotFound.
    """
    people = workspaces.member_ids(workspace_id) if workspace_id is not None else set()
    if workspace_id is not None and actor.id not in people:
        raise NotFound("There is no such workspace.")
    try:
        row = task(actor, key)
    except NotFound:
        return _deleted_task(actor, key), people | {actor.id}
    return row.id, task_watchers(row) | people


def _deleted_task(actor: Actor, key: TaskKey) -> int:
    named = Task.uuid == str(key) if isinstance(key, UUID) else Task.id == key
    found = Task.get_or_none(named & Task.deleted_at.is_null(False))
    if found is None or not (actor.role in _SEES_ALL_TASKS or actor.id in _had_to_do_with(found)):
        raise NotFound("There is no such task.")
    return found.id


def _had_to_do_with(found: Task) -> set[int]:
    assignees = tasks.Assignee.select(tasks.Assignee.person_id).where(tasks.Assignee.task_id == found.id)
    return {found.creator_id, found.assigned_by_id} | {row[0] for row in assignees.tuples()}


def related_entity(actor: Actor, entity_type: str, entity_id: int) -> None:
    """Raises NotFound for something of ours that the actor may not see; of other things we know nothing."""
    checks: dict[str, Any] = {
        "task": task,
        "workspace": workspace_role,
        "room": room,
        "chat_room": room,
        "focus_session": focus_session,
        "user": person,
        "person": person,
        "comment": comment,
    }
    check = checks.get(entity_type.lower())
    if check is not None:
        check(actor, entity_id)


def sends_system_event(actor: Actor, person_id: int) -> None:
    """Raises Forbidden for a system event to somebody else by an employee."""
    if person_id != actor.id and RANK[actor.role] < RANK["atl"]:
        raise Forbidden("A system event to somebody else needs atl or above.")


# -- focus sessions ----------------------------------------------------------------------------------


def focus_session(actor: Actor, session_id: int) -> FocusSession:
    """The session, if the actor may be in it: a workspace's is for its members, a task's for those who
    see the task, any other for everybody.

    Raises NotFound.
    """
    return _checked(actor, FocusSession.get_or_none(FocusSession.id == session_id))


def changes_focus_session(actor: Actor, session_id: int) -> FocusSession:
    """The same inside an operation that changes it. Raises NotFound."""
    return _checked(actor, locked_session(session_id))


def hosts_focus_session(actor: Actor, session_id: int) -> FocusSession:
    """The session for what only its host may do. Raises NotFound, Forbidden."""
    session = changes_focus_session(actor, session_id)
    if session.host_id != actor.id:
        raise Forbidden("Only the session's host may do this.")
    return session


def focus_figures(actor: Actor, workspace_id: int | None) -> Any:
    """The condition on Person for whose focus figures the actor may see: a workspace's members to its
    members; else everyone, one's department, or oneself. Raises NotFound."""
    if workspace_id is not None:
        workspace_role(actor, workspace_id)
        members = WorkspaceMember.select(WorkspaceMember.person)
        return Person.id.in_(members.where(WorkspaceMember.workspace == workspace_id))
    if actor.role in _SEES_EVERYONE:
        return Person.is_active
    if actor.role in _SEES_DEPARTMENT and actor.department_id is not None:
        return (Person.id == actor.id) | (Person.department == actor.department_id)
    return Person.id == actor.id


def _checked(actor: Actor, session: FocusSession | None) -> FocusSession:
    if session is None or not may_be_in(actor, session):
        raise NotFound("There is no such focus session.")
    return session


def may_be_in(actor: Actor, session: FocusSession) -> bool:
    """Whether the session is one for the actor."""
    if session.workspace_id is not None:
        return in_workspace(actor.id, session.workspace_id)
    return session.task_id is None or session.host_id == actor.id or sees_task(actor, session.task_id)


def visible_focus_sessions(actor: Actor) -> Any:
    """The condition on FocusSession that `focus_session` is for one."""
    mine = FocusSession.workspace_id.in_(workspaces.ids_of(actor.id))
    tasks_seen = Task.select(Task.id).where(visible_tasks(actor))
    of_task = FocusSession.task_id.is_null() | FocusSession.task_id.in_(tasks_seen)
    return mine | (FocusSession.workspace_id.is_null() & (of_task | (FocusSession.host == actor.id)))
