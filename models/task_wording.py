"""What has changed about a task, in words for people and as data for programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from typing import Any

from models.base import Statement
from models.task_changes import FIELDS, Change
from models.wording import PRIORITY_LABELS, STATUS_LABELS, counted, listed, moment, quoted

_LONG = ("description",)
"""Fields whose values are too long to be repeated."""
_PLACES = {
    "department": Statement("SELECT name FROM department WHERE id = ?"),
    "workspace": Statement("SELECT name FROM workspace WHERE id = ?"),
}


def has_times(change: Change) -> bool:
    """Whether the sentence names a time, which every reader knows by another clock."""
    return "due_date" in change.fields and change.new["due_date"] is not None


def data(change: Change) -> dict[str, Any]:
    """For programs: what each field was and is; people and files as those that came and went."""
    changes: dict[str, Any] = {
        name: {} if name in _LONG else {"from": change.old[name], "to": change.new[name]}
        for name in _plain_fields(change)
    }
    if change.added or change.removed:
        changes["assignees"] = {"added": change.added, "removed": change.removed}
    if change.attached or change.detached:
        files = (("added", change.attached), ("removed", change.detached))
        changes["attachments"] = {name: [file["file_name"] for file in which] for name, which in files}
    return changes


def sentence(change: Change, zone: tzinfo = UTC) -> str:
    """For people: `Ann changed the priority to High and removed the due date.`"""
    actor = change.actor
    parts = [
        *_given(change, zone),
        *_taken(change),
        *(["took on the task"] if actor.id in change.added else []),
        *(["left the task"] if actor.id in change.removed else []),
        *_deeds("assigned", _others(change, change.new, change.added)),
        *_deeds("unassigned", _others(change, change.old, change.removed)),
        *_deeds("attached", [quoted(file["file_name"]) for file in change.attached]),
        *_deeds("removed the file", [quoted(file["file_name"]) for file in change.detached]),
    ]
    return f"{actor.username} {listed(parts)}."


def _plain_fields(change: Change) -> list[str]:
    """All fields but the people, of whom it is said who came and who went."""
    return [name for name in change.fields if name != "assignees"]


def _others(change: Change, task: dict[str, Any], ids: Sequence[int]) -> list[str]:
    people = [person for person in task["assigned_to"] if person["id"] in ids]
    return [person["username"] for person in people if person["id"] != change.actor.id]


def _given(change: Change, zone: tzinfo) -> list[str]:
    given = [name for name in _plain_fields(change) if change.new[name] not in (None, "")]
    return _deeds("changed", [f"the {FIELDS[name]}{_value(change, name, zone)}" for name in given])


def _taken(change: Change) -> list[str]:
    taken = [name for name in _plain_fields(change) if change.new[name] in (None, "")]
    return _deeds("removed", [f"the {FIELDS[name]}" for name in taken])


def _value(change: Change, name: str, zone: tzinfo) -> str:
    value = change.new[name]
    if name in _LONG:
        return ""
    if name == "status":
        return f" {status_way(change.old[name], value)}"
    if name in _PLACES:
        row = _PLACES[name].one(value)
        return f" to {quoted(row[0])}" if row else ""
    words: dict[str, Callable[[Any], str]] = {
        "priority": PRIORITY_LABELS.__getitem__,
        "due_date": lambda at: moment(at, zone),
        "estimate_hours": lambda hours: counted(float(hours), "hour"),
    }
    return f" to {words.get(name, quoted)(value)}"


def status_way(before: str, after: str) -> str:
    """`from To do to Done`."""
    return f"from {STATUS_LABELS[before]} to {STATUS_LABELS[after]}"


def _deeds(verb: str, things: list[str]) -> list[str]:
    return [f"{verb} {listed(things)}"] if things else []
