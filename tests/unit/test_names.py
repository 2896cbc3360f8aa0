"""Names and addresses: what they may be, and which are one."""

import pytest

from models.names import is_blank, label, label_of, user_name, user_name_of
from models.people import email_address, fold
from tests.support.people import register


@pytest.mark.parametrize(
    ("text", "same"), [("Straße", "STRASSE"), ("ﬁn", "FIN"), (" x ", "x"), ("Ä", "a\u0308")]
)
def test_two_spellings_of_a_name_are_one(text, same):
    assert fold(text) == fold(same)


@pytest.mark.parametrize(
    "text", ["ann@example.org", " ann@lan ", "ä@ö.de", "a+b@c", '"x"@y', "ann@[10.0.0.1]"]
)
def test_an_address_may_be_unusual(text):
    assert email_address(text) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@",
        "a@",
        "@b",
        "a@b@c",
        "a b@c",
        "a@b c",
        "a\n@b",
        "a@b.",
        "a@b,",
        "a\x00@b",
        "a\x7f@b",
        "ann@example..com",
        "<a@x.yz",
        "a@x.yz>",
        ",a@x",
        "a,b@x",
        ".a@x",
        "a..b@x",
        "ä..b@x",
        "a;@x",
        "a(remark)@x",
        "a@x(remark)",
        'a"b@x',
        "x" * 65 + "@x",
        "a@" + "x" * 253,
    ],
)
def test_what_cannot_be_an_address_is_refused(text):
    with pytest.raises(ValueError, match="valid email"):
        email_address(text)


def test_a_username_is_readable():
    assert user_name(" Änn 密 🙂 ") == "Änn 密 🙂"
    for text in ("a\nb", "a\x1bb", "a\u200eb", "a\u202eb"):
        with pytest.raises(ValueError, match="printable"):
            user_name(text)


INVISIBLE = ("\u200b", "\u00ad", "\u200f", "\u2066", "\u3164", "\u2800", "\ufe0f", "\u034f", "\U000e0041")


@pytest.mark.parametrize("mark", INVISIBLE)
def test_no_name_looks_like_another_by_what_nobody_sees(mark):
    with pytest.raises(ValueError, match="printable"):
        user_name(f"hr{mark}one")
    with pytest.raises(ValueError, match="valid email"):
        email_address(f"hr{mark}one@example.org")
    assert user_name_of(f"hr{mark}one") == "hrone"


def test_a_name_for_people_turns_no_text_around():
    assert label("می\u200cخواهم") == "می\u200cخواهم"
    for mark in ("\u202e", "\u2067", "\x9b", "\n", "\u2028"):
        with pytest.raises(ValueError, match="not allowed"):
            label(f"Ann{mark}a")
        assert label_of(f"Ann{mark}a") == "Ann a"
    assert label_of("\u200b\u2060") == ""


@pytest.mark.gen_test
async def test_a_username_made_of_an_address_is_one_that_could_be_chosen(run):
    hrone = await register(run, "hrone")
    assert hrone.user["username"] == "hrone"
    # As an older version, or a provider, might know the address.
    for address, made in (
        ("hrone\u200b@b.c", "hrone2"),
        ("\u202e\u2060@b.c", "user"),
        ("\u3164@b.c", "user2"),
    ):
        given = await register(run, "x", email=address, username="")
        assert given.user["username"] == made


@pytest.mark.parametrize("text", ["\u200b", " \u3164", "\ufeff\u2060", "\ufe0f"])
def test_a_name_of_which_nothing_can_be_seen_is_none(text):
    assert is_blank(text)
    with pytest.raises(ValueError, match="nothing to be seen"):
        label(text)


@pytest.mark.parametrize("text", ["a\u200db", "👩\u200d🚀", "می\u200cخواهم", ""])
def test_a_name_may_have_joiners_among_its_letters(text):
    assert label(text) == text
