"""People: the directory, roles, departments, pictures (Task Manager)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from handlers import avatars, schemas
from handlers.auth import PersonalName
from handlers.web import security_log
from handlers.web.base import BaseHandler
from handlers.web.endpoint import Page, Route, endpoint
from models.access import ALL, PERSON
from models.inputs import Id, Input, Name, Text
from models.operations import people
from models.people import ROLES


def _role(text: str) -> str:
    role = text.strip().lower()
    if role not in ROLES:
        raise ValueError(f'"{text[:50]}" is not a valid choice: one of {", ".join(reversed(ROLES))}.')
    return role


def _none_if_empty(value: Any) -> Any:
    return None if value == "" else value


Role = Annotated[Text, AfterValidator(_role)]
OptionalId = Annotated[Id | None, BeforeValidator(_none_if_empty)]


class PeopleQuery(Page):
    """A page of people, narrowed."""

    search: Annotated[
        Text, Field(max_length=200, description="part of a username, a name, or an address one sees")
    ] = ""
    role: Annotated[Role | None, BeforeValidator(_none_if_empty)] = None
    department: OptionalId = None


class NewRole(Input):
    """A role, in any case."""

    role: Role


class PersonChanges(Input):
    """What may be changed about somebody else; what is not sent stays, a null department is none."""

    department: OptionalId = None
    first_name: PersonalName | None = None
    last_name: PersonalName | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """What was sent."""
        sent = self.model_dump(exclude_unset=True)
        return {name: value for name, value in sent.items() if value is not None or name == "department"}


class NewDepartment(Input):
    """A department; `manager` is a person's id."""

    name: Name
    manager: OptionalId = None


class DepartmentChanges(Input):
    """What may be changed about a department; what is not sent stays."""

    name: Name | None = None
    manager: OptionalId = None

    @property
    def changes(self) -> dict[str, Any]:
        """What was sent."""
        sent = self.model_dump(exclude_unset=True)
        return {name: value for name, value in sent.items() if value is not None or name == "manager"}


class People(BaseHandler):
    """The directory."""

    @endpoint(query=PeopleQuery, answers={200: schemas.UserPage})
    async def get(self, query: PeopleQuery) -> None:
        """List people. Addresses, last visits and deactivated people only for those who may see them."""
        count, results = await self.store.read(
            people.directory,
            self.actor,
            query.page_size,
            query.offset,
            query.search,
            query.role,
            query.department,
        )
        self.answer_page(count, results, query)


class OnePerson(BaseHandler):
    """One person."""

    @endpoint(answers={200: schemas.User})
    async def get(self, person_id: int) -> None:
        """Get a person."""
        self.answer(await self.store.read(people.retrieve, self.actor, person_id))

    @endpoint(body=PersonChanges, answers={200: schemas.User}, scope=ALL)
    async def patch(self, person_id: int, body: PersonChanges) -> None:
        """Change somebody's department or name: for hr and ceo."""
        await self.operate(people.update, person_id, body.changes, self.expected_version())


class ChangeRole(BaseHandler):
    """Roles."""

    @endpoint(body=NewRole, answers={200: schemas.User}, scope=PERSON)
    async def post(self, person_id: int, body: NewRole) -> None:
        """Give somebody a role: for supervisor, hr and ceo, up to their own. The last ceo stays one."""
        await self.operate(people.change_role, person_id, body.role)
        security_log.note(self.request, "role_changed", person_id, by=self.actor.id, role=body.role)


class Deactivate(BaseHandler):
    """Leaving the team."""

    @endpoint(answers={200: schemas.User}, scope=PERSON)
    async def post(self, person_id: int) -> None:
        """End somebody's sessions at once, and let them start no more: for hr and ceo."""
        await self.operate(people.deactivate, person_id)
        security_log.note(self.request, "deactivated", person_id, by=self.actor.id, sessions="ended")


class Activate(BaseHandler):
    """Coming back."""

    @endpoint(answers={200: schemas.User}, scope=PERSON)
    async def post(self, person_id: int) -> None:
        """Let a deactivated person sign in again: for hr and ceo."""
        await self.operate(people.activate, person_id)
        security_log.note(self.request, "activated", person_id, by=self.actor.id)


