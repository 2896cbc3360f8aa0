"""A few hundred hostile frames on each kind of socket; FUZZ_FRAMES=10000 and FUZZ_SEED for the long form."""

import asyncio
import os
import re
from collections import Counter

import pytest

import application
from tests.support.database import sqlite_only
from tests.support.frame_fuzz import CUT, DEAF, FrameFuzzer, endings
from tests.support.loop_gaps import check_loop_stays_free
from tests.support.team import sign_up

FRAMES = int(os.environ.get("FUZZ_FRAMES", "300"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
THE_SERVERS_FAULT = {CUT, DEAF, 1001, 1011, 4503}


async def paths(ann):
    """One of each kind, with something behind it."""
    room = await ann.group()
    workspace = (await ann.post("/api/v1/workspaces/", json={"name": "Kitchen"})).expect(201).json["id"]
    plan = {"title": "Quiet", "workspace_id": workspace}
    session = (await ann.post("/api/v1/focus-sessions/", json=plan)).expect(201).json["id"]
    return [
        "/ws/chat/", f"/ws/chat/{room}/", "/ws/tasks/", f"/ws/tasks/{workspace}", "/ws/notifications",
        "/ws/health/", f"/ws/focus-session/{session}",
    ]  # fmt: skip


def types_of(path):
    """What this kind of socket may be asked."""
    [route] = [one for one in application.SOCKETS if re.fullmatch(one.pattern, path)]
    return list(route.handler.client_class.commands)


@sqlite_only
@pytest.mark.gen_test(timeout=60 + FRAMES / 5)
async def test_no_hostile_frame_is_the_servers_fault_and_no_socket_falls_silent(app, client):
    """`no_hidden_errors` fails it for a traceback in the log."""
    (ann,) = await sign_up(client, "ann")
    kinds = await paths(ann)
    urls = [f"{client.base_url}{path}" for path in kinds]

    async def send_them():
        fuzzers = [FrameFuzzer(SEED + number, types_of(path)) for number, path in enumerate(kinds)]
        return await asyncio.gather(
            *(endings(url, ann.access, fuzzer, FRAMES) for url, fuzzer in zip(urls, fuzzers, strict=True))
        )

    ended = await check_loop_stays_free(send_them)
    for url, codes in zip(urls, ended, strict=True):
        print(f"{url}: {FRAMES} frames, seed {SEED}, sockets by how they ended: {sorted(codes.items())}")
    codes = sum(ended, Counter())
    assert not THE_SERVERS_FAULT & set(codes)
    assert codes[1000] > 0, "no socket outlives what is sent to it"
