"""The search in messages and comments: who finds what, on both databases."""

import asyncio
import random
import threading
from types import SimpleNamespace

import pytest

from jobs import search
from models import word_index, word_search
from models.base import database
from models.errors import Invalid
from models.operations import chat, comments, search_index, searching
from models.operations import tasks as task_operations
from tests.support.database import count_queries, postgresql_only, sqlite_only
from tests.support.tasks import Team, changes, make


class Finder:
    """Asks as somebody, with the index brought up to date."""

    def __init__(self, run, store):
        self.run, self.store = run, store

    async def catch_up(self):
        while any((await self.store.read(search_index.progress))[2:]):
            await self.store.write_aside(search_index.catch_up, 3)
            await self.run(search_index.settle)

    async def messages(self, actor, text, before=None, limit=20):
        await self.catch_up()
        page = await self.store.snapshot(searching.find_messages, actor, text, before, limit)
        return [message["content"] for message in page.results]

    async def comments(self, actor, text, before=None, limit=20):
        await self.catch_up()
        page = await self.store.snapshot(searching.find_comments, actor, text, before, limit)
        return [comment["content"] for comment in page.results]


@pytest.fixture
def find(run, store):
    return Finder(run, store)


@pytest.mark.gen_test
async def test_messages_are_found_by_their_words_and_only_in_ones_own_rooms(talk, find):
    await talk.say(talk.ann, "The Budget for the venue, in Köln")
    await talk.say(talk.ben, "a budget of nothing")
    other = await talk.group(talk.cyd, name="Cellar")
    await talk.say(talk.cyd, "my secret budget", room=other)

    assert await find.messages(talk.ann, "budget") == [
        "a budget of nothing",
        "The Budget for the venue, in Köln",
    ]
    assert await find.messages(talk.ann, "koln BUDG") == ["The Budget for the venue, in Köln"]
    assert await find.messages(talk.ann, "venue nothing") == []
    assert await find.messages(talk.ann, "secret") == []
    assert await find.messages(talk.cyd, "budget") == ["my secret budget"]
    assert await find.messages(talk.ann, "?!") == []


@pytest.mark.gen_test
async def test_whoever_leaves_a_room_finds_nothing_of_it_and_whoever_comes_finds_all(talk, find, run):
    await talk.say(talk.ann, "about the heron")
    assert await find.messages(talk.ben, "heron") == ["about the heron"]
    await run(chat.leave, talk.ben, talk.room)
    await run(chat.add_participants, talk.ann, talk.room, [talk.cyd.id])
    assert await find.messages(talk.ben, "heron") == []
    assert await find.messages(talk.cyd, "heron") == ["about the heron"]


@pytest.mark.gen_test
async def test_edited_words_replace_the_old_ones_and_deleted_ones_leave_at_once(talk, find, run):
    message = await talk.say(talk.ann, "heron and pike")
    assert await find.messages(talk.ben, "pike") == ["heron and pike"]
    await run(chat.edit_message, talk.ann, message["id"], "heron and perch")
    assert await find.messages(talk.ben, "pike") == []
    assert await find.messages(talk.ben, "perch") == ["heron and perch"]
    await run(chat.delete_message, talk.ann, message["id"])
    assert await find.messages(talk.ben, "heron") == []
    assert await find.store.read(lambda: database.execute_sql("SELECT * FROM search_word").fetchall()) == []


@pytest.mark.gen_test
async def test_what_is_edited_or_deleted_before_it_is_in_the_index_is_found_as_it_is(talk, find, run):
    edited = await talk.say(talk.ann, "heron")
    deleted = await talk.say(talk.ann, "heron too")
    await run(chat.edit_message, talk.ann, edited["id"], "bittern")
    await run(chat.delete_message, talk.ann, deleted["id"])
    assert await find.messages(talk.ann, "heron") == []
    assert await find.messages(talk.ann, "bittern") == ["bittern"]


