"""Messages that are stored together are as if each had been stored alone."""

import asyncio
import time
from types import SimpleNamespace

import peewee
import pytest

from models import chat, events, posts
from models.base import Statement
from models.database import batches, writer
from models.errors import NotFound
from models.operations import chat as operations
from models.operations import workspaces
from models.operations.chat import Draft
from models.people import Person
from tests.support.database import count_queries, postgresql_only
from tests.support.rival import rival_of
from tests.support.store import busy_writer
from tests.support.talk import Talk, a_file
from tests.support.waiting import eventually


@pytest.fixture
def talk(run, store, io_loop):
    return io_loop.run_sync(Talk(run, store).begin)


async def together(talk, *units):
    """Their outcomes when all have waited for the writer; what an error says instead of it."""
    async with busy_writer(talk.store):
        waiting = [talk.store.submit(operations.post_message, *unit) for unit in units]
    done = await asyncio.gather(*waiting, return_exceptions=True)
    return [one if isinstance(one, Exception) else (one.is_new, one.body) for one in done]


async def everything(talk, rooms):
    def look():
        return [
            (chat.room_json(room, actor.id), chat.messages_after(room, 0, 100))
            for room in rooms
            for actor in (talk.ann, talk.ben)
        ]

    return await talk.store.snapshot(look)


def units_of(talk, room, other, mark):
    return [
        (talk.ann, Draft(room, f"{mark} one", client_id=f"{mark}1")),
        (talk.ben, Draft(room, f"{mark} two")),
        (talk.ann, Draft(other, f"{mark} elsewhere")),
        (talk.ann, Draft(room, f"{mark} again", client_id=f"{mark}1")),
        (talk.cyd, Draft(room, f"{mark} from a stranger")),
        (talk.ben, Draft(room, f"{mark} with 'quotes\" \\ and 🙂", client_id=f"{mark}1")),
        (talk.ann, Draft(room, f"{mark} hello @ben")),
        (talk.ann, Draft(room, "", files=[a_file(mark)])),
        (talk.ben, Draft(other, f"{mark} last", client_id=f"{mark}2")),
    ]


@pytest.mark.gen_test
async def test_rows_that_the_database_refuses_are_an_error_of_its_own_kind(store):
    """Of any other kind, the writer takes it for a fault of its own: a traceback, and no second try."""
    insert = Statement("INSERT INTO installation (id, name) VALUES (?, ?)")
    with pytest.raises(peewee.IntegrityError):
        await store.write(insert.run_each, [(1, "twice")])


@pytest.mark.gen_test
async def test_a_batch_is_what_its_messages_are_one_by_one(talk, monkeypatch):
    taken = []
    for is_alone in (False, True):
        rooms = [await talk.group(talk.ann, talk.ben) for _ in range(2)]
        talk.run.take()
        with monkeypatch.context() as patch:
            if is_alone:
                patch.setattr(batches, "_batches", {})
            outcomes = await together(talk, *units_of(talk, *rooms, "mark"[: 3 + is_alone]))
        told = [(event.type.stored_name, event.payload) for event in talk.run.take()]
        assert isinstance(outcomes.pop(4), NotFound)
        assert [is_new for is_new, _ in outcomes] == [True, True, True, False, True, True, True, True]
        seen = await everything(talk, rooms)
        taken.append((outcomes, told, seen))
    (outcomes, told, seen), alone = taken[0], taken[1]
    assert [kind for kind, _ in told] == [kind for kind, _ in alone[1]]
    texts = [[body["content"] for _, body in side if isinstance(body, dict)] for side in (told, alone[1])]
    assert [text.replace("mark", "mar") for text in texts[1]] == texts[0]
    for (room, messages), (other_room, other_messages) in zip(seen, alone[2], strict=True):
        assert room["unread_count"] == other_room["unread_count"]
        assert room["last_message"] == messages[-1]
        assert [one["content"] for one in messages] == [
            one["content"].replace("mark", "mar") for one in other_messages
        ]