class ResetLink(BaseHandler):
    """A new password without a mail server."""

    @endpoint(answers={200: schemas.ResetLink}, scope=PERSON)
    async def post(self, person_id: int) -> None:
        """A link with which the person sets a new password, to hand over: for hr and ceo. It works once,
        within an hour."""
        found = await self.store.read(people.resettable, self.actor, person_id)
        security_log.note(self.request, "reset_link_given", person_id, by=self.actor.id)
        reset = self.backend.resets.make(*found)
        link = reset.link(self.backend.settings.frontend_url, self.base_url)
        self.answer({"link": link, "uid": reset.uid, "token": reset.token})


class Statistics(BaseHandler):
    """Figures."""

    @endpoint(answers={200: schemas.PeopleStatistics})
    async def get(self) -> None:
        """Counts of the people in one's scope: everyone, or the department of a manager or atl."""
        self.answer(await self.store.snapshot(people.statistics, self.actor))


class Avatar(BaseHandler):
    """One's picture."""

    @endpoint(
        body=Input,
        answers={200: schemas.User},
        takes_files=True,
        needs_files=True,
        file_field="avatar",
        scope=ALL,
    )
    async def post(self, body: Input) -> None:
        """Set one's own picture: the file `avatar`, a JPEG, PNG or GIF of at most 5 MB. It is scaled down
        and stored anew, without what the camera wrote into it."""
        async with avatars.stored_avatar(self.backend, self.uploads) as picture:
            person, replaced = await self.store.write(people.set_avatar, self.actor, picture.path)
            picture.used = True
        avatars.remove_soon(self.backend, replaced)
        self.answer(person)

    @endpoint(answers={204: None}, scope=ALL)
    async def delete(self) -> None:
        """Remove one's own picture."""
        _, replaced = await self.store.write(people.set_avatar, self.actor, None)
        avatars.remove_soon(self.backend, replaced)
        self.answer(None, 204)


class Departments(BaseHandler):
    """Departments."""

    @endpoint(query=Page, answers={200: schemas.DepartmentPage})
    async def get(self, query: Page) -> None:
        """The departments by name."""
        count, results = await self.store.read(people.departments, self.actor, query.page_size, query.offset)
        self.answer_page(count, results, query)

    @endpoint(body=NewDepartment, answers={201: schemas.Department}, scope=ALL)
    async def post(self, body: NewDepartment) -> None:
        """Make a department: for hr and ceo."""
        await self.operate(people.create_department, body.name.strip(), body.manager, status=201)


class OneDepartment(BaseHandler):
    """One department."""

    @endpoint(answers={200: schemas.Department})
    async def get(self, department_id: int) -> None:
        """Get a department."""
        self.answer(await self.store.read(people.department, self.actor, department_id))

    @endpoint(body=DepartmentChanges, answers={200: schemas.Department}, scope=ALL)
    async def patch(self, department_id: int, body: DepartmentChanges) -> None:
        """Change a department's name or manager: for hr and ceo."""
        await self.operate(people.update_department, department_id, body.changes, self.expected_version())

    @endpoint(body=NewDepartment, answers={200: schemas.Department}, scope=ALL)
    async def put(self, department_id: int, body: NewDepartment) -> None:
        """Replace a department's name and manager: for hr and ceo."""
        changes = {"name": body.name.strip(), "manager": body.manager}
        await self.operate(people.update_department, department_id, changes, self.expected_version())

    @endpoint(answers={204: None}, scope=ALL)
    async def delete(self, department_id: int) -> None:
        """Remove a department, for hr and ceo; its people stay, without one."""
        await self.store.write(people.delete_department, self.actor, department_id)
        self.answer(None, 204)


routes = [
    Route("/api/users/", People),
    Route("/api/users/stats/", Statistics),
    Route("/api/users/profile/avatar/", Avatar),
    Route("/api/users/{id}/", OnePerson),
    Route("/api/users/{id}/change_role/", ChangeRole),
    Route("/api/users/{id}/deactivate/", Deactivate),
    Route("/api/users/{id}/activate/", Activate),
    Route("/api/users/{id}/reset_link/", ResetLink),
    Route("/api/departments/", Departments),
    Route("/api/departments/{id}/", OneDepartment),
]