@pytest.mark.gen_test
async def test_operators_say_from_whom_where_and_when(talk, find):
    await talk.say(talk.ann, "fish one")
    second = await talk.say(talk.ben, "fish two")
    direct = await talk.direct(talk.ann, talk.ben)
    await talk.say(talk.ann, "fish three", room=direct)
    day = second["timestamp"][:10]

    assert await find.messages(talk.ann, "fish from:ben") == ["fish two"]
    assert await find.messages(talk.ann, "from:@BEN") == ["fish two"]
    assert await find.messages(talk.ann, "fish from:me") == ["fish three", "fish one"]
    assert await find.messages(talk.ann, "fish from:nobody") == []
    assert await find.messages(talk.ann, 'fish in:"kitchen"') == ["fish two", "fish one"]
    assert await find.messages(talk.ann, "fish in:kit") == ["fish two", "fish one"]
    assert await find.messages(talk.ann, f"fish in:{talk.room}") == ["fish two", "fish one"]
    assert await find.messages(talk.ann, "fish in:@ben") == ["fish three"]
    assert await find.messages(talk.ann, "fish in:cellar") == []
    assert await find.messages(talk.ann, f"fish before:{day}") == []
    assert await find.messages(talk.ann, f"fish after:{day}") == []
    assert len(await find.messages(talk.ann, "fish after:2000-01-01 before:2100-01-01")) == 3
    with pytest.raises(Invalid, match="before"):
        await find.messages(talk.ann, "fish before:christmas")


@pytest.mark.gen_test
async def test_pages_follow_one_another_without_a_gap_whatever_comes_in_between(talk, find, store):
    said = [f"plank {number}" for number in range(25)]
    other = await talk.group(talk.ann, name="Shed")
    for number, text in enumerate(said):
        await talk.say(talk.ann, text, room=(talk.room, other)[number % 3 == 0])
    await find.catch_up()
    seen, before = [], None
    while True:
        page = await store.snapshot(searching.find_messages, talk.ann, "plank", before, 4)
        seen += [message["content"] for message in page.results]
        before = page.next
        if before is None:
            break
        await talk.say(talk.ben, "plank anew")
        await find.catch_up()
    assert seen == said[::-1]


@pytest.mark.gen_test
async def test_words_that_are_common_but_never_stand_together_end_a_page_and_not_the_search(
    talk, find, store, monkeypatch
):
    monkeypatch.setattr(word_search, "_MAX_READINGS", 3)
    monkeypatch.setattr(word_search, "_TRIED_FOR_ONE", 4)
    await talk.say(talk.ann, "salt and pepper")
    for number in range(60):
        await talk.say(talk.ann, ("salt", "pepper")[number % 2])
    await find.catch_up()
    pages, before, seen = 0, None, []
    while pages == 0 or before is not None:
        page = await store.snapshot(searching.find_messages, talk.ann, "salt pepper", before, 2)
        seen += [message["content"] for message in page.results]
        before, pages = page.next, pages + 1
    assert seen == ["salt and pepper"]
    assert pages > 1


@pytest.mark.gen_test
async def test_of_many_words_all_count_also_those_that_are_not_asked_for_everywhere(talk, find, monkeypatch):
    monkeypatch.setattr(word_search, "_FEW_READINGS", 0)
    wanted = "Alpha beta, gamma: delta"
    await talk.say(talk.ann, wanted)
    await talk.say(talk.ben, "alpha beta gamma deltas")
    for text in ("alpha beta gamma", "alpha beta delta", "alphas betas gammas delta", "beta gamma delta"):
        await talk.say(talk.ann, text, room=await talk.group(talk.ann, name=text))
        await talk.say(talk.ann, text)
    assert await find.messages(talk.ann, "alpha beta gamma del") == ["alpha beta gamma deltas", wanted]
    assert await find.messages(talk.ann, "alpha beta gamma del from:ann") == [wanted]
    assert await find.messages(talk.ann, "gamma delta beta alpha") == [wanted]
    assert await find.messages(talk.ann, "gamma deltas beta alpha from:ann") == []


def look_through(monkeypatch, first, most, places=1):
    """Has a search look through so many of the newest texts, in so many places or more."""
    names = ("_FIRST_LOOKED_THROUGH", "_MAX_LOOKED_THROUGH", "_MANY_PLACES")
    for name, value in zip(names, (first, most, places), strict=True):
        monkeypatch.setattr(word_search, name, value)


