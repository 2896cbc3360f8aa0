"""What the log says of a client with which no TLS begins, in words that help."""

from __future__ import annotations

import logging

_TORNADOS_TEXT = "SSL Error on %s %s: %s"
_UNTRUSTING = ("CERTIFICATE_UNKNOWN", "UNKNOWN_CA", "BAD_CERTIFICATE")
"""What clients say that do not trust who has signed the certificate."""


def in_plain_words(record: logging.LogRecord) -> bool:
    """A filter of `tornado.general`: puts such lines into words, and lets every line pass."""
    if record.msg == _TORNADOS_TEXT and isinstance(record.args, tuple):
        _, peer, error = record.args
        # Whoever has gone already has no address any more.
        who = f"a client at {peer[0]}" if isinstance(peer, tuple) else "a client"
        if any(word in str(error) for word in _UNTRUSTING):
            record.msg, record.args = "%s does not trust the certificate", (who,)
        else:
            record.msg, record.args = "no TLS with %s: %s", (who, error)
    return True