@postgresql_only
@pytest.mark.gen_test
async def test_a_batch_goes_to_the_database_once(talk):
    """A message made eight round trips: five milliseconds away, one process stored 25 a second."""
    await talk.say(talk.ann), await talk.say(talk.ben)
    with count_queries() as queries:
        async with busy_writer(talk.store):
            units = [(who, Draft(talk.room, f"{n}")) for n in range(20) for who in (talk.ann, talk.ben)]
            waiting = [talk.store.submit(operations.post_message, *unit) for unit in units]
        queries.clear()
        await asyncio.gather(*waiting)
    assert len(queries) <= 2  # that of the busy one's end, and ours
    assert [one["content"] for one in (await talk.page(talk.ben)).results[:2]] == ["19", "19"]


@pytest.mark.gen_test
async def test_what_a_sender_is_called_is_looked_up_anew_when_it_has_changed(talk):
    await together(talk, (talk.ann, Draft(talk.room, "a")), (talk.ann, Draft(talk.room, "b")))
    await talk.run(lambda: Person.update(username="anna", username_key="anna").where(
        Person.id == talk.ann.id).execute())  # fmt: skip
    for _ in range(2):
        units = [(talk.ann, Draft(talk.room, "c")), (talk.ann, Draft(talk.room, "d"))]
        for (is_new, body), (_, draft) in zip(await together(talk, *units), units, strict=True):
            assert (is_new, body["content"], body["sender"]["username"]) == (True, draft.content, "anna")


@pytest.mark.gen_test
async def test_whoever_has_left_stores_nothing_though_they_were_known(talk):
    await together(talk, (talk.ann, Draft(talk.room, "a")), (talk.ben, Draft(talk.room, "b")))
    await talk.run(operations.leave, talk.ben, talk.room)
    [(is_new, _), refused] = await together(
        talk, (talk.ann, Draft(talk.room, "c")), (talk.ben, Draft(talk.room, "d"))
    )
    assert is_new
    assert isinstance(refused, NotFound)
    assert [one["content"] for one in (await talk.page(talk.ann)).results] == ["c", "b", "a"]


@postgresql_only
@pytest.mark.gen_test
async def test_whoever_writes_waits_for_the_counter_before_anything_else(talk, database_url):
    """Two processes that take locks in different orders wait for each other until one gives up."""
    with rival_of(database_url) as rival:
        rival.execute("SELECT seq FROM event_counter WHERE id = 1 FOR UPDATE")
        ours = asyncio.ensure_future(talk.say(talk.ann, "ours"))
        await rival.blocks_somebody()
        # Were any of these ours by now, this would be the deadlock.
        for table in ("room", "participant", "person"):
            rival.execute(f"SELECT 1 FROM {table} FOR UPDATE NOWAIT")
        rival.commit()
        assert (await ours)["content"] == "ours"


@postgresql_only
@pytest.mark.gen_test
async def test_a_message_sent_into_a_dying_connection_is_stored_once(talk, database_url):
    """Its only statement got no answer: whether it was stored, the database is asked."""
    await talk.say(talk.ann)
    with rival_of(database_url) as rival:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        rival.execute(f"SELECT count(pg_terminate_backend(pid)) {others} AND query NOT LIKE 'SELECT count%%'")
    assert (await talk.say(talk.ann, "after"))["content"] == "after"
    assert [one["content"] for one in (await talk.page(talk.ann)).results] == ["after", "hello"]


# A check before a lock decides by what has been


@postgresql_only
@pytest.mark.gen_test
async def test_who_is_brought_in_twice_at_once_is_in_once(talk, database_url):
    """The second process looked before it waited: a broken constraint, and a 500."""
    made = await talk.run(workspaces.create, talk.ann, "Garden")
    number = made["id"]
    with rival_of(database_url) as rival:
        rival.execute("SELECT id FROM workspace WHERE id = ? FOR UPDATE", number)
        ours = asyncio.ensure_future(talk.run(workspaces.put_member, talk.ann, number, talk.ben.id))
        await rival.blocks_somebody()
        rival.execute(
            "INSERT INTO workspace_member (workspace_id, person_id, role) VALUES (?, ?, 'member')",
            number, talk.ben.id,
        )  # fmt: skip
        rival.commit()
        assert not (await ours).is_new


