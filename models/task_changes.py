"""What has changed about a task, in words for people and as data for programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo
from typing import Any

from models.base import Statement
from models.sessions import Actor
from models.tasks import DONE
from models.wording import PRIORITY_LABELS, STATUS_LABELS, counted, listed, moment, quoted

_FIELDS = {
    "title": "title",
    "description": "description",
    "status": "status",
    "priority": "priority",
    "due_date": "due date",
    "estimate_hours": "estimate",
    "department": "department",
    "workspace": "workspace",
}
"""What the fields are called in a sentence."""
_LONG = ("description",)
"""Fields whose values are too long to be repeated."""
_PLACES = {
    "department": Statement("SELECT name FROM department WHERE id = ?"),
    "workspace": Statement("SELECT name FROM workspace WHERE id = ?"),
}


class TaskChange:
    """The difference between two states of a task, both as JSON, that somebody made; false if none of
    it concerns the people whose task it is."""

    def __init__(self, actor: Actor, old: dict[str, Any], new: dict[str, Any]) -> None:
        self.actor = actor
        self.old, self.new = old, new
        self.fields = [name for name in _FIELDS if old[name] != new[name]]
        self.added = _only_in(new["assignees"], old["assignees"])
        self.removed = _only_in(old["assignees"], new["assignees"])
        self.attached = _only_in(new["attachments"], old["attachments"])
        self.detached = _only_in(old["attachments"], new["attachments"])

    def __bool__(self) -> bool:
        return bool(self.fields or self.added or self.removed or self.attached or self.detached)

    @property
    def completes(self) -> bool:
        """Whether the task is done now, and was not."""
        return self.new["status"] == DONE != self.old["status"]

    @property
    def has_times(self) -> bool:
        """Whether the sentence names a time, which every reader knows by another clock."""
        return "due_date" in self.fields and self.new["due_date"] is not None

    def data(self) -> dict[str, Any]:
        """For programs: what each field was and is; people and files as those that came and went."""
        changes: dict[str, Any] = {
            name: {} if name in _LONG else {"from": self.old[name], "to": self.new[name]}
            for name in self.fields
        }
        if self.added or self.removed:
            changes["assignees"] = {"added": self.added, "removed": self.removed}
        if self.attached or self.detached:
            files = (("added", self.attached), ("removed", self.detached))
            changes["attachments"] = {name: [one["file_name"] for one in which] for name, which in files}
        return changes

    def sentence(self, zone: tzinfo = UTC) -> str:
        """For people: `Ann changed the priority to High and removed the due date.`"""
        parts = [
            *self._changed(zone),
            *self._removed(),
            *(["took on the task"] if self.actor.id in self.added else []),
            *(["left the task"] if self.actor.id in self.removed else []),
            *_deeds("assigned", self._others(self.new, self.added)),
            *_deeds("unassigned", self._others(self.old, self.removed)),
            *_deeds("attached", [quoted(one["file_name"]) for one in self.attached]),
            *_deeds("removed the file", [quoted(one["file_name"]) for one in self.detached]),
        ]
        return f"{self.actor.username} {listed(parts)}."

    def _others(self, task: dict[str, Any], ids: Sequence[int]) -> list[str]:
        people = [one for one in task["assigned_to"] if one["id"] in ids]
        return [one["username"] for one in people if one["id"] != self.actor.id]

    def _changed(self, zone: tzinfo) -> list[str]:
        kept = [name for name in self.fields if self.new[name] not in (None, "")]
        return _deeds("changed", [f"the {_FIELDS[name]}{self._value(name, zone)}" for name in kept])

    def _removed(self) -> list[str]:
        gone = [name for name in self.fields if self.new[name] in (None, "")]
        return _deeds("removed", [f"the {_FIELDS[name]}" for name in gone])

    def _value(self, name: str, zone: tzinfo) -> str:
        value = self.new[name]
        if name in _LONG:
            return ""
        if name == "status":
            return f" from {STATUS_LABELS[self.old[name]]} to {STATUS_LABELS[value]}"
        if name in _PLACES:
            row = _PLACES[name].one(value)
            return f" to {quoted(row[0])}" if row else ""
        words = {
            "title": quoted,
            "priority": PRIORITY_LABELS.__getitem__,
            "due_date": lambda at: moment(at, zone),
            "estimate_hours": lambda hours: counted(float(hours), "hour"),
        }
        return f" to {words[name](value)}"


def _only_in(one: Sequence[Any], other: Sequence[Any]) -> list[Any]:
    return [item for item in one if item not in other]


def _deeds(verb: str, things: list[str]) -> list[str]:
    return [f"{verb} {listed(things)}"] if things else []
