"""Events as version 0.1 stored them: such rows are in logs, and must be told as they were."""

import json

import orjson
import pytest

from models import event_log, events, groups, revisions
from tests.support.server_process import ROOT

STORED = ROOT / "tests" / "documents" / "events_as_0.1_stored_them.jsonl"
ROWS = [json.loads(line) for line in STORED.read_text().splitlines()]


@pytest.fixture
def stored(store):
    """Their numbers, in the order of ROWS."""

    def insert():
        first = event_log.newest() + 1
        numbered = list(enumerate(ROWS, first))
        event_log.Counter.update(seq=first + len(ROWS) - 1).execute()
        for seq, row in numbered:
            text = orjson.dumps(row["payload"]).decode()
            event_log.LoggedEvent.insert(seq=seq, kind=row["kind"], payload=text, created_at=1).execute()
            for name in [*row["groups"], *row["about"]]:
                event_log.Address.insert(seq=seq, group_name=name).execute()
        return [seq for seq, _ in numbered]

    return insert


def said(row, event):
    """What version 0.1 said of it, by channel."""
    for channels, message in row["says"]:
        for channel in channels:
            number = {"notification_id": event.seq} if channel.startswith(events.WORKSPACE_TASKS) else {}
            yield channel, message | number | {"seq": event.seq}
            if channel == events.CHAT:  # Then it had no additions; whoever has them hears the same.
                yield events.extended(channel), message | {"seq": event.seq}


SINCE_THEN = {
    "message_pinned", "reaction_changed", "room_preferred", "room_role_changed", "room_unread",
    "status_changed",
}  # fmt: skip


def test_every_kind_of_then_is_known_and_the_tests_have_one_of_each():
    assert {row["kind"] for row in ROWS} == set(events.TYPES) - SINCE_THEN


@pytest.mark.gen_test
async def test_what_the_version_before_has_stored_is_said_as_it_said_it(store, run, stored):
    numbers = await run(stored)
    _, found = await store.snapshot(event_log.after, numbers[0] - 1)
    assert [event.seq for event in found] == numbers
    for row, event in zip(ROWS, found, strict=True):
        assert event.type is events.TYPES[row["kind"]]
        assert sorted(event.about) == sorted(row["about"])
        expected = dict(said(row, event))
        channels = {channel for channel, form in event.type.forms.items() if form is not None}
        assert {channel: event.message(channel) for channel in channels} == expected
        for channel in channels:
            ours, theirs = event.message(channel), expected[channel]
            if not channel.startswith(events.WORKSPACE_TASKS):
                assert json.dumps(ours) == json.dumps(theirs)


@pytest.mark.gen_test
async def test_what_is_made_of_them_is_stored_as_it_was_then(store, run, stored):
    """Payloads byte for byte: another process of the version before reads them."""
    for row in ROWS:
        event = events.addressed(events.TYPES[row["kind"]].restored(row["payload"]), row["groups"])
        assert orjson.dumps(event.payload) == orjson.dumps(row["payload"])
        assert sorted(event.about) == sorted(row["about"])


@pytest.mark.gen_test
async def test_an_edit_finds_what_the_version_before_has_stored(store, run, stored):
    await run(stored)
    (created,) = [row["payload"] for row in ROWS if row["kind"] == "message_created"]
    message = created | {"content": "", "deleted_at": "2026-12-01T00:00:00.000000Z", "attachments": []}
    deleted = events.addressed(events.MessageDeleted(message), [groups.room("group", 1000000)])
    await run(revisions.append, [deleted])
    _, found = await store.snapshot(event_log.after, 0)
    (told,) = [event for event in found if event.type is events.MessageCreated]
    assert told.payload["content"] == "" and told.payload["deleted_at"] == message["deleted_at"]
