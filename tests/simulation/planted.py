"""Faults that somebody might make in the realtime core, planted to prove that the simulation finds each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from models import event_log, posts
from models.database.backends import transaction
from models.database.store import Store
from models.database.threads import Worker
from models.database.writer import Writer
from models.operations import search_index
from realtime.connection import Connection
from realtime.feed import Feed
from realtime.hub import Hub
from realtime.personal import PersonalLog
from realtime.sequence import Sequencer
from realtime.shared_limits import SharedLimits
from realtime.sockets.chat_rooms import RoomsClient
from realtime.tail import Tail
from tests.simulation.postgres import StoringPosts

Plant = Callable[[], AbstractContextManager[Any]]
PLANTED: dict[str, Plant] = {}


def planted(plant: Plant) -> Plant:
    """Counts a fault among those that must be found."""
    PLANTED[plant.__name__.removeprefix("_").replace("_", " ")] = plant
    return plant


@planted
def _what_was_lost_is_never_read_from_the_log() -> AbstractContextManager[Any]:
    """A publish that got lost stays lost: neither a hole nor a probe nor the look at the counter helps."""

    async def read_nothing(self: Feed, expected: float) -> None:
        pass

    return patch.object(Feed, "_read_up_to", read_nothing)


@planted
def _the_sequencer_skips_a_gap() -> AbstractContextManager[Any]:
    """What comes early is released at once, and what was before it is taken for old."""

    def offer(self: Sequencer, batch: Any) -> None:
        ready = sorted((event for event in batch if event.seq > self.position), key=lambda event: event.seq)
        if ready:
            self.position = ready[-1].seq
            self._release(ready)

    return patch.object(Sequencer, "offer", offer)


@planted
def _the_log_is_taken_for_read_one_too_far() -> AbstractContextManager[Any]:
    """After a hole was filled from the log, the next event is taken for one that is not there."""
    fill = Sequencer.fill
    return patch.object(Sequencer, "fill", lambda self, up_to, found: fill(self, up_to + 1, found))


@planted
def _a_replay_begins_one_too_late() -> AbstractContextManager[Any]:
    """Of what was missed, the first event is not told if its number follows the client's."""
    page = PersonalLog.page

    async def late(self: PersonalLog, groups: Mapping[str, int], after: int, limit: int) -> Any:
        return await page(self, groups, after + 1, limit)

    return patch.object(PersonalLog, "page", late)


@planted
def _a_replay_ends_one_too_early() -> AbstractContextManager[Any]:
    """Live events begin after a number up to which the log was not read."""
    page = PersonalLog.page

    async def short(self: PersonalLog, groups: Mapping[str, int], after: int, limit: int) -> Any:
        return await page(self, {name: seq - 1 for name, seq in groups.items()}, after, limit)

    return patch.object(PersonalLog, "page", short)


@planted
def _a_room_is_joined_one_too_late() -> AbstractContextManager[Any]:
    """What follows the joining is taken for something that the client has."""

    def late(self: Hub, groups: Any, seq: int) -> Any:
        return receivers(self, groups, seq - 1)

    receivers = Hub.receivers
    return patch.object(Hub, "receivers", late)


@planted
def _live_events_do_not_wait_for_the_replay() -> AbstractContextManager[Any]:
    """What comes live passes what was missed before it."""

    def push(self: Connection, frame: bytes, event: Any) -> None:
        self.send(frame)

    return patch.object(Connection, "push", push)


@planted
def _a_client_that_was_ahead_hears_again_what_it_has() -> AbstractContextManager[Any]:
    """It comes from another process, which was quicker."""
    return patch.object(Connection, "skip", lambda self, group, position: None)


@planted
def _a_full_outbox_drops_what_does_not_fit() -> AbstractContextManager[Any]:
    """Instead of telling the slow reader to come back."""
    send = Connection.send

    def drop(self: Connection, frame: bytes) -> None:
        if self.draining is None or len(self._outbox) < self._limits.frames:
            send(self, frame)

    return patch.object(Connection, "send", drop)


@planted
def _what_overflows_while_a_replay_runs_is_forgotten() -> AbstractContextManager[Any]:
    """The log is not read once more for it."""
    overflow = property(lambda self: False, lambda self, value: None)
    return patch.object(Connection, "held_overflow", overflow)


@planted
def _memory_answers_for_what_it_has_forgotten() -> AbstractContextManager[Any]:
    """The end of the log in memory says that nothing was before it."""
    page = Tail.page

    def forgetful(self: Tail[Any], up_to: Any, after: int, limit: int, begins: Any = {}) -> Any:  # noqa: B006
        return page(self, up_to, max(after, self.floor), limit, begins)

    return patch.object(Tail, "page", forgetful)


