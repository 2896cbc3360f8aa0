"""What the schema allows and what it does not, of every operation, by three people; SCHEMA_REQUESTS=50000 for
the long form (`make fuzz`), FUZZ_SEED for another."""

import logging
import os
from collections import Counter

import pytest

import application
from metrics import memory_bytes
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.schema_fuzz import SchemaFuzzer, answers_to
from tests.support.team import sign_up

SEED = int(os.environ.get("FUZZ_SEED", "1"))
# There are some 320 pairs of an operation, and right or wrong.
OF_EACH = int(os.environ.get("SCHEMA_REQUESTS", "640")) // 320

# The test itself keeps the lines of the log.
MORE_MEMORY_MIB = 80 + OF_EACH

ALL_PATHS_FROM = 10


def aliases():
    """Paths whose handler has another one, too: the frontends call many things by several names."""
    first: dict[type, str] = {}
    paths = [(first.setdefault(route.handler, route.path), route.path) for route in application.ROUTES]
    return [path.replace("...", "") for one, path in paths if one != path]


@sqlite_only
@pytest.mark.gen_test(timeout=300 + OF_EACH * 30)
async def test_whatever_the_schema_says_or_forbids_gets_a_declared_answer(start_app, new_client, caplog):
    """A ceo, an employee in a room and a workspace, and a stranger. `no_hidden_errors` fails it for a
    traceback in the log; it has no token and no password either, and memory does not stay."""
    caplog.set_level(logging.INFO)
    app = await start_app(access_token_minutes=1440)
    people = await sign_up(new_client(app), "ceo", "ann", "stranger")
    ceo, ann, _ = people
    await ceo.say(await ceo.group(ann), "hello")
    (await ceo.post("/api/v1/workspaces/", json={"name": "Kitchen"})).expect(201)
    (await ceo.post("/api/tasks/", json={"title": "T", "assigned_to_ids": [ann.id]})).expect(201)
    but_for = aliases() if OF_EACH < ALL_PATHS_FROM else []
    asked = list(SchemaFuzzer(application.describe_api(), SEED, OF_EACH, but_for).requests())
    (await ceo.get("/api/schema/")).expect(200)
    caplog.clear()
    before = memory_bytes()
    statuses, wrong = await answers_to(f"http://127.0.0.1:{app.port}", asked, [one.access for one in people])
    more_mib = (memory_bytes() - before) / 2**20
    print(f"{len(asked)} requests, seed {SEED}: {sorted(Counter(statuses).items())}, {more_mib:.0f} MiB more")
    assert wrong == []
    assert len(statuses) == len(asked)
    assert sum(status < 300 for status in statuses) > len(asked) / 10, "too few get anywhere"
    assert more_mib < MORE_MEMORY_MIB
    secrets = [PASSWORD, *(token[-43:] for one in people for token in (one.access, one.refresh))]
    assert not any(secret in line for line in caplog.messages for secret in secrets)
