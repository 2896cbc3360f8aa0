"""Links that set a new password."""

import pytest

from models import links, resets
from models.resets import ResetTokens

SECRET = "a secret for tests only, long enough for each of the algorithms that must not be taken"


@pytest.fixture
def clock(monkeypatch):
    """The time of day of links and resets, in seconds, set by the test."""

    class Clock:
        now = 1_800_000_000.0

    for module in (links, resets):
        monkeypatch.setattr(module.time, "time", lambda: Clock.now)
    return Clock


def test_a_reset_works_for_an_hour_for_one_person_and_one_password(clock):
    made = ResetTokens(SECRET)
    reset = made.make(7, "old hash")
    assert made.person_id(reset.uid) == 7
    assert made.is_valid(reset.token, 7, "old hash")
    assert not made.is_valid(reset.token, 8, "old hash")
    assert not made.is_valid(reset.token, 7, "new hash")  # used: works once
    assert not ResetTokens(SECRET + "!").is_valid(reset.token, 7, "old hash")
    clock.now += 3599
    assert made.is_valid(reset.token, 7, "old hash")
    clock.now += 2
    assert not made.is_valid(reset.token, 7, "old hash")


def test_a_reset_that_was_tampered_with_is_not_valid(clock):
    made = ResetTokens(SECRET)
    expires, signature = made.make(7, "old hash").token.split("-")
    later, long = int(expires) + 1, "9" * 5000
    tokens = ["", "-", signature, expires, f"{later}-{signature}", f"-{signature}", f"²-{signature}"]
    tokens += [f"{expires}-ü", f"{long}-{signature}", f"{expires}-{signature}-"]
    for token in tokens:
        assert not made.is_valid(token, 7, "old hash"), token


@pytest.mark.parametrize("uid", ["", "-7", "+7", "7.0", "٣", "²", " 7", "9" * 400, "seven"])
def test_a_uid_that_is_none_is_nobody(uid):
    assert ResetTokens.person_id(uid) == 0


def test_a_reset_link_leads_to_the_frontend_or_to_the_page_of_the_server():
    reset = ResetTokens(SECRET).make(7, "old hash")
    assert reset.link("https://front", "http://here").startswith("https://front/reset-password?uid=7&token=")
    ours = reset.link("", "http://here")
    assert ours.startswith("http://here/#reset?uid=7&token=")  # nothing of it reaches a log
