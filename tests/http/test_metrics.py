"""What Prometheus reads, and who else may."""

import collections
import json
import re

import pytest

from tests.support.database import sqlite_only
from tests.support.server_process import ROOT
from tests.support.team import sign_up
from tests.support.waiting import eventually

pytestmark = sqlite_only
HERE = {"metrics_from": "127.0.0.1"}


@pytest.fixture(autouse=True)
def quick_samples(monkeypatch):
    monkeypatch.setattr("metrics.SAMPLE_EVERY_S", 0.01)


async def figures(client):
    """Each line's value by its name with labels."""
    answer = (await client.get("/metrics")).expect(200)
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    lines = re.findall(r"^(taskroom\S*) (\S+)$", answer.text, re.MULTILINE)
    return collections.defaultdict(float, {name: float(value) for name, value in lines})


@pytest.mark.gen_test
async def test_it_counts_what_happens(start_app, new_client, connect_to):
    app = await start_app(**HERE, throttle_login="3/hour")
    client = new_client(app)
    [ann] = await sign_up(client, "ann")
    for _ in range(5):
        await client.post("/api/auth/token/", json={"username": "ann", "password": "wrong wrong"})
    stays = await connect_to(app, "/ws/chat/?since=0", token=ann.access)
    refused = await connect_to(app, "/ws/chat/?token=nonsense")
    assert await refused.closed() == 4401
    await stays.settle()

    async def all_is_told():
        found = await figures(client)
        assert found['taskroom_requests_total{status="401"}'] == 3
        assert found['taskroom_requests_total{status="429"}'] == 2
        assert found['taskroom_throttled_total{rate="login"}'] == 2
        assert found['taskroom_socket_closes_total{code="4401"}'] == 1
        assert found['taskroom_sockets{channel="chat",worker="1"}'] == 1
        assert found['taskroom_recoveries_total{outcome="replayed"}'] == 1
        assert found['taskroom_event_seq{worker="1"}'] == app.realtime.hub.position
        assert 0 < found["taskroom_commits_total"] <= found["taskroom_writes_total"]
        assert found["taskroom_writing_seconds_total"] > 0
        assert found["taskroom_loop_lag_seconds_count"] > 0
        assert found["taskroom_mail_waiting"] == 0
        assert found["taskroom_backup_age_seconds"] == float("inf")
        assert found["taskroom_commit_seconds_count"] == found["taskroom_batch_writes_count"] > 0
        assert found["taskroom_batch_writes_sum"] <= found["taskroom_writes_total"]
        assert found['taskroom_event_lag_seconds{worker="1"}'] < 60
        assert found['taskroom_memory_bytes{worker="1"}'] > 10_000_000
        assert found['taskroom_open_descriptors{worker="1"}'] > 5
        return True

    await eventually(all_is_told)
    stays.close()
    await eventually(lambda: not app.realtime.sockets)

    async def nobody_is_left():
        return (await figures(client))['taskroom_sockets{channel="chat",worker="1"}'] == 0

    await eventually(nobody_is_left)


@pytest.mark.gen_test
async def test_only_the_named_addresses_may_read_it(start_app, new_client):
    client = new_client(await start_app(metrics_from="10.1.0.0/16", proxy="127.0.0.1"))
    for address, status in (("10.1.2.3", 200), ("10.2.0.1", 404), ("::ffff:10.1.2.3", 200)):
        answer = await client.get("/metrics", headers={"X-Forwarded-For": address})
        assert answer.status == status, address
    assert (await client.get("/metrics")).status == 404


@pytest.mark.gen_test
async def test_the_board_shows_only_what_there_is(start_app, new_client, connect_to):
    """Each figure that a panel of deploy/grafana.json asks for is told, and each that is told is shown
    there and explained in docs/operations.md."""
    app = await start_app(**HERE)
    client = new_client(app)
    board = json.loads((ROOT / "deploy/grafana.json").read_text())
    asked = set(re.findall(r"taskroom_\w+", " ".join(_queries(board))))
    _, _, figures = (ROOT / "docs/operations.md").read_text().partition("## Figures\n")
    explained = set(re.findall(r"taskroom_\w+", figures.partition("\n## ")[0]))

    async def all_is_told():
        text = (await client.get("/metrics")).expect(200).text
        kinds = dict(re.findall(r"^# TYPE (taskroom_\w+) (\w+)$", text, re.MULTILINE))
        told = {name + "_bucket" * (kind == "histogram") for name, kind in kinds.items()}
        assert asked == {name for name in told if not name.endswith("_created")}
        assert explained == {name for name in kinds if not name.endswith("_created")}
        return True

    await eventually(all_is_told)


def _queries(board):
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]
