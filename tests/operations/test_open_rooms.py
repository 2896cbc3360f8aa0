"""Rooms that anybody may join, the one that everybody is in, and who may change which."""

import pytest

from models import access, events, groups, room_members
from models.chat import Participant, Room
from models.database import upgrade
from models.database.store import Store
from models.errors import Conflict, Forbidden, NotFound
from models.operations import accounts, chat, people
from models.operations.chat import RoomChanges
from models.operations.statuses import StatusChanges
from models.people import Person
from tests.operations.test_migrating import OLD_PERSON, both_kinds_empty, empty_database  # noqa: F401
from tests.support.database import count_queries
from tests.support.people import join_team, newcomer
from tests.support.talk import persons, refs


async def change(talk, actor, **changes):
    return await talk.run(chat.update_room, actor, talk.room, None, None, None, RoomChanges(**changes))


async def everybody(talk):
    return (await talk.store.read(room_members.default_room.one)).id


async def found(talk, actor, search=""):
    _, rooms = await talk.store.snapshot(chat.list_open, actor, search, 20, 0)
    return {room["name"]: room for room in rooms if not room["is_default"]}


async def roles(talk, room, actor):
    count, members = await talk.store.snapshot(chat.list_members, actor, room, 100, 0)
    assert count == len(members)
    return {member["user"]["username"]: member["role"] for member in members}


# Open rooms


@pytest.mark.gen_test
async def test_an_open_room_is_found_by_its_name_and_topic_and_joined(talk):
    assert await found(talk, talk.cyd) == {}
    await change(talk, talk.ann, is_open=True, topic="Über Kochen 100 %")
    for search in ("", "kitchen", "KITCH", "über", "100 %"):
        assert list(await found(talk, talk.cyd, search)) == ["Kitchen"], search
    assert await found(talk, talk.cyd, "_itchen") == {} == await found(talk, talk.cyd, "bath")
    shown = (await found(talk, talk.cyd))["Kitchen"]
    assert (shown["member_count"], shown["is_member"], shown["topic"]) == (2, False, "Über Kochen 100 %")

    await talk.say(talk.ann)
    talk.run.take()
    for _ in range(2):
        room = await talk.run(chat.join_open, talk.cyd, talk.room)
        assert room["participants"] == refs(talk.ann, talk.ben, talk.cyd)
        assert (room["role"], room["unread_count"]) == ("member", 0)
    ((kind, addressed, _),) = talk.said()
    assert (kind, addressed) == (events.RoomUpdated, persons(talk.ann, talk.ben, talk.cyd))
    assert (await found(talk, talk.cyd))["Kitchen"]["is_member"]
    assert len((await talk.page(talk.cyd)).results) == 1


@pytest.mark.gen_test
async def test_only_who_has_joined_reads_an_open_room(talk):
    await change(talk, talk.ann, is_open=True)
    for ask in (chat.room, chat.join):
        with pytest.raises(NotFound):
            await talk.store.read(ask, talk.cyd, talk.room)
    with pytest.raises(NotFound):
        await talk.page(talk.cyd)
    with pytest.raises(NotFound):
        await talk.store.snapshot(chat.list_members, talk.cyd, talk.room, 20, 0)
    with pytest.raises(NotFound):
        await talk.say(talk.cyd)


@pytest.mark.gen_test
async def test_a_room_that_is_not_open_cannot_be_told_from_none_by_joining(talk):
    for room in (talk.room, await talk.direct(talk.ann, talk.ben), talk.room + 500, 1):
        with pytest.raises(NotFound):
            await talk.run(chat.join_open, talk.cyd, room)
    await change(talk, talk.ann, is_open=True)
    await change(talk, talk.ann, is_open=False)
    with pytest.raises(NotFound):
        await talk.run(chat.join_open, talk.cyd, talk.room)


@pytest.mark.gen_test
async def test_the_directory_is_two_queries_whatever_it_holds(talk):
    for n in range(12):
        await talk.run(chat.open_group, talk.ann, f"Room {n}", [talk.ben.id], "", True)
    with count_queries() as queries:
        count, rooms = await talk.store.read(chat.list_open, talk.cyd, "room", 10, 0)
    assert (count, len(rooms), len(queries)) == (12, 10, 2)


# Owners and admins


