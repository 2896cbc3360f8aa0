"""Keys of people's programs: their form, and what a log shows of them."""

import re

import pytest

from models.keys import API_TOKEN, CALENDAR, digest, masked


@pytest.mark.parametrize("kind", [API_TOKEN, CALENDAR])
def test_a_key_is_recognized_by_its_form_alone(kind):
    key = kind.make()
    assert re.fullmatch(kind.prefix + "[0-9A-Za-z]{46}", key)
    assert kind.is_whole(key)
    assert key != kind.make()
    assert key.startswith(kind.beginning(key)) and len(kind.beginning(key)) == len(kind.prefix) + 4


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: key[:-1],
        lambda key: key + "0",
        lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
        lambda key: key[:10] + ("a" if key[10] != "a" else "b") + key[11:],
        lambda key: key + "\n",
        lambda key: key[:-1] + "\x00",
        lambda key: key[:-1] + "é",
        lambda key: key * 20_000,
        lambda key: "",
        lambda key: key.removeprefix("tr_"),
    ],
)
def test_whatever_is_not_whole_is_none(spoil):
    assert not API_TOKEN.is_whole(spoil(API_TOKEN.make()))


def test_a_key_of_one_kind_is_none_of_another():
    assert not API_TOKEN.is_whole(CALENDAR.make())
    assert not CALENDAR.is_whole(API_TOKEN.make())


def test_a_hash_tells_nothing_and_takes_any_text():
    key = API_TOKEN.make()
    assert len(digest(key)) == 64 and key not in digest(key)
    assert digest("\ud800") == digest("\ud801"), "no text from outside makes it fail"


def test_a_log_shows_the_beginning_only():
    key, address = API_TOKEN.make(), CALENDAR.make()
    assert masked(f"GET /x?token={key} 401") == f"GET /x?token={key[:7]}... 401"
    assert masked(f"GET /api/calendar/{address}.ics 200") == "GET /api/calendar/... 200"
    assert masked(f"a {address} b") == f"a {address[:10]}... b"
    assert masked("GET /api/calendar/%74rcal_abc.ics 404") == "GET /api/calendar/... 404"
    for plain in ("attr_something_long_enough", "GET /static/js/tr_ck.js", "str_0123456789"):
        assert masked(plain) == plain
