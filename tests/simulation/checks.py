"""What must hold, whatever happens.

1. Acknowledged is durable: a message that was answered is stored, once, as it was said.
2. What was said once is stored at most once, and what has a key once, however often it is sent.
3. A device hears events in order of `seq`, each at most once, over all its connections.
4. It hears nothing that never happened, and nothing of a room while its person takes no part in it.
5. When all is well again, each device has every event that it may see, or was told to start anew.
6. It is told to start anew only after a backup was restored.
7. When all have left, nothing of them remains in any process.
8. Nothing is raised that nobody handles.
9. When all is well again, the processes agree on how many sockets all of them have.
10. When all is well again, the index of words says what the messages say, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from models import event_log, events, groups, word_index
from models.events import Emitted
from tests.simulation.database import NEVER, rows

if TYPE_CHECKING:
    from tests.simulation.clients import Device
    from tests.simulation.world import World


# Whoever comes back with `since` hears everything.
ADDITIONS = events.extended(events.CHAT)
# Whoever edits a message adds this to it.
EDITED = "!"


class Violation(AssertionError):
    """Something that must hold does not."""


@dataclass
class History:
    """Every event that was committed, and who took part in which room when, as the database had it."""

    newest: int = 0
    events: dict[int, Emitted] = field(default_factory=dict)
    # By group and person: from which `seq` to which they took part.
    spans: dict[tuple[str, int], list[list[float]]] = field(default_factory=dict)

    @classmethod
    def begin(cls) -> History:
        """With what the template holds."""
        history = cls(newest=event_log.newest())
        found = rows(
            "SELECT r.room_type, r.id, p.person_id FROM participant p JOIN room r ON r.id = p.room_id"
        )
        for room_type, room_id, person_id in found:
            history.spans[groups.room(room_type, room_id), person_id] = [[0, NEVER]]
        return history

    def record(self, told: Sequence[Emitted] = ()) -> None:
        """Takes what has been committed since; what the same commit took back is only among what is told."""
        newest = event_log.newest()
        if newest > self.newest:
            found = {event.seq: event for event in event_log.between(self.newest, newest)}
            # Copies: in memory, an event changes with what takes it back.
            found |= {event.seq: _copy(event) for event in told if self.newest < event.seq <= newest}
            for seq in sorted(found):
                self.events[seq] = found[seq]
                self._follow(found[seq])
            self.newest = newest
        for event in told:
            # Committed a moment ago, and since then others have committed as well.
            if event.seq <= newest:
                self.events.setdefault(event.seq, _copy(event))

    def _follow(self, event: Emitted) -> None:
        data = event.payload
        if event.type in (events.RoomCreated, events.RoomUpdated):
            group = groups.room(data["room_type"], data["id"])
            for person in data["participants"]:
                spans = self.spans.setdefault((group, person["id"]), [])
                if not spans or spans[-1][1] < NEVER:
                    spans.append([event.seq, NEVER])
        elif event.type is events.ParticipantRemoved:
            self.spans[groups.room(data["room_type"], data["room_id"]), data["user_id"]][-1][1] = event.seq

    def forget_after(self, seq: int) -> None:
        """A backup from then was restored."""
        self.newest = event_log.newest()
        self.events = {number: event for number, event in self.events.items() if number <= seq}
        for spans in self.spans.values():
            spans[:] = [[begin, end if end <= seq else NEVER] for begin, end in spans if begin <= seq]

    def may_see(self, person_id: int, event: Emitted) -> bool:
        """Whether the event was for this person when it happened."""
        return any(self._is_for(person_id, name, event.seq) for name in event.groups)

    def _is_for(self, person_id: int, group: str, seq: int) -> bool:
        if group in (groups.person(person_id), groups.chat(person_id)):
            return True
        return any(begin <= seq <= end for begin, end in self.spans.get((group, person_id), ()))

    def must_see(self, person_id: int, event: Emitted) -> bool:
        """Whether whoever comes back now is told of it: what is over for them is not."""
        own = (groups.person(person_id), groups.chat(person_id))
        return any(name in own or self._still_in(person_id, name, event.seq) for name in event.groups)

    def _still_in(self, person_id: int, group: str, seq: int) -> bool:
        spans = self.spans.get((group, person_id))
        return bool(spans) and spans[-1][1] == NEVER and spans[-1][0] <= seq  # type: ignore[index]


class Checks:
    """Looks at every step of every device, and at all of them at the end."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.history = History.begin()

    # -- as it happens -------------------------------------------------------------------------------

    def in_order(self, device: Device, seq: int, message: Mapping[str, Any]) -> None:
        """Called for each event that a device hears."""
        if seq <= device.position:
            what = "twice" if seq in device.heard else "late"
            raise Violation(f"{_name(device)} hears {seq} {what}, behind {device.position}")
        event = self.history.events.get(seq)
        if event is None:
            raise Violation(f"{_name(device)} hears {seq}, which was never committed: {message}")
        if not self.history.may_see(device.person.id, event):
            raise Violation(f"{_name(device)} hears {seq} of {event.groups}, which is not for them")
        said = event.message(ADDITIONS)
        if said is None or said["type"] != message["type"] or _id(said) != _id(message):
            raise Violation(f"{_name(device)} hears {message} as {seq}, which is {said}")

    def may_start_anew(self, device: Device) -> None:
        """Called when a device is told to."""
        if not self._world.has_restored:
            raise Violation(f"{_name(device)} is told to start anew at {device.position} without a reason")

    # -- when all is well again ----------------------------------------------------------------------

    def everything_arrived(self) -> None:
        """Called after a quiet while: the database and every device agree."""
        self.history.record()
        kept = {seq for (seq,) in rows("SELECT seq FROM event")}
        for device in self._world.devices:
            if device.line is None:
                raise Violation(f"{_name(device)} does not come back")
            wanted = self._wanted(device, kept)
            missing = [seq for seq in wanted if seq not in device.heard]
            if missing:
                first = self.history.events[missing[0]]
                text = f"{first.type.stored_name} of {first.groups}"
                raise Violation(f"{_name(device)} was never told of {missing[:5]} ({text})")
            undone = [seq for seq in device.heard if seq not in self.history.events]
            if undone:
                raise Violation(f"{_name(device)} goes on with what was undone: {undone[:5]}")
        self._acknowledged_is_stored()
        self._index_is_up_to_date()

    def _wanted(self, device: Device, kept: Iterable[int]) -> list[int]:
        return [
            seq
            for seq, event in self.history.events.items()
            if seq > device.base and seq in kept
            and self.history.must_see(device.person.id, event)
            and event.message(ADDITIONS) is not None
        ]  # fmt: skip

    def all_count_alike(self) -> None:
        """Called after a quiet while: what counts for all processes together is the same everywhere."""
        processes = [one for one in self._world.living if one.realtime.feed.bridge is not None]
        places = [process.realtime.admission._all for process in processes]
        together = sum(one.here("everybody") for one in places)
        for process, one in zip(processes, places, strict=True):
            counted = one.here("everybody") + one.elsewhere["everybody"]
            if counted != together:
                raise Violation(
                    f"process {process.number} counts {counted} sockets, and there are {together}"
                )

    def _acknowledged_is_stored(self) -> None:
        stored: dict[str, list[int]] = {}
        deleted = set()
        for number, content, at in rows("SELECT id, content, deleted_at FROM message WHERE NOT is_system"):
            if at is None:
                stored.setdefault(content.rstrip(EDITED), []).append(number)
            else:
                deleted.add(number)
        twice = {content: numbers for content, numbers in stored.items() if len(numbers) > 1}
        if twice:
            raise Violation(f"stored more than once: {list(twice.items())[:5]}")
        for device in self._world.devices:
            for text, number in device.acknowledged.items():
                if stored.get(text) != [number] and number not in deleted:
                    found = stored.get(text)
                    raise Violation(f"{_name(device)} was told that {text} is {number}; stored: {found}")

    def _index_is_up_to_date(self) -> None:
        said = rows("SELECT id, room_id, sender_id, content, is_system, deleted_at FROM message")
        wanted = {
            (room_id, word, number)
            for number, room_id, sender_id, content, is_system, deleted_at in said
            if not is_system and deleted_at is None
            for word in word_index.words_of(sender_id, content)
        }
        found = set(rows("SELECT place, word, id FROM search_word"))
        if wanted != found:
            missing, odd = sorted(wanted - found)[:5], sorted(found - wanted)[:5]
            raise Violation(f"the index of words lacks {missing} and should not have {odd}")

    def nothing_remains(self) -> None:
        """Called a while after everybody has left."""
        for process in self._world.living:
            realtime = process.realtime
            left = {
                "connections": len(realtime.hub.connections),
                "groups": realtime.hub.group_count,
                "sockets": len(realtime.sockets),
                "closing": len(realtime.closing),
                "due": len(realtime.wheel),
                "present": len(realtime.presence._sockets),
                "places": realtime.admission._all.fill("everybody"),
            }
            if any(left.values()):
                raise Violation(f"process {process.number} keeps {left}")


def _copy(event: Emitted) -> Emitted:
    return Emitted(event.type, event.groups, event.payload, event.seq)


def _id(message: Mapping[str, Any]) -> Any:
    data = message["data"]
    return data.get("id") or data.get("room_id")


def _name(device: Device) -> str:
    return f"device {device.number} of {device.person.username}"
