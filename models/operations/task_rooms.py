"""What the room of a task is told of the task's changes, and who is no longer in it."""

from __future__ import annotations

from models.operations import chat
from models.task_changes import Change
from models.task_wording import status_way


def follow(change: Change) -> None:
    """Part of an operation: tells those who talk about a task its status, its name and who is on it."""
    old, new, actor = change.old, change.new, change.actor
    task_id = new["id"]
    if "status" in change.fields:
        way = status_way(old["status"], new["status"])
        chat.say_in_task_room(actor, task_id, f"{actor.username} changed the status {way}.")
    if "title" in change.fields:
        chat.rename_task_room(task_id)
    names = {person["id"]: person["username"] for person in [*old["assigned_to"], *new["assigned_to"]]}
    for verb, ids in (("assigned", change.added), ("unassigned", change.removed)):
        if ids:
            listed = ", ".join(names[person_id] for person_id in ids)
            chat.say_in_task_room(actor, task_id, f"{actor.username} {verb} {listed}.")
