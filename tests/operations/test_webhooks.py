"""Webhooks: queued with the change, sent in order, whatever the receiver does."""

import asyncio
import ssl

import pytest

from jobs import retention, webhook_client
from jobs import webhooks as job
from lan.authority import Authority
from models import event_log, webhooks
from models.base import Statement, now
from models.errors import Conflict, Forbidden, Invalid, NotFound
from models.notifications import Notification
from models.operations import chat, comments, tasks, webhook_queue
from models.operations import webhooks as operations
from models.operations import workspaces as workspace_operations
from models.operations.webhooks import Changes, NewWebhook
from models.webhooks import DELIVERED, DROPPED, WAITING, Delivery, Webhook
from tests.support.database import count_queries, sqlite_only
from tests.support.people import deactivate
from tests.support.receiver import Receiver, said, verify
from tests.support.tasks import changes, make
from tests.support.waiting import eventually

MESSAGES = ("message.created", "message.edited", "message.deleted")
TASKS = ("task.created", "task.changed", "task.done", "task.deleted", "task.commented")


@pytest.fixture
def receiver(io_loop):
    one = Receiver()
    io_loop.run_sync(one.start)
    yield one
    io_loop.run_sync(one.stop)


@pytest.fixture
def sender(store, settings, io_loop):
    one = job.Webhooks(store, settings(webhooks_to_this_machine=True))
    yield one
    io_loop.run_sync(one._finish)


def address(receiver):
    # A name, since a number that means this machine is refused where nobody has allowed it.
    return f"http://localhost:{receiver.port}/hook?key=7"


async def allow(run, actor, receiver):
    return (await run(operations.allow_address, actor, f"http://localhost:{receiver.port}")).body["id"]


async def of_room(talk, receiver, events=MESSAGES, actor=None):
    """A webhook of the group; Ann, who made it, is the ceo as well."""
    await allow(talk.run, talk.ann, receiver)
    new = NewWebhook("CI", address(receiver), events, room_id=talk.room)
    return await talk.run(operations.create, actor or talk.ann, new)


async def rows(store):
    return await store.read(lambda: list(Delivery.select().order_by(Delivery.id)))


async def hook(store, number):
    return await store.read(lambda: Webhook.get_by_id(number))


async def due(run):
    """Time passes for whatever waits for its next attempt."""
    await run(lambda: Webhook.update(next_attempt_at=0, leased_until=0).execute())


@pytest.mark.gen_test
async def test_what_is_said_edited_and_deleted_is_told_in_order_and_signed(talk, store, sender, receiver):
    made = await of_room(talk, receiver)
    first = await talk.say(talk.ann, "hello")
    second = await talk.say(talk.ben, "there")
    await sender.round()
    await talk.run(chat.edit_message, talk.ann, first["id"], "good morning")
    await talk.run(chat.delete_message, talk.ben, second["id"])
    await sender.round()
    said_of = [(one["type"], one["data"]["message"]["content"]) for one in receiver.told]
    assert said_of == [
        ("message.created", "hello"),
        ("message.created", "there"),
        ("message.edited", "good morning"),
        ("message.deleted", ""),
    ]
    place = {"id": made["id"], "name": "CI", "room": talk.room, "workspace": None}
    assert receiver.told[0]["webhook"] == place
    assert len(set(receiver.ids)) == 4
    assert all(verify(made["secret"], *one) for one in receiver.received)
    assert not verify(webhooks.new_secret(), *receiver.received[0])
    assert {one.state for one in await rows(store)} == {DELIVERED}
    await sender.round()
    assert len(receiver.received) == 4


@pytest.mark.gen_test
async def test_only_chosen_events_of_the_place_are_told_from_the_making_on(talk, sender, receiver):
    other = await talk.group(talk.ann, talk.ben, name="Elsewhere")
    await talk.say(talk.ann, "before")
    await of_room(talk, receiver, ["message.created"])
    await talk.say(talk.ann, "elsewhere", room=other)
    message = await talk.say(talk.ann, "here")
    await talk.run(chat.edit_message, talk.ann, message["id"], "here now")
    await sender.round()
    assert [(one["type"], one["data"]["message"]["content"]) for one in receiver.told] == [
        ("message.created", "here now")
    ], "what is not sent yet leaves with the words that it has by then"


@pytest.mark.gen_test
async def test_words_that_were_deleted_before_they_were_sent_never_leave(talk, sender, receiver):
    await of_room(talk, receiver, ["message.created"])
    message = await talk.say(talk.ann, "SECRET")
    await sender._store.write(webhook_queue.collect)
    await talk.run(chat.delete_message, talk.ann, message["id"])
    await sender.round()
    assert b"SECRET" not in b"".join(body for _, body in receiver.received)
    assert receiver.told[0]["data"]["message"]["deleted_at"]