@pytest.mark.gen_test
async def test_who_makes_a_group_owns_it_and_shares_that_out(talk):
    assert await roles(talk, talk.room, talk.ben) == {"ann": "owner", "ben": "member"}
    await talk.run(chat.add_participants, talk.ben, talk.room, [talk.cyd.id])
    for operation, *args in (
        (chat.change_role, talk.cyd.id, "admin"),
        (chat.remove_member, talk.cyd.id),
    ):
        with pytest.raises(Forbidden):
            await talk.run(operation, talk.ben, talk.room, *args)
    with pytest.raises(Forbidden):
        await change(talk, talk.ben, is_open=True)
    talk.run.take()
    await talk.run(chat.change_role, talk.ann, talk.room, talk.ben.id, "admin")
    ((kind, addressed, payload),) = talk.said()
    told = sorted([groups.room("group", talk.room), groups.person(talk.ben.id)])
    assert (kind, addressed, payload["role"]) == (events.RoomRoleChanged, told, "admin")
    with pytest.raises(Forbidden):
        await talk.run(chat.change_role, talk.ben, talk.room, talk.ann.id, "member")
    with pytest.raises(Forbidden):
        await talk.run(chat.remove_member, talk.ben, talk.room, talk.ann.id)
    await talk.run(chat.remove_member, talk.ben, talk.room, talk.cyd.id)
    with pytest.raises(NotFound):
        await talk.page(talk.cyd)
    with pytest.raises(NotFound):
        await talk.run(chat.remove_member, talk.ben, talk.room, talk.cyd.id)


@pytest.mark.gen_test
async def test_an_open_room_is_renamed_by_those_who_run_it_and_a_closed_one_by_anybody_in_it(talk):
    await talk.run(chat.update_room, talk.ben, talk.room, "Garden", None)
    await change(talk, talk.ann, is_open=True)
    with pytest.raises(Forbidden):
        await talk.run(chat.update_room, talk.ben, talk.room, "Cellar", None)
    with pytest.raises(Forbidden):
        await change(talk, talk.ben, topic="Mine")
    assert (await talk.run(chat.update_room, talk.ann, talk.room, "Bath", None))["name"] == "Bath"


@pytest.mark.gen_test
async def test_a_room_always_has_an_owner(talk):
    with pytest.raises(Conflict) as refused:
        await talk.run(chat.change_role, talk.ann, talk.room, talk.ann.id, "member")
    assert refused.value.code == "last_owner"
    with pytest.raises(Conflict):
        await talk.run(chat.remove_member, talk.ann, talk.room, talk.ann.id)
    await talk.run(chat.leave, talk.ann, talk.room)
    assert await roles(talk, talk.room, talk.ben) == {"ben": "owner"}
    await talk.run(chat.leave, talk.ben, talk.room)


@pytest.mark.gen_test
async def test_only_a_group_has_owners(talk):
    room = await talk.direct(talk.ann, talk.ben)
    for operation, *args in ((chat.change_role, talk.ben.id, "owner"), (chat.remove_member, talk.ben.id)):
        with pytest.raises(Conflict) as refused:
            await talk.run(operation, talk.ann, room, *args)
        assert refused.value.code == "not_a_group"


# The room that everybody is in


@pytest.mark.gen_test
async def test_everybody_is_in_one_room_from_the_start(talk):
    room = await everybody(talk)
    count, listed = await talk.store.snapshot(chat.list_rooms, talk.cyd, 10, 0, True)
    assert (count, [one["id"] for one in listed]) == (1, [room])
    assert listed[0] == await talk.store.read(chat.room, talk.cyd, room)
    assert (listed[0]["member_count"], listed[0]["participants"], listed[0]["is_open"]) == (3, [], True)
    assert await roles(talk, room, talk.cyd) == {"ann": "owner", "ben": "member", "cyd": "member"}
    await talk.say(talk.ann, room=room)
    (dan,) = await join_team(talk.run, "dan")
    assert await talk.unread(dan, room) == 0 and await talk.unread(talk.cyd, room) == 1


@pytest.mark.gen_test
async def test_the_rooms_that_the_task_manager_lists_are_those_that_somebody_was_put_into(talk):
    assert await talk.store.snapshot(chat.list_rooms, talk.cyd, 10, 0) == (0, [])


