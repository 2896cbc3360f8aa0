"""Focus sessions: one clock, whoever is there, and what is held meanwhile."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from models.operations import deadlines, focus, new_tasks, notifications
from models.operations.focus import Plan
from models.operations.notifications import Notice
from models.task_inputs import NewTask
from models.tasks import Task
from tests.support.people import join_team
from tests.support.team import sign_up

PATH = "/api/v1/focus-sessions"
MINUTE_US = 60_000_000


@pytest.fixture
def clock(monkeypatch):
    """Instants of the operations; `clock.move(minutes)`."""

    class Clock:
        at = 1_800_000_000_000_000

        def move(self, minutes):
            self.at += int(minutes * MINUTE_US)

        def __call__(self):
            return self.at

    clock = Clock()
    for module in ("focus", "notifications", "deadlines"):
        monkeypatch.setattr(f"models.operations.{module}.now", clock)
    return clock


async def session(member, **fields):
    return (await member.post(f"{PATH}/", json={"title": "Deep work"} | fields)).expect(201).json


@pytest.mark.gen_test
async def test_the_clock_goes_through_its_phases_also_after_a_long_stop(run, clock):
    ann, bob = await join_team(run, "ann", "bob")
    made = await run(focus.create, ann, Plan("Deep", rounds=2, focus_minutes=25, break_minutes=5))
    await run(focus.join, bob, made["id"])
    assert (await run(focus.start, ann, made["id"]))["phase"] == "focus"
    clock.move(10)
    paused = await run(focus.pause, ann, made["id"])
    assert paused["remaining_seconds"] == 15 * 60 and paused["ends_at"] is None
    clock.move(100)
    await run(focus.resume, ann, made["id"])
    clock.move(14.9)
    await run(focus.advance_due)
    assert (await run(focus.retrieve, ann, made["id"]))["phase"] == "focus"
    run.take()
    clock.move(0.2)
    await run(focus.advance_due)
    await run(focus.advance_due)
    told = [event.payload["data"] for event in run.take()]
    assert [(one["event"], one["phase"], one["round"]) for one in told] == [("phase", "break", 1)]
    # A server that was down for long takes up the clock where it would be.
    clock.move(6)
    await run(focus.advance_due)
    again = await run(focus.retrieve, ann, made["id"])
    assert (again["phase"], again["round"]) == ("focus", 2)
    clock.move(500)
    await run(focus.advance_due)
    over = await run(focus.retrieve, ann, made["id"])
    assert over["status"] == "finished" and over["phase"] is None
    stats = await run(focus.stats, ann, 7, None)
    assert stats["me"]["focus_minutes"] == 50 and stats["me"]["sessions"] == 1
    assert [one["focus_minutes"] for one in stats["team"]] == [50, 50]


@pytest.mark.gen_test
async def test_the_longest_present_takes_over(run, clock):
    ann, bob, cid = await join_team(run, "ann", "bob", "cid")
    made = await run(focus.create, ann, Plan("Deep"))
    for person in (cid, bob):
        clock.move(1)
        await run(focus.join, person, made["id"])
    await run(focus.start, ann, made["id"])
    assert (await run(focus.leave, ann, made["id"]))["host"] == cid.id
    await run(focus.leave, cid, made["id"])
    left = await run(focus.leave, bob, made["id"])
    assert left["status"] == "finished" and left["participants"] == []


@pytest.mark.gen_test
async def test_what_is_held_while_focusing_comes_at_the_break(run, clock):
    ann, bob = await join_team(run, "ann", "bob")
    made = await run(focus.create, ann, Plan("Deep"))
    await run(focus.join, bob, made["id"])
    await run(focus.start, ann, made["id"])
    await run(notifications.change_quiet, bob, notifications.QuietChanges(hold_while_focusing=False))
    run.take()
    for number in range(3):
        await run(notifications.notify, Notice("comment", f"c{number}", "…"), [ann.id, bob.id])
    await run(notifications.notify, Notice("system", "now", "…"), [ann.id])
    told = [(event.groups[0], event.payload["title"]) for event in run.take()]
    comments = [(f"notifications_{bob.id}", f"c{number}") for number in range(3)]
    assert told == [*comments, (f"notifications_{ann.id}", "now")]
    assert (await run(notifications.unread_count, ann))["count"] == 4
    first = (await run(notifications.listed, ann, 10, 0))[1][-1]["id"]
    await run(notifications.mark_read, ann, [first])
    run.take()
    clock.move(25)
    await run(focus.advance_due)
    told = [event for event in run.take() if event.type.stored_name.startswith("notification")]
    kinds = [event.type.stored_name for event in told]
    assert kinds == ["notification_digest", "notification_released", "notification_released"]
    plus = told[0].message("notifications+")
    assert plus["type"] == "notification_digest" and plus["data"]["count"] == 2
    assert told[0].message("notifications") is None
    assert [event.message("notifications")["title"] for event in told[1:]] == ["c1", "c2"]
    assert [event.message("notifications+") for event in told[1:]] == [None, None]


@pytest.mark.gen_test
async def test_quiet_hours_hold_and_end(run, clock):
    (ann,) = await join_team(run, "ann")
    clock.at = 20_000 * 24 * 60 * MINUTE_US + 23 * 60 * MINUTE_US
    quiet = notifications.Quiet(22 * 60, 7 * 60, "UTC")
    await run(notifications.change_quiet, ann, notifications.QuietChanges(quiet=quiet))
    await run(notifications.notify, Notice("comment", "late", "…"), [ann.id])
    assert await run(notifications.deliver_due, 0) is None and run.take() == []
    clock.move(8 * 60)
    await run(notifications.deliver_due, 0)
    kinds = [event.type.stored_name for event in run.take()]
    assert kinds == ["notification_digest", "notification_released"]


@pytest.mark.gen_test
async def test_a_task_that_is_due_reminds_once_each_time(run, clock):
    ann, bob = await join_team(run, "ann", "bob")
    at = datetime.fromtimestamp(clock.at / 1e6, UTC)
    due = at + timedelta(hours=30)
    draft = NewTask(title="Paint", assignees=[bob.id], due_date=due.isoformat())
    made = (await run(new_tasks.create_task, ann, draft)).body

    async def reminded():
        count = 0
        for after_s, before_s in ((0, 3600), (3600, 86400)):
            count += await run(deadlines.remind, after_s, before_s, 10)
        return count

    assert await reminded() == 0
    clock.move(7 * 60)
    run.take()
    assert await reminded() == 1 and await reminded() == 0
    (event,) = run.take()
    assert event.groups == (f"notifications_{bob.id}",)
    assert event.payload["notification_type"] == "deadline"
    clock.move(22.5 * 60)
    assert await reminded() == 1 and await reminded() == 0
    later = clock.at + 5 * 60 * MINUTE_US
    await run(lambda: Task.update(due_date=later).where(Task.id == made["id"]).execute())
    assert await reminded() == 1 and await reminded() == 0
    await run(lambda: Task.update(status="done", due_date=later + 1).where(Task.id == made["id"]).execute())
    assert await reminded() == 0
    await run(deadlines.purge, 10)


@pytest.mark.gen_test
async def test_the_socket_to_the_letter(client, connect):
    ann, bob, cid = await sign_up(client, "ann", "bob", "cid")
    made = await session(ann)
    one = await connect(f"/ws/focus-session/{made['id']}?token={ann.access}")
    state = await one.recv()
    assert state["type"] == "focus_session_update" and state["session_id"] == str(made["id"])
    assert state["data"]["event"] == "state" and state["data"]["status"] == "waiting"
    two = await connect(f"/ws/focus-session/{made['id']}/", token=bob.access)
    assert (await two.recv())["data"]["event"] == "state"
    joined = await one.recv()
    assert joined["data"]["event"] == "joined" and joined["sender_id"] == bob.id
    await two.send({"data": {"mood": "fine"}})
    wanted = {
        "type": "focus_session_update", "session_id": str(made["id"]), "sender_id": bob.id,
        "data": {"mood": "fine"},
    }  # fmt: skip
    assert await one.recv() == wanted
    assert await two.recv() == wanted
    await one.send({"type": "cursor", "x": 3})
    assert (await two.recv())["data"] == {"type": "cursor", "x": 3}
    await one.send({"data": {"file_url": "/media/secret"}})
    assert (await one.expect("error"))["code"] == "bad_message"
    await one.send('{"data":' + "[" * 500 + "]" * 500 + "}")
    assert (await one.expect("error"))["code"] == "bad_message"
    (await bob.post(f"{PATH}/{made['id']}/start/")).expect(403)
    (await ann.post(f"{PATH}/{made['id']}/start/")).expect(200)
    (await ann.post(f"{PATH}/{made['id']}/start/")).expect(409)
    started = await two.recv()
    assert started["data"]["event"] == "started" and started["data"]["phase"] == "focus"
    (await bob.post(f"{PATH}/{made['id']}/leave/")).expect(200)
    assert await two.closed() == 4403
    for path in ("/ws/focus-session/4711", "/ws/focus-session/x"):
        assert await (await connect(path, token=cid.access)).closed() == 4404
    (await ann.post(f"{PATH}/{made['id']}/end")).expect(200)
    (await cid.post(f"{PATH}/{made['id']}/join/")).expect(409)
    (await ann.get(f"{PATH}/stats/?days=3")).expect(200)


@pytest.mark.gen_test
async def test_a_workspaces_session_is_for_its_members(client, connect):
    ann, bob, cid = await sign_up(client, "ann", "bob", "cid")
    place = (await ann.post("/api/v1/workspaces/", json={"name": "W"})).json["id"]
    (await ann.post(f"/api/v1/workspaces/{place}/members/", json={"user_id": bob.id})).expect(201)
    (await cid.post(f"{PATH}/", json={"title": "x", "workspace": place})).expect(404)
    made = await session(ann, workspace=place)
    (await cid.post(f"{PATH}/{made['id']}/join/")).expect(404)
    assert await (await connect(f"/ws/focus-session/{made['id']}", token=cid.access)).closed() == 4404
    socket = await connect(f"/ws/focus-session/{made['id']}", token=bob.access)
    await socket.recv()
    (await bob.delete(f"/api/v1/workspaces/{place}/members/{bob.id}/")).expect(204)
    assert await socket.closed() == 4403
    assert [one["id"] for one in (await ann.get(f"{PATH}?workspace={place}")).json["results"]] == [made["id"]]
    (await bob.get(f"{PATH}/?workspace={place}")).expect(404)


@pytest.mark.gen_test
async def test_bad_input(client):
    (ann,) = await sign_up(client, "ann")
    for fields in (
        {"title": ""}, {"title": 3}, {"focus_minutes": 0}, {"focus_minutes": "25"}, {"rounds": 0},
        {"rounds": 10**20}, {"break_minutes": -1}, {"focus_minutes": 1e308},
    ):  # fmt: skip
        (await ann.post(f"{PATH}/", json={"title": "x"} | fields)).expect(400)
    made = await session(ann)
    (await ann.patch(f"{PATH}/{made['id']}/", json={"focus_minutes": 50})).expect(200)
    (await ann.post(f"{PATH}/{made['id']}/pause/")).expect(409)
    (await ann.post(f"{PATH}/{made['id']}/start/")).expect(200)
    (await ann.patch(f"{PATH}/{made['id']}/", json={"rounds": 2})).expect(409)
    (await ann.post(f"{PATH}/{made['id']}/skip/")).expect(200)
    (await ann.delete(f"{PATH}/{made['id']}/")).expect(204)
    (await ann.get(f"{PATH}/{made['id']}/")).expect(404)


@pytest.mark.gen_test
async def test_the_profile_says_when_one_is_left_alone(client):
    (ann,) = await sign_up(client, "ann")
    path = "/api/users/profile/"
    assert "quiet_hours" not in (await ann.get(path)).json
    hours = {"start": "22:00", "end": "07:30", "time_zone": "UTC"}
    changes = {"quiet_hours": hours, "hold_while_focusing": False}
    assert (await ann.patch(path, json=changes)).expect(200).json.items() >= changes.items()
    assert (await ann.patch(path, json={"first_name": "A"})).json["quiet_hours"] == hours
    never = {**hours, "end": hours["start"]}
    refused = (await ann.patch(path, json={"quiet_hours": never})).expect(400).json
    assert refused == {"quiet_hours": ["They must not end when they begin."]}
    assert (await ann.patch(path, json={"quiet_hours": None})).json["quiet_hours"] is None
    unknown = hours | {"time_zone": "Mars/Base"}
    for bad in ({"start": "25:00", "end": "07:00"}, {"start": "22:00"}, unknown, 7):
        (await ann.patch(path, json={"quiet_hours": bad})).expect(400)


@pytest.mark.gen_test
async def test_the_clock_runs_in_the_server(client, connect):
    (ann,) = await sign_up(client, "ann")
    made = await session(ann, focus_minutes=1 / 60, break_minutes=1 / 60, rounds=2)
    socket = await connect(f"/ws/focus-session/{made['id']}", token=ann.access)
    phases = [(await socket.recv())["data"]["event"]]
    (await ann.post(f"{PATH}/{made['id']}/start/")).expect(200)
    async with asyncio.timeout(15):
        while not phases or phases[-1] != "ended":
            data = (await socket.recv(10))["data"]
            phases.append(data["phase"] if data["event"] == "phase" else data["event"])
    assert phases == ["state", "started", "break", "focus", "ended"]


@pytest.mark.gen_test
async def test_nobody_reads_the_minutes_of_somebody_they_have_brought_into_a_workspace(client):
    """Nobody is asked before they are brought in, so that only what they do there is told."""
    ann, bob = await sign_up(client, "ann", "bob")
    alone = await session(bob)
    for action in ("start", "end"):
        (await bob.post(f"{PATH}/{alone['id']}/{action}/")).expect(200)
    place = (await ann.post("/api/v1/workspaces/", json={"name": "W"})).json["id"]
    (await ann.post(f"/api/v1/workspaces/{place}/members/", json={"user_id": bob.id})).expect(201)
    path = f"{PATH}/stats/?workspace={place}"
    assert (await ann.get(path)).expect(200).json["team"] == []
    assert (await bob.get(path)).expect(200).json["me"]["sessions"] == 0
    assert (await bob.get(f"{PATH}/stats/")).expect(200).json["me"]["sessions"] == 1
    together = await session(bob, workspace=place)
    for action in ("start", "end"):
        (await bob.post(f"{PATH}/{together['id']}/{action}/")).expect(200)
    team = (await ann.get(path)).expect(200).json["team"]
    assert [(one["user"]["id"], one["sessions"]) for one in team] == [(bob.id, 1)]
