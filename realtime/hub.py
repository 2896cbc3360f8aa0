"""Which connection is in which group. Pure bookkeeping: no I/O, no waiting."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from realtime.connection import Connection

_NOBODY: frozenset[Connection] = frozenset()


class Hub:
    """The groups of one process."""

    def __init__(self, position: int = 0) -> None:
        self._groups: dict[str, set[Connection]] = {}
        self.connections: set[Connection] = set()
        self.position = position
        """`seq` of the last event handed out here; a new member has nothing to get up to it."""

    def add(self, connection: Connection) -> None:
        """Registers a connection; it is in no group yet. One that has ended stays out."""
        if not connection.closed:
            self.connections.add(connection)

    def remove(self, connection: Connection) -> None:
        """Takes a connection out of everything. Removing it twice is fine."""
        for group in list(connection.groups):
            self.leave(connection, group)
        self.connections.discard(connection)

    def join(self, connection: Connection, group: str, position: int | None = None) -> None:
        """Adds the connection to a group; it gets the group's events after `position` (default: now) that it
        does not know yet.

        One that has ended is ignored: its client may have gone while somebody looked up what it may join,
        and nobody would ever take it out again.
        """
        if not connection.closed and group not in connection.groups:
            self._groups.setdefault(group, set()).add(connection)
            begins = self.position if position is None else position
            connection.groups[group] = max(begins, connection.known)

    def leave(self, connection: Connection, group: str) -> None:
        """Takes the connection out of a group it may be in."""
        if connection.groups.pop(group, None) is None:
            return
        members = self._groups[group]
        members.discard(connection)
        if not members:
            del self._groups[group]

    def members(self, group: str) -> Collection[Connection]:
        """The connections of a group; do not keep it."""
        return self._groups.get(group, _NOBODY)

    def receivers(self, groups: Sequence[str], seq: int) -> Collection[Connection]:
        """Each connection once that is in one of the groups and has not had the event `seq` yet."""
        if len(groups) == 1:
            group = groups[0]
            members = self._groups.get(group)
            return [member for member in members if member.groups[group] < seq] if members else ()
        return {member for group in groups for member in self.members(group) if member.groups[group] < seq}

    def people(self, group: str) -> set[int]:
        """Ids of the people who are connected to the group."""
        return {member.actor.id for member in self.members(group) if member.actor}

    @property
    def group_count(self) -> int:
        """How many groups have a member."""
        return len(self._groups)