@pytest.mark.gen_test
async def test_what_was_rolled_back_is_not_told(talk, store, sender, receiver):
    await of_room(talk, receiver)

    def fails():
        chat.post_message(talk.ann, chat.Draft(talk.room, "never"))
        raise Conflict()

    with pytest.raises(Conflict):
        await talk.run(fails)
    await sender.round()
    assert not receiver.received and not await rows(store)


@pytest.mark.gen_test
async def test_tasks_of_a_workspace_are_told_with_their_comments(talk, sender, receiver):
    await allow(talk.run, talk.ann, receiver)
    place = (await talk.run(workspace_operations.create, talk.ben, "Garden"))["id"]
    new = NewWebhook("Board", address(receiver), TASKS, workspace_id=place)
    await talk.run(operations.create, talk.ben, new)
    inside = await make(talk.run, talk.ben, workspace=place)
    await make(talk.run, talk.ben, "Not here")
    await talk.run(comments.post_comment, talk.ben, inside["id"], "soon")
    await talk.run(tasks.update_task, talk.ben, inside["id"], changes(title="Paint it green"))
    await talk.run(tasks.update_task, talk.ben, inside["id"], changes(status="done"))
    await talk.run(tasks.delete_task, talk.ann, inside["id"])
    await sender.round()
    told = [(one["type"], one["data"]) for one in receiver.told]
    names = [name for name, _ in told]
    assert names[0] == "task.created" and names[-1] == "task.deleted"
    assert "task.done" in names and "task.changed" in names
    (comment,) = [data for name, data in told if name == "task.commented"]
    assert comment["action"] == "created" and comment["comment"]["content"] == "soon"
    titles = {data["task"]["title"] for name, data in told if name != "task.commented"}
    assert titles == {"Paint the fence", "Paint it green"}


# -- receivers that do not take it -------------------------------------------------------------------

BAD_ANSWERS = {
    "an error": (said(500), 500, "answered 500"),
    "a redirect to this machine": (
        said(302, "Location: http://127.0.0.1:1/"),
        302,
        "redirects are not followed",
    ),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", None, ""),
    "a head without end": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, None, ""),
}


@pytest.mark.gen_test
@pytest.mark.parametrize("kind", BAD_ANSWERS)
async def test_what_is_not_taken_is_tried_again_with_the_same_id(kind, talk, store, sender, receiver):
    made = await of_room(talk, receiver)
    receiver.answer, status, words = BAD_ANSWERS[kind]
    await talk.say(talk.ann, "one")
    await talk.say(talk.ann, "two")
    await sender.round()
    first, second = await rows(store)
    assert (first.state, first.attempts, first.status) == (WAITING, 1, status) and words in first.error
    assert first.error and second.attempts == 0, "the second waits for the first"
    assert (await hook(store, made["id"])).failing_since
    await sender.round()
    assert len(receiver.received) == 1, "it is not asked again at once"
    receiver.answer = said(204, body=b"")
    await due(talk.run)
    await sender.round()
    assert [one["data"]["message"]["content"] for one in receiver.told] == ["one", "one", "two"]
    assert receiver.ids[0] == receiver.ids[1] != receiver.ids[2]
    first, second = await rows(store)
    assert (first.state, first.attempts, first.status, first.error) == (DELIVERED, 2, 204, "")
    assert (await hook(store, made["id"])).failing_since is None


@pytest.mark.gen_test
async def test_a_receiver_that_hangs_up_at_once(talk, store, sender, receiver):
    await of_room(talk, receiver)
    receiver.closes = True
    await talk.say(talk.ann)
    await sender.round()
    (row,) = await rows(store)
    assert row.state == WAITING and row.error and row.status is None


@pytest.mark.gen_test
async def test_of_a_huge_answer_only_the_beginning_is_read(talk, store, sender, receiver):
    """10 MB, and 10 MB that say nothing of their length: the status counts, and no more is kept of it."""
    await of_room(talk, receiver)
    huge = b"x" * 10_000_000
    for answer in (said(200, body=huge), b"HTTP/1.1 200 OK\r\n\r\n" + huge):
        receiver.answer = answer
        await talk.say(talk.ann)
        await sender.round()
    assert [(row.state, row.status) for row in await rows(store)] == [(DELIVERED, 200)] * 2


