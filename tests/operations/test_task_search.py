"""The search: whatever is typed, in whatever language, finds the same on both databases, by the index and
without it, and is never an error."""

import importlib.util
import string

import pytest

from models.base import database
from models.database.upgrade import MIGRATIONS
from models.operations import new_tasks, tasks
from models.search import words
from models.task_inputs import MAX_SEARCH_CHARS, TaskQuery
from tests.support.database import sqlite_only
from tests.support.tasks import Team, changes, draft
from tests.support.team import sign_up

TITLES = {
    "quarterly": "Quarterly report",
    "street": "Große Straße in Köln",
    "cafe": "Café naïve, déjà-vu",
    "lodz": "Łódź Ørsted smørrebrød",
    "istanbul": "İSTANBUL ve ısı",
    "russian": "Жуковка, ёлка и чай",
    "greek": "Ο ΟΔΥΣΣΕΎΣ ταξιδεύει",
    "arabic": "اِجْتِمَاع أحمد كتـاب",
    "hebrew": "שָׁלוֹם צה״ל",
    "hindi": "हिन्दी किताब",
    "hindi other": "हन्दा कतबा",
    "tamil": "தமிழ் பாடம்",
    "thai": "ไทยแลนด์ ปลา",
    "thai other": "แทยไล",
    "chinese": "东京都旅行",
    "chinese other": "京东的都市",
    "japanese": "がんばる カタカナ",
    "japanese other": "かんはる",
    "korean": "한국어 사무실",
    "emoji": "Party 🎉 ☃️ 👍🏽 1️⃣",
    "new emoji": "A melting face 🫠",
    "ligature": "The ﬁle ﬂies",
    "file": "Send report_final-v2.1.pdf to bob.smith@example.org",
    "code": "x = a_b-c / (d & e) | !f <-> 'g':* \"h\" ^i ~j `k`",
    "words": "and or not near between",
    "wide": "ＦＵＬＬ width",
}
EXPECTED = {
    "quart": {"quarterly"},
    "REPORT qua": {"quarterly"},
    "uarterly": set(),
    "report": {"quarterly", "file"},
    "gross": {"street"},
    "STRASSE": {"street"},
    "straße köln": {"street"},
    "koln": {"street"},
    "CAFE\u0301": {"cafe"},
    "deja vu": {"cafe"},
    "déjà-vu": {"cafe"},
    "lodz": {"lodz"},
    "Łódź": {"lodz"},
    "orsted": {"lodz"},
    "istanbul": {"istanbul"},
    "İstanbul": {"istanbul"},
    "ISI": {"istanbul"},
    "жук": {"russian"},
    "ЕЛКА": {"russian"},
    "οδυσσευς": {"greek"},
    "ΟΔΥΣΣ": {"greek"},
    "اجتماع": {"arabic"},
    "احمد": {"arabic"},
    "كتاب": {"arabic"},
    "שלום": {"hebrew"},
    "צה״ל": {"hebrew"},
    "हिन्दी": {"hindi"},
    "हिन्": {"hindi"},
    "किताब": {"hindi"},
    "தமிழ்": {"tamil"},
    "ไทย": {"thai"},
    "แลนด์": {"thai"},
    "ปลา": {"thai"},
    "东京": {"chinese"},
    "京都": {"chinese"},
    "京": {"chinese", "chinese other"},
    "行": {"chinese"},
    "が": {"japanese"},
    "ｶﾀｶﾅ": {"japanese"},
    "んば": {"japanese"},
    "한국": {"korean"},
    "하": {"korean"},
    "사무실 한": {"korean"},
    "🎉": {"emoji"},
    "party ☃": {"emoji"},
    "👍": {"emoji"},
    "🫠": {"new emoji"},
    "file": {"ligature"},
    "ﬁle": {"ligature"},
    "report_final-v2.1.pdf": {"file"},
    "final": {"file"},
    "v2.1": {"file"},
    "2.1": set(),
    "bob.smith@example.org": {"file"},
    "@example": {"file"},
    "a_b-c": {"code"},
    "and": {"words"},
    "AND OR NOT NEAR": {"words"},
    "NEAR(and or)": {"words"},
    "full": {"wide"},
    "!!!": set(),
    "\u200b": set(),
    "\ufe0f": set(),
    "no\u00adt": {"words"},
    "quart\0": {"quarterly"},
    "\0": set(),
    "quarterly nothing": set(),
}
TYPED = [
    *EXPECTED, *string.punctuation, *(f"{one}quart" for one in string.punctuation),
    *(f"quart{one}" for one in string.punctuation), *(f"quart{one}rep" for one in string.punctuation),
    "AND", "x AND", "NOT x", "OR OR", "NEAR(", "NEAR(a b, 2)", "title:quart", "words:quart", "{words}:a",
    "^a", '"', '""', '"quart', '"quart rep"*', "quart*", "a + b", "- a", "a -b", "a & b", "a | b", "!a",
    "a <-> b", "a <2> b", "'a':*", "a:*", "':*", ":*", "\\", "\\'", "''; DROP TABLE task; --", "%", "_",
    "%%", "[a]", "\t", "\n", "\x01", "\x7f", "\ufeff", "\ufffd", "\U0010ffff", "e\u0301" * 50, "\u0301",
    "🏽", "👨\u200d👩\u200d👧", "١٢٣", "½", "²", "1e5", "-1", "0x1f", "1.2.3.4", "a" * 10_000, "a " * 5_000,
    "ж " * 5_000, "東" * 10_000, "!" * 10_000, " ".join(f"w{n}" for n in range(2_000)),
]  # fmt: skip