@pytest.mark.gen_test
@pytest.mark.parametrize("looked_through", [0, 100])
async def test_a_search_is_the_same_few_statements_however_many_rooms_and_words(
    talk, find, store, monkeypatch, looked_through
):
    look_through(monkeypatch, 100, looked_through)
    counted = []
    for rooms in (1, 9):
        for number in range(rooms):
            await talk.say(talk.ann, "alpha beta gamma", room=await talk.group(talk.ann, name=f"R{number}"))
        await find.catch_up()
        with count_queries() as queries:
            await store.snapshot(searching.find_messages, talk.ann, "alpha beta gam", None, 20)
        counted.append(len(queries))
    assert counted[0] == counted[1] <= 9, counted


@pytest.mark.gen_test
@pytest.mark.parametrize("most", [0, 12, 40])
async def test_pages_are_together_what_a_plain_look_at_every_message_finds(
    talk, find, store, monkeypatch, most
):
    """Few or many are looked through before the index is asked, in pages of any size."""
    look_through(monkeypatch, 4, most)
    monkeypatch.setattr(word_search, "_MAX_READINGS", 20)
    monkeypatch.setattr(word_search, "_FEW_READINGS", 8)
    chance = random.Random(most)
    rooms = [await talk.group(talk.ann, talk.ben, name=f"R{number}") for number in range(5)]
    rooms.append(await talk.group(talk.cyd, name="Cellar"))
    said = []
    for number in range(90):
        room, words = (
            chance.randrange(6),
            chance.choices(("oak", "Ash", "elm", "fir", "Öl"), (9, 6, 3, 1, 1), k=2),
        )
        who = talk.cyd if room == 5 else chance.choice((talk.ann, talk.ben))
        message = await talk.say(who, f"{' '.join(words)} {number}", room=rooms[room])
        if chance.random() < 0.1:
            await find.run(chat.delete_message, who, message["id"])
        elif room != 5:
            said.insert(0, (who.username, {word.lower() for word in words}, message["content"]))
    await find.catch_up()
    for asked in (
        "oak",
        "oak ash",
        "ash el",
        "fir oak",
        "oil",
        "elm ash from:ben",
        "from:ann",
        "ol",
        "oak fir el",
    ):
        *needed, last = [
            word for word in asked.replace("ol", "öl").split() if not word.startswith("from:")
        ] or [""]
        author = asked.partition("from:")[2]
        expected = [
            content
            for who, words, content in said
            if words.issuperset(needed)
            and any(word.startswith(last) for word in words)
            and author in ("", who)
        ]
        assert await all_pages(store, talk.ann, asked, chance.randrange(1, 9)) == expected, asked


async def all_pages(store, who, asked, limit):
    found, before = [], None
    while True:
        page = await store.snapshot(searching.find_messages, who, asked, before, limit)
        found += [message["content"] for message in page.results]
        before = page.next
        if before is None:
            return found


@pytest.mark.gen_test
async def test_comments_are_found_by_whoever_sees_their_task_also_when_that_changes(run, find):
    team = await Team(run).join()
    task = await make(run, team.supervisor, "Fence", assignees=[team.ann.id], department=team.department)
    said = (await run(comments.post_comment, team.ann, task["id"], "primer first")).body
    for who, sees in (
        (team.ceo, True),
        (team.atl, True),
        (team.ann, True),
        (team.bob, False),
        (team.cyd, False),
    ):
        assert await find.comments(who, "prim") == (["primer first"] if sees else [])
    assert await find.comments(team.ann, f"primer in:#{task['id']} from:ann") == ["primer first"]
    assert await find.comments(team.bob, f"primer in:#{task['id']}") == []

    moved = changes(assignees=[team.bob.id], workspace=team.workspace)
    await run(task_operations.update_task, team.ceo, task["id"], moved)
    assert await find.comments(team.ann, "primer") == []
    assert (
        await find.comments(team.bob, "primer") == await find.comments(team.cyd, "primer") == ["primer first"]
    )

    await run(task_operations.update_task, team.ceo, task["id"], changes(assignees=[team.ann.id]))
    await run(comments.edit_comment, team.ann, said["id"], "varnish first")
    assert await find.comments(team.ann, "primer") == []
    assert await find.comments(team.ann, "varnish") == ["varnish first"]
    await run(comments.delete_comment, team.ann, said["id"])
    assert await find.comments(team.ceo, "varnish") == []
    assert await find.store.read(lambda: database.execute_sql("SELECT * FROM search_word").fetchall()) == []


