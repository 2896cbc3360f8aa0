"""A few hundred hostile requests over all routes; FUZZ_REQUESTS=10000 and FUZZ_SEED for the long form."""

import os
from collections import Counter

import pytest

from tests.support.database import sqlite_only
from tests.support.fuzz import Fuzzer, statuses
from tests.support.loop_gaps import loop_gaps
from tests.support.team import sign_up

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "400"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
MAX_WAIT_S = 0.1


@sqlite_only
@pytest.mark.gen_test(timeout=60 + REQUESTS)
async def test_every_hostile_request_is_answered_and_none_is_the_servers_fault(client):
    ceo, ann = await sign_up(client, "ceo", "ann")
    fuzzer = Fuzzer(SEED, [ceo.access, ann.access, "nonsense"])
    requests = [fuzzer.request() for _ in range(REQUESTS)]
    # Built once, beside the loop.
    (await client.get("/api/schema/")).expect(200)
    async with loop_gaps() as gaps:
        answers = await statuses(client.base_url, requests)
    print(f"{REQUESTS} requests, seed {SEED}: {sorted(Counter(status for status, _ in answers).items())};")
    print(f"the loop was away for {1000 * gaps.longest_s:.0f} ms at most")
    assert [(status, data[:300]) for status, data in answers if not 0 < status < 500] == []
    assert gaps.longest_s < MAX_WAIT_S
    assert len([status for status, _ in answers if status < 300]) > REQUESTS / 20, "too few get anywhere"