class Library:
    """Tasks with these titles, all of them assigned to ann; who finds which."""

    def __init__(self, run, team):
        self.run, self.team = run, team
        self.names = {}

    async def fill(self):
        for name, title in TITLES.items():
            made = await self.run(
                new_tasks.create_task, self.team.ceo, draft(title, assignees=[self.team.ann.id])
            )
            self.names[made.body["id"]] = name
        return self

    async def found(self, who, text):
        filters = TaskQuery(search=text).filters(who.id)
        count, rows = await self.run(tasks.list_tasks, who, filters, 100, 0)
        least, _ = await self.run(tasks.list_tasks, who, filters, 1, 0)
        assert count == least == len(rows), text
        return {self.names[row["id"]] for row in rows}


@pytest.fixture
def library(run, io_loop):
    async def fill():
        return await Library(run, await Team(run).join()).fill()

    return io_loop.run_sync(fill, timeout=30)


@pytest.mark.gen_test
async def test_what_is_typed_finds_what_one_would_expect(library):
    wrong = {}
    for text, expected in EXPECTED.items():
        found = await library.found(library.team.ceo, text)
        if found != expected:
            wrong[text] = found
    assert wrong == {}


@pytest.mark.gen_test
async def test_nothing_that_is_typed_is_an_error_and_both_ways_find_the_same(library, monkeypatch):
    """Few tasks are looked at one by one, many through the index; a ceo always asks the index."""
    ceo, ann, stranger = library.team.ceo, library.team.ann, library.team.bob
    for text in TYPED:
        found = await library.found(ceo, text)
        assert await library.found(ann, text) == found, text[:50]
        with monkeypatch.context() as patch:
            patch.setattr("models.task_lists._FEW", -1)
            assert await library.found(ann, text) == found, text[:50]
        if text.strip():
            assert await library.found(stranger, text) == set()


@pytest.mark.gen_test
async def test_the_index_follows_what_becomes_of_a_task(library):
    ceo, ann, run = library.team.ceo, library.team.ann, library.run
    task = next(key for key, name in library.names.items() if name == "quarterly")
    await run(tasks.update_task, ceo, task, changes(description="with a picture of a zebra"))
    for who in (ceo, ann):
        assert await library.found(who, "zebra quart") == {"quarterly"}
    await run(tasks.update_task, ceo, task, changes(title="Yearly", description=""))
    for who in (ceo, ann):
        assert await library.found(who, "quart") == await library.found(who, "zebra") == set()
        assert await library.found(who, "year") == {"quarterly"}
    await run(tasks.unassign, ceo, task, [ann.id])
    assert await library.found(ann, "year") == set()
    await run(tasks.delete_task, ceo, task)
    assert await library.found(ceo, "year") == set()


@sqlite_only
@pytest.mark.gen_test
async def test_over_http_and_over_the_socket(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    for title in ("Grün 🎉", "Quarterly report"):
        (await ann.post("/api/tasks/", json={"title": title})).expect(201)
    socket = await connect("/ws/tasks/", token=ann.access)
    await socket.settle()
    for text, expected in (
        ("grun", ["Grün 🎉"]),
        ("🎉", ["Grün 🎉"]),
        ('"rep* OR', []),
        ("\0", []),
        ("(" * 5000, []),
        ("a" * 10_000, []),
    ):
        for path in ("/api/tasks/", "/"):
            given = (await ann.get(path, query={"search": text})).expect(200).json
            assert ([one["title"] for one in given["results"]], given["count"]) == (expected, len(expected))
            assert (await bob.get(path, query={"search": text})).expect(200).json["count"] == 0
        await socket.send({"mode": "all", "search": text})
        assert [one["task"] for one in (await socket.recv())["data"]] == expected
    (await ann.get("/api/tasks/", query={"search": ""})).expect(200)
    await socket.send({"mode": "all", "search": "a" * (MAX_SEARCH_CHARS + 1)})
    assert (await socket.recv())["errors"].keys() == {"search"}


def test_words_are_folded_alike_however_they_are_written():
    for one, other in (("ﬁ", "FI"), ("é", "e\u0301"), ("ﾊﾟ", "パ"), ("ς", "Σ"), ("ẞ", "ss"), ("Ⅳ", "iv")):
        assert words(one) == words(other)
    assert words("か") != words("が")


@pytest.mark.gen_test
async def test_what_was_indexed_by_older_rules_is_indexed_anew(library):
    """As the migration does it: it finds the words of every task again."""

    def older():
        database.execute_sql("UPDATE task SET words = 'older'")

    def migrate():
        spec = importlib.util.spec_from_file_location("search", MIGRATIONS / "0005_search.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.up(None, database.obj)

    await library.run(older)
    assert len(await library.found(library.team.ceo, "older")) == len(TITLES)
    await library.run(migrate)
    assert await library.found(library.team.ceo, "older") == set()
    assert await library.found(library.team.ceo, "हिन्दी") == {"hindi"}
