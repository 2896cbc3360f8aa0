"""What is one emoji and what is not."""

import pytest

from models.emoji import MAX_EMOJI_CHARS, one_emoji

EMOJI = [
    "👍", "❤️", "❤", "⭐", "☑️", "👍🏽", "👨‍👩‍👧‍👦", "👩🏽‍❤️‍💋‍👨🏻", "🏳️‍🌈", "🇩🇪",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "#⃣", "🫡", "🛠️", "\U0001fadf",
]  # fmt: skip
NO_EMOJI = [
    "", "a", "1", "#", "👍👍", "👍 ", " 👍", "ok", ":tada:", "<b>", "\x00", "é", "漢",
    "\u200d", "\ufe0f",
    "🇩", "👍\u200d", "\u200d👍", "👍‍👍‍👍‍👍‍👍", "👍" + "\ufe0f" * 9,
    "👍\n", "→", "￼", "\u202e👍",
]  # fmt: skip


@pytest.mark.parametrize("text", EMOJI)
def test_an_emoji_is_one_also_if_it_is_put_together(text):
    assert one_emoji(text) == text
    assert len(text) <= MAX_EMOJI_CHARS


@pytest.mark.parametrize("text", NO_EMOJI, ids=ascii)
def test_anything_else_is_none(text):
    with pytest.raises(ValueError, match="one emoji"):
        one_emoji(text)