@planted
def _whoever_waits_for_a_failed_commit_is_answered_as_if_it_had_worked() -> AbstractContextManager[Any]:
    """The answer was ready before the commit."""

    def fail(self: Writer, jobs: Any, error: Exception, is_unclear: bool = False) -> None:
        jobs = [job for job in jobs if job.result is not None]
        self._hand_over(jobs, [])

    return patch.object(Writer, "_fail", fail)


@planted
def _a_commit_without_an_answer_is_tried_again() -> AbstractContextManager[Any]:
    """It may have happened, and then everything in it happens twice."""
    recover = Writer._recover

    def again(self: Writer, worker: Any, error: Exception) -> None:
        self._is_committing = False
        recover(self, worker, error)

    return patch.object(Writer, "_recover", again)


@planted
def _events_are_told_though_their_commit_failed() -> AbstractContextManager[Any]:
    """Sent from the operation, as many servers do it."""
    run = Writer._run

    def tell_at_once(self: Writer, job: Any, alone: bool, before: int) -> None:
        run(self, job, alone, before)
        self._unclear()
        for number, event in enumerate(job.events, event_log.newest() + 1):
            event.seq = number
        if job.events:
            self._hand_over([], list(job.events))

    return patch.object(Writer, "_run", tell_at_once)


@planted
def _a_member_that_left_goes_on_hearing() -> AbstractContextManager[Any]:
    """Its sockets stay in the room."""
    return patch.object(RoomsClient, "evict", lambda self, room_id: None)


@planted
def _a_new_member_is_told_what_was_said_before() -> AbstractContextManager[Any]:
    """A replay forgets from where somebody may hear a room."""
    return patch.object(RoomsClient, "begins", lambda self: {})


@planted
def _a_restored_backup_is_not_noticed() -> AbstractContextManager[Any]:
    """A number of the history that was undone is taken for one of this one."""

    class Everything:
        def one(self, *params: Any) -> None:
            return None

    return patch.object(event_log, "_gap", Everything())


@planted
def _whoever_leaves_stays_in_its_groups() -> AbstractContextManager[Any]:
    """A registry that only grows."""
    return patch.object(Hub, "remove", lambda self, connection: self.connections.discard(connection))


@planted
def _what_a_killed_process_held_counts_for_ever() -> AbstractContextManager[Any]:
    """Nobody notices that it is heard no more."""
    return patch.object(SharedLimits, "keep_only", lambda self, names: None)


@planted
def _whoever_comes_back_to_redis_does_not_say_what_it_holds() -> AbstractContextManager[Any]:
    """The others go on with what they heard before."""
    return patch.object(SharedLimits, "say_all", lambda self, asks: None)


@planted
def _one_event_that_fails_takes_its_batch_along() -> AbstractContextManager[Any]:
    """Of several in one commit, only the first reaches anybody here."""
    settle = Store._settle

    def first_only(self: Store, jobs: Any, emitted: Any) -> None:
        for event in emitted[1:]:
            event.groups = []
        settle(self, jobs, emitted)

    return patch.object(Store, "_settle", first_only)


@planted
def _numbers_are_taken_before_the_lock() -> AbstractContextManager[Any]:
    """As a sequence gives them: whoever commits first need not have the first ones."""
    begin = StoringPosts.begin

    def take_first(self: StoringPosts) -> None:
        with self._server.shared.outside_of_sessions(), transaction():
            self.last = posts._take.value(len(self.posts))
        begin(self)

    def store(self: StoringPosts) -> Any:
        taken = SimpleNamespace(value=lambda count: self.last - len(self.posts) + count)
        with patch.object(posts, "_take", taken):
            return posts._store_in_steps(self.posts)

    return patch.multiple(StoringPosts, begin=take_first, store=store)


@planted
def _a_statement_without_an_answer_is_sent_again() -> AbstractContextManager[Any]:
    """Nobody looks whether it was done."""

    def look_nowhere(self: Writer, worker: Any, error: Exception, is_stored: Any) -> None:
        self._is_committing = False

    return patch.object(Writer, "_look_what_became", look_nowhere)


@planted
def _what_the_server_may_still_do_is_not_waited_for() -> AbstractContextManager[Any]:
    """A statement whose sender has gone is done all the same, if later than anybody looked."""

    def connect(self: Worker) -> bool:
        self.disconnect()
        self.connect()
        return True

    return patch.object(Worker, "reconnect_without_doubt", connect)


@planted
def _the_index_goes_on_one_too_far() -> AbstractContextManager[Any]:
    """After each round, the next message is taken for one that is in it."""
    done = search_index._messages_done
    too_far = SimpleNamespace(run=lambda number: done.run(number + 1))
    return patch.object(search_index, "_messages_done", too_far)
