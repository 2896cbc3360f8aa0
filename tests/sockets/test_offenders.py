"""Who is thrown out again and again stays out for a while; an office that comes back together does not."""

import pytest

from realtime.offenders import ALLOWED, FLOODED, FORGIVEN_A_SECOND, MAX_STAY_S, NEVER_SIGNED_IN, Offenders
from tests.support.raw_http import raw_connection, request_head
from tests.support.team import sign_up
from tests.support.waiting import eventually
from tests.support.websocket import QuietSocket, masked_frame


def flood(offenders, now, times=ALLOWED, party="here"):
    for _ in range(times):
        offenders.note(party, FLOODED, now)


def test_one_is_thrown_out_many_times_before_one_has_to_stay_out():
    offenders = Offenders()
    flood(offenders, 100, ALLOWED - 1)
    assert offenders.stays_out_s("here", 100) == 0
    flood(offenders, 100, 1)
    assert offenders.stays_out_s("here", 100) == 1
    assert offenders.stays_out_s("there", 100) == 0
    assert offenders.stays_out_s("here", 101) == 0


def test_each_stay_is_twice_as_long_up_to_a_limit():
    offenders, now, stays = Offenders(), 100.0, []
    for _ in range(7):
        flood(offenders, now)
        stays.append(offenders.stays_out_s("here", now))
        now += stays[-1]
    assert stays == [1, 2, 4, 8, MAX_STAY_S, MAX_STAY_S, MAX_STAY_S]


def test_what_comes_while_one_stays_out_makes_it_no_longer():
    offenders = Offenders()
    flood(offenders, 100, ALLOWED + 20)
    assert offenders.stays_out_s("here", 100) == 1


def test_what_is_long_ago_is_forgiven():
    offenders = Offenders()
    flood(offenders, 100, 10 * ALLOWED)
    later = 100 + ALLOWED / FORGIVEN_A_SECOND
    flood(offenders, later, ALLOWED - 1)
    assert offenders.stays_out_s("here", later) == 0
    flood(offenders, later, 1)
    assert offenders.stays_out_s("here", later) == 1


def test_an_office_whose_tokens_have_run_out_may_come_with_all_of_them():
    offenders = Offenders()
    for _ in range(990):  # a bad token each, and never signed in
        offenders.note("office", NEVER_SIGNED_IN, 100)
        offenders.note("office", NEVER_SIGNED_IN, 100)
    assert offenders.stays_out_s("office", 100) == 0


def test_only_so_many_are_remembered_the_latest():
    offenders = Offenders(max_remembered=3)
    for party in "abcda":
        flood(offenders, 100, party=party)
    assert len(offenders) == 3
    assert [offenders.stays_out_s(party, 100) for party in "abcd"] == [1, 0, 1, 1]


# -- on real sockets ---------------------------------------------------------------------------------


async def handshake(app, token=None):
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    if token:
        headers["Authorization"] = f"Bearer {token}"
    async with raw_connection(f"http://127.0.0.1:{app.port}") as raw:
        await raw.send(request_head("GET", "/ws/chat/", headers))
        return (await raw.reader.readuntil(b"\r\n\r\n")).decode()


@pytest.mark.gen_test
async def test_who_floods_and_comes_back_at_once_is_told_when_and_nobody_else_is(app, client, monkeypatch):
    """Five clients that came back at once after each 4429 kept half a core busy."""
    ann, ben = await sign_up(client, "ann", "ben")
    for name, value in {"ALLOWED": 2, "FORGIVEN_A_SECOND": 0, "FIRST_STAY_S": 30, "MAX_STAY_S": 30}.items():
        monkeypatch.setattr(f"realtime.offenders.{name}", value)
    monkeypatch.setattr("realtime.admission.MAX_DELAY_S", 0.01)
    for _ in range(2):
        socket = await QuietSocket.connect(f"http://127.0.0.1:{app.port}/ws/chat/", ann.access)
        await socket.send_raw(masked_frame(b"", 9) * 500)
        assert (await socket.rest())[1] == 4429
    answer = await handshake(app, ann.access)
    assert answer.startswith("HTTP/1.1 429 ")
    assert 1 <= int(answer.partition("\r\nRetry-After: ")[2].split()[0]) <= 30
    assert (await handshake(app, ben.access)).startswith("HTTP/1.1 101 ")
    assert (await handshake(app)).startswith("HTTP/1.1 101 ")


@pytest.mark.gen_test
async def test_who_never_signs_in_is_held_back_in_the_end_and_who_does_is_not(app, client, monkeypatch):
    (ann,) = await sign_up(client, "ann")
    monkeypatch.setattr("realtime.offenders.ALLOWED", 4 * NEVER_SIGNED_IN)
    for name, value in {"FORGIVEN_A_SECOND": 0, "FIRST_STAY_S": 30, "MAX_STAY_S": 30}.items():
        monkeypatch.setattr(f"realtime.offenders.{name}", value)
    monkeypatch.setattr("realtime.admission.MAX_DELAY_S", 0.01)
    answers = []
    for _ in range(6):
        answers.append((await handshake(app, "nonsense")).split()[1])
        await eventually(lambda: not app.realtime.sockets and not app.realtime.closing)
    assert (answers[0], answers[-1]) == ("101", "429")
    for _ in range(5):
        socket = await QuietSocket.connect(f"http://127.0.0.1:{app.port}/ws/chat/", ann.access)
        await eventually(lambda: any(one.is_signed_in for one in app.realtime.sockets))
        socket.abort()
        await eventually(lambda: not app.realtime.sockets)
