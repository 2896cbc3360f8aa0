"""Whatever happens, in whatever order: what each person was told is what they would read now."""

import random

import pytest

from models import access, sessions
from models.base import database
from models.chat import Participant, Room
from models.errors import DomainError
from models.operations import (
    attachments,
    chat,
    comments,
    new_tasks,
    people,
    proposals,
    tasks,
    workspaces,
)
from models.operations.chat import StoredFile
from models.people import Person
from models.tasks import find
from tests.support.tasks import Team, changes, draft, seen, told

STEPS = 300
ROLES = ("employee", "atl", "manager", "supervisor", "hr", "ceo")
STATUSES = ("todo", "in_progress", "review", "blocked", "done", "cancelled")

OFTEN = (
    "do_create", "do_edit", "do_assign", "do_role", "do_department", "do_join", "do_propose", "do_room",
    "do_new_places", "do_end_a_place",
)  # fmt: skip


class Office:
    """People who do this and that, and what each of them knows from events alone."""

    def __init__(self, run, team, seed):
        self.run, self.team = run, team
        self.chance = random.Random(seed)
        self.boss = team.ceo
        self.actors = {one.id: one for one in team.everybody}
        self.known = {one.id: {} for one in team.everybody}
        self.tasks, self.comments, self.files, self.proposals = [], [], [], []
        self.departments = [team.department, team.other_department]
        self.workspaces, self.joined = [team.workspace], []
        self.number = 0
        self.deeds = [getattr(self, name) for name in sorted(dir(self)) if name.startswith("do_")]
        self.deeds += [getattr(self, name) for name in OFTEN] * 2

    # What happens

    @property
    def anybody(self):
        """Every second time somebody who may do what they try to."""
        return self.chance.choice([self.boss] * len(self.actors) + list(self.actors.values()))

    def pick(self, found):
        return self.chance.choice(found) if found else 0

    def some(self):
        return self.chance.sample(sorted(self.known), self.chance.randint(0, 3))

    def place(self, found):
        return self.chance.choice([None, *found])

    async def do_create(self):
        fields = {
            "assignees": self.some(),
            "department": self.place(self.departments),
            "workspace": self.place(self.workspaces),
            "status": self.chance.choice(STATUSES),
        }
        chosen = {name: value for name, value in fields.items() if self.chance.random() < 0.6}
        made = await self.run(new_tasks.create_task, self.anybody, draft(f"Task {len(self.tasks)}", **chosen))
        self.tasks.append(made.body["id"])

    async def do_edit(self):
        self.number += 1
        fields = {
            "title": f"Title {self.number}",
            "priority": self.chance.choice(("low", "critical")),
            "assignees": self.some(),
            "department": self.place(self.departments),
            "workspace": self.place(self.workspaces),
            "status": self.chance.choice(STATUSES),
        }
        chosen = dict(self.chance.sample(sorted(fields.items()), self.chance.randint(1, 3)))
        await self.run(tasks.update_task, self.anybody, self.pick(self.tasks), changes(**chosen))

    async def do_status(self):
        status = self.chance.choice(STATUSES)
        await self.run(tasks.update_status, self.anybody, self.pick(self.tasks), status, "so it is")

    async def do_assign(self):
        replace = self.chance.random() < 0.3
        await self.run(tasks.assign, self.anybody, self.pick(self.tasks), self.some(), replace)

    async def do_unassign(self):
        await self.run(tasks.unassign, self.anybody, self.pick(self.tasks), self.some())

    async def do_propose(self):
        made = await self.run(
            proposals.propose, self.anybody, self.pick(self.tasks), [self.pick(sorted(self.known))]
        )
        self.proposals += [one["id"] for one in made.body["assignments"]]

    async def do_respond(self):
        task, person = self.pick(self.tasks), self.chance.choice(list(self.actors.values()))
        made = await self.run(proposals.propose, self.boss, task, [person.id])
        action = self.chance.choice(("accept", "reject"))
        await self.run(proposals.respond, person, task, made.body["assignments"][0]["id"], action)

    async def do_withdraw(self):
        await self.run(proposals.withdraw, self.anybody, self.pick(self.proposals[-3:]) or 1)

    async def do_comment(self):
        made = await self.run(comments.post_comment, self.anybody, self.pick(self.tasks), "Well")
        self.comments.append((made.body["author"], made.body["id"]))

    async def do_delete_comment(self):
        author, comment = self.pick(self.comments) or (self.boss.id, 1)
        await self.run(comments.delete_comment, self.actors.get(author, self.boss), comment)

    async def do_attach(self):
        self.number += 1
        file = StoredFile(f"task_attachments/{self.number}", "a.txt", 3, "text/plain")
        self.files.append(
            (await self.run(attachments.attach, self.anybody, self.pick(self.tasks), [file])).body["id"]
        )

    async def do_detach(self):
        await self.run(attachments.detach, self.anybody, self.pick(self.files))

    async def do_delete(self):
        gone = self.pick(self.tasks)
        await self.run(tasks.delete_task, self.anybody, gone)
        self.tasks.remove(gone)

    async def do_room(self):
        await self.run(chat.open_task, self.anybody, self.pick(self.tasks))

    async def do_role(self):
        person = self.pick([one for one in sorted(self.known) if one != self.boss.id])
        await self.run(people.change_role, self.boss, person, self.chance.choice(ROLES))

    async def do_department(self):
        place = {"department": self.place(self.departments)}
        await self.run(people.update, self.boss, self.pick(sorted(self.known)), place)

    async def do_active(self):
        stay = (self.boss.id, self.team.cyd.id)
        person = self.pick([one for one in sorted(self.known) if one not in stay])
        if person in self.actors:
            await self.run(people.deactivate, self.boss, person)
            del self.actors[person]
        else:
            await self.run(people.activate, self.boss, person)
            await self.sign_in(person)

    async def do_join(self):
        space, person = self.pick(self.workspaces), self.pick(sorted(self.known))
        await self.run(workspaces.put_member, self.team.cyd, space, person)
        self.joined.append((space, person))

    async def do_leave(self):
        space, person = self.pick(self.joined) or (1, self.boss.id)
        if person != self.team.cyd.id:
            await self.run(workspaces.remove_member, self.team.cyd, space, person)

    async def do_new_places(self):
        self.number += 1
        made = await self.run(people.create_department, self.boss, f"Place {self.number}", None)
        self.departments.append(made["id"])
        space = await self.run(workspaces.create, self.team.cyd, "Space")
        self.workspaces.append(space["id"])

    async def do_end_a_place(self):
        if self.chance.random() < 0.5 and len(self.departments) > 1:
            gone = self.departments.pop(self.chance.randrange(len(self.departments)))
            await self.run(people.delete_department, self.boss, gone)
        elif len(self.workspaces) > 1:
            gone = self.workspaces.pop(self.chance.randrange(len(self.workspaces)))
            await self.run(workspaces.delete, self.team.cyd, gone)

    # What they know

    async def sign_in(self, person_id):
        def start():
            session = sessions.start(person_id, sessions.Device(), 10**12)
            return sessions.actor(session.id)

        self.actors[person_id] = await self.run(start)

    async def step(self):
        """One deed, done or refused; the name of what was done."""
        deed = self.chance.choice(self.deeds)
        refused = False
        try:
            await deed()
        except DomainError:
            refused = True
        happened = self.run.take()
        assert not (refused and happened), deed.__name__
        await self.hear(happened)
        return None if refused else deed.__name__

    async def hear(self, happened):
        if any(event.type.stored_name == "person_changed" for event in happened):
            for person_id, actor in list(self.actors.items()):
                self.actors[person_id] = await self.run(sessions.actor, actor.session_id)
        for person_id, actor in self.actors.items():
            messages = [one.message("tasks") for one in happened if f"tasks_{person_id}" in one.groups]
            if any(message["type"] == "resync" for message in messages):
                self.known[person_id] = await seen(self.run, actor)
            else:
                self.known[person_id] = told(happened, actor, self.known[person_id])

    async def compare(self, actor):
        assert self.known[actor.id] == await seen(self.run, actor), actor.username


def _strangers_in_rooms():
    """Who takes part in the room of a task that they do not see."""
    return [
        (one.room_id, one.person_id)
        for one in Participant.select(Participant).join(Room).where(Room.task_id.is_null(False))
        if (task := find(Room.get_by_id(one.room_id).task_id)) is not None
        and Person.get_by_id(one.person_id).is_active
        and one.person_id not in access.get_task_watchers(task)
    ]


@pytest.mark.gen_test
@pytest.mark.parametrize("seed", range(2))
async def test_whatever_happens_each_knows_what_they_would_read(run, io_loop, seed):
    team = await Team(run).join()
    await run(lambda: database.execute_sql("UPDATE workspace_member SET role = 'owner'"))
    office = Office(run, team, seed)
    done = set()
    for number in range(STEPS):
        done.add(await office.step())
        if number % 3 == 0:
            await office.compare(office.anybody)
        if number % 50 == 49:
            for actor in office.actors.values():
                await office.compare(actor)
            assert await run(_strangers_in_rooms) == []
    assert {name for name in dir(office) if name.startswith("do_")} <= done