@pytest.mark.gen_test
async def test_a_receiver_that_does_not_answer_holds_nobody_else(talk, sender, receiver):
    slow = await Receiver().start()
    slow.hangs = True
    await of_room(talk, slow)
    await of_room(talk, receiver)
    for number in range(5):
        await talk.say(talk.ann, str(number))
    running = asyncio.ensure_future(sender.round())
    await eventually(lambda: len(receiver.received) == 5)
    assert len(slow.received) == 1 and not running.done()
    slow.let_go.set()
    await running
    assert len(slow.received) == 5
    await slow.stop()


@pytest.mark.gen_test
async def test_an_answer_after_a_minute_is_none(talk, store, sender, receiver, monkeypatch):
    monkeypatch.setattr(webhook_client, "ANSWER_WITHIN_S", 0.3)
    receiver.hangs = True
    await of_room(talk, receiver)
    await talk.say(talk.ann)
    await sender.round()
    (row,) = await rows(store)
    assert row.state == WAITING and "no answer within 0.3 seconds" in row.error


@pytest.mark.gen_test
async def test_pauses_grow_are_not_alike_and_end_after_a_day(talk, store, sender, receiver, wall_clock):
    """The owner hears of it, and what waited is not told later."""
    made = await of_room(talk, receiver)
    receiver.answer = said(500)
    await talk.say(talk.ann)
    pauses = []
    while (row := await hook(store, made["id"])).is_active:
        await sender.round()
        row = await hook(store, made["id"])
        pause_s = (row.next_attempt_at - now()) / 1e6 if row.is_active else 0
        if row.is_active:
            pauses.append(pause_s)
        wall_clock.forward(seconds=pause_s + 1)
        assert len(pauses) < 60
    assert 3 < pauses[0] < 7 and 0.7 * 3600 < pauses[-1] < 1.3 * 3600
    assert len({round(pause) for pause in pauses[-8:]}) > 1
    assert 24 < len(receiver.received) < 60
    assert row.off_reason == "failing"
    assert [one.state for one in await rows(store)] == [DROPPED]
    told = await store.read(lambda: Notification.get(Notification.person == talk.ann.id))
    assert told.title == "A webhook was switched off" and "for a day" in told.content
    await talk.run(operations.change, talk.ann, made["id"], Changes(is_active=True))
    receiver.answer = said(200)
    await talk.say(talk.ann, "after")
    await sender.round()
    assert receiver.told[-1]["data"]["message"]["content"] == "after"


@pytest.mark.gen_test
async def test_a_receiver_that_is_gone_for_good_is_not_asked_again(talk, store, sender, receiver):
    made = await of_room(talk, receiver)
    receiver.answer = said(410)
    await talk.say(talk.ann)
    await sender.round()
    row = await hook(store, made["id"])
    assert (row.is_active, row.off_reason) == (False, "gone")


# -- several processes, and their ends ---------------------------------------------------------------


@pytest.mark.gen_test
async def test_two_processes_tell_each_thing_once_and_in_order(talk, store, sender, receiver, settings):
    await of_room(talk, receiver)
    for number in range(20):
        await talk.say(talk.ann, str(number))
    other = job.Webhooks(store, settings(webhooks_to_this_machine=True))
    await asyncio.gather(sender.round(), other.round())
    await sender.round()
    await other._finish()
    assert [one["data"]["message"]["content"] for one in receiver.told] == [str(n) for n in range(20)]


@pytest.mark.gen_test
async def test_what_a_dead_process_had_is_told_by_another_after_the_lease(talk, store, sender, receiver):
    await of_room(talk, receiver)
    await talk.say(talk.ann)
    (parcel,) = await store.write(webhook_queue.collect_and_take, 8)
    await sender.round()
    assert not receiver.received
    await due(talk.run)
    await sender.round()
    assert receiver.ids == [parcel.message_id]


@pytest.mark.gen_test
async def test_stopping_lets_what_is_under_way_end(talk, store, sender, receiver):
    await of_room(talk, receiver)
    receiver.hangs = True
    await talk.say(talk.ann)
    running = asyncio.ensure_future(sender.round())
    await eventually(lambda: receiver.received)
    running.cancel()
    receiver.let_go.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [row.state for row in await rows(store)] == [DELIVERED]


# -- who may hear ------------------------------------------------------------------------------------


async def left(talk):
    await talk.run(chat.change_role, talk.ann, talk.room, talk.ben.id, "owner")
    await talk.run(chat.remove_member, talk.ann, talk.room, talk.ben.id)


async def demoted(talk):
    await talk.run(chat.change_role, talk.ann, talk.room, talk.ben.id, "member")