@pytest.mark.gen_test
async def test_the_default_room_can_be_renamed_but_neither_left_nor_closed(talk):
    room = await everybody(talk)
    for operation, *args in (
        (chat.leave,),
        (chat.remove_member, talk.ben.id),
        (chat.update_room, None, None, None, RoomChanges(is_open=False)),
    ):
        with pytest.raises(Conflict) as refused:
            await talk.run(operation, talk.ann, room, *args)
        assert refused.value.code == "default_room"
    with pytest.raises(Forbidden):
        await talk.run(chat.update_room, talk.ben, room, "Mine", None)
    talk.run.take()
    assert (await talk.run(chat.update_room, talk.ann, room, "Lobby", None))["name"] == "Lobby"
    # One address, however many there are.
    ((kind, addressed, _),) = talk.said()
    assert (kind, addressed) == (events.RoomUpdated, [groups.room("group", room)])


@pytest.mark.gen_test
async def test_whoever_lets_people_in_and_out_runs_the_default_room_too(talk):
    room = await everybody(talk)
    await talk.run(people.change_role, talk.ann, talk.ben.id, "hr")
    ben = await talk.store.read(access.get_current_actor, talk.ben)
    assert (await talk.run(chat.update_room, ben, room, "Lobby", None))["name"] == "Lobby"
    await talk.run(chat.change_role, ben, room, talk.cyd.id, "owner")
    with pytest.raises(Forbidden):
        await talk.run(chat.remove_member, ben, talk.room, talk.ann.id)


@pytest.mark.gen_test
async def test_who_is_deactivated_leaves_it_and_who_returns_is_in_it_again(talk):
    room = await everybody(talk)
    await talk.run(people.deactivate, talk.ann, talk.cyd.id)
    assert "cyd" not in await roles(talk, room, talk.ann)
    assert await talk.store.read(room_members.role_of, room, talk.cyd.id) is None
    await talk.run(people.activate, talk.ann, talk.cyd.id)
    assert (await roles(talk, room, talk.ann))["cyd"] == "member"


@pytest.mark.gen_test
async def test_without_a_name_there_is_no_default_room_and_a_later_name_gathers_everybody(run, store):
    async def enter(name, default_room):
        def make():
            access.configure(access.Policy(default_room=default_room))
            return accounts.create_person(newcomer(name)).id

        return await run(make)

    await enter("ann", "")
    assert await store.read(room_members.default_room.one) is None
    await enter("ben", "Hall")
    room = await store.read(room_members.default_room.one)
    assert room.name == "Hall"
    here = await store.read(lambda: {row.person_id: row.role for row in Participant.select()})
    assert sorted(here.values()) == ["member", "owner"]


@both_kinds_empty
def test_an_installation_of_before_gets_its_default_room_and_the_owners_of_its_groups(
    empty_database,  # noqa: F811
    tmp_path,
    monkeypatch,
):
    everything, old = upgrade.MIGRATIONS, tmp_path / "old"
    old.mkdir()
    for path in everything.glob("000[1-8]*.py"):
        (old / path.name).write_text(path.read_text())
    store = Store(empty_database, tmp_path / "data")
    monkeypatch.setattr(upgrade, "MIGRATIONS", old)
    store.open()
    room = "INSERT INTO room (id, room_type, name, created_by_id, created_at, active_at) VALUES"
    member = "INSERT INTO participant (room_id, person_id, joined_at, is_muted) VALUES"
    for statement in (
        *(
            f"{OLD_PERSON} VALUES ('{n}', '{n}', '{n}', '{n}', '{r}', 'x', 1)"
            for n, r in zip("abc", ("employee", "ceo", "hr"), strict=True)
        ),
        f"{room} (1000007, 'group', 'Kitchen', 1, 1, 1), (1000008, 'group', 'Bath', 1, 1, 1)",
        f"{member} (1000007, 1, 1, FALSE), (1000007, 2, 1, TRUE)",
        f"{member} (1000008, 3, 5, FALSE), (1000008, 2, 4, FALSE)",
    ):
        store.run_alone(lambda statement=statement: Person._meta.database.execute_sql(statement))
    monkeypatch.setattr(upgrade, "MIGRATIONS", everything)
    assert "0010_rooms" in store.prepare()

    def now():
        default = room_members.default_room.one()
        owners = Participant.select().where(Participant.role == "owner")
        muted = Participant.select().where(Participant.is_muted)
        return (
            default,
            {(row.room_id, row.person_id) for row in owners},
            Participant.select().where(Participant.room == default.id).count(),
            [(row.room_id, row.person_id) for row in muted],
            Room.select().where(Room.is_open).count(),
        )

    default, owners, count, muted, open_rooms = store.run_alone(now)
    assert default.name == "Everybody" and default.id >= 1_000_000
    assert owners == {(default.id, 2), (1000007, 1), (1000008, 2)}
    assert (count, muted, open_rooms) == (3, [(1000007, 2)], 1)


