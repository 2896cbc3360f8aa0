"""Close codes: what clients rely on, and the page's copy."""

import re
from pathlib import Path

from realtime.close_codes import CloseCode, as_javascript
from realtime.wire import close_frame

JS = Path(__file__).resolve().parents[2] / "static" / "js"


def test_the_pages_copy_is_the_servers():
    assert (JS / "close_codes.js").read_text() == as_javascript()


def test_the_page_has_words_for_known_codes_only():
    named = set(re.findall(r"CloseCode\.(\w+)", (JS / "reconnect.js").read_text()))
    assert {"NOT_SIGNED_IN", "TOO_SLOW"} <= named <= set(CloseCode.__members__)


def test_each_code_is_one_that_a_close_frame_may_carry_and_its_meaning_fits_in_there():
    for code in CloseCode:
        assert 1000 < code < 1015 or 4000 <= code < 5000
        frame = close_frame(code, code.meaning)
        assert frame[2:] == code.to_bytes(2) + code.meaning.encode()
