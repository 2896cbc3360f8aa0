"""What the documentation has people copy does what it says."""

import re
import time
from pathlib import Path

import pytest

from jobs.webhook_client import signed_headers
from models.webhooks import new_secret

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"


@pytest.fixture
def is_genuine():
    """The function that a receiver of webhooks copies."""
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names = {}
    exec(code, names)
    return names["is_genuine"]


def test_a_receiver_knows_what_is_genuine(is_genuine):
    secret, old, body, now = new_secret(), new_secret(), b'{"type":"test"}', int(time.time())
    headers = signed_headers("msg_1", now, body, (secret, old))
    assert is_genuine(secret, headers, body) and is_genuine(old, headers, body)
    assert not is_genuine(new_secret(), headers, body)
    assert not is_genuine(secret, headers, body + b" ")
    assert not is_genuine(secret, headers | {"webhook-id": "msg_2"}, body)
    assert not is_genuine(secret, signed_headers("msg_1", now - 301, body, (secret,)), body)
