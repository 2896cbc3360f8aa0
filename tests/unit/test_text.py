"""Unicode normalization and mentions: the same as ever for what people write, and never slow."""

import time
import unicodedata

import pytest

from models.mentions import mentioned
from models.search import words
from models.text import fold, normalized

HALFWIDTH_SOUND_MARK = "\uff9e"
"""No mark itself, but made one by NFKC."""
HOSTILE = {
    "two kinds of marks": "a" + "\u0301" * 10_000 + "\u0316" * 10_000,
    "marks in turn": "a" + "\u0301\u0316" * 10_000,
    "what becomes marks": "a" + "\u0316\u0301" * 5000 + HALFWIDTH_SOUND_MARK * 10_000,
    "a letter that becomes two marks": "a" + "\u0344" * 10_000 + "\u0316" * 10_000,
    "a letter that becomes eighteen": "\ufdfa" * 30_000,
    "many mentions": "@" * 20_000,
}


def cpu_s(call, *args):
    begun = time.thread_time()
    call(*args)
    return time.thread_time() - begun


@pytest.mark.parametrize("form", ["NFKC", "NFKD"])
@pytest.mark.parametrize(
    "text",
    ["Ann", "Zoë", "Zoe\u0308", "ｃｅｏ@example.org", "Việt Nam", "한국어 각", "हिन्दी क्षि", "שָׁלוֹם", "ﷺ", "ｶﾞ",
     "a" + "\u0301\u0316" * 15, "x" * 100 + "\u0316" * 30 + "y" + "\u0316" * 30, "\u0301" * 30],
)  # fmt: skip
def test_what_people_write_is_normalized_as_unicode_says(form, text):
    assert normalized(form, text) == unicodedata.normalize(form, text)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_twice_the_text_takes_no_more_than_about_twice_the_time(text):
    """A log-in with 100 kB of marks stopped the whole server for 74 s."""
    for call in (fold, words):
        once = min(cpu_s(call, text[: len(text) // 2]) for _ in range(3))
        assert min(cpu_s(call, text) for _ in range(3)) < 3.5 * once + 0.005


def test_no_run_of_marks_is_longer_than_any_language_needs():
    for text in HOSTILE.values():
        run = longest = 0
        for letter in normalized("NFKD", text):
            run = run + 1 if unicodedata.combining(letter) else 0
            longest = max(longest, run)
        assert longest <= 30


def test_two_long_runs_that_differ_stay_different():
    assert fold("a" + "\u0301" * 40) != fold("a" + "\u0301" * 41)
    assert fold(fold("a" + "\u0344" * 40)) == fold("a" + "\u0344" * 40)


PEOPLE = [(1, "ann"), (2, "Ann Lee"), (3, "ann.b"), (4, "é"), (5, "@home"), (6, "@")]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("@ann", {1}),
        ("@ANN, look", {1}),
        ("@ann lee", {2}),
        ("@ann leemann", {1}),
        ("@anna", set()),
        ("a@ann", set()),
        ("@ann@ann lee", {1}),
        ("@ann.b.", {3}),
        ("@ann.bc", {1}),
        ("(@e\u0301)", {4}),
        ("＠ann", {1}),
        ("@@home", {5}),
        ("@@", {6}),
        ("@", set()),
        ("", set()),
    ],
)
def test_the_longest_name_that_fits_is_mentioned(text, named):
    assert mentioned(text, PEOPLE) == named


def test_a_thousand_people_and_ten_thousand_signs_cost_little():
    people = [(number, f"{'ab'[number % 2]}{number:04}") for number in range(1000)]
    assert mentioned("@a0002 " * 2800, people) == {2}
    assert cpu_s(mentioned, "@a" * 10_000, people) < 1