async def gone(talk):
    await deactivate(talk.run, talk.ben)


@pytest.mark.gen_test
@pytest.mark.parametrize("ending", [left, demoted, gone])
async def test_nothing_is_told_once_its_maker_may_not_have_it(ending, talk, store, sender, receiver):
    await talk.run(chat.change_role, talk.ann, talk.room, talk.ben.id, "admin")
    made = await of_room(talk, receiver, actor=talk.ben)
    await talk.say(talk.ann, "while they may")
    await store.write(webhook_queue.collect)
    await ending(talk)
    await talk.say(talk.ann, "and then")
    await sender.round()
    assert not receiver.received
    row = await hook(store, made["id"])
    assert (row.is_active, row.off_reason) == (False, "no_access")


@pytest.mark.gen_test
async def test_an_address_that_is_forbidden_hears_nothing_more(talk, store, sender, receiver):
    made = await of_room(talk, receiver)
    number = await allow(talk.run, talk.ann, receiver)
    with pytest.raises(Forbidden):
        await talk.run(operations.forbid_address, talk.ben, number)
    await talk.run(operations.forbid_address, talk.ann, number)
    await talk.say(talk.ann)
    await sender.round()
    assert not receiver.received and (await hook(store, made["id"])).off_reason == "address_not_allowed"
    with pytest.raises(Invalid):
        await talk.run(operations.change, talk.ann, made["id"], Changes(is_active=True))


@pytest.mark.gen_test
async def test_the_ceo_ends_what_they_do_not_manage_and_reads_nothing_of_it(talk, store, receiver):
    await allow(talk.run, talk.ann, receiver)
    room = await talk.group(talk.ben, talk.cyd, name="Without Ann")
    new = NewWebhook("Theirs", address(receiver), MESSAGES, room_id=room)
    made = await talk.run(operations.create, talk.ben, new)
    count, listed = await store.snapshot(operations.listed, talk.ann, None, None, 20, 0)
    assert count == 1 and listed[0]["id"] == made["id"] and "secret" not in listed[0]
    for attempt in (
        lambda: talk.run(operations.rotate, talk.ann, made["id"]),
        lambda: talk.run(operations.send_test, talk.ann, made["id"]),
        lambda: talk.run(operations.change, talk.ann, made["id"], Changes(url=address(receiver))),
        lambda: talk.run(operations.change, talk.ann, made["id"], Changes(is_active=True)),
        lambda: store.snapshot(operations.listed, talk.ann, room, None, 20, 0),
        lambda: talk.run(operations.retrieve, talk.cyd, made["id"]),
    ):
        with pytest.raises(NotFound):
            await attempt()
    off = await talk.run(operations.change, talk.ann, made["id"], Changes(is_active=False))
    assert not off["is_active"]
    await talk.run(operations.delete, talk.ann, made["id"])
    assert (await store.snapshot(operations.listed, talk.ben, None, None, 20, 0))[0] == 0


@pytest.mark.gen_test
async def test_both_secrets_sign_for_a_day(talk, sender, receiver, wall_clock):
    made = await of_room(talk, receiver)
    renewed = await talk.run(operations.rotate, talk.ann, made["id"])
    assert renewed["secret"] != made["secret"]
    for hours in (0, 25):
        wall_clock.forward(hours=hours)
        await talk.say(talk.ann)
        await sender.round()
    first, second = receiver.received
    assert verify(made["secret"], *first) and verify(renewed["secret"], *first)
    assert not verify(made["secret"], *second) and verify(renewed["secret"], *second)


# -- the log -----------------------------------------------------------------------------------------


@pytest.mark.gen_test
async def test_a_test_and_what_is_sent_again(talk, store, sender, receiver):
    made = await of_room(talk, receiver)
    await talk.run(operations.send_test, talk.ann, made["id"])
    await talk.say(talk.ann)
    await sender.round()
    assert [one["type"] for one in receiver.told] == ["test", "message.created"]
    _, (newest, tried) = await store.snapshot(operations.deliveries, talk.ann, made["id"], 20, 0)
    assert tried["event"] == "test" and newest["status"] == 200 and newest["duration_ms"] >= 0
    await talk.run(operations.send_again, talk.ann, made["id"], newest["id"])
    await sender.round()
    assert receiver.ids[1] == receiver.ids[2]
    await talk.run(lambda: event_log.purge(2**60, 1000))
    with pytest.raises(Conflict):
        await talk.run(operations.send_again, talk.ann, made["id"], newest["id"])
    await talk.run(operations.change, talk.ann, made["id"], Changes(is_active=False))
    with pytest.raises(Conflict):
        await talk.run(operations.send_test, talk.ann, made["id"])