# What one is told of


@pytest.mark.parametrize(("level", "told"), [("all", True), ("mentions", True), ("none", False)])
@pytest.mark.gen_test
async def test_a_mention_reaches_whoever_has_not_silenced_the_room(talk, level, told):
    await talk.run(
        chat.update_room, talk.ben, talk.room, None, None, None, RoomChanges(level=level, is_favourite=True)
    )
    talk.run.take()
    await talk.say(talk.ann, "@ben look")
    await talk.say(talk.ann, "@ben again")
    assert any(kind is events.NotificationCreated for kind, *_ in talk.said()) is told
    room = await talk.store.read(chat.room, talk.ben, talk.room)
    shown = (room["level"], room["is_muted"], room["mention_count"], room["is_favourite"])
    assert shown == (level, level != "all", 2 if told else 0, True)
    await talk.run(chat.mark_read, talk.ben, talk.room)
    assert (await talk.store.read(chat.room, talk.ben, talk.room))["mention_count"] == 0


@pytest.mark.gen_test
async def test_a_silenced_direct_room_tells_nothing_and_unmuting_it_everything(talk):
    room = await talk.direct(talk.ann, talk.ben)
    for changes, told in (({"level": "none"}, 0), ({"level": "mentions"}, 0), ({"level": "all"}, 1)):
        await talk.run(chat.update_room, talk.ben, room, None, None, None, RoomChanges(**changes))
        talk.run.take()
        await talk.say(talk.ann, room=room)
        assert len([kind for kind, *_ in talk.said() if kind is events.NotificationCreated]) == told
    await talk.run(chat.update_room, talk.ben, room, None, None, None, RoomChanges(level="none"))
    assert (await talk.run(chat.update_room, talk.ben, room, None, False))["level"] == "all"


@pytest.mark.gen_test
async def test_what_one_wants_to_hear_is_told_to_nobody_else(talk):
    await talk.run(
        chat.update_room, talk.ben, talk.room, None, None, None, RoomChanges(level="none", is_hidden=True)
    )
    said = talk.said()
    assert {address for _, addressed, _ in said for address in addressed} == {groups.person(talk.ben.id)}
    assert said[-1][2] == {
        "room_id": talk.room, "level": "none", "is_favourite": False, "is_hidden": True,
    }  # fmt: skip
    other = await talk.store.read(chat.room, talk.ann, talk.room)
    assert (other["level"], other["is_hidden"]) == ("all", False)


# What people say of themselves


@pytest.mark.gen_test
async def test_a_status_is_live_to_those_who_share_a_room_and_ends_by_itself(talk, monkeypatch):
    async def say(**changes):
        user = await talk.run(
            accounts.update_profile, talk.ann, {}, None, None, None, StatusChanges(**changes)
        )
        return user["status_text"], user["status_emoji"], user["status_until"]

    soon = 4_000_000_000_000_000
    assert await say(text="At lunch", emoji="🍜", until=soon) == ("At lunch", "🍜", "2096-10-02T07:06:40Z")
    ((kind, addressed, payload),) = talk.said()
    rooms = [groups.room("group", room) for room in (talk.room, await everybody(talk))]
    assert (kind, addressed) == (events.StatusChanged, sorted([groups.person(talk.ann.id), *rooms]))
    assert payload["status_text"] == "At lunch"
    assert (await talk.store.read(people.retrieve, talk.cyd, talk.ann.id))["status_emoji"] == "🍜"
    assert await say(text="Back at two") == ("Back at two", "🍜", "2096-10-02T07:06:40Z")
    assert await say(for_ever=True) == ("Back at two", "🍜", None)
    assert await say(text="", emoji="") == ("", "", None)

    await say(text="Away", until=soon)
    monkeypatch.setattr("models.people.now", lambda: soon + 1)
    assert (await talk.store.read(people.retrieve, talk.cyd, talk.ann.id))["status_text"] == ""
    monkeypatch.setattr("models.operations.statuses.now", lambda: soon + 1)
    assert await say(emoji="🎉") == ("", "🎉", None)
