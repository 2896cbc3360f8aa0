"""Which passwords are taken, and what they match."""

import unicodedata

import pytest

from models import passwords
from models.passwords import hash_password, matches, weaknesses

LONG = "x" * 100


@pytest.mark.parametrize(
    ("password", "same", "other"),
    [
        pytest.param("correct horse 7", "correct horse 7", "correct horse 8", id="plain"),
        pytest.param(LONG, LONG, LONG + "x", id="beyond bcrypt's 72 bytes"),
        pytest.param("x" * 5000, "x" * 5000, "x" * 4999, id="very long"),
        pytest.param("pass\x00word", "pass\x00word", "pass\x00", id="a NUL ends nothing"),
        pytest.param(
            "Käse brot", unicodedata.normalize("NFD", "Käse brot"), "Kase brot", id="composed or not"
        ),
        pytest.param("密码密码密码密码", "密码密码密码密码", "密码密码密码密碼", id="any script"),
        pytest.param("half \ud800 a pair", "half \ud800 a pair", "half \ud801 a pair", id="a lone surrogate"),
        pytest.param("", "", " ", id="empty"),
    ],
)
def test_a_password_matches_itself_however_it_is_typed_and_nothing_else(password, same, other):
    hashed = hash_password(password)
    assert hashed != hash_password(password)
    assert matches(same, hashed)
    assert not matches(other, hashed)


@pytest.mark.parametrize("hashed", [None, ""])
def test_nobody_s_password_is_checked_at_the_same_cost_and_never_right(hashed, monkeypatch):
    checked = []
    check = passwords.bcrypt.checkpw
    monkeypatch.setattr(passwords.bcrypt, "checkpw", lambda *args: checked.append(args[1]) or check(*args))
    assert not matches("nobody has this password", hashed)
    assert not matches("", hashed)
    assert [cost[:7] for cost in checked] == [hash_password("x").encode()[:7]] * 2


@pytest.mark.parametrize(
    ("password", "reasons"),
    [
        ("correct horse 7", 0),
        ("short 7", 1),
        ("password1", 1),
        ("PassWord1", 1),
        ("Ann Example", 1),
        ("ann@example.org", 1),
        ("12345", 1),
        ("x" * 1000, 0),
        pytest.param("ｐａｓｓｗｏｒｄ１", 1, id="a common one in other letters"),
    ],
)
def test_a_weak_password_is_refused_for_every_reason(password, reasons):
    found = weaknesses(password, "ann", "ann@example.org", "Ann Example", "")
    assert len(found) == reasons, found


def test_a_short_name_as_a_password_has_two_reasons_against_it():
    assert len(weaknesses("Ann", "ann", "")) == 2