@pytest.mark.gen_test
async def test_what_waits_outlives_the_events_around_it(talk, store, sender, receiver, settings, wall_clock):
    """Retention removes what is old, but not what a receiver that was away has still to hear."""
    await of_room(talk, receiver)
    receiver.answer = said(500)
    await talk.say(talk.ann, "kept")
    await sender.round()
    wall_clock.forward(hours=20)
    await retention.purge_old(store, settings(event_retention_hours=1))
    receiver.answer = said(200)
    await due(talk.run)
    await sender.round()
    assert receiver.told[-1]["data"]["message"]["content"] == "kept"
    wall_clock.forward(days=4)
    await retention.purge_old(store, settings(event_retention_hours=1))
    assert not await rows(store)


@pytest.mark.gen_test
async def test_a_log_is_no_longer_than_it_may_be(talk, store, monkeypatch, receiver):
    monkeypatch.setattr(webhooks, "KEEP_DELIVERIES", 3)
    made = await of_room(talk, receiver)
    for _ in range(6):
        await talk.run(operations.send_test, talk.ann, made["id"])
    await talk.run(lambda: Delivery.update(state=DELIVERED).where(Delivery.id > 1).execute())
    while await store.write(webhook_queue.purge, 2):
        pass
    assert [row.id for row in await rows(store)] == [1, 4, 5, 6]


@pytest.mark.gen_test
async def test_a_receiver_that_is_far_behind_is_told_the_rest_from_the_log(talk, store, sender, receiver):
    """However much has happened, little of it is written down at once."""
    await of_room(talk, receiver)
    for number in range(7):
        await talk.say(talk.ann, str(number))
    assert await store.write(webhook_queue.collect, 2)
    assert len(await rows(store)) == 2
    assert await store.write(webhook_queue.collect, 2)
    assert len(await rows(store)) == 4
    await sender.round()
    assert [one["data"]["message"]["content"] for one in receiver.told] == [str(n) for n in range(7)]
    assert not await store.read(webhook_queue.has_work)


@pytest.mark.gen_test
async def test_of_a_receiver_that_is_away_only_so_much_is_written_down(
    talk, store, sender, receiver, monkeypatch
):
    for name in ("_has_work", "_behind"):
        text = getattr(webhook_queue, name)._text.replace(str(webhooks.MAX_WAITING), "2")
        monkeypatch.setattr(webhook_queue, name, Statement(text))
    await of_room(talk, receiver)
    receiver.answer = said(500)
    for number in range(5):
        await talk.say(talk.ann, str(number))
        await sender.round()
    assert len(await rows(store)) == 2
    receiver.answer = said(200)
    await due(talk.run)
    await sender.round()
    assert [one["data"]["message"]["content"] for one in receiver.told[-5:]] == list("01234")


@pytest.mark.gen_test
async def test_a_message_costs_the_same_with_a_webhook_and_without(talk, receiver):
    await talk.say(talk.ann)

    async def cost():
        with count_queries() as queries:
            await talk.say(talk.ann)
        return [query.sql for query in queries]

    without = await cost()
    await of_room(talk, receiver)
    assert await cost() == without


# -- TLS ---------------------------------------------------------------------------------------------


@sqlite_only
@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("name", "is_trusted", "is_told"),
    [("localhost", True, True), ("localhost", False, False), ("printer.local", True, False)],
)
async def test_a_receiver_shows_a_certificate_that_is_good_or_hears_nothing(
    name, is_trusted, is_told, talk, store, sender, tmp_path, monkeypatch
):
    authority = Authority(tmp_path / "tls")
    authority.ensure([name])
    its = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    its.load_cert_chain(authority.server_path)
    ours = ssl.create_default_context(cafile=authority.root_path if is_trusted else None)
    monkeypatch.setattr("tornado.simple_httpclient._client_ssl_defaults", lambda: ours)
    receiver = await Receiver().start(its)
    url = f"https://localhost:{receiver.port}"
    await talk.run(operations.allow_address, talk.ann, url)
    new = NewWebhook("CI", url + "/", MESSAGES, room_id=talk.room)
    await talk.run(operations.create, talk.ann, new)
    await talk.say(talk.ann)
    await sender.round()
    (row,) = await rows(store)
    assert len(receiver.received) == is_told
    assert row.state == (DELIVERED if is_told else WAITING)
    assert is_told or "certificate" in row.error.lower()
    await receiver.stop()
