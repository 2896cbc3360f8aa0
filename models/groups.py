"""Names of the groups that events are addressed to: built here and nowhere else (also on Redis)."""

from __future__ import annotations

from collections.abc import Iterable

_ROOM_PREFIXES = {"task": "task", "direct": "direct", "group": "group"}


def room(room_type: str, room_id: int) -> str:
    """Whoever has joined the chat room."""
    return f"{_ROOM_PREFIXES.get(room_type, 'room')}_{room_id}"


def person(user_id: int) -> str:
    """Every socket on which a person hears of what concerns them alone."""
    return f"notifications_{user_id}"


def chat(user_id: int) -> str:
    """Every chat socket of a person, whatever it has joined."""
    return f"chat_{user_id}"


def tasks(user_id: int) -> str:
    """Every socket on which a person hears of the tasks that they may see."""
    return f"tasks_{user_id}"


def workspace(workspace_id: int) -> str:
    """Every socket that follows a workspace."""
    return f"workspace_{workspace_id}"


def session(session_id: str) -> str:
    """Every socket that lives by one session."""
    return f"session_{session_id}"


def focus(session_id: int) -> str:
    """Whoever is connected to a focus session."""
    return f"focus_{session_id}"


_ABOUT = "about_"


def comments_of_workspace(workspace_id: int) -> str:
    """The comments on a workspace's tasks. Nobody listens here: webhooks find them in the log by it."""
    return f"{_ABOUT}comments_of_workspace_{workspace_id}"


def quoted(thing: str, number: int) -> str:
    """The name of a message or comment that something else repeats."""
    return f"{thing}_{number}"


def about(thing: str, number: int) -> str:
    """Nobody listens here: it stands beside an event's groups in the log, so that whatever quotes a message
    or comment is found without a search."""
    return about_quoted(quoted(thing, number))


def about_quoted(quotes: str) -> str:
    """The group of what quotes something, by the name that `quoted` gives."""
    return _ABOUT + quotes


def about_reactions(message_id: int, person_id: int) -> str:
    """The group of what tells of a person's emoji on a message: the newest replaces those before."""
    return f"{_ABOUT}reactions_{message_id}_{person_id}"


def about_pin(message_id: int) -> str:
    """The group of what tells of a message's pin: the newest replaces those before."""
    return f"{_ABOUT}pin_{message_id}"


def only(names: Iterable[str]) -> list[str]:
    """The names without those that `about` made."""
    return [name for name in names if not name.startswith(_ABOUT)]
