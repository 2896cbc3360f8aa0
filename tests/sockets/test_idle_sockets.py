"""What a socket that says nothing takes."""

import gc

import pytest

from realtime.wire import BufferedProtocol
from tests.support.database import sqlite_only
from tests.support.team import sign_up

# CPython shares the table of attributes' names among a class' objects as long as there are at most 30 names
# in all; beyond, each object has a table to itself, of 1.3 KiB.
MAX_ATTRIBUTES = 29


@sqlite_only
@pytest.mark.gen_test
async def test_open_sockets_share_the_names_of_their_attributes(client, connect):
    """Each of two objects a socket had got one name too many: 10,000 sockets took 27 MB more."""
    [ann] = await sign_up(client, "ann")
    socket = await connect("/ws/chat/", token=ann.access)
    await socket.settle()
    (protocol,) = [one for one in gc.get_objects() if type(one) is BufferedProtocol and not one.is_gone]
    for part in (protocol, protocol.stream):
        assert len(vars(part)) <= MAX_ATTRIBUTES
