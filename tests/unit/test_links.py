"""Signed links to files."""

import json

import pytest

from models import links, resets
from models.links import Links

SECRET = "a secret for tests only, long enough for each of the algorithms that must not be taken"


@pytest.fixture
def clock(monkeypatch):
    """The time of day of links and resets, in seconds, set by the test."""

    class Clock:
        now = 1_800_000_000.0

    for module in (links, resets):
        monkeypatch.setattr(module.time, "time", lambda: Clock.now)
    return Clock


PATH = "/media/chat_attachments/a b.txt"


def parts(url):
    path, _, query = url.partition("?")
    expires, signature = (field.partition("=")[2] for field in query.split("&"))
    return path, expires, signature


def test_a_link_is_good_for_a_day_at_least_and_two_hours_more_at_most(clock):
    made = Links(SECRET)
    path, expires, signature = parts(made.absolute(PATH, "http://here"))
    assert path == "http://here" + PATH
    for later, valid in ((0, True), (24 * 3600, True), (26 * 3600, False)):
        clock.now = 1_800_000_000.0 + later
        assert made.is_valid(PATH, expires, signature) is valid


def test_a_link_stays_the_same_for_a_while_so_that_a_cache_knows_it(clock):
    made = Links(SECRET)
    clock.now = 1_800_000_000.0 // 3600 * 3600 + 1
    first = made.absolute(PATH, "http://here")
    clock.now += 3000
    assert made.absolute(PATH, "http://here") == first
    clock.now += 3000
    assert made.absolute(PATH, "http://here") != first


def test_a_link_that_was_tampered_with_is_not_valid(clock):
    made = Links(SECRET)
    _, expires, signature = parts(made.absolute(PATH, "http://here"))
    for path, until, sign in (
        ("/media/chat_attachments/other", expires, signature),
        (PATH, str(int(expires) + 1), signature),
        (PATH, expires, signature[:-1] + ("0" if signature[-1] != "0" else "1")),
        (PATH, expires, ""),
        (PATH, expires, "ü"),
        (PATH, "", signature),
        (PATH, "-1", signature),
        (PATH, "1e9", signature),
        (PATH, "²", signature),
        (PATH, "٣" * 10, signature),
        (PATH, "9" * 400, signature),
        (PATH, "0" + expires + "0" * 9, signature),
    ):
        assert not made.is_valid(path, until, sign), (path, until, sign)
    assert not Links(SECRET + "!").is_valid(PATH, expires, signature)


def test_avatars_need_no_signature_and_everything_else_stays_as_it_is(clock):
    made = Links(SECRET)
    message = {
        "avatar": "/media/avatars/x.png",
        "list": [{"file_url": PATH, "file": PATH}, None, 7],
        "content": 'look at "/media/chat_attachments/x"',
        "sender": {"avatar": None},
        "file_url": "http://elsewhere/media/x",
    }
    shown = json.loads(made.encode(message, "https://there"))
    link = shown["list"][0].pop("file_url")
    assert parts(link)[0] == "https://there" + PATH
    assert shown == message | {
        "avatar": "https://there/media/avatars/x.png",
        "list": [{"file": PATH}, None, 7],
    }
    assert message["list"][0]["file_url"] == PATH
    assert json.loads(made.encode({"content": "no link"}, "https://there")) == {"content": "no link"}


@pytest.mark.parametrize(
    "written",
    [
        {"content": f'{{"file_url":"{PATH}"}}'},
        {"content": f',"file_url":"{PATH}"'},
        {f'{{"file_url":"{PATH}"': 1},
        {f',"file_url":"{PATH}",': [PATH]},
        {'x"file_url': PATH},
        {',"file_url': PATH},
        {'\\"file_url': PATH},
        {"x\\": "\\", "my_file_url": PATH},
        ["file_url", PATH],
    ],
)
def test_whatever_somebody_writes_that_looks_like_a_link_is_not_signed(clock, written):
    """Links are found in the text of the JSON: only as the value of a member with that name."""
    both = {"file_url": PATH, "data": written}
    shown = json.loads(Links(SECRET).encode(both, "https://there"))
    assert shown["data"] == written
    assert parts(shown["file_url"])[0] == "https://there" + PATH
