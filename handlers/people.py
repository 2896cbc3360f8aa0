"""The directory of people (document A)."""

from __future__ import annotations

from pydantic import Field

from handlers import answers
from handlers.base import BaseHandler, Page, Route, endpoint
from models.inputs import Text
from models.operations import people


class PeopleQuery(Page):
    """A page of people, narrowed."""

    search: Text = Field("", max_length=200, description="part of a username, first or last name")


class People(BaseHandler):
    """The directory."""

    @endpoint(query=PeopleQuery, answers={200: answers.UserPage})
    async def get(self, query: PeopleQuery) -> None:
        """Active people. Addresses and last visits only for those who may see them."""
        count, results = await self.store.read(
            people.directory, self.actor, query.page_size, query.skip, query.search
        )
        self.answer_page(count, results, query)


class OnePerson(BaseHandler):
    """One person."""

    @endpoint(answers={200: answers.User})
    async def get(self, person_id: int) -> None:
        """A person."""
        self.answer(await self.store.read(people.retrieve, self.actor, person_id))


routes = [
    Route("/api/users/", People),
    Route("/api/users/{id}/", OnePerson),
]
