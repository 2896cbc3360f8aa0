"""The calendar of one's due tasks: its private address, and what a calendar elsewhere reads there."""

import logging
from datetime import UTC, datetime

import pytest
from icalendar import Calendar

from tests.support.database import count_queries, sqlite_only
from tests.support.http import PASSWORD
from tests.support.team import sign_up

OWN = "/api/users/profile/calendar/"
HOSTILE = "Buy; milk, eggs\\ \n\rEND:VEVENT\r\nBEGIN:VALARM \x1b[2J ü🙂 " + "x" * 200


async def subscribe(member):
    """The path of the member's new address."""
    url = (await member.post(OWN)).expect(201).json["url"]
    assert "/api/calendar/trcal_" in url and url.endswith(".ics")
    return "/api/calendar/" + url.rpartition("/")[2]


async def due(member, title, due_date="2099-05-06T07:08:09Z", **fields):
    body = {"title": title, "due_date": due_date} | fields
    return (await member.post("/api/tasks/", json=body)).expect(201).json


async def events(client, path):
    answer = (await client.get(path)).expect(200)
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store" and "Set-Cookie" not in answer.headers
    return {str(event["summary"]): event for event in Calendar.from_ical(answer.body).walk("VEVENT")}


@pytest.mark.gen_test
async def test_a_calendar_reads_what_is_due_for_its_person(client):
    ann, bob = await sign_up(client, "ann", "bob")
    path = await subscribe(bob)
    mine = await due(bob, "mine")
    given = await due(ann, "given", assignees=[bob.id], priority="critical")
    await due(ann, "not his")
    await due(bob, "long over", "2001-01-01T00:00:00Z")
    done = await due(bob, "done")
    (await bob.post("/api/tasks/", json={"title": "without a date"})).expect(201)
    (await bob.post(f"/api/tasks/{done['id']}/mark_done/")).expect(200)
    found = await events(client, path)
    assert found.keys() == {"mine", "given"}
    event = found["mine"]
    assert event["uid"] == f"{mine['uuid']}@taskroom"
    assert event.decoded("dtstart") == datetime(2099, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert event["url"].endswith(f"/#task-{mine['id']}")
    assert found["given"]["priority"] == 1
    # A change keeps the event and counts it on; whoever is taken off a task loses its event.
    (await bob.patch(f"/api/tasks/{mine['id']}/", json={"title": "mine, later"})).expect(200)
    changed = (await events(client, path))["mine, later"]
    assert changed["uid"] == event["uid"] and changed["sequence"] > event["sequence"]
    assert changed.decoded("last-modified") >= event.decoded("last-modified")
    (await ann.patch(f"/api/tasks/{given['id']}/", json={"assignees": [ann.id]})).expect(200)
    assert (await events(client, path)).keys() == {"mine, later"}


@sqlite_only
@pytest.mark.gen_test
async def test_what_a_title_holds_stays_in_it(client):
    [ann] = await sign_up(client, "ann")
    await due(ann, HOSTILE)
    answer = (await client.get(await subscribe(ann))).expect(200)
    assert answer.body.count(b"END:VEVENT\r\n") == 1 and b"\x1b" not in answer.body
    [event] = Calendar.from_ical(answer.body).walk("VEVENT")
    assert str(event["summary"]).startswith("Buy; milk, eggs\\  END:VEVENT BEGIN:VALARM  [2J ü🙂 xxx")
    assert max(map(len, answer.body.split(b"\r\n"))) <= 75


@sqlite_only
@pytest.mark.gen_test
async def test_it_is_sent_again_only_when_something_has_changed(client):
    [ann] = await sign_up(client, "ann")
    task = await due(ann, "mine")
    path = await subscribe(ann)
    first = (await client.get(path)).expect(200)
    known = {"If-None-Match": f'"other", W/{first.headers["ETag"]}'}
    again = (await client.get(path, headers=known)).expect(304)
    assert again.body == b"" and again.headers["ETag"] == first.headers["ETag"]
    assert (await client.get(path)).body == first.body
    (await ann.patch(f"/api/tasks/{task['id']}/", json={"title": "other"})).expect(200)
    (await client.get(path, headers=known)).expect(200)


@pytest.mark.gen_test
async def test_an_address_ends_when_it_is_renewed_given_up_or_its_person_goes(client, caplog):
    caplog.set_level(logging.INFO, "taskroom.security")
    ann, bob = await sign_up(client, "ann", "bob")
    assert (await bob.get(OWN)).expect(200).json == {"is_on": False, "created_at": None}
    first = await subscribe(bob)
    assert (await bob.get(OWN)).json["is_on"]
    second = await subscribe(bob)
    (await client.get(first)).expect(404)
    (await client.get(second)).expect(200)
    for _ in range(2):
        (await bob.delete(OWN)).expect(204)
    (await client.get(second)).expect(404)
    third = await subscribe(bob)
    (await ann.post(f"/api/users/{bob.id}/deactivate/")).expect(200)
    (await client.get(third)).expect(404)
    (await ann.post(f"/api/users/{bob.id}/activate/")).expect(200)
    (await client.get(third)).expect(404)
    path = await subscribe(ann)
    passwords = {"current_password": PASSWORD, "new_password": "another horse 8"}
    (await ann.post("/api/users/profile/password/", json=passwords)).expect(200)
    (await client.get(path)).expect(404)
    assert caplog.text.count("calendar_address_made") == 4 and "trcal_" not in caplog.text


@sqlite_only
@pytest.mark.gen_test
async def test_what_is_no_address_is_nobodys_and_not_looked_up(client):
    [ann] = await sign_up(client, "ann")
    path = await subscribe(ann)
    wrong = (
        "x.ics",
        "%00.ics",
        "tr_" + "a" * 46,
        "trcal_" + "0" * 46 + ".ics",
        "é" * 49,
        "a/b.ics",
        "0" * 5000,
    )
    with count_queries() as queries:
        for text in wrong:
            (await client.get(f"/api/calendar/{text}")).expect(404)
    assert not [query for query in queries if "calendar_address" in str(query)]
    (await client.get(path.replace(".ics", ""))).expect(200)
    (await client.get(path + "/")).expect(200)
    (await client.request("HEAD", path)).expect(200)
    (await client.post(path)).expect(405)


@sqlite_only
@pytest.mark.gen_test
async def test_a_calendar_has_a_bounded_number_of_tasks_in_one_statement(client, app):
    [ann] = await sign_up(client, "ann")
    path = await subscribe(ann)

    def many():
        from models.base import database
        from models.tasks import Task

        names = [field.column_name for field in Task._meta.sorted_fields]
        listed = ", ".join(name for name in names if name not in ("id", "uuid"))
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)"
        copies = f"SELECT 'u' || i, {listed} FROM n, task"
        database.execute_sql(f"{numbers} INSERT INTO task (uuid, {listed}) {copies}")
        database.execute_sql(
            "INSERT OR IGNORE INTO task_viewer (viewer, task_id, status)"
            f" SELECT {ann.id}, id, 'todo' FROM task"
        )

    await due(ann, "one of many")
    await app.store.write(many)
    with count_queries() as queries:
        answer = (await client.get(path)).expect(200)
    assert answer.body.count(b"BEGIN:VEVENT") == 500
    assert len([query for query in queries if "task_viewer x" in query.sql]) == 1
    assert len([query for query in queries if "calendar_address" in query.sql]) == 1
