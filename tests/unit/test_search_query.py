"""What a question in a search box asks for."""

from datetime import UTC, datetime

import pytest

from models.base import instant
from models.errors import Invalid
from models.search_query import MAX_WORDS, Question, parse


def day(year, month, number):
    return instant(datetime(year, month, number, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Question()),
        ("budget", Question(beginning="budget")),
        ("The Budget für", Question(("the", "budget"), "fur")),
        ("budget x", Question(("budget", "x"))),
        ("budget from:ann", Question(beginning="budget", sender="ann")),
        ('FROM:"Ann Schmidt" in:@ben hi', Question(beginning="hi", sender="Ann Schmidt", place="@ben")),
        ('in:"Launch team', Question(place="Launch team")),
        ("from:", Question()),
        ("before:2026-12-24", Question(until=day(2026, 12, 24))),
        ("after:2026-12-24 in:#12", Question(place="#12", since=day(2026, 12, 25))),
        ("mail to:ann", Question(("mail", "to"), "ann")),
        ("xfrom:ann", Question(("xfrom",), "ann")),
        ("from:ann from:ben", Question(sender="ben")),
        ("東京", Question(beginning="東京")),
    ],
)
def test_words_and_operators_are_told_apart(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    "date", ["christmas", "2026-13-01", "2026-1-1", "２０２６-01-01", "9999-12-31T", "0000-01-01"]
)
def test_a_day_that_is_none_is_named(date):
    with pytest.raises(Invalid) as error:
        parse(f"budget before:{date}")
    assert error.value.errors == {"search": ["before: takes a day such as 2026-12-24."]}


def test_the_last_day_of_all_is_no_error():
    with pytest.raises(Invalid):
        parse("after:9999-12-31")


def test_of_very_many_words_the_first_ones_count():
    question = parse(" ".join(f"word{number}" for number in range(300)))
    assert len(question.words) + 1 == MAX_WORDS