async def told_in_turn(talk, units):
    """What was told, and in which order the callers were answered, when all have waited for the writer."""
    talk.run.take()
    answered = []
    async with busy_writer(talk.store):
        waiting = [talk.store.submit(operations.post_message, *unit) for unit in units]
        for place, future in enumerate(waiting):
            future.add_done_callback(lambda _, place=place: answered.append(place))
    await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.sleep(0)
    told = [one.payload["content"] for one in talk.run.take() if one.type is events.MessageCreated]
    return told, answered


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "why", ["mentioned", "gone", "renamed", "repeated", "never seen", "calling", "with a file"]
)
async def test_who_sends_several_is_heard_in_their_order_though_one_is_done_alone(talk, why):
    """One of a socket's sends that had to be done alone was told after those sent later to other rooms."""
    here, there = [await talk.group(talk.ann, talk.ben) for _ in range(2)]
    for room in (here, there):
        await talk.say(talk.ann, "before", room=room, client_id=f"{room}")
        await talk.say(talk.ben, "before", room=room)
    known = [(who, Draft(room, "known")) for who in (talk.ann, talk.ben) for room in (here, there)]
    await together(talk, *known)
    first = {
        "repeated": Draft(here, "1", client_id=f"{here}"),
        "never seen": Draft(here + 1000, "1"),
        "calling": Draft(here, "1 @ben"),
        "with a file": Draft(here, "1", files=[a_file("a")]),
    }.get(why, Draft(here, "1"))
    if why == "mentioned":
        await talk.say(talk.ben, "hello @ann", room=here)
    elif why == "gone":
        await talk.run(operations.leave, talk.ann, here)
    elif why == "renamed":
        await talk.run(lambda: Person.update(username="anna", username_key="anna").where(
            Person.id == talk.ann.id).execute())  # fmt: skip
    drafts = [Draft(there, "0"), first, Draft(there, "2"), Draft(here, "3"), Draft(there, "4")]
    units = [(talk.ann, draft) for draft in drafts]
    others = [(talk.ben, Draft(there, f"ben {number}")) for number in range(3)]
    told, answered = await told_in_turn(talk, [*units, *others])
    mine = [text for text in told if not text.startswith("ben")]
    assert mine == sorted(mine)
    assert [place for place in answered if place < len(units)] == list(range(len(units)))
    assert [text for text in told if text.startswith("ben")] == ["ben 0", "ben 1", "ben 2"]


@postgresql_only
@pytest.mark.gen_test
async def test_what_storing_costs_does_not_grow_with_what_was_said_before(talk):
    """Whether a client_id has been used was found out by reading all messages that there are."""
    await together(talk, *units_of(talk, talk.room, talk.room, "first"))
    many = """
        INSERT INTO message (room_id, sender_id, content, client_id, is_system, created_at)
        SELECT {room}, {ann}, 'x', 'old' || n, FALSE, n FROM generate_series(1, 5000) n
    """

    def plan():
        peewee_database = Person._meta.database
        peewee_database.execute_sql(many.format(room=talk.room, ann=talk.ann.id))
        peewee_database.execute_sql("ANALYZE message")
        peewee_database.execute_sql(posts._postgres._text.replace("store_posts", "explained"))
        rows = peewee_database.execute_sql("EXPLAIN EXECUTE explained('[]')").fetchall()
        peewee_database.execute_sql("DEALLOCATE explained")
        return "\n".join(line for (line,) in rows)

    shown = await talk.store.write(plan)
    assert "Scan using message_client on message" in shown
    assert "Seq Scan on message" not in shown


@pytest.mark.gen_test
async def test_where_others_write_too_a_batch_begins_some_time_after_the_one_before(talk, monkeypatch):
    """Each commit costs every process something; whoever writes after a pause does not wait all the same."""
    waited, paused = [], [time.monotonic()]

    def now():
        return sum(waited) + sum(paused)

    async def begins():
        began, before = await talk.store.write(lambda: (now(), len(waited)))
        # The thread waits behind each batch, not before the next.
        await eventually(lambda: len(waited) > before)
        return began

    monkeypatch.setattr(writer, "time", SimpleNamespace(sleep=waited.append, monotonic=now))
    talk.store.expect_writers(1)
    await begins()
    for processes, gather_s in ((1, 0.01), (3, 0.01), (4, 0.02), (5, 0.03), (50, 0.04)):
        talk.store.expect_writers(processes)
        paused.append(1)
        asked = now()
        first, second = await begins(), await begins()
        assert first == pytest.approx(asked)
        assert second - first == pytest.approx(gather_s)