@pytest.mark.gen_test
async def test_what_is_said_meanwhile_is_left_for_the_next_time(talk, store, monkeypatch):
    """While people wrote, one slice followed the other, and each kept all who write waiting."""
    for name in ("SLICE", "IDLE_SLICE", "FAR_SLICE"):
        monkeypatch.setattr(search, name, search.Slice(3, 0))
    for number in range(4):
        await talk.say(talk.ann, f"word{number}")
    write_aside = type(store).write_aside

    async def write_and_hear_more(self, *args):
        found = await write_aside(self, *args)
        await talk.say(talk.ben, "meanwhile")
        return found

    monkeypatch.setattr(type(store), "write_aside", write_and_hear_more)
    indexer = search.Indexer(store)
    assert await indexer.catch_up() == search.PAUSE_S
    assert await indexer.catch_up() == search.EVERY_S


@sqlite_only
@pytest.mark.gen_test
async def test_amid_many_writes_the_index_takes_small_slices_and_long_pauses(talk, store, monkeypatch):
    """Behind a burst of messages the index took a third of the time in which the next one was written."""
    moment = [1000.0]
    monkeypatch.setattr(search, "time", SimpleNamespace(monotonic=lambda: moment[0]))
    for name, part in (("SLICE", 1), ("IDLE_SLICE", 2)):
        monkeypatch.setattr(search, name, search.Slice(part, 0))
    write_aside, sizes = type(store).write_aside, []

    async def take_long(self, work, seconds, part):
        sizes.append(part)
        moment[0] += 0.004
        return await write_aside(self, work, seconds, part)

    monkeypatch.setattr(type(store), "write_aside", take_long)
    indexer = search.Indexer(store)
    for word in ("one", "two", "three", "four"):
        await talk.say(talk.ann, word)
    assert await indexer.catch_up() == pytest.approx(search.BUSY_PAUSES * 0.004)
    moment[0] += 1
    assert await indexer.catch_up() == search.PAUSE_S
    assert sizes == [1, 2]


@pytest.mark.gen_test
async def test_of_two_processes_one_brings_the_index_up_to_date(talk, store):
    """Both did, and each kept the writers of both waiting: far from the database they carried a third."""
    one, other = search.Indexer(store), search.Indexer(store)
    for indexer in (one, other):
        await indexer.catch_up()
    behind = []
    for number in range(3):
        await talk.say(talk.ann, f"word{number}")
        await one.catch_up()
        await talk.say(talk.ann, f"meanwhile{number}")
        before = await store.read(search_index.progress)
        await other.catch_up()
        behind.append(before == await store.read(search_index.progress))
    assert behind == [True] * 3
    await other.catch_up()
    assert not (await store.read(search_index.progress)).is_behind, (
        "nobody gets on any more, so the other one does"
    )


class Slice:
    """A slice of the index that has read what is new, and is not committed before the block ends."""

    def __init__(self, store):
        self._store = store
        self._has_read, self._end = threading.Event(), threading.Event()

    def _work(self):
        search_index.catch_up(100)
        self._has_read.set()
        assert self._end.wait(5)

    async def __aenter__(self):
        self._working = asyncio.ensure_future(self._store.write_aside(self._work))
        assert await asyncio.to_thread(self._has_read.wait, 5)

    async def __aexit__(self, *error):
        self._end.set()
        await self._working


async def words_in_index(store):
    rows = await store.read(lambda: database.execute_sql("SELECT DISTINCT word FROM search_word").fetchall())
    return {word for (word,) in rows if not word.startswith("@")}


