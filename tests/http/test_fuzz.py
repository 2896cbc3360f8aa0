"""A few hundred hostile requests over all routes; FUZZ_REQUESTS=10000 and FUZZ_SEED for the long form."""

import os
from collections import Counter

import pytest

from tests.support.database import sqlite_only
from tests.support.fuzz import Fuzzer, statuses
from tests.support.loop_gaps import check_loop_stays_free
from tests.support.team import sign_up

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "400"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))


@sqlite_only
@pytest.mark.gen_test(timeout=60 + REQUESTS)
async def test_every_hostile_request_is_answered_and_none_is_the_servers_fault(client):
    ceo, ann = await sign_up(client, "ceo", "ann")
    fuzzer = Fuzzer(SEED, [ceo.access, ann.access, "nonsense"])
    requests = [fuzzer.request() for _ in range(REQUESTS)]
    # Built once, beside the loop.
    (await client.get("/api/schema/")).expect(200)
    answers = await check_loop_stays_free(lambda: statuses(client.base_url, requests))
    print(f"{REQUESTS} requests, seed {SEED}: {sorted(Counter(status for status, _ in answers).items())}")
    assert [(status, data[:300]) for status, data in answers if not 0 < status < 500] == []
    assert len([status for status, _ in answers if status < 300]) > REQUESTS / 20, "too few get anywhere"
