"""What an older version has stored is brought to what holds now: nothing taken back is left in it."""

import importlib.util

import pytest

from models.base import database
from models.operations import chat, comments, notifications
from models.operations.chat import Draft
from models.operations.notifications import QuietChanges
from models.people import Person
from models.quiet import Quiet
from tests.support.people import join_team
from tests.support.server_process import ROOT
from tests.support.tasks import make

PATH = ROOT / "models" / "database" / "migrations" / "0006_identity.py"
OLD = "what an older version kept"
BACK_TO_0005 = (
    "DELETE FROM event_group WHERE SUBSTR(group_name, 1, 6) = 'about_'",
    "DROP INDEX notification_quotes",
    "ALTER TABLE notification DROP COLUMN quotes",
    "ALTER TABLE participant DROP COLUMN joined_seq",
    "ALTER TABLE person DROP COLUMN email_verified",
    f"UPDATE notification SET content = '{OLD}' WHERE notification_type IN ('mention', 'comment')",
    f"""UPDATE task_history SET old_value = '"{OLD}"', new_value = '"{OLD}"' WHERE field = 'comments'""",
)


def migrate():
    spec = importlib.util.spec_from_file_location("identity", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.up(None, database.obj)


def column(sql):
    return [row[0] for row in database.execute_sql(sql).fetchall()]


@pytest.mark.gen_test
async def test_what_was_taken_back_before_the_upgrade_is_gone_after_it(run):
    ann, bob = await join_team(run, "ann", "bob")
    room = (await run(chat.open_group, ann, "Kitchen", [bob.id])).body["id"]
    posts = [await run(chat.post_message, ann, Draft(room, f"@bob {n} {OLD}")) for n in range(3)]
    # Each takes the place of the last, unless that has been read.
    ids = [post.body["id"] for post in posts]
    task = await make(run, ann, assignees=[bob.id])
    said = [(await run(comments.post_comment, ann, task["id"], f"{n} {OLD}")).body["id"] for n in range(2)]
    kept = await run(lambda: column("SELECT payload FROM event ORDER BY seq"))
    await run(chat.delete_message, ann, ids[0])
    await run(chat.edit_message, ann, ids[1], "as it is now")
    await run(comments.delete_comment, ann, said[0])

    def as_it_was():
        for statement in BACK_TO_0005:
            database.execute_sql(statement)
        for seq, payload in zip(column("SELECT seq FROM event ORDER BY seq"), kept, strict=False):
            mark = database.obj.param
            database.execute_sql(f"UPDATE event SET payload = {mark} WHERE seq = {mark}", (payload, seq))

    await run(as_it_was)
    await run(migrate)
    stored = "\n".join(await run(lambda: column("SELECT payload FROM event")))
    assert f"@bob 0 {OLD}" not in stored and f"@bob 1 {OLD}" not in stored and f'"0 {OLD}' not in stored
    assert "@bob 2" in stored and "as it is now" in stored and f'"1 {OLD}' in stored
    about = set(await run(lambda: column("SELECT group_name FROM event_group")))
    wanted = {f"about_message_{one}" for one in ids} | {f"about_comment_{one}" for one in said}
    assert wanted <= about
    told = await run(lambda: column("SELECT content FROM notification WHERE quotes IS NOT NULL"))
    assert {"This comment was deleted."} <= set(told)
    history = "SELECT COALESCE(old_value, new_value) FROM task_history WHERE field = 'comments'"
    assert await run(lambda: column(history)) == [None] * 3
    assert await run(lambda: Person.select().where(Person.email_verified).count()) == 0
    # And from now on an edit finds them.
    await run(chat.delete_message, ann, ids[2])
    assert "@bob 2" not in "\n".join(await run(lambda: column("SELECT payload FROM event")))


@pytest.mark.gen_test
async def test_a_digest_from_before_the_upgrade_repeats_nothing_that_was_taken_back(run):
    ann, bob = await join_team(run, "ann", "bob")
    room = (await run(chat.open_group, ann, "Kitchen", [bob.id])).body["id"]
    always = Quiet(0, 24 * 60, "UTC")
    await run(notifications.change_quiet, bob, QuietChanges(quiet=always))
    post = (await run(chat.post_message, ann, Draft(room, f"@bob {OLD}"))).body["id"]
    await run(notifications.change_quiet, bob, QuietChanges(no_quiet=True))
    digests = "SELECT payload FROM event WHERE kind = 'notification_digest'"
    [kept] = await run(lambda: column(digests))
    assert OLD in kept
    await run(chat.delete_message, ann, post)

    def as_it_was():
        for statement in BACK_TO_0005:
            database.execute_sql(statement)
        mark = database.obj.param
        database.execute_sql(
            f"UPDATE event SET payload = {mark} WHERE kind = 'notification_digest'",
            (kept.replace(f'"quotes":"message_{post}",', ""),),
        )

    await run(as_it_was)
    await run(migrate)
    [digest] = await run(lambda: column(digests))
    assert OLD not in digest
    assert "This message was deleted." in digest
    seq = "SELECT seq FROM event WHERE kind = 'notification_digest'"
    named = f"SELECT group_name FROM event_group WHERE seq IN ({seq})"
    assert f"about_message_{post}" in await run(lambda: column(named))


@pytest.mark.gen_test
async def test_whoever_was_added_before_the_upgrade_replays_from_there_too(run):
    ann, bob, cid = await join_team(run, "ann", "bob", "cid")
    room = (await run(chat.open_group, ann, "Kitchen", [bob.id])).body["id"]
    await run(chat.post_message, ann, Draft(room, "before"))
    before = await run(lambda: column("SELECT MAX(seq) FROM event"))
    await run(chat.add_participants, ann, room, [cid.id])
    await run(chat.post_message, ann, Draft(room, "after"))

    def as_it_was():
        for statement in BACK_TO_0005:
            database.execute_sql(statement)

    await run(as_it_was)
    await run(migrate)
    in_room = f"SELECT joined_seq FROM participant WHERE room_id = {room} ORDER BY person_id"
    begins = await run(lambda: column(in_room))
    assert begins == [0, 0, *before]