@postgresql_only
@pytest.mark.gen_test
async def test_writers_do_not_wait_for_the_index(talk, run, store, find):
    """Each slice held the lock that all writers take: p99 of a message was ten times what it had been."""
    said = await talk.say(talk.ann, "heron")
    async with Slice(store):
        await asyncio.wait_for(talk.say(talk.ben, "bittern"), 2)
        await asyncio.wait_for(run(chat.edit_message, talk.ann, said["id"], "egret"), 2)
        # Whoever else would work on the index does not wait either.
        assert not await asyncio.wait_for(run(search_index.settle), 2)
    assert await find.messages(talk.ann, "bittern") == ["bittern"]


@postgresql_only
@pytest.mark.gen_test
async def test_what_is_revised_while_it_is_put_into_the_index_leaves_no_old_word(talk, run, store, find):
    edited, deleted, both = [await talk.say(talk.ann, f"old {n} heron") for n in ("one", "two", "three")]
    async with Slice(store):
        await run(chat.edit_message, talk.ann, edited["id"], "heron bittern")
        await run(chat.delete_message, talk.ann, deleted["id"])
        await run(chat.edit_message, talk.ann, both["id"], "two egrets")
        await run(chat.edit_message, talk.ann, both["id"], "one egret")
    await run(chat.edit_message, talk.ann, both["id"], "old egret")
    indexer = search.Indexer(store)
    await indexer.catch_up()
    await indexer.catch_up()
    assert await words_in_index(store) == {"heron", "bittern", "old", "egret"}
    assert await find.messages(talk.ben, "heron") == ["heron bittern"]
    assert await find.messages(talk.ben, "old") == ["old egret"]
    assert (await store.read(search_index.progress))[2:] == (False, False)


@postgresql_only
@pytest.mark.gen_test
async def test_comments_are_where_they_belong_if_all_changes_while_they_are_put_into_the_index(
    run, store, find
):
    team = await Team(run).join()
    task = await make(run, team.supervisor, "Fence", assignees=[team.ann.id], department=team.department)
    edited, deleted = [
        (await run(comments.post_comment, team.ann, task["id"], f"primer {n}")).body for n in ("one", "two")
    ]
    async with Slice(store):
        await run(comments.edit_comment, team.ann, edited["id"], "varnish")
        await run(comments.delete_comment, team.ann, deleted["id"])
        moved = changes(assignees=[team.bob.id], workspace=team.workspace)
        await run(task_operations.update_task, team.ceo, task["id"], moved)
    assert await find.comments(team.bob, "varnish") == ["varnish"]
    assert await find.comments(team.ann, "varnish") == []
    assert await words_in_index(store) == {"varnish"}
    indexed = "SELECT DISTINCT place FROM search_word"
    assert word_index.place_of_viewer(team.ann.id) not in await store.read(
        lambda: [place for (place,) in database.execute_sql(indexed).fetchall()]
    )


@pytest.mark.gen_test
async def test_a_place_without_words_gives_what_was_said_there_the_newest_first(talk, find):
    kitchen = await talk.group(talk.ann, talk.ben, name="Kitchen")
    cellar = await talk.group(talk.cyd, name="Cellar")
    for text in ("one", "two", "three"):
        await talk.say(talk.ben, text, room=kitchen)
    await talk.say(talk.cyd, "secret", room=cellar)

    assert await find.messages(talk.ann, "in:kitchen") == ["three", "two", "one"]
    assert await find.messages(talk.ann, f"in:{kitchen} before:2999-01-01") == ["three", "two", "one"]
    assert await find.messages(talk.ann, "in:kitchen after:2999-01-01") == []
    assert await find.messages(talk.ann, "in:cellar") == []
    first = await find.store.snapshot(searching.find_messages, talk.ann, "in:kitchen", None, 2)
    assert [message["content"] for message in first.results] == ["three", "two"]
    assert await find.messages(talk.ann, "in:kitchen", before=first.next) == ["one"]
    assert await find.comments(talk.ann, "in:kitchen") == []
