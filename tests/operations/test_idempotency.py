"""The same request twice is done once."""

import asyncio

import pytest

from models.base import now
from models.errors import Conflict, Forbidden
from models.operations import chat, idempotency
from models.operations.chat import Draft
from models.operations.idempotency import IdempotencyKey, once
from models.operations.outcomes import Outcome
from tests.support.database import postgresql_only
from tests.support.people import join_team
from tests.support.rival import rival_of

HOUR_US = 3600 * 1_000_000


@pytest.fixture
def ann_and_ben(run, io_loop):
    return io_loop.run_sync(lambda: join_team(run, "ann", "ben"))


@pytest.fixture
def ann(ann_and_ben):
    return ann_and_ben[0]


class Deed:
    """Something to do that counts how often it was done; the room it makes shows what was rolled back."""

    def __init__(self, actor, fails=0):
        self.actor = actor
        self.done = 0
        self.fails = fails

    def __call__(self, name):
        self.done += 1
        chat.open_group(self.actor, name, [])
        if self.done <= self.fails:
            raise Forbidden("not now")
        return Outcome({"name": name, "n": self.done, "nested": [None, 1.5, "ü"]})


async def rooms_of(store, actor):
    return [room["name"] for room in (await store.read(chat.list_rooms, actor, 100, 0))[1]]


async def make_older(run, by_us):
    def shift():
        IdempotencyKey.update(created_at=IdempotencyKey.created_at - by_us).execute()

    await run(shift)


@pytest.mark.gen_test
async def test_the_same_key_gets_the_first_answer_and_nothing_is_done_or_said_again(run, store, ann):
    deed = Deed(ann)
    run.take()
    first = await run(once, ann.id, "k", "asked", deed, "room")
    assert (first.is_new, first.is_repeated) == (True, False)
    assert len(run.take()) == 1
    for _ in range(3):
        again = await run(once, ann.id, "k", "asked", deed, "room")
        assert (again.is_new, again.body, again.is_repeated) == (True, first.body, True)
    assert (deed.done, run.take()) == (1, [])
    assert await rooms_of(store, ann) == ["room"]


@pytest.mark.gen_test
async def test_the_same_key_for_something_else_is_a_conflict(run, ann):
    deed = Deed(ann)
    await run(once, ann.id, "k", "asked", deed, "room")
    with pytest.raises(Conflict) as refused:
        await run(once, ann.id, "k", "asked something else", deed, "other")
    assert refused.value.code == "idempotency_key_reused"
    assert deed.done == 1


@pytest.mark.gen_test
async def test_a_key_is_its_person_s_own(run, ann_and_ben):
    ann, ben = ann_and_ben
    deeds = [Deed(ann), Deed(ben)]
    for actor, deed in zip((ann, ben), deeds, strict=True):
        for key in ("k", "K", "k "):
            await run(once, actor.id, key, "asked", deed, "room")
    assert [deed.done for deed in deeds] == [3, 3]


@pytest.mark.gen_test
async def test_what_failed_was_not_done_and_may_be_tried_again(run, store, ann):
    deed = Deed(ann, fails=1)
    with pytest.raises(Forbidden):
        await run(once, ann.id, "k", "asked", deed, "room")
    assert await rooms_of(store, ann) == []
    answer = await run(once, ann.id, "k", "asked", deed, "room")
    assert (answer.is_repeated, deed.done) == (False, 2)
    assert await rooms_of(store, ann) == ["room"]


@pytest.mark.parametrize(("status", "is_new"), [(201, True), (200, False)])
@pytest.mark.gen_test
async def test_what_the_version_before_has_kept_is_given_again(run, ann, status, is_new):
    """It kept the status of the answer."""
    await run(lambda: IdempotencyKey.create(
        person=ann.id, key="k", fingerprint="asked", status=status, body='{"theirs": 1}', created_at=now()
    ))  # fmt: skip
    deed = Deed(ann)
    again = await run(once, ann.id, "k", "asked", deed, "room")
    assert (again.is_new, again.body, again.is_repeated, deed.done) == (is_new, {"theirs": 1}, True, 0)


@pytest.mark.gen_test
async def test_after_24_hours_a_key_is_new(run, store, ann):
    deed = Deed(ann)
    await run(once, ann.id, "k", "asked", deed, "room")
    await make_older(run, 23 * HOUR_US)
    assert (await run(once, ann.id, "k", "asked", deed, "room")).is_repeated
    await make_older(run, HOUR_US)
    answer = await run(once, ann.id, "k", "asked something else", deed, "other")
    assert (answer.is_repeated, answer.body["n"]) == (False, 2)
    assert (await run(once, ann.id, "k", "asked something else", deed, "other")).is_repeated
    assert await rooms_of(store, ann) == ["other", "room"]


@pytest.mark.gen_test
async def test_only_keys_that_are_over_are_forgotten_a_slice_at_a_time(run, store, ann):
    deed = Deed(ann)
    for key in "abc":
        await run(once, ann.id, key, "asked", deed, key)
    await make_older(run, 25 * HOUR_US)
    await run(once, ann.id, "young", "asked", deed, "young")
    assert [await run(idempotency.purge, 2) for _ in range(3)] == [2, 1, 0]
    assert await store.read(lambda: [row.key for row in IdempotencyKey.select()]) == ["young"]


@pytest.mark.gen_test
async def test_the_same_request_many_times_at_once_is_done_once(run, store, ann):
    deed = Deed(ann)
    answers = await asyncio.gather(*(run(once, ann.id, "k", "asked", deed, "room") for _ in range(10)))
    assert deed.done == 1
    assert [answer.is_repeated for answer in answers] == [False] + [True] * 9
    assert all(answer.body == answers[0].body for answer in answers)
    assert await rooms_of(store, ann) == ["room"]


@postgresql_only
@pytest.mark.parametrize("they_commit", [True, False])
@pytest.mark.gen_test
async def test_a_second_process_waits_for_the_first_one_s_answer(run, ann, database_url, they_commit):
    deed = Deed(ann)
    with rival_of(database_url) as rival:
        rival.execute(
            "INSERT INTO idempotency_key VALUES (?, 'k', 'asked', 201, '{\"theirs\": 1}', ?)", ann.id, now()
        )
        ours = asyncio.ensure_future(run(once, ann.id, "k", "asked", deed, "room"))
        await rival.blocks_somebody()
        rival.commit() if they_commit else rival.rollback()
        answer = await ours
    if they_commit:
        assert (answer.is_new, answer.body, answer.is_repeated, deed.done) == (True, {"theirs": 1}, True, 0)
    else:
        assert (answer.is_repeated, deed.done) == (False, 1)


@pytest.mark.gen_test
async def test_a_message_sent_twice_with_one_key_is_one_message(run, store, ann):
    room = (await run(chat.open_group, ann, "room", [])).body["id"]
    run.take()
    answers = [
        await run(once, ann.id, "k", "asked", chat.post_message, ann, Draft(room, "hi")) for _ in range(2)
    ]
    assert answers[0].body == answers[1].body
    assert len(run.take()) == 1
    assert len((await store.read(chat.list_messages, ann, room, 10)).results) == 1
